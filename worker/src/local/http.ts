export interface StoredResponse {
  status: number;
  headers: [string, string][];
  body: Uint8Array;
  /** Seconds that it may be kept; 0 if it may not. */
  maxAgeS: number;
}

const FRAMING = new Set(["content-length", "transfer-encoding", "connection"]);

/** Reads a serialised HTTP/1.1 response; null if it is not a whole one. */
export function deserialise(bytes: Uint8Array): StoredResponse | null {
  const end = find(bytes, "\r\n\r\n", 0);
  if (end < 0) return null;
  const [statusLine, ...lines] = latin1(bytes.subarray(0, end)).split("\r\n");
  const status = Number(/^HTTP\/1\.1 (\d{3})\b/.exec(statusLine ?? "")?.[1]);
  const headers: [string, string][] = [];
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon < 1) return null;
    headers.push([line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]);
  }
  const given = new Map(headers);
  const rest = bytes.subarray(end + 4);
  const body = given.get("transfer-encoding") === "chunked" ? dechunked(rest) : rest;
  const length = given.get("content-length");
  if (!status || !body || (length !== undefined && Number(length) !== body.length)) return null;
  const maxAge = /(?:s-maxage|max-age)=(\d+)/.exec(given.get("cache-control") ?? "");
  return { status, headers: headers.filter(([name]) => !FRAMING.has(name)), body: body.slice(), maxAgeS: Number(maxAge?.[1] ?? 0) };
}

function dechunked(bytes: Uint8Array): Uint8Array | null {
  const body = new Uint8Array(bytes.length);
  let read = 0;
  let written = 0;
  // Every turn reads at least the five bytes of the smallest chunk line, so that this ends on any input.
  for (;;) {
    const lineEnd = find(bytes, "\r\n", read);
    const digits = lineEnd < 0 ? "" : latin1(bytes.subarray(read, lineEnd));
    if (!/^[0-9a-f]{1,7}$/i.test(digits)) return null;
    const size = parseInt(digits, 16);
    read = lineEnd + 2;
    if (size === 0) return body.subarray(0, written);
    if (read + size + 2 > bytes.length) return null;
    body.set(bytes.subarray(read, read + size), written);
    written += size;
    read += size + 2;
  }
}

function find(bytes: Uint8Array, text: string, from: number): number {
  const wanted = [...text].map((character) => character.charCodeAt(0));
  const last = bytes.length - wanted.length;
  for (let at = from; at <= last; at++) {
    if (wanted.every((byte, offset) => bytes[at + offset] === byte)) return at;
  }
  return -1;
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
