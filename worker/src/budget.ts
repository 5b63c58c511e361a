import type { Amounts, Lease, Limits } from "./settings";

const MINUTE_MS = 60_000;
/** Which part of a minute's budget a place takes at once: hits then stay local, and a place that falls silent holds little back. */
const BATCH = 1 / 20;

export function minuteOf(now: number): number {
  return Math.floor(now / MINUTE_MS);
}

/** Until the next minute, when everything may be spent anew. */
export function secondsLeft(now: number): number {
  return Math.max(1, Math.ceil(((minuteOf(now) + 1) * MINUTE_MS - now) / 1000));
}

/** What a tenant has taken in the running minute, in all places: the count behind the leases. */
export class Ledger {
  private minute = -1;
  private taken: Amounts = { requests: 0, tokens: 0 };

  /** Takes what is wanted, or what there is. */
  lease(limits: Limits, wanted: Amounts, now: number): Lease {
    if (minuteOf(now) !== this.minute) {
      this.minute = minuteOf(now);
      this.taken = { requests: 0, tokens: 0 };
    }
    const granted = { requests: this.take("requests", limits, wanted), tokens: this.take("tokens", limits, wanted) };
    const left = { requests: limits.requests - this.taken.requests, tokens: limits.tokens - this.taken.tokens };
    return { minute: this.minute, granted, left };
  }

  private take(what: keyof Amounts, limits: Limits, wanted: Amounts): number {
    const taken = Math.max(0, Math.min(wanted[what], limits[what] - this.taken[what]));
    this.taken[what] += taken;
    return taken;
  }
}

/** Where leases come from. */
export type Ask = (limits: Limits, wanted: Amounts) => Promise<Lease>;

/** What this place holds of one tenant's budget. Tokens are known after the answer: what was spent too much is owed to the next lease. */
export class Purse {
  private minute = -1;
  private held: Amounts = { requests: 0, tokens: 0 };
  private left: Amounts = { requests: 0, tokens: 0 };

  constructor(readonly limits: Limits, private readonly now: () => number = Date.now) {}

  /** Spends one request. Returns what is used up instead, if so. */
  async spend(ask: Ask): Promise<keyof Amounts | null> {
    if (minuteOf(this.now()) !== this.minute) this.begin(minuteOf(this.now()));
    const missing = this.lacking();
    // Once nothing is left, nothing comes until the next minute.
    if (missing !== null && this.left[missing] > 0) {
      const { minute, granted, left } = await ask(this.limits, {
        requests: this.limits.requests === 0 ? 0 : batch(this.limits.requests),
        tokens: this.limits.tokens === 0 ? 0 : batch(this.limits.tokens) + Math.max(0, -this.held.tokens),
      });
      if (minute > this.minute) this.begin(minute);
      this.held.requests += granted.requests;
      this.held.tokens += granted.tokens;
      this.left = left;
    }
    const lacking = this.lacking();
    if (lacking === null) this.held.requests -= 1;
    return lacking;
  }

  charge(tokens: number): void {
    this.held.tokens -= tokens;
  }

  /** `x-ratelimit-*`, as OpenAI names them: what this place may still spend, as it was last told. */
  headers(): Record<string, string> {
    const headers: Record<string, string> = {};
    for (const what of ["requests", "tokens"] as const) {
      if (this.limits[what] === 0) continue;
      headers[`x-ratelimit-limit-${what}`] = String(this.limits[what]);
      headers[`x-ratelimit-remaining-${what}`] = String(Math.max(0, Math.floor(this.held[what] + this.left[what])));
      headers[`x-ratelimit-reset-${what}`] = `${secondsLeft(this.now())}s`;
    }
    return headers;
  }

  private lacking(): keyof Amounts | null {
    if (this.limits.requests > 0 && this.held.requests < 1) return "requests";
    return this.limits.tokens > 0 && this.held.tokens <= 0 ? "tokens" : null;
  }

  private begin(minute: number): void {
    this.minute = minute;
    this.held = { requests: 0, tokens: 0 };
    this.left = { ...this.limits };
  }
}

function batch(limit: number): number {
  return Math.max(1, Math.floor(limit * BATCH));
}
