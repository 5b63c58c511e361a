import { joined } from "./body";
import { isEventStream } from "./complete";
import { EdgeError, originError } from "./errors";
import type { Signable, Signer } from "./identity";
import type { Origins } from "./origins";
import type { OriginSettings, Settings } from "./settings";

/** Answers beyond this are passed on, not stored. */
export const MAX_STORED_BYTES = 1024 * 1024;
const TRIES = 2;

/** All bytes of an answer; or why there are none: it broke off, or is too large to be kept. */
export type Whole = Uint8Array | "broken" | "oversized";

export interface Forwarded {
  /** With a body that is passed on as it arrives. */
  response: Response;
  /** Settles, and never fails, when the body has ended. */
  whole: Promise<Whole>;
  /** Name of the origin. */
  origin: string;
}

export interface Outgoing extends Signable {
  headers: Headers;
  /** Aborted when the client leaves. */
  client: AbortSignal;
  /** When everything has to be over, all tries and the whole answer; by `Date.now`. */
  deadline: number;
  headerDeadlineMs: number;
  /** Whether it does nothing, so that it may be asked twice. Then an answer that is no stream is waited for whole, since it may be begun anew until then. */
  repeatable: boolean;
  tenant: string | null;
  places: readonly string[];
}

/** What it takes to reach an origin. */
export interface Way {
  settings: Settings;
  signer: Signer;
  origins: Origins;
  /** How an origin is reached, if not by `fetch`. */
  reach: (origin: OriginSettings) => { fetch: typeof fetch };
}

/**
 * Sends a signed request to an origin, and if it may be repeated, a second time: to another origin, or, after the
 * connection failed, to the same. It is given up when the client leaves, when no header has come by the deadline, or
 * when the body is silent for too long; a client that was already being answered then sees its connection cut.
 */
export async function forward(way: Way, outgoing: Outgoing): Promise<Forwarded> {
  const order = candidates(way, outgoing);
  let problem: unknown;
  for (let tried = 0; tried < (outgoing.repeatable ? TRIES : 1); tried++) {
    const origin = order[tried] ?? (order[0] as OriginSettings);
    const last = !outgoing.repeatable || tried === TRIES - 1;
    way.origins.trying(origin);
    try {
      const forwarded = await attempt(way, outgoing, origin);
      const gone = [502, 503, 504].includes(forwarded.response.status);
      if (gone) way.origins.failed(origin);
      else way.origins.succeeded(origin);
      // Asking the same one again at once helps against a broken connection, not against an answer.
      if (!gone || last || order.length < 2) return forwarded;
      await forwarded.response.body?.cancel();
    } catch (error) {
      problem = error;
      if (outgoing.client.aborted) throw error;
      way.origins.failed(origin);
      if (Date.now() >= outgoing.deadline) throw error;
      // The same one has had its time.
      if (order.length < 2 && error instanceof EdgeError && error.code === "deadline_exceeded") throw error;
    }
  }
  throw problem;
}

function candidates({ origins }: Way, { tenant, places, body }: Outgoing): OriginSettings[] {
  const traveller = { tenant, places, bodyBytes: body.length };
  const order = origins.order(traveller);
  if (order.length > 0) return order;
  if (origins.allows(traveller)) {
    throw new EdgeError(413, "invalid_request_error", "body_too_large", `The body has ${body.length} bytes; the gateway before the origin (PAI-EAS) takes less.`);
  }
  throw originError(503, "no_origin_allowed", "No origin may serve this tenant: its residency names none that exists.");
}

async function attempt(way: Way, outgoing: Outgoing, origin: OriginSettings): Promise<Forwarded> {
  const { settings, signer } = way;
  const abort = new AbortController();
  const leave = (): void => abort.abort();
  if (outgoing.client.aborted) leave();
  outgoing.client.addEventListener("abort", leave);
  let late = false;
  const expire = (): void => {
    late = true;
    abort.abort();
  };
  const left = outgoing.deadline - Date.now();
  const total = setTimeout(expire, Math.max(0, left));
  const first = setTimeout(expire, Math.max(0, Math.min(left, outgoing.headerDeadlineMs)));
  const { method, target, body } = outgoing;
  const headers = new Headers(outgoing.headers);
  for (const [name, value] of Object.entries(await signer.headers(outgoing))) headers.set(name, value);
  const token = settings.tokens[origin.name];
  if (token) headers.set("authorization", token);
  let response: Response;
  try {
    const init = { method, headers, redirect: "manual" as const, signal: abort.signal };
    response = await way.reach(origin).fetch(origin.url + target, body.length ? { ...init, body } : init);
  } catch {
    clearTimeout(total);
    throw late ? tooLate() : originError(502, "origin_unreachable", "The origin cannot be reached.");
  } finally {
    clearTimeout(first);
  }
  if (!response.body) {
    clearTimeout(total);
    return { response, whole: Promise.resolve(new Uint8Array()), origin: origin.name };
  }
  const streamed = isEventStream(response.headers.get("content-type"));
  const [passed, watched] = response.body.tee();
  const whole = collect(watched, settings.idleGapMs, abort).finally(() => clearTimeout(total));
  if (!streamed && outgoing.repeatable && (await whole) === "broken") {
    throw late ? tooLate() : originError(502, "origin_broke_off", "The origin's answer broke off.");
  }
  if (!streamed) return { response: new Response(passed, response), whole, origin: origin.name };
  // A client that leaves while it is being answered shows only in that its pipe fails.
  const { readable, writable } = new IdentityTransformStream();
  passed.pipeTo(writable).catch(leave);
  return { response: new Response(readable, response), whole, origin: origin.name };
}

function tooLate(): EdgeError {
  return originError(504, "deadline_exceeded", "The origin took longer than allowed.");
}

/** A response whose body is seen whole besides. */
export function watched(response: Response, origin: string): Forwarded {
  if (!response.body) return { response, whole: Promise.resolve(new Uint8Array()), origin };
  const [passed, seen] = response.body.tee();
  return { response: new Response(passed, response), whole: collect(seen, Infinity, new AbortController()), origin };
}

async function collect(body: ReadableStream<Uint8Array>, idleGapMs: number, abort: AbortController): Promise<Whole> {
  let chunks: Uint8Array[] = [];
  let size = 0;
  const wait = (): number | null => (Number.isFinite(idleGapMs) ? setTimeout(() => abort.abort(), idleGapMs) : null);
  let idle = wait();
  try {
    for await (const chunk of body) {
      clearTimeout(idle);
      idle = wait();
      size += chunk.length;
      if (size > MAX_STORED_BYTES) chunks = [];
      else chunks.push(chunk);
    }
  } catch {
    return "broken";
  } finally {
    clearTimeout(idle);
  }
  return size > MAX_STORED_BYTES ? "oversized" : joined(chunks, size);
}
