import { AnswerCache } from "./cache";
import { sha256, utf8 } from "./digest";
import { EdgeError, unauthenticated } from "./errors";
import { Flights } from "./flight";
import { forward, type Forwarded } from "./forward";
import { type Grant, Grants } from "./grant";
import { Signer } from "./identity";
import { type Env, readSettings, type Settings } from "./settings";

const GRANT_TARGET = "/internal/grant";
const MAX_MODEL_LENGTH = 200;

/** What requests to one isolate share. */
interface Shared {
  settings: Settings;
  signer: Signer;
  grants: Grants;
  answers: AnswerCache;
  flights: Flights;
}

let shared: Shared | undefined;

/** One request and what it takes to answer it: who asks, the way to the origin, and the time that each part took. */
export class Exchange {
  readonly url: URL;
  readonly id = crypto.randomUUID();
  readonly shared: Shared;
  private readonly timings: string[] = [];

  constructor(readonly request: Request, env: Env, readonly ctx: ExecutionContext) {
    this.url = new URL(request.url);
    this.shared = shared ??= share(env);
  }

  /** The grant of whoever sent the request, for the knowledge base that `model` names. */
  async grant(model: string | null): Promise<Grant> {
    if (model !== null && model.length > MAX_MODEL_LENGTH) {
      throw new EdgeError(404, "not_found_error", "model_not_found", "There is no model of such a long name.", "model");
    }
    const { settings, grants } = this.shared;
    const query = { key_sha256: await keyDigest(this.request.headers.get("authorization")), model };
    const ask = (): Promise<Response> => {
      return forward(settings, this.shared.signer, {
        method: "POST",
        target: GRANT_TARGET,
        body: utf8(JSON.stringify(query)),
        identity: "",
        headers: new Headers({ "content-type": "application/json", "x-request-id": this.id }),
        // Others may be waiting for it, so it is not given up when this client leaves.
        client: new AbortController().signal,
        headerDeadlineMs: Math.min(3000, Math.max(500, settings.boundMs)),
      }).then(({ response }) => response);
    };
    const granting = grants.get(query, ask);
    this.ctx.waitUntil(granting.catch(() => undefined));
    const grant = await this.timed("grant", granting);
    // A name that was made to point at this machine (DNS rebinding) would let a web page in.
    if (grant.key_id === null && !isLoopback(this.url.hostname)) {
      throw unauthenticated("Without API keys this answers to localhost only.");
    }
    return grant;
  }

  /** Sends the request on as `identity`, with `body` and no header but `headers`. */
  async forward(body: Uint8Array, identity: string, headers: Headers): Promise<Forwarded> {
    headers.set("x-request-id", this.id);
    const { request, url, shared } = this;
    const sent = forward(shared.settings, shared.signer, {
      method: request.method,
      target: url.pathname + url.search,
      body,
      identity,
      headers,
      client: request.signal,
      headerDeadlineMs: shared.settings.headerDeadlineMs,
    });
    const forwarded = await this.timed("origin", sent);
    this.ctx.waitUntil(forwarded.whole);
    return forwarded;
  }

  async timed<T>(name: string, work: Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await work;
    } finally {
      this.timings.push(`${name};dur=${(performance.now() - start).toFixed(1)}`);
    }
  }

  /** The response with what every response carries. */
  finish(response: Response): Response {
    const headers = new Headers(response.headers);
    headers.set("x-request-id", this.id);
    headers.set("x-content-type-options", "nosniff");
    headers.set("referrer-policy", "no-referrer");
    headers.set("x-frame-options", "DENY");
    if (this.timings.length) headers.set("server-timing", this.timings.join(", "));
    if (this.url.protocol === "https:") headers.set("strict-transport-security", "max-age=31536000");
    if (!headers.has("cache-control")) headers.set("cache-control", response.status < 400 ? "private, max-age=0" : "no-store");
    if (!/^text\/html/i.test(headers.get("content-type") ?? "")) {
      headers.set("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
    }
    return new Response(response.body, { status: response.status, headers });
  }
}

function share(env: Env): Shared {
  const settings = readSettings(env);
  return {
    settings,
    signer: new Signer(settings.secretId, settings.secret),
    grants: new Grants(settings.boundMs),
    answers: new AnswerCache(caches.default, settings.ttlMs),
    flights: new Flights(),
  };
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}

async function keyDigest(authorization: string | null): Promise<string | null> {
  if (authorization === null) return null;
  const key = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
  if (!key) throw unauthenticated("Send the API key as `Authorization: Bearer KEY`.");
  return sha256(key);
}
