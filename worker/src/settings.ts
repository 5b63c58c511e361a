/** Bindings as they stand in wrangler.jsonc and in the configuration of the local workerd. */
export interface Env {
  /** Scheme, host and port of the service; the only place that requests are forwarded to. */
  ORIGIN_URL: string;
  /** Name of the secret, so that it can be changed without a gap. */
  EDGE_SECRET_ID: string;
  /** The key of the HMAC is this text in UTF-8. */
  EDGE_SECRET: string;
  BOUND_S?: string;
  TTL_S?: string;
  BODY_LIMIT_KB?: string;
  HEADER_DEADLINE_S?: string;
  IDLE_GAP_S?: string;
}

export interface Settings {
  originUrl: string;
  secretId: string;
  secret: string;
  /** How long a grant is believed, from the moment it was asked for. */
  boundMs: number;
  /** How long a stored answer is served. */
  ttlMs: number;
  /** The largest body of a request; the origin's own limit. */
  bodyLimitBytes: number;
  /** How long the origin may take until its headers are there. */
  headerDeadlineMs: number;
  /** How long the origin may be silent within an answer. */
  idleGapMs: number;
}

export function readSettings(env: Env): Settings {
  return {
    originUrl: env.ORIGIN_URL.replace(/\/+$/, ""),
    secretId: env.EDGE_SECRET_ID,
    secret: env.EDGE_SECRET,
    boundMs: milliseconds(env.BOUND_S, 5),
    ttlMs: milliseconds(env.TTL_S, 3600),
    bodyLimitBytes: number(env.BODY_LIMIT_KB, 256) * 1024,
    headerDeadlineMs: milliseconds(env.HEADER_DEADLINE_S, 60),
    idleGapMs: milliseconds(env.IDLE_GAP_S, 30),
  };
}

function milliseconds(text: string | undefined, fallback: number): number {
  return number(text, fallback) * 1000;
}

function number(text: string | undefined, fallback: number): number {
  const value = text === undefined || text === "" ? fallback : Number(text);
  if (!Number.isFinite(value) || value < 0) throw new TypeError(`\`${text}\` is not a number that can be set.`);
  return value;
}
