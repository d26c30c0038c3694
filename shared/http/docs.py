"""The interface on one page: every route, who may use it, what it takes. Needs nothing from any other server."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from html import escape
from itertools import groupby
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse

from shared.http.access import public
from shared.http.catalogue import Guarded, catalogue
from shared.security.policy import POLICY

_STYLE = """
body { font: 16px/1.6 system-ui, "Noto Sans CJK SC", sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h2 { margin-top: 2.5rem; border-bottom: 1px solid } summary { cursor: pointer; padding: .3rem 0 }
code, pre { font: 14px/1.5 ui-monospace, monospace } pre { overflow: auto; padding: .8rem; border: 1px solid }
.method { display: inline-block; min-width: 4.5rem; font-weight: 700 } .who { opacity: .75 }
"""
_INTRODUCTION = """
<p>Sign in with <code>POST /api/session</code>; then send <code>Authorization: Bearer &lt;access_token&gt;</code>. Every create and
action takes an <code>Idempotency-Key</code>, every edit an <code>If-Match</code> with the <code>ETag</code> that came with the
record. Lists come in pages: <code>limit</code>, <code>cursor</code>. Errors are <code>application/problem+json</code> in Chinese and
English, with a pointer to each field. The same for machines: <a href="/openapi.json">/openapi.json</a>.</p>
<p>先用 <code>POST /api/session</code> 登录，再带上 <code>Authorization: Bearer</code>。新建与操作须带 <code>Idempotency-Key</code>，修改须带
<code>If-Match</code>；列表用 <code>limit</code> 与 <code>cursor</code> 翻页；错误为 <code>application/problem+json</code>，中英双语，并指明是哪一项。</p>
"""


def docs(app: FastAPI) -> APIRouter:
    """`/docs`; written once, when it is first asked for."""
    router = APIRouter(tags=["health"], dependencies=[public("health.read")], include_in_schema=False)
    written: list[str] = []

    @router.get("/docs", operation_id="read_docs", summary="This page", response_class=HTMLResponse)
    async def read_docs() -> HTMLResponse:
        if not written:
            written.append("".join(_page(app.title, app.openapi(), catalogue(app))))
        return HTMLResponse(written[0])

    return router


def _page(title: str, openapi: dict[str, Any], routes: Iterable[Guarded]) -> Iterator[str]:
    known = {(route.method.lower(), route.path): route for route in routes}
    operations = [
        (operation.get("tags", ["other"])[0], known[method, path], operation)
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    ]
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
    yield f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
    yield f"<h1>{escape(title)}</h1>{_INTRODUCTION}"
    for tag, group in groupby(sorted(operations, key=lambda o: o[0]), key=lambda o: o[0]):
        yield f"<h2>{escape(tag)}</h2>"
        for _, route, operation in group:
            yield from _operation(route, operation, openapi)


def _operation(route: Guarded, operation: dict[str, Any], openapi: dict[str, Any]) -> Iterator[str]:
    yield f'<details id="{escape(route.operation)}"><summary><span class="method">{route.method}</span>'
    yield f"<code>{escape(route.path)}</code> · {escape(operation.get('summary', ''))}</summary>"
    yield f'<p class="who">{escape(route.action)}: {escape(_who(route))}</p>'
    if description := operation.get("description"):
        yield f"<p>{escape(description)}</p>"
    for parameter in operation.get("parameters", ()):
        needed = "" if parameter.get("required") else " (optional)"
        said = parameter.get("description") or parameter.get("schema", {}).get("description") or ""
        yield f"<p>{escape(parameter['in'])} <code>{escape(parameter['name'])}</code>{needed} {escape(said)}</p>"
    for body in operation.get("requestBody", {}).get("content", {}).values():
        shape = _spelled_out(body.get("schema", {}), openapi, 4)
        yield f"<pre>{escape(json.dumps(shape, ensure_ascii=False, indent=2))}</pre>"
    yield "</details>"


def _who(route: Guarded) -> str:
    if route.public:
        return "everybody, 无需登录"
    return ", ".join(
        f"{role.zh} {role.en} ({scope.name.lower()})" for role, scope in POLICY[route.action].items()
    )


def _spelled_out(schema: Any, openapi: dict[str, Any], depth: int) -> Any:
    """The schema with what it refers to in place, down to some depth, without titles."""
    if isinstance(schema, list):
        return [_spelled_out(part, openapi, depth) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema and depth > 0:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return _spelled_out(openapi["components"]["schemas"][name], openapi, depth - 1)
    return {
        k: _spelled_out(v, openapi, depth)
        for k, v in schema.items()
        if not (k == "title" and isinstance(v, str))
    }
