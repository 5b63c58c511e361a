/** Equal questions that are on their way to the origin: the first goes, the others wait for what it brings. */
export class Flights {
  private readonly pending = new Map<string, Promise<unknown>>();

  /** Settles, and never fails, when the question on its way has arrived or `patienceMs` is over; undefined if there is none. */
  join(key: string, patienceMs: number): Promise<void> | undefined {
    const flight = this.pending.get(key);
    if (!flight) return undefined;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, patienceMs);
      void flight.then(() => {
        clearTimeout(timer);
        resolve();
      });
    });
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
