"""Bulk loading over HTTP: JSON lines, each with a key of its own, each standing alone.

A line that is wrong is named, by number and field, and does not stop the others; a line that was loaded before
changes nothing. What is counted as created is durable when the answer comes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from hashlib import sha256
from typing import Any

from pydantic import ValidationError

from shared.errors import KeyReused, Refusal
from shared.http.bodies import BODY_LIMIT, BYTE_ORDER_MARK, read_json
from shared.http.problems import BROKEN_JSON, TOO_LARGE, Problem, RequestRefused, escaped
from shared.http.schema import Schema
from shared.http.words import words_for
from shared.ports import Op
from shared.records import Outcome

NDJSON = "application/x-ndjson"
FLAWS_SHOWN = 1000
TOO_LONG = Problem(
    TOO_LARGE.code, TOO_LARGE.status, "这一行过长（超过 256 KiB）：每行应只有一个 JSON 对象",
    "This line is longer than 256 KiB; write one JSON object on each line",
)  # fmt: skip
KEY_KNOWN = (
    "这个 key 已导入过，内容与这一行不同：要修改请改原记录；若确是另一条，请换一个 key",
    "This key was loaded before with other content; to change that record, edit it; if this is another one, "
    "give it a key of its own",
)

Place = tuple[int | str, ...]


class RowFlaw(Schema):
    """What is wrong with one line, counted from 1; `field` is a JSON pointer into that line."""

    line: int
    field: str | None
    code: str
    zh: str
    en: str


class Loaded(Schema):
    """`lines` were read: each was created, created before (`repeated`), or refused and changed nothing. `stopped_at` is
    the first bad line if the load stopped there. At most 1,000 errors are listed."""

    lines: int = 0
    created: int = 0
    repeated: int = 0
    refused: int = 0
    stopped_at: int | None = None
    errors: tuple[RowFlaw, ...] = ()

    def and_then(self, results: Sequence[bool | list[RowFlaw]]) -> Loaded:
        """With these lines as well: True made a record, False had made it before, else what is wrong with it."""
        flaws = [flaw for result in results if not isinstance(result, bool) for flaw in result]
        created, repeated = results.count(True), results.count(False)
        return Loaded(
            lines=self.lines + len(results),
            created=self.created + created,
            repeated=self.repeated + repeated,
            refused=self.refused + len(results) - created - repeated,
            errors=(*self.errors, *flaws)[:FLAWS_SHOWN],
        )


async def numbered_lines(stream: AsyncIterator[bytes]) -> AsyncIterator[tuple[int, bytes]]:
    """The lines that are not empty, numbered from 1 as an editor numbers them, without what an editor may put around
    them. A line that is longer than a body may be is cut off there, and refused by `read_line`."""
    rest, number = b"", 0
    async for piece in stream:
        *whole, rest = (rest + piece).split(b"\n")
        rest = rest[: BODY_LIMIT + 1]
        for line in whole:
            number += 1
            if text := _text_of(line):
                yield number, text
    if text := _text_of(rest):
        yield number + 1, text


def _text_of(line: bytes) -> bytes:
    return line[: BODY_LIMIT + 1] if len(line) > BODY_LIMIT else line.removeprefix(BYTE_ORDER_MARK).strip()


def read_line(line: bytes) -> Any:
    """The JSON value on this line. Raises RequestRefused."""
    if len(line) > BODY_LIMIT:
        raise RequestRefused(TOO_LONG)
    return read_json(line)


async def in_chunks(stream: AsyncIterator[bytes], size: int) -> AsyncIterator[list[tuple[int, bytes]]]:
    """The lines, so many at a time."""
    chunk: list[tuple[int, bytes]] = []
    async for line in numbered_lines(stream):
        chunk.append(line)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def row_operation(action: str, owner: str, key: str, line: bytes) -> Op:
    """The line as a request that may be sent again: named by its key among the owner's."""
    named = "\0".join((action, owner, key))
    return Op(sha256(named.encode()).hexdigest(), sha256(line).hexdigest())


def came_of(number: int, outcome: Outcome[Any] | Exception) -> bool | list[RowFlaw]:
    """True if the line made a record, False if it had done so before, else why it was refused."""
    if isinstance(outcome, Refusal):
        return [refused(number, outcome)]
    if isinstance(outcome, Exception):
        raise outcome
    return outcome.applied


def refused(number: int, refusal: Refusal) -> RowFlaw:
    if isinstance(refusal, KeyReused):
        zh, en = KEY_KNOWN
        return RowFlaw(line=number, field="/key", code=refusal.code, zh=zh, en=en)
    zh, en = refusal.words("zh"), refusal.words("en")
    return RowFlaw(line=number, field=refusal.field, code=refusal.code, zh=zh, en=en)


def flaws_in(
    number: int,
    error: RequestRefused | ValidationError,
    place: Callable[[Place], Place] = lambda place: place,
) -> list[RowFlaw]:
    """What keeps a line from being read; `place` may leave out parts of a location that are no part of the row."""
    if isinstance(error, RequestRefused):
        problem = error.problem
        whole = RowFlaw(line=number, field=None, code=problem.code, zh=problem.zh, en=problem.en)
        return [
            RowFlaw(line=number, field=f.pointer, code=problem.code, zh=f.zh, en=f.en) for f in error.flaws
        ] or [whole]
    return [
        _unfit(number, found["type"], found.get("ctx", {}), place(found["loc"]))
        for found in error.errors(include_input=False, include_url=False)
    ]


def _unfit(number: int, kind: str, facts: dict[str, Any], place: Place) -> RowFlaw:
    if kind == "json_invalid":
        return RowFlaw(line=number, field=None, code=BROKEN_JSON.code, zh=BROKEN_JSON.zh, en=BROKEN_JSON.en)
    zh, en = words_for(kind, facts)
    pointer = "".join(f"/{escaped(part)}" for part in place)
    return RowFlaw(line=number, field=pointer, code="invalid", zh=zh, en=en)
