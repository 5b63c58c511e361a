import { sha256 } from "./digest";
import { badRequest } from "./errors";
import type { Grant } from "./grant";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

const MAX_DEPTH = 32;

/**
 * JSON as RFC 8785 writes it: keys sorted by UTF-16 code units, no blanks, ECMAScript's numbers.
 * What two readers could understand differently (a number beyond a double, half a surrogate pair) is refused.
 */
export function canonicalJson(value: Json, depth = 0): string {
  if (depth > MAX_DEPTH) throw badRequest(`The body is nested more than ${MAX_DEPTH} deep.`);
  if (typeof value === "number" && !Number.isFinite(value)) throw badRequest("The body holds a number that is too large.");
  if (typeof value === "string") return quoted(value);
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item, depth + 1)).join(",")}]`;
  const members = Object.keys(value).sort();
  return `{${members.map((key) => `${quoted(key)}:${canonicalJson(value[key] as Json, depth + 1)}`).join(",")}}`;
}

/**
 * The body that is forwarded and whose digest is in the key: `model` says what the grant resolved it to, so that all
 * names of one channel share their answers.
 */
export function canonicalBody(body: JsonObject, grant: Grant): string {
  const entries = Object.entries(body).filter(([key, value]) => !(key === "user" && value === null));
  return canonicalJson({ ...Object.fromEntries(entries), model: `${grant.knowledge_base}@${grant.channel}` });
}

/** Everything that an answer depends on, and whose it is, in one digest. */
export async function cacheKey(grant: Grant, path: string, body: string): Promise<string> {
  const { tenant, knowledge_base, channel, recipe, generation, principals } = grant;
  const [who, what] = await Promise.all([sha256(JSON.stringify([...principals].sort())), sha256(body)]);
  return sha256(JSON.stringify([1, tenant, knowledge_base, channel, recipe, generation, who, path, what]));
}

function quoted(text: string): string {
  if (!text.isWellFormed()) throw badRequest("The body holds half a surrogate pair, which is not Unicode text.");
  return JSON.stringify(text);
}
