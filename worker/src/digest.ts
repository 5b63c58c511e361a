const encoder = new TextEncoder();

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Lower-case hexadecimal SHA-256. */
export async function sha256(data: Uint8Array | string): Promise<string> {
  return hex(await crypto.subtle.digest("SHA-256", typeof data === "string" ? utf8(data) : data));
}

export function hex(data: ArrayBuffer | Uint8Array): string {
  let text = "";
  for (const byte of data instanceof Uint8Array ? data : new Uint8Array(data)) text += byte.toString(16).padStart(2, "0");
  return text;
}
