import { joined } from "./body";
import { isEventStream } from "./complete";
import { originError } from "./errors";
import type { Signable, Signer } from "./identity";
import type { Settings } from "./settings";

/** Answers beyond this are passed on, not stored. */
export const MAX_STORED_BYTES = 1024 * 1024;

/** All bytes of an answer; or why there are none: it broke off, or is too large to be kept. */
export type Whole = Uint8Array | "broken" | "oversized";

export interface Forwarded {
  /** With a body that is passed on as it arrives. */
  response: Response;
  /** Settles, and never fails, when the body has ended. */
  whole: Promise<Whole>;
}

export interface Outgoing extends Signable {
  headers: Headers;
  /** Aborted when the client leaves. */
  client: AbortSignal;
  headerDeadlineMs: number;
}

/**
 * Sends a signed request to the origin. It is given up when the client leaves, when no header has come by the deadline,
 * or when the body is silent for too long; a client that was already being answered then sees its connection cut.
 */
export async function forward(settings: Settings, signer: Signer, outgoing: Outgoing): Promise<Forwarded> {
  const abort = new AbortController();
  outgoing.client.addEventListener("abort", () => abort.abort());
  let late = false;
  const deadline = setTimeout(() => {
    late = true;
    abort.abort();
  }, outgoing.headerDeadlineMs);
  const { method, target, body, headers } = outgoing;
  for (const [name, value] of Object.entries(await signer.headers(outgoing))) headers.set(name, value);
  let response: Response;
  try {
    const init = { method, headers, redirect: "manual" as const, signal: abort.signal };
    response = await fetch(settings.originUrl + target, body.length ? { ...init, body } : init);
  } catch (error) {
    if (late) throw originError(504, "deadline_exceeded", "The origin took longer than allowed.");
    throw originError(502, "origin_unreachable", "The origin cannot be reached.");
  } finally {
    clearTimeout(deadline);
  }
  if (!response.body) return { response, whole: Promise.resolve(new Uint8Array()) };
  const [passed, watched] = response.body.tee();
  const whole = collect(watched, settings.idleGapMs, abort);
  if (!isEventStream(response.headers.get("content-type"))) return { response: new Response(passed, response), whole };
  // A client that leaves while it is being answered shows only in that its pipe fails.
  const { readable, writable } = new IdentityTransformStream();
  passed.pipeTo(writable).catch(() => abort.abort());
  return { response: new Response(readable, response), whole };
}

async function collect(body: ReadableStream<Uint8Array>, idleGapMs: number, abort: AbortController): Promise<Whole> {
  let chunks: Uint8Array[] = [];
  let size = 0;
  let idle = setTimeout(() => abort.abort(), idleGapMs);
  try {
    for await (const chunk of body) {
      clearTimeout(idle);
      idle = setTimeout(() => abort.abort(), idleGapMs);
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
