/**
 * The outcome of what another request has begun; fails after `patienceMs`. The promise is a new one because whoever
 * awaits another request's promise runs on as that request, where the runtime forbids all input and output.
 */
export function awaited<T>(others: Promise<T>, patienceMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("What another request had begun did not end.")), patienceMs);
    others.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

interface Flight {
  /** Settles when its answer may be looked up. */
  landed: Promise<unknown>;
  /** Whether the origin has answered: what is waited for now is the store. */
  arrived: boolean;
}

/** Equal questions that are on their way to the origin: the first goes, the others wait for what it brings. */
export class Flights {
  private readonly pending = new Map<string, Flight>();

  /**
   * Waits until the question on its way has landed or `patienceMs` is over, and never fails. Says whether it had to wait
   * for the origin; undefined if there is none.
   */
  join(key: string, patienceMs: number): Promise<boolean> | undefined {
    const flight = this.pending.get(key);
    if (!flight) return undefined;
    const { landed, arrived } = flight;
    return awaited(landed, patienceMs).then(
      () => !arrived,
      () => !arrived,
    );
  }

  /** Lets others wait for `key` until `stored` settles; `arrived` settles before. Whoever was there first stays. */
  track(key: string, arrived: Promise<unknown>, stored: Promise<unknown>): void {
    if (this.pending.has(key)) return;
    const done = (): unknown => this.pending.delete(key);
    const flight: Flight = { landed: stored.then(done, done), arrived: false };
    const here = (): unknown => (flight.arrived = true);
    arrived.then(here, here);
    this.pending.set(key, flight);
  }
}
