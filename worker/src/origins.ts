import type { OriginSettings } from "./settings";

const FAILURES = 3;
const FIRST_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 60_000;

interface Health {
  /** In a row. */
  failures: number;
  pauseMs: number;
  /** Not asked before. */
  pausedUntil: number;
}

/** What decides where a request may go, and where it goes first. */
export interface Traveller {
  /** Unknown while a grant is asked for. */
  tenant: string | null;
  /** Country and continent, if known. */
  places: readonly string[];
  bodyBytes: number;
}

/**
 * The origins and how each has been doing, as this isolate saw it. After three failures in a row one is left alone for
 * ten seconds, doubling to sixty; then one request tries it, and the others go on elsewhere until that has succeeded.
 */
export class Origins {
  private readonly health = new Map<string, Health>();

  constructor(
    private readonly all: readonly OriginSettings[],
    private readonly residency: Readonly<Record<string, readonly string[]>> = {},
    private readonly now: () => number = Date.now,
    private readonly random: () => number = Math.random,
  ) {}

  /** Where the request may go, in the order in which to try; those that are paused last. */
  order(traveller: Traveller): OriginSettings[] {
    const shuffled = this.allowed(traveller)
      // Sorted by u^(1/w) from the largest, the first is each one with the probability of its weight.
      .map((origin) => ({ origin, rank: origin.weight > 0 ? this.random() ** (1 / origin.weight) : -1 }))
      .sort((one, other) => other.rank - one.rank)
      .map(({ origin }) => origin);
    const near = (origin: OriginSettings): boolean => origin.regions.some((region) => traveller.places.includes(region));
    const preferred = [...shuffled.filter(near), ...shuffled.filter((origin) => !near(origin))];
    const paused = (origin: OriginSettings): boolean => (this.health.get(origin.name)?.pausedUntil ?? 0) > this.now();
    return [...preferred.filter((origin) => !paused(origin)), ...preferred.filter(paused)];
  }

  /** Whether there is an origin for it, were its body small. */
  allows(traveller: Traveller): boolean {
    return this.allowed({ ...traveller, bodyBytes: 0 }).length > 0;
  }

  /** Called before an origin is tried: of those that come after a pause, the first goes and the others stay away. */
  trying(origin: OriginSettings): void {
    const health = this.health.get(origin.name);
    if (health && health.failures >= FAILURES) health.pausedUntil = this.now() + health.pauseMs;
  }

  succeeded(origin: OriginSettings): void {
    this.health.delete(origin.name);
  }

  failed(origin: OriginSettings): void {
    const before = this.health.get(origin.name) ?? { failures: 0, pauseMs: FIRST_PAUSE_MS / 2, pausedUntil: 0 };
    const failures = before.failures + 1;
    if (failures < FAILURES) {
      this.health.set(origin.name, { ...before, failures });
      return;
    }
    const pauseMs = Math.min(LONGEST_PAUSE_MS, before.pauseMs * 2);
    this.health.set(origin.name, { failures, pauseMs, pausedUntil: this.now() + pauseMs });
  }

  private allowed({ tenant, bodyBytes }: Traveller): OriginSettings[] {
    const names = tenant === null ? undefined : Object.hasOwn(this.residency, tenant) ? this.residency[tenant] : undefined;
    return this.all.filter(
      (origin) =>
        (tenant === null ? origin.grants : names === undefined || names.includes(origin.name)) &&
        (origin.body_limit === 0 || bodyBytes <= origin.body_limit),
    );
  }
}
