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
  model: string | null;
}

interface Held {
  sentAt: number;
  goodForMs: number;
  /** On its way: another request's promise. */
  verdict: Promise<Grant>;
  /** Once it is there. */
  outcome?: Grant | EdgeError;
}

const REFUSAL_MS = 1000;
const MAX_HELD = 2000;
/** Longer than a grant may take. */
const PATIENCE_MS = 5000;

/**
 * Grants for at most `boundMs` from the moment they were asked for. Equal questions at the same time are asked once; a
 * refusal (an unknown key or model) is held for a second at most, a failure of the origin not at all.
 */
export class Grants {
  private readonly granted = new Map<string, Held>();
  private readonly refused = new Map<string, Held>();

  constructor(private readonly boundMs: number, private readonly now: () => number = Date.now) {}

  /** The grant for `query`; `ask` is called unless one is held or on its way. */
  async get(query: GrantQuery, ask: () => Promise<Response>): Promise<Grant> {
    const name = JSON.stringify([query.key_sha256, query.model]);
    const held = this.fresh(this.granted, name) ?? this.fresh(this.refused, name);
    if (held?.outcome instanceof EdgeError) throw held.outcome;
    return held ? (held.outcome ?? awaited(held.verdict, PATIENCE_MS).catch(impatient)) : this.asked(name, ask);
  }

  private async asked(name: string, ask: () => Promise<Response>): Promise<Grant> {
    const asked: Held = { sentAt: this.now(), goodForMs: this.boundMs, verdict: ask().then(readGrant) };
    remember(this.granted, name, asked);
    try {
      return (asked.outcome = await asked.verdict);
    } catch (error) {
      if (this.granted.get(name) === asked) this.granted.delete(name);
      if (error instanceof EdgeError && error.status < 500) {
        remember(this.refused, name, { ...asked, outcome: error, goodForMs: Math.min(REFUSAL_MS, this.boundMs) });
      }
      throw error;
    }
  }

  private fresh(held: Map<string, Held>, name: string): Held | undefined {
    const found = held.get(name);
    const age = found ? this.now() - found.sentAt : 0;
    // A clock that went back says nothing about age.
    return found && age >= 0 && age < found.goodForMs ? found : undefined;
  }
}

function remember(held: Map<string, Held>, name: string, value: Held): void {
  held.delete(name);
  held.set(name, value);
  if (held.size > MAX_HELD) held.delete(held.keys().next().value as string);
}

function impatient(error: unknown): never {
  throw error instanceof EdgeError ? error : noGrant();
}

function noGrant(): EdgeError {
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
