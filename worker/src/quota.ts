import { Purse, secondsLeft } from "./budget";
import { EdgeError } from "./errors";
import type { Grant } from "./grant";
import type { Env, Limits, Settings } from "./settings";

const MAX_PURSES = 1000;
const MAX_STRANGERS = 10_000;

/** The brake on keys and addresses, and the budgets of tenants. */
export class Quota {
  private readonly purses = new Map<string, Purse>();
  private readonly strangers = new Map<string, number>();

  constructor(private readonly settings: Settings) {}

  /** Stops a key that asks too often. The counters are per place and approximate. */
  async brake(env: Env, who: string): Promise<void> {
    if (!env.RATE_LIMIT) return;
    const { success } = await env.RATE_LIMIT.limit({ key: who });
    if (success) return;
    throw tooMany("rate_limited", "Too many requests.", this.settings.ratePeriodS, {});
  }

  /** Stops an address that went on with keys that nobody knows: each costs the origin a look-up. */
  stopStrangers(address: string | null): void {
    const until = (address !== null && this.strangers.get(address)) || 0;
    if (until > Date.now()) throw tooMany("rate_limited", "Too many unknown keys.", Math.ceil((until - Date.now()) / 1000), {});
  }

  /** Counts an unknown key. Without the platform nobody says for sure from where a request came, and nothing is counted. */
  async countStranger(env: Env, address: string | null): Promise<void> {
    if (!env.RATE_LIMIT || address === null) return;
    const { success } = await env.RATE_LIMIT.limit({ key: `address ${address}` });
    if (success) return;
    this.strangers.set(address, Date.now() + this.settings.ratePeriodS * 1000);
    if (this.strangers.size > MAX_STRANGERS) this.strangers.delete(this.strangers.keys().next().value as string);
  }

  /** Spends one request of the tenant's budget; undefined if it has none. */
  async spend(env: Env, { tenant }: Grant): Promise<Purse | undefined> {
    const limits = this.limitsOf(tenant);
    const budget = env.BUDGET;
    if (!limits || !budget) return undefined;
    const purse = this.purse(tenant, limits);
    let lacking;
    try {
      lacking = await purse.spend(async (...wanted) => budget.getByName(tenant).lease(...wanted));
    } catch (error) {
      console.error("The budget could not be asked, so this request is not counted.", error);
      return undefined;
    }
    if (lacking === null) return purse;
    const message = `The tenant's budget of ${limits[lacking]} ${lacking} a minute is used up.`;
    throw tooMany(`${lacking}_exceeded`, message, secondsLeft(Date.now()), purse.headers());
  }

  private limitsOf(tenant: string): Limits | undefined {
    const { budgets } = this.settings;
    const limits = Object.hasOwn(budgets, tenant) ? budgets[tenant] : budgets["*"];
    return limits && (limits.requests > 0 || limits.tokens > 0) ? limits : undefined;
  }

  private purse(tenant: string, limits: Limits): Purse {
    let purse = this.purses.get(tenant);
    if (!purse) {
      purse = new Purse(limits);
      this.purses.set(tenant, purse);
      if (this.purses.size > MAX_PURSES) this.purses.delete(this.purses.keys().next().value as string);
    }
    return purse;
  }
}

function tooMany(code: string, message: string, afterS: number, headers: Record<string, string>): EdgeError {
  return new EdgeError(429, "rate_limit_error", code, message, null, { ...headers, "retry-after": String(afterS) });
}
