import type { Question } from "./body";
import { isForbidden, readDirectives } from "./caching_rules";
import { cacheKey, canonicalBody } from "./canonical";
import { isComplete, tokensOf } from "./complete";
import { utf8 } from "./digest";
import { EdgeError, originError } from "./errors";
import type { Exchange } from "./exchange";
import { type Granted, noGrant } from "./grant";
import { servedHit } from "./hits";
import { encodeIdentity } from "./identity";
import type { QuestionKind } from "./routes";
import { address } from "./store/cache_api";
import { answerHeaders, type Asking, type Fetched, type Hit } from "./store/port";

/** Of the client's headers, what the origin sees where nothing is cached. Where something is, it sees none: no answer may depend on what is not in its key. */
const CLIENT_HEADERS = [
  "accept",
  "accept-language",
  "content-type",
  "idempotency-key",
  "if-match",
  "if-none-match",
  "last-event-id",
  "mcp-protocol-version",
  "mcp-session-id",
  "traceparent",
  "tracestate",
  "user-agent",
];
/** Of the origin's headers, what a client sees where nothing is cached. Whom pages may be framed or read by is the edge's to say. */
const WITHHELD = /^(set-cookie|access-control-.+|cf-.+|server|via|x-powered-by)$/;

type Label = "HIT" | "MISS" | "BYPASS" | "STALE" | "COALESCED";

/** Answers a question from the store, or from the origin, and then keeps the answer for others. */
export async function answerQuestion(exchange: Exchange, kind: QuestionKind, question: Question, granted: Granted): Promise<Response> {
  const { grant, confirmed } = granted;
  // On a hit the origin is not there to say so.
  if (!grant.scopes.includes("read")) throw new EdgeError(403, "permission_error", "permission_denied", "This key may not read.");
  const body = canonicalBody(question.body, grant);
  const asked = readDirectives(exchange.request.headers.get("cache-control"));
  const asking: Asking = { exchange, kind, grant, body, key: await cacheKey(grant, exchange.url.pathname, body), asked, streamed: question.stream };
  const mayFind = !question.personal && !asked.noStore && !asked.noCache;
  const { store } = exchange.shared;
  if (!confirmed) {
    const old = mayFind ? await store.find({ ...asking, asked: { ...asked, onlyIfCached: true } }) : null;
    if (!old) throw noGrant();
    if (!(await reported(asking, old, "stale"))) throw noGrant();
    return replayed(exchange, old, "STALE", "hit", "; detail=unconfirmed");
  }
  if (question.personal || asked.noStore) return labelled(charged(exchange, await exchange.ask(asking)).response, "BYPASS", "fwd=bypass");
  const held = mayFind ? await store.find(asking) : null;
  if (held?.fresh && (await reported(asking, held, held.coalesced ? "coalesced" : "hit"))) {
    return held.coalesced ? replayed(exchange, held, "COALESCED", "fwd=miss; collapsed") : replayed(exchange, held, "HIT", "hit");
  }
  if (asked.onlyIfCached) {
    await held?.response.body?.cancel();
    throw new EdgeError(504, "server_error", "not_cached", "There is no stored answer.");
  }
  return fetched(asking, held);
}

/** From the origin; if that fails, the answer that was held past its time to live, for as long as the settings let it. */
async function fetched(asking: Asking, held: Hit | null): Promise<Response> {
  const { exchange, asked } = asking;
  const { ttlMs, staleMs } = exchange.shared.settings;
  const fallback = held && staleMs > 0 && held.ageMs < ttlMs + staleMs ? held : null;
  let answer: Fetched;
  let failure = "";
  try {
    answer = await exchange.shared.store.fetch(asking);
    if (fallback && answer.response.status >= 500) {
      failure = `; fwd-status=${answer.response.status}`;
      await answer.response.body?.cancel();
    }
  } catch (error) {
    if (!fallback || !(error instanceof EdgeError) || error.status < 500) throw error;
    answer = { response: error.toResponse(), whole: Promise.resolve("broken"), origin: "", stored: false };
    failure = `; fwd-status=${error.status}`;
  }
  if (fallback && failure) {
    if (!(await reported(asking, fallback, "stale"))) throw originError(503, "origin_unreachable", "The origin fails, and the stored answer could not be recorded.");
    return replayed(exchange, fallback, "STALE", `fwd=stale${failure}`);
  }
  await held?.response.body?.cancel();
  if (answer.hit) {
    const { hit } = answer;
    if (!(await reported(asking, hit, hit.fresh ? "coalesced" : "stale"))) throw originError(503, "origin_unreachable", "The stored answer could not be recorded.");
    return hit.fresh ? replayed(exchange, hit, "COALESCED", "fwd=miss; collapsed") : replayed(exchange, hit, "STALE", "fwd=stale");
  }
  const why = asked.noCache ? "fwd=request" : held ? "fwd=stale" : "fwd=miss";
  return labelled(charged(exchange, answer).response, "MISS", answer.stored ? `${why}; stored` : why);
}

/** Whether the origin knows, or will know, of the hit as the settings demand. */
async function reported({ exchange, grant }: Asking, hit: Hit, status: "hit" | "stale" | "coalesced"): Promise<boolean> {
  return exchange.report(servedHit(grant, exchange.url.pathname, exchange.id, hit.madeFor, status));
}

function charged<T extends Fetched | Awaited<ReturnType<Exchange["ask"]>>>(exchange: Exchange, answer: T): T {
  const { purse } = exchange;
  if (!purse || answer.response.status !== 200) return answer;
  const type = answer.response.headers.get("content-type");
  exchange.ctx.waitUntil(answer.whole.then((whole) => typeof whole !== "string" && purse.charge(tokensOf(type, whole))));
  return answer;
}

/** What can be asked, for as long as a grant is believed: no generation tells of a change. */
export async function answerModels(exchange: Exchange, { grant }: Granted): Promise<Response> {
  const { settings, brief } = exchange.shared;
  const { boundMs } = settings;
  const asked = readDirectives(exchange.request.headers.get("cache-control"));
  const url = address(exchange.url.host, await cacheKey(grant, exchange.url.pathname + exchange.url.search, ""));
  const cached = boundMs > 0 && exchange.request.method === "GET" && !asked.noStore;
  const hit = cached && !asked.noCache ? await exchange.timed("cache", brief.brief(url, boundMs)) : null;
  if (hit?.fresh) return replayed(exchange, hit, "HIT", "hit", "", boundMs);
  const askedAt = Date.now();
  const { response, whole } = await exchange.forward(new Uint8Array(), encodeIdentity(grant), new Headers(), { repeatable: true, tenant: grant.tenant });
  const bytes = await whole;
  const keep = cached && response.status === 200 && !isForbidden(response.headers) && typeof bytes !== "string";
  if (!keep || !isComplete("models", response.headers.get("content-type"), bytes)) return labelled(response, cached ? "MISS" : "BYPASS", cached ? "fwd=miss" : "fwd=bypass");
  exchange.ctx.waitUntil(brief.keepBriefly(url, response.headers, bytes, askedAt, boundMs, exchange.id));
  return labelled(response, "MISS", "fwd=miss; stored");
}

/** What is not cached goes to the origin as it is. */
export async function passThrough(exchange: Exchange, body: Uint8Array, identity: string, tenant: string | null): Promise<Response> {
  const headers = new Headers();
  for (const name of CLIENT_HEADERS) {
    const value = exchange.request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  const repeatable = exchange.request.method === "GET" || exchange.request.method === "HEAD";
  const { response } = await exchange.forward(body, identity, headers, { repeatable, tenant });
  return new Response(response.body, { status: response.status, headers: new Headers([...response.headers].filter(([name]) => !WITHHELD.test(name))) });
}

function replayed(exchange: Exchange, { response, ageMs }: Hit, label: Label, status: string, more = "", ttlMs = exchange.shared.settings.ttlMs): Response {
  const answer = labelled(response, label, `${status}; ttl=${Math.floor((ttlMs - ageMs) / 1000)}${more}`);
  answer.headers.set("age", String(Math.floor(ageMs / 1000)));
  return answer;
}

function labelled(response: Response, label: Label, status: string): Response {
  const headers = answerHeaders(response.headers);
  headers.set("x-jargonaut-cache", label);
  headers.set("cache-status", `jargonaut; ${status}`);
  return new Response(response.body, { status: response.status, headers });
}

/** A question that names no knowledge base: the origin says which it can be. */
export function passQuestion(exchange: Exchange, canonical: string, { grant }: Granted): Promise<Response> {
  return passThrough(exchange, utf8(canonical), encodeIdentity(grant), grant.tenant);
}
