export type ErrorType =
  | "invalid_request_error"
  | "authentication_error"
  | "permission_error"
  | "not_found_error"
  | "rate_limit_error"
  | "server_error";

/** A request that is answered with an error in OpenAI's shape. */
export class EdgeError extends Error {
  constructor(
    readonly status: number,
    readonly type: ErrorType,
    readonly code: string,
    message: string,
    readonly param: string | null = null,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }

  toResponse(): Response {
    const { message, type, param, code } = this;
    return Response.json({ error: { message, type, param, code } }, { status: this.status, headers: this.headers });
  }
}

export function badRequest(message: string, param: string | null = null, code = "invalid_request"): EdgeError {
  return new EdgeError(400, "invalid_request_error", code, message, param);
}

export function unauthenticated(message: string): EdgeError {
  return new EdgeError(401, "authentication_error", "invalid_api_key", message, null, { "www-authenticate": "Bearer" });
}

export function notFound(message: string): EdgeError {
  return new EdgeError(404, "not_found_error", "not_found", message);
}

/** The origin gave no usable answer; asking again may help. */
export function originError(status: 502 | 503 | 504, code: string, message: string): EdgeError {
  return new EdgeError(status, "server_error", code, message, null, { "retry-after": "1" });
}
