import type { Directives } from "../caching_rules";
import type { Exchange } from "../exchange";
import type { Forwarded } from "../forward";
import type { Grant } from "../grant";
import type { QuestionKind } from "../routes";

/** When an answer was stored, and the request that it was made for: headers of the stored copy, never of an answer. */
export const STORED_AT = "x-jargonaut-stored-at";
export const STORED_FOR = "x-jargonaut-stored-for";

/** A question with all that its answer depends on. */
export interface Asking {
  exchange: Exchange;
  kind: QuestionKind;
  grant: Grant;
  /** Canonical, as it is in the key and as the origin sees it. */
  body: string;
  key: string;
  asked: Directives;
  streamed: boolean;
}

export interface Hit {
  response: Response;
  ageMs: number;
  /** Whether it is younger than its time to live. */
  fresh: boolean;
  /** Whether another request's way to the origin was waited for. */
  coalesced: boolean;
  /** The request that it was made for. */
  madeFor: string;
}

export interface Fetched extends Forwarded {
  /** Whether it is being stored; of a stream, not known while it runs. */
  stored: boolean;
  /** Set if another one's answer came instead. */
  hit?: Hit;
}

/**
 * Where answers are kept. What `find` finds was stored under the same key, was whole, and may be replayed byte by byte;
 * it may be past its time to live. `fetch` asks the origin and keeps the answer if it may be kept.
 */
export interface AnswerStore {
  find(asking: Asking): Promise<Hit | null>;
  fetch(asking: Asking): Promise<Fetched>;
}

/** Of the origin's headers, what is passed on and stored with an answer. */
const ANSWER_HEADERS = /^(content-type|retry-after|www-authenticate|x-jargonaut-.+|x-ratelimit-.+)$/;

export function answerHeaders(all: Headers): Headers {
  return new Headers([...all].filter(([name]) => ANSWER_HEADERS.test(name) && name !== STORED_AT && name !== STORED_FOR));
}

/** A stored response as a hit; null if it is older than `maxAgeMs` or is not one of ours. */
export async function asHit(stored: Response, ttlMs: number, maxAgeMs: number, coalesced: boolean, now: number): Promise<Hit | null> {
  const since = stored.headers.get(STORED_AT);
  const ageMs = Math.max(0, now - Number(since));
  if (since === null || ageMs > maxAgeMs) {
    await stored.body?.cancel();
    return null;
  }
  const response = new Response(stored.body, { headers: answerHeaders(stored.headers) });
  return { response, ageMs, fresh: ageMs < ttlMs, coalesced, madeFor: stored.headers.get(STORED_FOR) ?? "" };
}
