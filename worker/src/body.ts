import type { JsonObject } from "./canonical";
import { badRequest, EdgeError } from "./errors";

/** The whole body of a request, if it has at most `limit` bytes. */
export async function readBody(request: Request, limit: number): Promise<Uint8Array> {
  if (Number(request.headers.get("content-length") ?? 0) > limit) throw tooLarge(limit);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.length;
    if (size > limit) throw tooLarge(limit);
    chunks.push(chunk);
  }
  return joined(chunks, size);
}

/** A question, in the body of a cached route. */
export interface Question {
  body: JsonObject;
  /** The knowledge base; null if the body names none, so that it is the origin's to say which it can be. */
  model: string | null;
  stream: boolean;
  /** Asked for one person: neither looked up nor stored. */
  personal: boolean;
}

export function readQuestion(contentType: string | null, bytes: Uint8Array): Question {
  if (!/^application\/json\s*(;|$)/i.test(contentType ?? "")) {
    throw new EdgeError(415, "invalid_request_error", "unsupported_media_type", "Send JSON, with content-type application/json.");
  }
  const body = parsed(bytes);
  if (body === null || typeof body !== "object" || Array.isArray(body)) throw badRequest("The body is not a JSON object.");
  const { model, user, stream } = body as JsonObject;
  return { body: body as JsonObject, model: typeof model === "string" ? model : null, stream: stream === true, personal: user !== undefined && user !== null };
}

export function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  if (chunks.length === 1) return chunks[0] as Uint8Array;
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}

function parsed(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw badRequest("The body is not UTF-8.");
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof RangeError) throw badRequest("The body is nested too deep.");
    throw badRequest("The body is not JSON.");
  }
}

function tooLarge(limit: number): EdgeError {
  return new EdgeError(413, "invalid_request_error", "body_too_large", `The body is larger than ${limit} bytes.`);
}
