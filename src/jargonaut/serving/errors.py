"""Every error in OpenAI's shape."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from jargonaut.core.errors import InputError, JargonautError

logger = logging.getLogger(__name__)

_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}
_HIDDEN = {
    503: "A part of the service is not available just now. Try again.",
    504: "The request took longer than allowed. Try again.",
}
"""What callers are told of failures on our side: their details name files and machines, and go to the log."""

_HTTP_CODES = {404: "not_found", 405: "method_not_allowed"}


class RequestError(InputError):
    """A request that cannot be answered; `param` is the part of it that is wrong."""

    def __init__(self, message: str, hint: str = "", *, param: str | None = None, code: str = "") -> None:
        super().__init__(message, hint)
        self.param = param
        self.code = code or type(self).code


class TooLargeError(RequestError):
    """The request's body is larger than allowed."""

    http_status = 413
    code = "request_too_large"


def error_body(status: int, message: str, code: str, param: str | None = None) -> dict[str, Any]:
    """The body of an error response."""
    kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    message = message.encode("utf-8", "backslashreplace").decode()  # it may quote what is no text
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def body_of(error: JargonautError, request_id: str) -> dict[str, Any]:
    """The body for an error of ours, without what only operators may know, which is logged."""
    if error.http_status >= 500:
        logger.error("%s %s: %s", request_id, type(error).__name__, error)
        message = _HIDDEN.get(error.http_status, "The service failed; its log says why, under this request's id.")
    else:
        message = " ".join(part for part in (error.message, error.hint) if part)
    return error_body(error.http_status, message, error.code, getattr(error, "param", None))


def for_dify(body: dict[str, Any], status: int, path: str) -> dict[str, Any]:
    """`body` with what Dify reads besides, where `path` is one that it asks."""
    if not path.startswith("/dify/"):
        return body
    code = {401: 1002, 403: 1002, 404: 2001}.get(status, status)
    return {**body, "error_code": code, "error_msg": body["error"]["message"]}


def response_of(error: JargonautError, request_id: str, path: str) -> JSONResponse:
    """The response for an error of ours."""
    headers = {"retry-after": "1"} if error.retryable else {}
    if error.http_status == 401:
        headers["www-authenticate"] = "Bearer"
    body = for_dify(body_of(error, request_id), error.http_status, path)
    return JSONResponse(body, error.http_status, headers)


def add_error_handlers(app: FastAPI) -> None:
    """Give the errors of the framework our shape; ours are answered by `boundary.RequestBoundary`."""
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    messages = {
        404: f"There is no {request.url.path}.",
        405: f"{request.url.path} does not take {request.method}.",
    }
    message = messages.get(error.status_code, str(error.detail))
    code = _HTTP_CODES.get(error.status_code, "invalid_request")
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    if error.status_code == 405:
        headers["allow"] = ", ".join(_methods(request))
    return JSONResponse(error_body(error.status_code, message, code), error.status_code, headers)


def _methods(request: Request) -> list[str]:
    """What the path of a request takes, by all routes: the framework knows of the first only."""
    routes = [
        inner
        for route in request.app.routes
        for inner in (route.original_router.routes if hasattr(route, "original_router") else [route])
    ]
    matching = (route for route in routes if route.matches(request.scope)[0] is not Match.NONE)
    return sorted({method for route in matching for method in getattr(route, "methods", None) or ()})


async def _validation_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = [str(part) for part in first["loc"][1:]]
    if first["type"] == "json_invalid":
        message, param = f"The body is not valid JSON: {first['ctx']['error']} at character {where[0]}.", None
    else:
        param = ".".join(where) or None
        message = f"{param or 'The request'}: {first['msg']}."
    body = error_body(400, message, "invalid_request", param)
    return JSONResponse(for_dify(body, 400, request.url.path), 400)
