import { mayStore } from "../caching_rules";
import { isComplete, isEventStream } from "../complete";
import { originError } from "../errors";
import type { Exchange } from "../exchange";
import { type Forwarded, watched } from "../forward";
import type { Grant } from "../grant";
import { type AnswerStore, answerHeaders, asHit, type Asking, type Fetched, type Hit, STORED_AT, STORED_FOR } from "./port";

/** Carries the question past the cache: it is not in the platform's key, and need not be, since the path is its digest. */
const QUESTION = "x-jargonaut-question";
/** Headers may have 128 kB in all. */
const LONGEST_QUESTION = 90_000;

/** The entrypoint behind the platform's cache, as the outer one sees it. */
export interface Inner {
  fetch(url: string, init: { headers: Record<string, string> }): Promise<Response>;
}

interface Question {
  request: string;
  path: string;
  kind: Asking["kind"];
  grant: Grant;
  body: string;
}

/**
 * Answers in Cloudflare's Workers Cache: the platform keeps what the inner entrypoint answers, in tiers, and collapses
 * equal misses. No emulator has that cache, so what is tested is the way through it, not that it keeps anything.
 */
export class WorkersCacheStore implements AnswerStore {
  constructor(private readonly inner: (tenant: string) => Inner, private readonly ttlMs: number, private readonly now: () => number = Date.now) {}

  async find({ exchange, grant, key, asked }: Asking): Promise<Hit | null> {
    const looked = await exchange.timed("cache", this.inner(grant.tenant).fetch(address(key), { headers: {} }));
    return asHit(looked, this.ttlMs, asked.maxAgeMs, false, this.now());
  }

  async fetch(asking: Asking): Promise<Fetched> {
    const { exchange, grant, key, kind, body, asked } = asking;
    const question: Question = { request: exchange.id, path: exchange.url.pathname, kind, grant, body };
    const header = encodeURIComponent(JSON.stringify(question));
    // The platform would answer from its cache what must not come from there.
    if (asked.noCache || asked.maxAgeMs !== Infinity || header.length > LONGEST_QUESTION) return { ...(await exchange.ask(asking)), stored: false };
    const response = await exchange.timed("origin", this.inner(grant.tenant).fetch(address(key), { headers: { [QUESTION]: header } }));
    const stored = response.headers.has(STORED_AT);
    if (stored && response.headers.get(STORED_FOR) !== exchange.id) {
      const hit = await asHit(response, this.ttlMs, Infinity, true, this.now());
      if (hit) return { response: hit.response, whole: Promise.resolve("oversized"), origin: "", stored, hit };
    }
    return { ...watched(response, ""), stored };
  }
}

/** What the inner entrypoint does when the platform has no answer. */
export async function answerBehindCache(request: Request, exchange: Exchange): Promise<Response> {
  const header = request.headers.get(QUESTION);
  if (header === null) return new Response(null, { status: 504, headers: { "cache-control": "no-store" } });
  const { request: madeFor, kind, grant, body } = JSON.parse(decodeURIComponent(header)) as Question;
  const { response, whole } = await exchange.ask({ grant, body });
  const { ttlMs, staleMs } = exchange.shared.settings;
  const headers = answerHeaders(response.headers);
  const type = headers.get("content-type");
  const keep = ttlMs > 0 && mayStore(response, grant);
  const streamed = isEventStream(type);
  const bytes = keep && !streamed ? await whole : "oversized";
  if (!keep || (!streamed && (typeof bytes === "string" || !isComplete(kind, type, bytes)))) {
    headers.set("cache-control", "no-store");
    return new Response(response.body, { status: response.status, headers });
  }
  headers.set("cache-control", `public, max-age=${Math.ceil(ttlMs / 1000)}${staleMs ? `, stale-if-error=${Math.ceil(staleMs / 1000)}` : ""}`);
  headers.set(STORED_AT, String(Date.now()));
  headers.set(STORED_FOR, madeFor);
  return new Response(streamed ? response.body?.pipeThrough(brokenUnlessWhole(kind, type, whole)) ?? null : response.body, { headers });
}

/** The platform stores what ends in order, so a stream that was not whole must not. */
function brokenUnlessWhole(kind: Asking["kind"], type: string | null, whole: Forwarded["whole"]): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({
    async flush() {
      const bytes = await whole;
      if (typeof bytes === "string" || !isComplete(kind, type, bytes)) throw originError(502, "origin_broke_off", "The stream was not whole.");
    },
  });
}

function address(key: string): string {
  return `https://answers.internal/${key}`;
}

/** The path of the question in a request to the inner entrypoint. */
export function pathOfQuestion(request: Request): string {
  const header = request.headers.get(QUESTION);
  return header === null ? "/" : (JSON.parse(decodeURIComponent(header)) as Question).path;
}
