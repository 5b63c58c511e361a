/** Bindings as they stand in wrangler.jsonc and in the configuration of the local workerd. */
export interface Env {
  /** JSON: a list of `OriginSettings`, the only places that requests are forwarded to. */
  ORIGINS: string;
  /** JSON, a secret: token by name of the origin, sent raw in `authorization`. */
  ORIGIN_TOKENS?: string;
  /** Name of the secret: two count while one replaces the other. */
  EDGE_SECRET_ID: string;
  /** The key of the HMAC is this text in UTF-8. */
  EDGE_SECRET: string;
  /** What a knowledge base without a channel means in this version of the Worker. */
  CHANNEL?: string;
  /** For people: the recipe that the channel had when this version was deployed. */
  RECIPE?: string;
  /** Names this version of the Worker and its settings. */
  TAG?: string;
  BOUND_S?: string;
  TTL_S?: string;
  STALE_IF_ERROR_S?: string;
  BODY_LIMIT_KB?: string;
  /** For documents; 0 is as `BODY_LIMIT_KB`. */
  UPLOAD_LIMIT_KB?: string;
  DEADLINE_S?: string;
  HEADER_DEADLINE_S?: string;
  IDLE_GAP_S?: string;
  /** JSON: names of origins by tenant. Who is not named may be served by all. */
  RESIDENCY?: string;
  /** Web origins that may ask from a browser, separated by blanks; `*` for all. */
  CORS_ORIGINS?: string;
  /** JSON: `Limits` by tenant; `*` for all others. */
  BUDGETS?: string;
  /** Period of `RATE_LIMIT`, for `retry-after`. */
  RATE_PERIOD_S?: string;
  /** `no`, `batched` or `each`. */
  REPORT_HITS?: string;
  /** `cache-api` or `workers-cache`. */
  STORE?: string;
  RATE_LIMIT?: { limit(options: { key: string }): Promise<{ success: boolean }> };
  BUDGET?: BudgetNamespace;
  /** In the local workerd, `ORIGIN_<n>` is the way to the n-th origin: it can reach nothing else. */
  [name: string]: unknown;
}

export interface BudgetNamespace {
  getByName(name: string): { lease(limits: Limits, wanted: Amounts): Promise<Lease> };
}

export interface OriginSettings {
  name: string;
  /** Scheme, host, port, and the path that its gateway takes off: `/api/predict/NAME` on PAI-EAS. */
  url: string;
  weight: number;
  /** Two-letter countries and continents whose requests go there first. */
  regions: string[];
  /** Largest body that its gateway takes, in bytes; 0 for none. */
  body_limit: number;
  /** Whether it may be asked who somebody is, before it is known where their requests may go. */
  grants: boolean;
}

/** Per minute; 0 is unlimited. */
export interface Limits {
  requests: number;
  tokens: number;
}

export type Amounts = Limits;

/** What may be spent until the end of a minute. */
export interface Lease {
  /** Since 1970. */
  minute: number;
  granted: Amounts;
  /** What the object has left for others. */
  left: Amounts;
}

export interface Settings {
  origins: OriginSettings[];
  tokens: Record<string, string>;
  residency: Record<string, string[]>;
  secretId: string;
  secret: string;
  channel: string;
  /** How long a grant is believed, from the moment it was asked for. */
  boundMs: number;
  /** How long a stored answer is fresh. */
  ttlMs: number;
  /** How long beyond that, and beyond the bound, when the origin fails. */
  staleMs: number;
  /** The largest body of a request; the origin's own limit. */
  bodyLimitBytes: number;
  /** The same for a document. */
  uploadLimitBytes: number;
  /** How long a request may take, all tries and the whole answer. */
  deadlineMs: number;
  /** How long an origin may take until its headers are there. */
  headerDeadlineMs: number;
  /** How long an origin may be silent within an answer. */
  idleGapMs: number;
  corsOrigins: string[];
  budgets: Record<string, Limits>;
  ratePeriodS: number;
  reportHits: "no" | "batched" | "each";
  store: "cache-api" | "workers-cache";
}

export function readSettings(env: Env): Settings {
  const boundMs = milliseconds(env.BOUND_S, 5);
  return {
    origins: json<OriginSettings[]>(env.ORIGINS, []).map(readOrigin),
    tokens: json(env.ORIGIN_TOKENS, {}),
    residency: json(env.RESIDENCY, {}),
    secretId: env.EDGE_SECRET_ID,
    secret: env.EDGE_SECRET,
    channel: env.CHANNEL || "live",
    boundMs,
    ttlMs: milliseconds(env.TTL_S, 3600),
    // Who has every hit confirmed wants none that is not.
    staleMs: boundMs === 0 ? 0 : milliseconds(env.STALE_IF_ERROR_S, 0),
    bodyLimitBytes: number(env.BODY_LIMIT_KB, 256) * 1024,
    uploadLimitBytes: (number(env.UPLOAD_LIMIT_KB, 0) || number(env.BODY_LIMIT_KB, 256)) * 1024,
    deadlineMs: milliseconds(env.DEADLINE_S, 120),
    headerDeadlineMs: milliseconds(env.HEADER_DEADLINE_S, 60),
    idleGapMs: milliseconds(env.IDLE_GAP_S, 30),
    corsOrigins: (env.CORS_ORIGINS ?? "").split(/\s+/).filter((origin) => origin !== ""),
    budgets: json(env.BUDGETS, {}),
    ratePeriodS: number(env.RATE_PERIOD_S, 60),
    reportHits: oneOf(env.REPORT_HITS, ["no", "batched", "each"]),
    store: oneOf(env.STORE, ["cache-api", "workers-cache"]),
  };
}

function readOrigin({ name, url, weight = 1, regions = [], body_limit = 0, grants = true }: OriginSettings): OriginSettings {
  return { name, url: url.replace(/\/+$/, ""), weight, regions, body_limit, grants };
}

function oneOf<T extends string>(text: string | undefined, values: readonly [T, ...T[]]): T {
  const found = text ? values.find((value) => value === text) : values[0];
  if (found === undefined) throw new TypeError(`\`${text}\` is none of ${values.join(", ")}.`);
  return found;
}

function json<T>(text: string | undefined, fallback: T): T {
  return text ? (JSON.parse(text) as T) : fallback;
}

function milliseconds(text: string | undefined, fallback: number): number {
  return number(text, fallback) * 1000;
}

function number(text: string | undefined, fallback: number): number {
  const value = text === undefined || text === "" ? fallback : Number(text);
  if (!Number.isFinite(value) || value < 0) throw new TypeError(`\`${text}\` is not a number that can be set.`);
  return value;
}
