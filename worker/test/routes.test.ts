import { expect, test } from "vitest";
import { matchRoute } from "../src/routes";

test.each([
  ["POST", "/v1/chat/completions", "chat"],
  ["POST", "/v1/search", "search"],
  ["GET", "/v1/models", "models"],
  ["HEAD", "/v1/models/handbook", "models"],
  ["DELETE", "/v1/documents/ref%2Fa.md", "documents"],
  ["POST", "/v1/documents/restore", "documents"],
  ["POST", "/v1/feedback", "keyed"],
  ["POST", "/v1/embeddings", "embeddings"],
  ["POST", "/v1/rerank", "rerank"],
  ["POST", "/v2/rerank", "rerank"],
  ["PUT", "/v1/documents/ref%2Fa.md", "documents"],
  ["POST", "/dify/retrieval", "keyed"],
  ["POST", "/mcp", "keyed"],
  ["GET", "/", "open"],
  ["GET", "/assets/a/b.js", "open"],
  ["GET", "/openapi.json", "open"],
  ["GET", "/docs", "open"],
  ["GET", "/readyz", "open"],
  ["GET", "/healthz", "alive"],
])("%s %s is %s", (method, path, kind) => {
  expect(matchRoute(method, path)).toBe(kind);
});

test.each([
  "/internal/grant",
  "/v1/documentsx",
  "/v1/models/a/b",
  "/docs/",
  "/assets/",
  "/v1/documents/..%2f..%2finternal",
  "/v1/documents/a%2f.%2fb",
  "/v1/documents/..%5Cx",
  "/v1/documents/%ff",
  "/HEALTHZ",
  "/metrics",
  "/mcp/",
])("%s does not exist", (path) => {
  expect(() => matchRoute("GET", path)).toThrow(expect.objectContaining({ status: 404 }));
});

test.each([
  ["GET", "/v1/search"],
  ["OPTIONS", "/v1/models"],
  ["POST", "/healthz"],
])("%s %s is not allowed", (method, path) => {
  expect(() => matchRoute(method, path)).toThrow(expect.objectContaining({ status: 405 }));
});
