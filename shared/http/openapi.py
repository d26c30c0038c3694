"""The description of the interface, brought into line with what it does.

The framework describes refusals of its own making, which nobody gets here, and takes a header that we ask for by
ourselves for one that may be left out.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from shared.http.bodies import BULK_TYPES
from shared.http.catalogue import catalogue
from shared.http.labels import label

_ANY_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_REFUSED = {
    "description": "Refused, or not possible now: in Chinese and English, with a pointer to each field",
    "content": {"application/problem+json": {"schema": _ANY_PROBLEM}},
}
_TEXT = {"type": "string"}
_FLAW = {
    "type": "object",
    "properties": {"pointer": _TEXT, "zh": _TEXT, "en": _TEXT},
    "required": ["pointer", "zh", "en"],
}
_PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457. `type` ends with a stable code; `title` is in the language of Accept-Language.",
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "title_zh": _TEXT,
        "title_en": _TEXT,
        "status": {"type": "integer"},
        "errors": {"type": "array", "items": _FLAW},
    },
    "required": ["type", "title", "title_zh", "title_en", "status", "errors"],
}
_WAYS_IN = {
    "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "wushe_access",
        "description": "For our own pages; a change also needs X-Requested-With: wushe, or an Origin of this host",
    },
}
_NEEDED = frozenset({"Idempotency-Key", "If-Match"})
_NEVER_GIVEN = ("HTTPValidationError", "ValidationError")
_LINES = {"required": True, "content": {kind: {"schema": _TEXT} for kind in sorted(BULK_TYPES)}}


class Described(FastAPI):
    """The application, whose description says what it does."""

    def openapi(self) -> dict[str, Any]:
        if not self.openapi_schema:
            self.openapi_schema = self._put_right(super().openapi())
        return self.openapi_schema

    def _put_right(self, written: dict[str, Any]) -> dict[str, Any]:
        parts = written.setdefault("components", {})
        schemas = parts.setdefault("schemas", {})
        for name in _NEVER_GIVEN:
            schemas.pop(name, None)
        schemas["Problem"] = _PROBLEM
        parts["securitySchemes"] = _WAYS_IN
        label(schemas)
        taking_lines = {
            route.path
            for route in self.routes
            if isinstance(route, APIRoute) and getattr(route.endpoint, "takes_bulk", False)
        }
        for route in catalogue(self):
            operation = written["paths"].get(route.path, {}).get(route.method.lower())
            if operation is not None and route.path.startswith("/api/"):
                _describe(operation, public=route.public)
                if route.path in taking_lines:
                    operation["requestBody"] = _LINES
        return written


def _describe(operation: dict[str, Any], *, public: bool) -> None:
    operation["responses"].pop("422", None)
    for status, answer in operation["responses"].items():
        if status >= "400":
            beside = answer.get("content", {}).get("application/json", {}).get("schema")
            answer["content"] = _refused_with(beside) if beside else _REFUSED["content"]
    operation["responses"]["default"] = _REFUSED
    if not public:
        operation["security"] = [{name: []} for name in _WAYS_IN]
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "header" and parameter["name"] in _NEEDED:
            parameter |= {"required": True, "schema": _TEXT}


def _refused_with(beside: dict[str, Any]) -> dict[str, Any]:
    """A problem that says something more."""
    return {"application/problem+json": {"schema": {"allOf": [_ANY_PROBLEM, beside]}}}
