import type { Json, JsonObject } from "./canonical";

/** Whether these bytes are a whole answer, so that they may be replayed to others. */
export function isComplete(kind: "chat" | "search", contentType: string | null, bytes: Uint8Array): boolean {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return false;
  }
  if (isEventStream(contentType)) return kind === "chat" && isWholeStream(text);
  const answer = parsed(text);
  if (!isObject(answer) || "error" in answer) return false;
  return kind === "search" ? Array.isArray(answer["data"]) : choices(answer).length > 0 && choices(answer).every(isFinished);
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
