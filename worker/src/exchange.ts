import type { Purse } from "./budget";
import { allowOrigin } from "./cors";
import { sha256, utf8 } from "./digest";
import { EdgeError, originError, unauthenticated } from "./errors";
import { forward, type Forwarded, type Outgoing, type Way } from "./forward";
import { type Granted, type GrantQuery, Grants } from "./grant";
import { HitReports, type ServedHit } from "./hits";
import { encodeIdentity, Signer } from "./identity";
import { Origins } from "./origins";
import { Quota } from "./quota";
import { type Env, readSettings, type Settings } from "./settings";
import { CacheApiStore } from "./store/cache_api";
import type { AnswerStore, Asking } from "./store/port";
import { type Inner, WorkersCacheStore } from "./store/workers_cache";

const GRANT_TARGET = "/internal/grant";
const HITS_TARGET = "/internal/hits";
const MAX_MODEL_LENGTH = 200;
const MAX_CREDENTIAL_LENGTH = 8192;
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** What requests to one isolate share. */
interface Shared {
  settings: Settings;
  way: Way;
  grants: Grants;
  store: AnswerStore;
  /** Where lists are kept that no generation names. */
  brief: CacheApiStore;
  quota: Quota;
  hits: HitReports;
}

interface Errand {
  /** Whether it may be sent twice. */
  repeatable: boolean;
  tenant: string | null;
}

let shared: Shared | undefined;

/** One request and what it takes to answer it: who asks, the way to the origin, and the time that each part took. */
export class Exchange {
  readonly url: URL;
  readonly id = crypto.randomUUID();
  readonly shared: Shared;
  /** The tenant's budget, if it has one. */
  purse: Purse | undefined;
  private readonly timings: string[] = [];
  private readonly deadline: number;

  constructor(readonly request: Request, private readonly env: Env, readonly ctx: ExecutionContext) {
    this.url = new URL(request.url);
    this.shared = shared ??= share(env, ctx);
    this.deadline = Date.now() + this.shared.settings.deadlineMs;
  }

  /** The grant of whoever sent the request, for the knowledge base that `model` names; counted against brake and budget. */
  async grant(model: string | null): Promise<Granted> {
    if (model !== null && model.length > MAX_MODEL_LENGTH) {
      throw new EdgeError(404, "not_found_error", "model_not_found", "There is no model of such a long name.", "model");
    }
    const { settings, quota } = this.shared;
    const credential = await readCredential(this.request.headers.get("authorization"));
    const inChannel = model !== null && settings.channel !== "live" && !model.includes("@") ? `${model}@${settings.channel}` : model;
    let granted: Granted;
    try {
      granted = await this.granted({ ...credential, model: inChannel });
    } catch (error) {
      // The channel is gone while this version of the Worker is not yet: what was in it is live, or was given up.
      if (inChannel === model || !(error instanceof EdgeError) || error.status !== 404) throw error;
      granted = await this.granted({ ...credential, model });
    }
    // A name that was made to point at this machine (DNS rebinding) would let a web page in.
    if (granted.grant.key_id === null && !isLoopback(this.url.hostname)) {
      throw unauthenticated("Without API keys this answers to localhost only.");
    }
    await quota.brake(this.env, `key ${granted.grant.tenant} ${granted.grant.key_id}`);
    this.purse = await this.timed("budget", quota.spend(this.env, granted.grant));
    return granted;
  }

  /** The question, asked of the origin. */
  ask({ grant, body }: Pick<Asking, "grant" | "body">): Promise<Forwarded> {
    const headers = new Headers({ "content-type": "application/json" });
    // A query is not in the key, so it is not in the question.
    return this.forward(utf8(body), encodeIdentity(grant), headers, { repeatable: true, tenant: grant.tenant }, "POST", this.url.pathname);
  }

  /** Sends the request on as `identity`, with `body` and no header but `headers`. */
  async forward(body: Uint8Array, identity: string, headers: Headers, errand: Errand, method = this.request.method, target = this.url.pathname + this.url.search): Promise<Forwarded> {
    const { headerDeadlineMs } = this.shared.settings;
    const sent = this.send({ method, target, body, identity, headers, client: this.request.signal, headerDeadlineMs, ...errand });
    const forwarded = await this.timed("origin", sent);
    this.ctx.waitUntil(forwarded.whole);
    const { response } = forwarded;
    const isOurs = response.status < 400 || /json/i.test(response.headers.get("content-type") ?? "") || !response.body;
    if (isOurs) return forwarded;
    await response.body?.cancel();
    const hint = response.status === 404 ? " Behind PAI-EAS its URL ends in /api/predict/NAME." : "";
    throw originError(502, "origin_refused", `What stands before the origin answered with status ${response.status}.${hint}`);
  }

  /** Tells the origin of a hit as the settings demand; false if it had to know and does not. */
  async report(hit: ServedHit): Promise<boolean> {
    const { settings, hits } = this.shared;
    if (settings.reportHits === "no") return true;
    if (settings.reportHits === "batched") {
      this.ctx.waitUntil(hits.add(hit, (batch) => this.sendHits(batch)));
      return true;
    }
    try {
      await this.timed("audit", this.sendHits([hit]));
      return true;
    } catch {
      return false;
    }
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
    if (this.env.TAG) headers.set("x-jargonaut-version", this.env.TAG);
    if (!headers.has("x-ratelimit-limit-requests")) {
      for (const [name, value] of Object.entries(this.purse?.headers() ?? {})) headers.set(name, value);
    }
    allowOrigin(headers, this.request, this.shared.settings.corsOrigins);
    return new Response(response.body, { status: response.status, headers });
  }

  private async granted(query: GrantQuery): Promise<Granted> {
    const { settings, grants, quota } = this.shared;
    const address = this.request.headers.get("cf-connecting-ip");
    if (!grants.knows(query)) quota.stopStrangers(address);
    const ask = async (): Promise<Response> => {
      const headerDeadlineMs = Math.min(3000, Math.max(500, settings.boundMs));
      return (await this.askForItself(GRANT_TARGET, query, headerDeadlineMs)).response;
    };
    const granting = grants.get(query, ask);
    this.ctx.waitUntil(granting.catch(() => undefined));
    try {
      return await this.timed("grant", granting);
    } catch (error) {
      if (error instanceof EdgeError && error.status === 401) await quota.countStranger(this.env, address);
      throw error;
    }
  }

  private async sendHits(hits: readonly ServedHit[]): Promise<void> {
    const { response } = await this.askForItself(HITS_TARGET, { hits }, 3000);
    await response.body?.cancel();
    if (response.status >= 300) throw originError(503, "hits_refused", `The origin took no report of hits: status ${response.status}.`);
  }

  private askForItself(target: string, value: unknown, headerDeadlineMs: number): Promise<Forwarded> {
    const body = utf8(JSON.stringify(value));
    const headers = new Headers({ "content-type": "application/json" });
    // Others may be waiting for it, so it is not given up when this client leaves.
    const client = new AbortController().signal;
    return this.send({ method: "POST", target, body, identity: "", headers, client, headerDeadlineMs, repeatable: true, tenant: null });
  }

  private send(outgoing: Omit<Outgoing, "deadline" | "places">): Promise<Forwarded> {
    outgoing.headers.set("x-request-id", this.id);
    const { country, continent } = (this.request.cf ?? {}) as { country?: string; continent?: string };
    const places = [country, continent].filter((place) => place !== undefined);
    return forward(this.shared.way, { ...outgoing, deadline: this.deadline, places });
  }
}

function share(env: Env, ctx: ExecutionContext): Shared {
  const settings = readSettings(env);
  const { origins, residency, ttlMs, staleMs } = settings;
  const brief = new CacheApiStore(caches.default, ttlMs, staleMs);
  const { exports } = ctx as unknown as { exports: { Answers: (options: { props: { tenant: string } }) => Inner } };
  const inner = (tenant: string): Inner => exports.Answers({ props: { tenant } });
  return {
    settings,
    way: {
      settings,
      signer: new Signer(settings.secretId, settings.secret),
      origins: new Origins(origins, residency),
      reach: (origin) => (env[`ORIGIN_${origins.indexOf(origin)}`] as { fetch: typeof fetch } | undefined) ?? globalThis,
    },
    grants: new Grants(settings.boundMs, staleMs),
    store: settings.store === "workers-cache" ? new WorkersCacheStore(inner, ttlMs) : brief,
    brief,
    quota: new Quota(settings),
    hits: new HitReports(),
  };
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}

/** An API key goes on as its digest; a token as it is, since its issuer's signature is what the origin checks. */
async function readCredential(authorization: string | null): Promise<{ key_sha256: string | null; token?: string }> {
  if (authorization === null) return { key_sha256: null };
  const key = authorization.length <= MAX_CREDENTIAL_LENGTH ? /^Bearer +(\S+) *$/i.exec(authorization)?.[1] : undefined;
  if (!key) throw unauthenticated("Send the API key as `Authorization: Bearer KEY`.");
  return JWT.test(key) ? { key_sha256: null, token: key } : { key_sha256: await sha256(key) };
}
