interface Settings {
  limit: string;
  period: string;
}

const MAX_KEYS = 100_000;

/**
 * The rate limit binding for the local workerd: fixed windows aligned to the clock, as the emulator has them. On
 * Cloudflare the platform's own binding stands in its place.
 */
class RateLimit {
  private window = -1;
  private counts = new Map<string, number>();

  constructor(private readonly most: number, private readonly periodMs: number) {}

  async limit({ key }: { key: string }): Promise<{ success: boolean }> {
    const window = Math.floor(Date.now() / this.periodMs);
    if (window !== this.window || this.counts.size > MAX_KEYS) {
      this.window = window;
      this.counts.clear();
    }
    const count = (this.counts.get(key) ?? 0) + 1;
    this.counts.set(key, count);
    return { success: count <= this.most };
  }
}

export default function wrap({ limit, period }: Settings): RateLimit {
  return new RateLimit(Number(limit), Number(period) * 1000);
}
