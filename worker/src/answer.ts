import { type Directives, type Hit, mayStore, readDirectives } from "./cache";
import type { Question } from "./body";
import { cacheKey, canonicalBody } from "./canonical";
import { isEventStream } from "./complete";
import { utf8 } from "./digest";
import { EdgeError, originError } from "./errors";
import type { Exchange } from "./exchange";
import type { Forwarded } from "./forward";
import type { Grant } from "./grant";
import { encodeIdentity } from "./identity";

/** Of the origin's headers, what is passed on and stored with an answer. */
const ANSWER_HEADERS = /^(content-type|retry-after|www-authenticate|x-jargonaut-.+|x-ratelimit-.+)$/;
/** Of the client's headers, what the origin sees where nothing is cached. Where something is, it sees none: no answer may depend on what is not in its key. */
const CLIENT_HEADERS = ["accept", "accept-language", "content-type", "idempotency-key", "if-match", "if-none-match", "traceparent", "tracestate", "user-agent"];

/** Answers a question from the cache, or from the origin, and then keeps the answer for others. */
export async function answerQuestion(exchange: Exchange, kind: "chat" | "search", question: Question, grant: Grant): Promise<Response> {
  // On a hit the origin is not there to say so.
  if (!grant.scopes.includes("read")) throw new EdgeError(403, "permission_error", "permission_denied", "This key may not read.");
  const body = canonicalBody(question.body, grant);
  const asked = readDirectives(exchange.request.headers.get("cache-control"));
  const key = await cacheKey(grant, exchange.url.pathname, body);
  const asking: Asking = { exchange, kind, grant, body, key, asked, streamed: question.stream };
  if (question.personal || asked.noStore) return labelled((await sent(asking)).response, "BYPASS", "fwd=bypass");
  const hit = asked.noCache ? null : await found(asking);
  if (hit) return replayed(hit, exchange.shared.answers.ttlLeftS(hit));
  if (asked.onlyIfCached) throw new EdgeError(504, "server_error", "not_cached", "There is no stored answer.");
  return fetched(asking);
}

/** What is not cached goes to the origin as it is. */
export async function passThrough(exchange: Exchange, body: Uint8Array, identity: string): Promise<Response> {
  const headers = new Headers();
  for (const name of CLIENT_HEADERS) {
    const value = exchange.request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  const { response } = await exchange.forward(body, identity, headers);
  return response;
}

interface Asking {
  exchange: Exchange;
  kind: "chat" | "search";
  grant: Grant;
  /** Canonical, as it is in the key and as the origin sees it. */
  body: string;
  key: string;
  asked: Directives;
  streamed: boolean;
}

function sent({ exchange, grant, body }: Asking): Promise<Forwarded> {
  return exchange.forward(utf8(body), encodeIdentity(grant), new Headers({ "content-type": "application/json" }));
}

/** The stored answer; one that is on its way is waited for. */
async function found({ exchange, key, asked }: Asking): Promise<Hit | null> {
  const { answers, flights, settings } = exchange.shared;
  const lookUp = (): Promise<Hit | null> => exchange.timed("cache", answers.match(exchange.url.host, key, asked.maxAgeMs));
  const hit = await lookUp();
  const flight = hit || asked.onlyIfCached ? undefined : flights.join(key, settings.headerDeadlineMs);
  if (!flight) return hit;
  await exchange.timed("wait", flight);
  return lookUp();
}

/** The origin's answer, passed on as it comes, and stored once it is whole. */
async function fetched(asking: Asking): Promise<Response> {
  const { exchange, key, asked, streamed } = asking;
  const { flights } = exchange.shared;
  const why = asked.noCache ? "fwd=request" : "fwd=miss";
  const arriving = sent(asking).then((forwarded) => ({ ...forwarded, storing: stored(asking, forwarded) }));
  const landed = arriving.then(({ storing }) => storing);
  // A stream is not joined at its start: who joins would get the first word when the last one is out.
  if (!streamed) flights.track(key, landed);
  exchange.ctx.waitUntil(landed.catch(() => undefined));
  const { response, whole, storing } = await arriving;
  if (isEventStream(response.headers.get("content-type"))) {
    exchange.ctx.waitUntil(whole.then(() => flights.track(key, storing)));
    return labelled(response, "MISS", why);
  }
  if ((await whole) === "broken") throw originError(502, "origin_broke_off", "The origin's answer broke off.");
  return labelled(response, "MISS", (await storing) ? `${why}; stored` : why);
}

/** Whether the answer was stored. */
async function stored({ exchange, kind, grant, key }: Asking, { response, whole }: Forwarded): Promise<boolean> {
  if (!mayStore(response, grant)) return false;
  try {
    return await exchange.shared.answers.put(exchange.url.host, key, kind, answerHeaders(response.headers), await whole);
  } catch (error) {
    console.error("An answer could not be stored.", error);
    return false;
  }
}

function replayed({ response, ageMs }: Hit, ttlS: number): Response {
  const answer = labelled(response, "HIT", `hit; ttl=${ttlS}`);
  answer.headers.set("age", String(Math.floor(ageMs / 1000)));
  return answer;
}

function labelled(response: Response, label: "HIT" | "MISS" | "BYPASS", status: string): Response {
  const headers = answerHeaders(response.headers);
  headers.set("x-jargonaut-cache", label);
  headers.set("cache-status", `jargonaut; ${status}`);
  return new Response(response.body, { status: response.status, headers });
}

function answerHeaders(all: Headers): Headers {
  return new Headers([...all].filter(([name]) => ANSWER_HEADERS.test(name)));
}
