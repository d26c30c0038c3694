"""The interface on one page: every route, who may use it, what it takes and answers. Needs nothing from any other server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from itertools import groupby
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse

from shared.http.access import public
from shared.http.catalogue import Guarded, catalogue
from shared.http.shapes import parameters, prose, shape, told
from shared.security.policy import POLICY

SHAPES = "shapes"
STANDARD = "Successful Response"
SECTIONS = {
    "session": "登录", "accounts": "账号", "places": "区划与站点", "organisations": "机构", "needs": "困难家庭与需求", "matching": "匹配",
    "volunteers": "志愿者", "resources": "慈善资源", "operations": "运维", "health": "运行状况", SHAPES: "数据格式",
}  # fmt: skip
_STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.6 system-ui, "Noto Sans CJK SC", sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h2 { margin-top: 2.5rem; border-bottom: 1px solid } summary { cursor: pointer; padding: .3rem 0 }
code { font: 14px/1.5 ui-monospace, monospace } details { padding-left: 1rem } summary { margin-left: -1rem }
code, a { overflow-wrap: anywhere } ul { padding-left: 1.2rem } li { margin: .2rem 0 }
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
    order = {tag: n for n, tag in enumerate(SECTIONS)}
    operations = sorted(
        (
            (operation.get("tags", ["other"])[0], known[method, path], operation)
            for path, methods in openapi["paths"].items()
            for method, operation in methods.items()
        ),
        key=lambda o: (order.get(o[0], len(order)), o[0]),
    )
    sections = [*dict.fromkeys(tag for tag, _, _ in operations), SHAPES]
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
    yield f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
    yield f"<h1>{escape(title)}</h1>{_INTRODUCTION}"
    yield f"<nav>{' · '.join(f'<a href=#{tag}>{_heading(tag)}</a>' for tag in sections)}</nav>"
    for tag, group in groupby(operations, key=lambda o: o[0]):
        yield f"<h2 id={tag}>{_heading(tag)}</h2>"
        for _, route, operation in group:
            yield from _operation(route, operation)
    yield f"<h2 id={SHAPES}>{_heading(SHAPES)}</h2>"
    for name, schema in sorted(openapi["components"]["schemas"].items()):
        yield from shape(name, schema)


def _heading(tag: str) -> str:
    return escape(f"{SECTIONS[tag]} {tag}" if tag in SECTIONS else tag)


def _operation(route: Guarded, operation: dict[str, Any]) -> Iterator[str]:
    yield f'<details><summary id="{escape(route.operation)}"><span class="method">{route.method}</span>'
    yield f"<code>{escape(route.path)}</code> · {escape(operation.get('summary', ''))}</summary>"
    yield f'<p class="who">{escape(route.action)}: {escape(_who(route))}</p>'
    if description := operation.get("description"):
        yield f"<p>{prose(description)}</p>"
    yield from parameters(operation.get("parameters", ()))
    for kind, body in operation.get("requestBody", {}).get("content", {}).items():
        yield f"<p>Takes 提交 {told(body.get('schema', {}))}, <code>{escape(kind)}</code></p>"
    for status, answer in operation["responses"].items():
        yield from _answer(status, answer)
    yield "</details>"


def _answer(status: str, answer: dict[str, Any]) -> Iterator[str]:
    called = "Else 其他情形" if status == "default" else f"Answers 返回 <b>{escape(status)}</b>"
    contents = answer.get("content", {}).values()
    shapes = [told(schema) for content in contents if (schema := content.get("schema"))]
    description = answer["description"]
    said = "" if description == STANDARD else f": {prose(description)}"
    yield f"<p>{called} {', '.join(shapes)}{said}</p>"


def _who(route: Guarded) -> str:
    if route.public:
        return "everybody, 无需登录"
    return ", ".join(
        f"{role.zh} {role.en} ({scope.name.lower()})" for role, scope in POLICY[route.action].items()
    )
