import type { Route } from "./routes";

/** What a page may read of an answer. */
const EXPOSED = [
  "age",
  "cache-status",
  "retry-after",
  "server-timing",
  "x-jargonaut-cache",
  "x-jargonaut-release",
  "x-ratelimit-limit-requests",
  "x-ratelimit-limit-tokens",
  "x-ratelimit-remaining-requests",
  "x-ratelimit-remaining-tokens",
  "x-ratelimit-reset-requests",
  "x-ratelimit-reset-tokens",
  "x-request-id",
].join(", ");
const DAY_S = "86400";

/** Lets pages of the allowed web origins read the answer. Keys are sent as a header, so no credentials of the browser are involved. */
export function allowOrigin(headers: Headers, request: Request, allowed: readonly string[]): void {
  if (allowed.length === 0) return;
  headers.append("vary", "Origin");
  const origin = request.headers.get("origin");
  if (origin === null || !(allowed.includes(origin) || allowed.includes("*"))) return;
  headers.set("access-control-allow-origin", allowed.includes("*") ? "*" : origin);
  headers.set("access-control-expose-headers", EXPOSED);
}

/** Whether a browser asks if it may send a request. */
export function isPreflight(request: Request, allowed: readonly string[]): boolean {
  return request.method === "OPTIONS" && allowed.length > 0 && request.headers.has("access-control-request-method");
}

/** The answer to a preflight; `allowOrigin` says whether to this page. */
export function preflight({ methods }: Route): Response {
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-methods": methods.join(", "),
      "access-control-allow-headers": "authorization, cache-control, content-type, idempotency-key, if-match, if-none-match",
      "access-control-max-age": DAY_S,
      "cache-control": "no-store",
    },
  });
}
