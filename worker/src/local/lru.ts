interface Entry<T> {
  value: T;
  size: number;
  expires: number;
}

/** Values up to `capacity` bytes in all, each until it expires; the least recently used goes first. */
export class LruStore<T> {
  private readonly entries = new Map<string, Entry<T>>();
  private used = 0;

  constructor(private readonly capacity: number) {}

  get(key: string, now: number): T | undefined {
    const entry = this.entries.get(key);
    if (!entry) return undefined;
    this.entries.delete(key);
    if (entry.expires <= now) {
      this.used -= entry.size;
      return undefined;
    }
    this.entries.set(key, entry);
    return entry.value;
  }

  /** False if the value is larger than all the room there is. */
  set(key: string, value: T, size: number, expires: number): boolean {
    this.delete(key);
    if (size > this.capacity) return false;
    this.entries.set(key, { value, size, expires });
    this.used += size;
    for (const oldest of this.entries.keys()) {
      if (this.used <= this.capacity) break;
      this.delete(oldest);
    }
    return true;
  }

  delete(key: string): boolean {
    this.used -= this.entries.get(key)?.size ?? 0;
    return this.entries.delete(key);
  }
}
