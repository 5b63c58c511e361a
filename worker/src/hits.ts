import type { Grant } from "./grant";

/** A stored answer that was served, as the origin's audit hears of it. */
export interface ServedHit {
  at: string;
  request: string;
  /** The request that the answer was made for, under which the audit knows what is in it. */
  answer: string;
  status: "hit" | "stale" | "coalesced";
  path: string;
  tenant: string;
  key_id: string | null;
  knowledge_base: string;
  channel: string;
  recipe: string;
  release: string;
  generation: number;
}

const BATCH_MS = 1000;
const LARGEST_BATCH = 200;
const MAX_WAITING = 10_000;

/** Sends hits to the origin; fails if they could not be recorded. */
export type Send = (hits: readonly ServedHit[]) => Promise<void>;

/** Reports of hits that wait for a second for others. What could not be sent is sent with the next ones. */
export class HitReports {
  private waiting: ServedHit[] = [];
  private leaving = false;

  /** Settles when what waits has been sent, or was put back. */
  add(hit: ServedHit, send: Send): Promise<void> {
    this.waiting.push(hit);
    if (this.waiting.length > MAX_WAITING) {
      this.waiting.shift();
      console.error("A hit was not reported: the origin takes no reports.");
    }
    if (this.leaving) return Promise.resolve();
    this.leaving = true;
    return new Promise((resolve) => setTimeout(resolve, BATCH_MS)).then(() => this.flush(send));
  }

  private async flush(send: Send): Promise<void> {
    this.leaving = false;
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, LARGEST_BATCH);
      try {
        await send(batch);
      } catch {
        this.waiting.unshift(...batch);
        return;
      }
    }
  }
}

export function servedHit(grant: Grant, path: string, request: string, answer: string, status: ServedHit["status"]): ServedHit {
  const { tenant, key_id, knowledge_base, channel, recipe, release, generation } = grant;
  const at = new Date().toISOString();
  return { at, request, answer, status, path, tenant, key_id, knowledge_base, channel, recipe, release, generation };
}
