import { isComplete } from "./complete";
import type { Grant } from "./grant";
import type { Whole } from "./forward";

const STORED_AT = "x-jargonaut-stored-at";

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
  const forbidden = headers.has("set-cookie") || /\b(no-store|private)\b/i.test(headers.get("cache-control") ?? "");
  if (status !== 200 || forbidden || headers.get("x-jargonaut-store") !== "yes") return false;
  const { knowledge_base, channel, recipe, generation } = grant;
  const echo = { "knowledge-base": knowledge_base, channel, recipe, generation: String(generation) };
  return Object.entries(echo).every(([name, value]) => headers.get(`x-jargonaut-${name}`) === encodeURIComponent(value));
}

export interface Hit {
  response: Response;
  ageMs: number;
}

/** Answers by key in the Cache API, under URLs of our own host that no route leads to. */
export class AnswerCache {
  constructor(private readonly cache: Cache, private readonly ttlMs: number, private readonly now: () => number = Date.now) {}

  async match(host: string, key: string, maxAgeMs: number): Promise<Hit | null> {
    const stored = await this.cache.match(address(host, key));
    if (!stored) return null;
    const ageMs = Math.max(0, this.now() - Number(stored.headers.get(STORED_AT)));
    if (ageMs >= this.ttlMs || ageMs > maxAgeMs) {
      await stored.body?.cancel();
      return null;
    }
    const headers = new Headers(stored.headers);
    for (const name of [STORED_AT, "cache-control", "cf-cache-status", "age"]) headers.delete(name);
    return { response: new Response(stored.body, { headers }), ageMs };
  }

  /** Stores the bytes under the answer's headers if they are whole; says whether it did. */
  async put(host: string, key: string, kind: "chat" | "search", headers: Headers, whole: Whole): Promise<boolean> {
    if (typeof whole === "string" || this.ttlMs === 0 || !isComplete(kind, headers.get("content-type"), whole)) return false;
    const stored = new Headers(headers);
    stored.set(STORED_AT, String(this.now()));
    stored.set("cache-control", `public, s-maxage=${Math.ceil(this.ttlMs / 1000)}`);
    await this.cache.put(address(host, key), new Response(whole, { headers: stored }));
    return true;
  }

  ttlLeftS(hit: Hit): number {
    return Math.floor((this.ttlMs - hit.ageMs) / 1000);
  }
}

function address(host: string, key: string): string {
  return `https://${host}/.answers/${key}`;
}
