"""The OpenAPI document of the service: what FastAPI knows of the routes, and the errors that all of them share."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

_ERRORS = {
    "400": "The request cannot be understood; `param` says which part.",
    "401": "No key, or one that is not valid.",
    "403": "The key lacks the scope.",
    "404": "There is no such model or document, or none that the caller may know of.",
    "409": "It cannot be done as things stand.",
    "413": "The body is too large.",
    "500": "The service failed; its log says why.",
    "501": "An optional part is not installed.",
    "503": "A part is not available; try again after `retry-after`.",
    "504": "It took longer than allowed.",
}
_CHANGES = {"post", "put", "delete"}
_OPEN = ("/healthz", "/readyz")
_ERROR = {
    "type": "object",
    "description": "An error, in OpenAI's shape. The response's `x-request-id` is in the log of the service.",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                "code": {"type": "string"},
            },
        },
        "error_code": {"type": "integer", "description": "At `/dify` only"},
        "error_msg": {"type": "string", "description": "At `/dify` only"},
    },
}


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The document as JSON."""
    document = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)  # ours are 400, in our shape
    schemas["Error"] = _ERROR
    document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"key": []}, {}]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            operation["responses"].pop("422", None)
            if path in _OPEN:
                operation["security"] = [{}]
            operation["responses"] |= {
                status: {
                    "description": said,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
                }
                for status, said in _ERRORS.items()
                if status not in operation["responses"]
                and (path not in _OPEN or status in ("500", "503"))
                and (status not in ("409", "413") or method in _CHANGES)
            }
    _stream_of(document["paths"]["/v1/chat/completions"]["post"])
    return document


def _stream_of(operation: dict[str, Any]) -> None:
    operation["responses"]["200"]["content"]["text/event-stream"] = {
        "schema": {"type": "string", "description": 'With `"stream": true`: chunks as `data:` lines, then `[DONE]`'}
    }
