import { EdgeError, notFound } from "./errors";

/**
 * alive: answered here. open: forwarded without asking who it is. keyed: forwarded for a key that the origin knows.
 * chat, search: for a key that the origin knows, and cached.
 */
export type RouteKind = "alive" | "open" | "keyed" | "chat" | "search";

/** What can be reached through the edge. Everything else, above all /internal/, does not exist. */
const ROUTES: readonly (readonly [string, RegExp, RouteKind])[] = [
  ["POST", /^\/v1\/chat\/completions$/, "chat"],
  ["POST", /^\/v1\/search$/, "search"],
  ["GET", /^\/v1\/models(\/[^/]+)?$/, "keyed"],
  ["POST", /^\/(v1\/(embeddings|rerank|feedback)|v2\/rerank|dify\/retrieval)$/, "keyed"],
  ["GET POST PUT PATCH DELETE", /^\/v1\/documents(\/.*)?$/, "keyed"],
  ["GET", /^\/(openapi\.json|docs)?$/, "open"],
  ["GET", /^\/(assets\/.+|readyz)$/, "open"],
  ["GET", /^\/healthz$/, "alive"],
];

export function matchRoute(method: string, path: string): RouteKind {
  const row = ROUTES.find(([, pattern]) => pattern.test(path));
  if (!row || climbs(path)) throw notFound(`There is nothing at ${path}.`);
  const allowed = row[0].split(" ");
  if (allowed.includes(method) || (method === "HEAD" && allowed.includes("GET"))) return row[2];
  throw new EdgeError(405, "invalid_request_error", "method_not_allowed", `${path} takes ${allowed.join(", ")}.`, null, {
    allow: allowed.join(", "),
  });
}

/** Whether the origin, once it has decoded the path, could read it as another one. */
function climbs(path: string): boolean {
  try {
    return decodeURIComponent(path).split(/[/\\]/).some((segment) => segment === "." || segment === "..");
  } catch {
    return true;
  }
}
