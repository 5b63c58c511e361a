import type { Json, JsonObject } from "./canonical";
import type { QuestionKind } from "./routes";

/** Whether these bytes are a whole answer, so that they may be replayed to others. */
export function isComplete(kind: QuestionKind | "models", contentType: string | null, bytes: Uint8Array): boolean {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return false;
  }
  if (isEventStream(contentType)) return kind === "chat" && isWholeStream(text);
  const answer = parsed(text);
  if (!isObject(answer) || "error" in answer) return false;
  switch (kind) {
    case "chat":
      return choices(answer).length > 0 && choices(answer).every(isFinished);
    case "rerank":
      return Array.isArray(answer["results"]);
    case "models":
      return Array.isArray(answer["data"]) || answer["object"] === "model";
    default:
      return Array.isArray(answer["data"]);
  }
}

/**
 * Tokens that an answer cost, as it says itself; of a stream that does not say, about as many as its events carry: one
 * for four Latin letters, or for one Chinese character.
 */
export function tokensOf(contentType: string | null, bytes: Uint8Array): number {
  const text = new TextDecoder().decode(bytes);
  if (!isEventStream(contentType)) return usage(parsed(text)) ?? 0;
  let tokens = 0;
  for (const line of text.split("\n")) {
    const event = line.startsWith("data:") ? parsed(line.slice(5)) : undefined;
    const said = usage(event);
    if (said !== undefined) return said;
    for (const choice of choices(event)) {
      const delta = isObject(choice) ? choice["delta"] : undefined;
      const content = isObject(delta) ? delta["content"] : undefined;
      if (typeof content === "string") for (const character of content) tokens += character > "\u2e80" ? 1 : 0.25;
    }
  }
  return Math.ceil(tokens);
}

export function isEventStream(contentType: string | null): boolean {
  return /^text\/event-stream\s*(;|$)/i.test(contentType ?? "");
}

/** Ends with `[DONE]`, has finished a choice, and told of no error on the way. */
function isWholeStream(text: string): boolean {
  const lines = text.replace(/\r\n?/g, "\n");
  if (!lines.endsWith("\n\n")) return false;
  const data = lines.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim());
  if (data.pop() !== "[DONE]") return false;
  const events = data.map(parsed);
  return events.every((event) => isObject(event) && !("error" in event)) && events.some((event) => choices(event).some(isFinished));
}

function usage(answer: Json | undefined): number | undefined {
  const said = isObject(answer) ? answer["usage"] : undefined;
  const total = isObject(said) ? said["total_tokens"] : undefined;
  return typeof total === "number" && total >= 0 ? total : undefined;
}

function choices(answer: Json | undefined): Json[] {
  const list = isObject(answer) ? answer["choices"] : undefined;
  return Array.isArray(list) ? list : [];
}

function isFinished(choice: Json): boolean {
  return isObject(choice) && typeof choice["finish_reason"] === "string";
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
