import { hex, sha256, utf8 } from "./digest";
import type { Grant } from "./grant";

/** What is signed: the request as the origin will see it. */
export interface Signable {
  method: string;
  /** Path with query. */
  target: string;
  body: Uint8Array;
  /** From `encodeIdentity`, or empty where the edge asks for itself. */
  identity: string;
}

/** Base64url of who asks, as the origin believes it. */
export function encodeIdentity(grant: Grant): string {
  const { tenant, key_id, scopes, knowledge_base, channel, principals } = grant;
  const json = utf8(JSON.stringify({ tenant, key_id, scopes, knowledge_base, channel, principals }));
  const base64 = btoa(String.fromCharCode(...json));
  return base64.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** Signs requests to the origin. One for each secret; the imported key is kept. */
export class Signer {
  // Not a promise: those of one request are not for others to wait for.
  private key: CryptoKey | undefined;

  constructor(private readonly secretId: string, private readonly secret: string) {}

  async headers(request: Signable): Promise<Record<string, string>> {
    const nonce = hex(crypto.getRandomValues(new Uint8Array(16)));
    const signature = await this.signature(request, Math.floor(Date.now() / 1000), nonce);
    return { "x-jargonaut-identity": request.identity, "x-jargonaut-signature": signature };
  }

  async signature({ method, target, body, identity }: Signable, time: number, nonce: string): Promise<string> {
    const message = ["v1", time, nonce, method, target, await sha256(body), identity].join("\n");
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    this.key ??= await crypto.subtle.importKey("raw", utf8(this.secret), algorithm, false, ["sign"]);
    const mac = await crypto.subtle.sign("HMAC", this.key, utf8(message));
    return `k=${this.secretId},t=${time},n=${nonce},v1=${hex(mac)}`;
  }
}
