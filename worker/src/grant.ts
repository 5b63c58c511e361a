import { EdgeError, type ErrorType, originError } from "./errors";
import { awaited } from "./flight";

/** Who asks, what they may see and what is live, as the origin says. */
export interface Grant {
  tenant: string;
  key_id: string | null;
  scopes: string[];
  knowledge_base: string;
  channel: string;
  recipe: string;
  release: string;
  generation: number;
  principals: string[];
}

export interface GrantQuery {
  key_sha256: string | null;
  /** A JSON Web Token, which the origin checks; then there is no key. */
  token?: string;
  model: string | null;
}

/** A grant, and whether it was confirmed within the bound; if not, it serves for stored answers, marked as old. */
export interface Granted {
  grant: Grant;
  confirmed: boolean;
}

interface Held {
  sentAt: number;
  goodForMs: number;
  /** On its way: another request's promise. */
  verdict: Promise<Grant>;
  /** Once it is there. */
  outcome?: Grant | EdgeError;
}

/** The last grant that was confirmed. */
interface Old {
  grant: Grant;
  sentAt: number;
  /** Until then the origin is not asked again: it just failed. */
  restUntil: number;
}

const REFUSAL_MS = 1000;
const REST_MS = 1000;
const MAX_HELD = 2000;
/** Longer than a grant may take. */
const PATIENCE_MS = 5000;

/**
 * Grants for at most `boundMs` from the moment they were asked for. Equal questions at the same time are asked once; a
 * refusal (an unknown key or model) is held for a second at most, a failure of the origin not at all. After one, the
 * last grant serves for `staleMs` beyond the bound, unconfirmed.
 */
export class Grants {
  private readonly granted = new Map<string, Held>();
  private readonly refused = new Map<string, Held>();
  private readonly old = new Map<string, Old>();

  constructor(
    private readonly boundMs: number,
    private readonly staleMs = 0,
    private readonly now: () => number = Date.now,
  ) {}

  /** Whether an answer to `query` is at hand or on its way. */
  knows(query: GrantQuery): boolean {
    const name = nameOf(query);
    return (this.fresh(this.granted, name) ?? this.fresh(this.refused, name)) !== undefined;
  }

  /** The grant for `query`; `ask` is called unless one is held or on its way. */
  async get(query: GrantQuery, ask: () => Promise<Response>): Promise<Granted> {
    const name = nameOf(query);
    const old = this.tolerable(name);
    if (old && this.now() < old.restUntil) return { grant: old.grant, confirmed: false };
    const held = this.fresh(this.granted, name) ?? this.fresh(this.refused, name);
    try {
      if (held?.outcome instanceof EdgeError) throw held.outcome;
      if (held) return { grant: held.outcome ?? (await awaited(held.verdict, PATIENCE_MS).catch(impatient)), confirmed: true };
      return { grant: await this.asked(name, ask), confirmed: true };
    } catch (error) {
      const last = this.tolerable(name);
      if (!last || (error instanceof EdgeError && error.status < 500)) throw error;
      last.restUntil = this.now() + REST_MS;
      return { grant: last.grant, confirmed: false };
    }
  }

  private async asked(name: string, ask: () => Promise<Response>): Promise<Grant> {
    const asked: Held = { sentAt: this.now(), goodForMs: this.boundMs, verdict: ask().then(readGrant) };
    remember(this.granted, name, asked);
    try {
      const grant = (asked.outcome = await asked.verdict);
      if (this.staleMs > 0) remember(this.old, name, { grant, sentAt: asked.sentAt, restUntil: 0 });
      return grant;
    } catch (error) {
      if (this.granted.get(name) === asked) this.granted.delete(name);
      if (error instanceof EdgeError && error.status < 500) {
        this.old.delete(name);
        remember(this.refused, name, { ...asked, outcome: error, goodForMs: Math.min(REFUSAL_MS, this.boundMs) });
      }
      throw error;
    }
  }

  private tolerable(name: string): Old | undefined {
    const old = this.old.get(name);
    const age = old ? this.now() - old.sentAt : 0;
    return old && age >= 0 && age < this.boundMs + this.staleMs ? old : undefined;
  }

  private fresh(held: Map<string, Held>, name: string): Held | undefined {
    const found = held.get(name);
    const age = found ? this.now() - found.sentAt : 0;
    // A clock that went back says nothing about age.
    return found && age >= 0 && age < found.goodForMs ? found : undefined;
  }
}

function nameOf({ key_sha256, token, model }: GrantQuery): string {
  return JSON.stringify([key_sha256, token ?? null, model]);
}

function remember<T>(held: Map<string, T>, name: string, value: T): void {
  held.delete(name);
  held.set(name, value);
  if (held.size > MAX_HELD) held.delete(held.keys().next().value as string);
}

function impatient(error: unknown): never {
  throw error instanceof EdgeError ? error : noGrant();
}

/** Nobody confirms who may see what. */
export function noGrant(): EdgeError {
  return originError(503, "grant_unavailable", "The origin cannot say now who may see what, so nothing is answered.");
}

async function readGrant(response: Response): Promise<Grant> {
  const value: unknown = await response.json().catch(() => null);
  if (response.status === 200 && isGrant(value)) return value;
  const error = (value as { error?: Partial<Record<"message" | "type" | "code", string>> } | null)?.error;
  if ([401, 403, 404, 429].includes(response.status) && error?.code && error.code !== "invalid_signature") {
    const told = [...response.headers].filter(([name]) => name === "retry-after" || name === "www-authenticate");
    const headers = Object.fromEntries(told);
    throw new EdgeError(response.status, (error.type ?? "invalid_request_error") as ErrorType, error.code, error.message ?? "", null, headers);
  }
  if (error?.code === "invalid_signature") {
    throw originError(502, "invalid_signature", "The origin does not accept this edge's signature: they do not share a secret, or their clocks differ.");
  }
  throw noGrant();
}

function isGrant(value: unknown): value is Grant {
  const grant = value as Grant | null;
  const texts = [grant?.tenant, grant?.knowledge_base, grant?.channel, grant?.recipe, grant?.release];
  return (
    texts.every((text) => typeof text === "string") &&
    (grant?.key_id === null || typeof grant?.key_id === "string") &&
    Number.isSafeInteger(grant.generation) &&
    [grant.scopes, grant.principals].every((list) => Array.isArray(list) && list.every((item) => typeof item === "string"))
  );
}
