import type { Grant } from "./grant";

/** What a client's `Cache-Control` asks for. */
export interface Directives {
  noStore: boolean;
  noCache: boolean;
  onlyIfCached: boolean;
  maxAgeMs: number;
}

export function readDirectives(header: string | null): Directives {
  const given = new Map<string, string>();
  for (const part of (header ?? "").toLowerCase().split(",")) {
    const [name, value] = part.split("=");
    given.set((name ?? "").trim(), (value ?? "").trim().replaceAll('"', ""));
  }
  const maxAge = given.get("max-age");
  const maxAgeMs = maxAge !== undefined && /^\d+$/.test(maxAge) ? Number(maxAge) * 1000 : Infinity;
  return {
    noStore: given.has("no-store"),
    noCache: given.has("no-cache") || maxAgeMs === 0,
    onlyIfCached: given.has("only-if-cached"),
    maxAgeMs,
  };
}

/** Whether the origin lets this answer be replayed, and made it from what the key names. */
export function mayStore(response: Response, grant: Grant): boolean {
  const { status, headers } = response;
  if (status !== 200 || isForbidden(headers) || headers.get("x-jargonaut-store") !== "yes") return false;
  const { knowledge_base, channel, recipe, generation } = grant;
  const echo = { "knowledge-base": knowledge_base, channel, recipe, generation: String(generation) };
  return Object.entries(echo).every(([name, value]) => headers.get(`x-jargonaut-${name}`) === encodeURIComponent(value));
}

/** Whether the origin forbids to keep an answer, in the words of HTTP. */
export function isForbidden(headers: Headers): boolean {
  const varies = (headers.get("vary") ?? "").includes("*");
  return varies || headers.has("set-cookie") || /\b(no-store|private)\b/i.test(headers.get("cache-control") ?? "");
}
