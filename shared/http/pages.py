"""Lists, a page at a time, by an opaque cursor."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Depends
from fastapi import Query as QueryParameter

from shared.errors import Invalid
from shared.http.schema import Page
from shared.ports import Query, Where
from shared.records import Record, Versioned

R = TypeVar("R", bound=Record)
V = TypeVar("V")

LIMIT = 50
LIMIT_AT_MOST = 200
After = tuple[Any, str]


class Paging:
    """The page that this request asks for. First `query`, then `page` with what the store found."""

    def __init__(self, limit: int, cursor: str | None) -> None:
        self.limit = limit
        self._cursor = cursor
        self._asked: Query | None = None
        self._begun: str | None = None

    def query(
        self, *where: Where, order: str = "id", descending: bool = False, look_at: int | None = None
    ) -> Query:
        """The search for this page, and for one more record, which tells whether there is another page.

        `look_at` is for `sifted` and `spread`: how many records are looked at.
        """
        after = None
        if self._cursor:
            after, self._begun = _read(self._cursor, order, descending)
        self._asked = Query(where, order, descending, (look_at or self.limit) + 1, after)
        return self._asked

    def page(self, found: Sequence[Versioned[R]], view: Callable[[R], V]) -> Page[V]:
        """What was found by `query`, as this view shows it."""
        assert self._asked is not None, "query() comes first"
        shown = [versioned.record for versioned in found[: self.limit]]
        more = len(found) > self.limit
        cursor = _write(self._asked, shown[-1]) if more else None
        return Page(items=[view(record) for record in shown], next_cursor=cursor)

    def sifted(
        self, found: Sequence[Versioned[R]], fits: Callable[[R], bool], view: Callable[[R], V]
    ) -> Page[V]:
        """Those of what was found by `query` that fit. A page may be short, even empty, and still lead on."""
        assert self._asked is not None, "query() comes first"
        looked_at = found[: self._asked.limit - 1]
        fitting = [n for n, versioned in enumerate(looked_at) if fits(versioned.record)][: self.limit]
        end = fitting[-1] if len(fitting) == self.limit else len(looked_at) - 1
        cursor = _write(self._asked, found[end].record) if end + 1 < len(found) else None
        return Page(items=[view(found[n].record) for n in fitting], next_cursor=cursor)

    def spread(
        self, found: Sequence[Versioned[R]], parts: Sequence[Sequence[V]], id_of: Callable[[V], str]
    ) -> Page[V]:
        """The parts of what was found by `query`, those of each record in turn. A page ends within a record where it must;
        it may be short, even empty, and still lead on."""
        assert self._asked is not None and not self._asked.descending, "query() comes first, and goes upwards"
        looked_at, items = found[: self._asked.limit - 1], list[V]()
        for n, theirs in enumerate(parts[: len(looked_at)]):
            rest = theirs if n else _behind(theirs, self._begun, id_of)
            room = self.limit - len(items)
            if len(rest) > room:
                before = self._asked.cursor(looked_at[n - 1].record) if n else self._asked.after
                last = id_of(rest[room - 1]) if room else None
                return Page(
                    items=[*items, *rest[:room]], next_cursor=_mark(self._asked, before or (None, ""), last)
                )
            items += rest
        more = len(found) > len(looked_at)
        return Page(items=items, next_cursor=_write(self._asked, looked_at[-1].record) if more else None)

    def whole(self, all_: Sequence[V], id_of: Callable[[V], str]) -> Page[V]:
        """A page of what is at hand, in this order."""
        asked = self.query()
        rest = _behind(all_, self._begun, id_of)
        shown = rest[: self.limit]
        more = len(rest) > len(shown)
        return Page(
            items=[*shown],
            next_cursor=_mark(asked, asked.after or (None, ""), id_of(shown[-1])) if more else None,
        )


async def _paging(
    limit: Annotated[int, QueryParameter(ge=1, le=LIMIT_AT_MOST, description="How many at most")] = LIMIT,
    cursor: Annotated[
        str | None, QueryParameter(max_length=1000, description="`next_cursor` of the page before")
    ] = None,
) -> Paging:
    return Paging(limit, cursor)


Pages = Annotated[Paging, Depends(_paging)]


def _write(query: Query, last: Record) -> str:
    return _mark(query, query.cursor(last))


def _mark(query: Query, after: After, part: str | None = None) -> str:
    """The cursor behind this record; with `part`, behind this part of the one that follows it."""
    mark = [query.order, query.descending, *after, *([] if part is None else [part])]
    text = json.dumps(mark, separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _behind(parts: Sequence[V], begun: str | None, id_of: Callable[[V], str]) -> Sequence[V]:
    """What follows the part with this id; all, where there is none of it any more."""
    ids = [id_of(part) for part in parts] if begun is not None else []
    return parts[ids.index(begun) + 1 :] if begun in ids else parts


def _read(cursor: str, order: str, descending: bool) -> tuple[After, str | None]:
    broken = Invalid(
        "/query/cursor",
        zh="翻页标记无效，请从第一页重新开始",
        en="this cursor is not valid; begin at the first page",
    )
    try:
        parts = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        json.dumps(parts, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as e:
        raise broken from e
    if not isinstance(parts, list) or len(parts) not in (4, 5) or parts[:2] != [order, descending]:
        raise broken
    value, id, part = parts[2], parts[3], parts[4] if len(parts) == 5 else None
    if not isinstance(value, str | int | None) or not isinstance(id, str) or not isinstance(part, str | None):
        raise broken
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise broken
    return (value, id), part
