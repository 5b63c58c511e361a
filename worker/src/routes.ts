import { EdgeError, notFound } from "./errors";

/** A question is asked with a body and answered from what its key names; answers of each kind are whole in their own way. */
export type QuestionKind = "chat" | "embeddings" | "search" | "rerank";

/**
 * alive: answered here. open: forwarded without asking who it is. keyed: forwarded for a key that the origin knows, as are
 * documents, which may be larger.
 * models: cached for the bound. Questions: for a key that the origin knows, and cached.
 */
export type RouteKind = "alive" | "open" | "keyed" | "documents" | "models" | QuestionKind;

/** What can be reached through the edge. Everything else, above all /internal/, does not exist. */
const ROUTES: readonly (readonly [string, RegExp, RouteKind])[] = [
  ["POST", /^\/v1\/chat\/completions$/, "chat"],
  ["POST", /^\/v1\/embeddings$/, "embeddings"],
  ["POST", /^\/v1\/search$/, "search"],
  ["POST", /^\/v[12]\/rerank$/, "rerank"],
  ["GET", /^\/v1\/models(\/[^/]+)?$/, "models"],
  ["GET POST PUT PATCH DELETE", /^\/v1\/documents(\/.*)?$/, "documents"],
  ["POST", /^\/v1\/feedback$/, "keyed"],
  ["POST", /^\/dify\/retrieval$/, "keyed"],
  ["GET POST DELETE", /^\/mcp$/, "keyed"],
  ["GET", /^\/(openapi\.json|docs)?$/, "open"],
  ["GET", /^\/(assets\/.+|readyz)$/, "open"],
  ["GET", /^\/healthz$/, "alive"],
];

export interface Route {
  kind: RouteKind;
  methods: string[];
}

/** The route at a path. */
export function findRoute(path: string): Route {
  const row = ROUTES.find(([, pattern]) => pattern.test(path));
  if (!row || climbs(path)) throw notFound(`There is nothing at ${path.slice(0, 200)}.`);
  return { kind: row[2], methods: row[0].split(" ") };
}

export function matchRoute(method: string, path: string): RouteKind {
  const { kind, methods } = findRoute(path);
  if (methods.includes(method) || (method === "HEAD" && methods.includes("GET"))) return kind;
  throw new EdgeError(405, "invalid_request_error", "method_not_allowed", `${path} takes ${methods.join(", ")}.`, null, {
    allow: methods.join(", "),
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
