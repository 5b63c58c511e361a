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

/** Equal questions that are on their way to the origin: the first goes, the others wait for what it brings. */
export class Flights {
  private readonly pending = new Map<string, Promise<unknown>>();

  /** Settles, and never fails, when the question on its way has arrived or `patienceMs` is over; undefined if there is none. */
  join(key: string, patienceMs: number): Promise<unknown> | undefined {
    const flight = this.pending.get(key);
    return flight && awaited(flight, patienceMs).catch(() => undefined);
  }

  /** Lets others wait for `key` until `flight` settles. Whoever was there first stays. */
  track(key: string, flight: Promise<unknown>): void {
    if (this.pending.has(key)) return;
    const landed = flight.then(
      () => this.pending.delete(key),
      () => this.pending.delete(key),
    );
    this.pending.set(key, landed);
  }
}
