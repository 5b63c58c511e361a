import { mayStore } from "../caching_rules";
import { isComplete, isEventStream } from "../complete";
import { Flights } from "../flight";
import type { Whole } from "../forward";
import { type AnswerStore, answerHeaders, asHit, type Asking, type Fetched, type Hit, STORED_AT, STORED_FOR } from "./port";

/** Answers in the data centre's cache, and in the local workerd's. Equal questions in one isolate are asked once. */
export class CacheApiStore implements AnswerStore {
  private readonly flights = new Flights();

  constructor(
    private readonly cache: Cache,
    private readonly ttlMs: number,
    private readonly staleMs: number,
    private readonly now: () => number = Date.now,
  ) {}

  async find(asking: Asking): Promise<Hit | null> {
    const { exchange, key, asked } = asking;
    const hit = await exchange.timed("cache", this.lookUp(asking, false));
    const flight = hit?.fresh || asked.onlyIfCached ? undefined : this.flights.join(key, exchange.shared.settings.headerDeadlineMs);
    if (!flight) return hit;
    const coalesced = await exchange.timed("wait", flight);
    await hit?.response.body?.cancel();
    return this.lookUp(asking, coalesced);
  }

  /** The origin's answer, passed on as it comes, and stored once it is whole. */
  async fetch(asking: Asking): Promise<Fetched> {
    const { exchange, grant, key, kind, streamed } = asking;
    const arriving = exchange.ask(asking);
    const storing = arriving.then(async ({ response, whole }) => {
      return mayStore(response, grant) && this.put(exchange.url.host, key, kind, exchange.id, response.headers, await whole);
    });
    const landed = storing.then(async (put) => (put ? put.done : undefined));
    exchange.ctx.waitUntil(landed.catch(() => undefined));
    // A stream is not joined at its start: who joins would get the first word when the last one is out.
    if (!streamed) this.flights.track(key, arriving, landed);
    const forwarded = await arriving;
    if (isEventStream(forwarded.response.headers.get("content-type"))) {
      exchange.ctx.waitUntil(forwarded.whole.then(() => this.flights.track(key, forwarded.whole, landed)));
      return { ...forwarded, stored: false };
    }
    return { ...forwarded, stored: (await storing) !== false };
  }

  /** Begins to store the bytes under the answer's headers if they are whole; false if not. */
  private put(host: string, key: string, kind: Asking["kind"], madeFor: string, headers: Headers, whole: Whole): false | { done: Promise<void> } {
    if (typeof whole === "string" || this.ttlMs === 0 || !isComplete(kind, headers.get("content-type"), whole)) return false;
    return { done: this.keep(address(host, key), headers, whole, this.now(), this.ttlMs + this.staleMs, madeFor) };
  }

  private async keep(url: string, headers: Headers, whole: Uint8Array, at: number, forMs: number, madeFor: string): Promise<void> {
    const stored = answerHeaders(headers);
    stored.set(STORED_AT, String(at));
    stored.set(STORED_FOR, madeFor);
    stored.set("cache-control", `public, s-maxage=${Math.ceil(forMs / 1000)}`);
    try {
      await this.cache.put(url, new Response(whole, { headers: stored }));
    } catch (error) {
      console.error("An answer could not be stored.", error);
    }
  }

  /** A list that no generation names, for as long as a grant is believed. */
  async brief(url: string, boundMs: number): Promise<Hit | null> {
    const stored = await this.cache.match(url);
    return stored ? asHit(stored, boundMs, boundMs, false, this.now()) : null;
  }

  keepBriefly(url: string, headers: Headers, whole: Uint8Array, askedAt: number, boundMs: number, madeFor: string): Promise<void> {
    return this.keep(url, headers, whole, askedAt, boundMs, madeFor);
  }

  private async lookUp({ exchange, key, asked }: Asking, coalesced: boolean): Promise<Hit | null> {
    const stored = await this.cache.match(address(exchange.url.host, key));
    return stored ? asHit(stored, this.ttlMs, asked.maxAgeMs, coalesced, this.now()) : null;
  }
}

/** URLs of our own host that no route leads to. */
export function address(host: string, key: string): string {
  return `https://${host}/.answers/${key}`;
}
