"""What stands between the network and a route: how large a body may be, of what type, and which text cannot be kept.

It works on the bytes as they come, so that a body without a declared length is held to the limit too.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from email.message import Message as Header
from itertools import islice
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http.problems import (
    BROKEN_JSON,
    INVALID,
    NOT_LINES,
    TOO_LARGE,
    WRONG_TYPE,
    Flaw,
    RequestRefused,
    escaped,
    say,
)
from shared.http.words import words_for

BODY_LIMIT = 256 * 1024
"""Reading a body comes before asking who sent it, so it must cost nobody else much."""
BULK_LIMIT = 64 * 1024 * 1024
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
FLAWS_SHOWN = 100
BULK_TYPES = frozenset({"application/x-ndjson", "application/jsonl"})

F = TypeVar("F", bound=Callable[..., Any])

_UTF_8 = frozenset({"utf-8", "utf8"})
_SUSPECT = re.compile(rb"\\u0000|\\u[dD][89a-fA-F]|NaN|Infinity")
_LONE = re.compile("[\ud800-\udfff]")


def bulk(endpoint: F) -> F:
    """Marks a route that takes JSON lines (application/x-ndjson), up to 64 MiB. It reads `request.stream()` by itself,
    after its access was checked, and each line by `read_json`."""
    endpoint.__dict__["takes_bulk"] = True
    return endpoint


class _Twice(Exception):
    """Some object has two fields of one name."""


class _Fields(list[tuple[str, Any]]):
    """The fields of an object as they were written."""


def _once(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(fields)
    if len(found) < len(fields):
        raise _Twice
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_once)
"""Made once: `json.loads` would make one for every text, which takes as long as reading a short one."""


def read_json(text: bytes) -> Any:
    """One JSON value. Raises RequestRefused where it is broken, holds what cannot be kept, or gives a field twice:
    nobody can tell which of the two was meant."""
    try:
        value = _DECODER.decode(text.decode())
    except _Twice:
        raise _given_twice(text) from None
    except (ValueError, RecursionError) as e:
        raise RequestRefused(BROKEN_JSON) from e
    if _SUSPECT.search(text):
        _refuse_unkeepable(value)
    return value


def _given_twice(text: bytes) -> RequestRefused:
    """Which fields; or that the text is broken further on."""
    try:
        flaws = [Flaw(pointer, *words_for("twice", {})) for pointer in islice(_repeated(text), FLAWS_SHOWN)]
    except (ValueError, RecursionError):
        return RequestRefused(BROKEN_JSON)
    return RequestRefused(INVALID, flaws)


def _repeated(text: bytes) -> Iterator[str]:
    """The pointers of the fields that stand more than once."""
    ahead: list[tuple[str, Any]] = [("", json.loads(text, object_pairs_hook=_Fields))]
    while ahead:
        pointer, value = ahead.pop()
        if isinstance(value, _Fields):
            counted = Counter(name for name, _ in value)
            yield from (f"{pointer}/{escaped(name)}" for name, count in counted.items() if count > 1)
            ahead.extend((f"{pointer}/{escaped(name)}", entry) for name, entry in value)
        elif isinstance(value, list):
            ahead.extend((f"{pointer}/{n}", entry) for n, entry in enumerate(value))


class BodyGuard:
    """ASGI middleware: 413 beyond the limit, 415 for other types, 422 for NUL, lone surrogates, NaN and a field given twice."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if "\0" in scope["path"] or b"%00" in scope["query_string"]:
                flaw = Flaw("/path", *words_for("nul", {}))
                return await say(Request(scope), INVALID, [flaw])(scope, receive, send)
            receive = _Guarded(scope, receive)
        return await self._app(scope, receive, send)


class _Guarded:
    """The body of one request, looked at as it is read. By then the route is known."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._scope = scope
        self._receive = receive
        self._size = 0
        self._chunks: list[bytes] = []

    async def __call__(self) -> Message:
        if self._size == 0:
            self._check_declared_size()
        message = await self._receive()
        if message["type"] == "http.request":
            self._look_at(message.get("body", b""), last=not message.get("more_body", False))
        return message

    def _look_at(self, chunk: bytes, *, last: bool) -> None:
        if chunk and self._size == 0:
            self._check_type()
        self._size += len(chunk)
        if self._size > self._limit:
            raise RequestRefused(TOO_LARGE)
        if self._bulk:
            return
        self._chunks.append(chunk)
        if last:
            self._check_text(b"".join(self._chunks) if len(self._chunks) > 1 else chunk)
            self._chunks = []

    @property
    def _bulk(self) -> bool:
        return bool(getattr(getattr(self._scope.get("route"), "endpoint", None), "takes_bulk", False))

    @property
    def _limit(self) -> int:
        return BULK_LIMIT if self._bulk else BODY_LIMIT

    def _header(self, name: bytes) -> str:
        return next((value.decode("latin-1") for key, value in self._scope["headers"] if key == name), "")

    def _check_declared_size(self) -> None:
        declared = self._header(b"content-length")
        if declared.isdigit() and int(declared[:19]) > self._limit:
            raise RequestRefused(TOO_LARGE)

    def _check_type(self) -> None:
        declared = self._header(b"content-type")
        if declared == "application/json" and not self._bulk:
            return
        header = Header()
        header["content-type"] = declared or "none/none"
        allowed = BULK_TYPES if self._bulk else {"application/json"}
        if (
            header.get_content_type() not in allowed
            or str(header.get_param("charset", "utf-8")).lower() not in _UTF_8
        ):
            raise RequestRefused(NOT_LINES if self._bulk else WRONG_TYPE)

    def _check_text(self, body: bytes) -> None:
        if body:
            read_json(body.removeprefix(BYTE_ORDER_MARK))


def _refuse_unkeepable(value: Any) -> None:
    found = islice(_unkeepable(value), FLAWS_SHOWN)
    flaws = [Flaw(pointer, *words_for(kind, {})) for pointer, kind in found]
    if flaws:
        raise RequestRefused(INVALID, flaws)


def _unkeepable(value: Any) -> Iterator[tuple[str, str]]:
    """Where in this value stands something that no record can hold, and what it is."""
    ahead: list[tuple[str, Any]] = [("", value)]
    while ahead:
        pointer, value = ahead.pop()
        kind = _why_unkeepable(value)
        if kind:
            yield pointer, kind
        elif isinstance(value, list):
            ahead.extend((f"{pointer}/{n}", entry) for n, entry in enumerate(value))
        elif isinstance(value, dict):
            for key, entry in value.items():
                kind = _why_unkeepable(key)
                if kind:
                    yield pointer, kind
                else:
                    ahead.append((f"{pointer}/{escaped(key)}", entry))


def _why_unkeepable(value: Any) -> str | None:
    if isinstance(value, str):
        return "nul" if "\0" in value else "surrogate" if _LONE.search(value) else None
    return "finite_number" if isinstance(value, float) and not math.isfinite(value) else None
