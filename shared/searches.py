"""The closed vocabulary of `Query`, as far as all stores read it alike."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any

from shared.ports import Query
from shared.records import Index

_LAST_CHARACTER = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)


def check(indexes: Sequence[Index], query: Query) -> None:
    """Raises ValueError for a search that no declared index serves."""
    declared = {"id"}.union(*(index.fields for index in indexes))
    leading = {"id"}.union(index.fields[0] for index in indexes)
    asked = [where.field for where in query.where]
    if unknown := [field for field in (*asked, query.order) if field not in declared]:
        raise ValueError(f"no declared index holds {', '.join(unknown)}")
    if asked and not leading.intersection(asked):
        raise ValueError(f"no declared index begins with one of {', '.join(asked)}")
    if query.limit < 1:
        raise ValueError("a search needs a limit of at least 1")


def scalar(value: Any) -> str | int:
    """A value as it is stored. Raises ValueError if it is nothing that is searched for."""
    if not isinstance(value, str | int):
        raise ValueError(f"{type(value).__name__} is neither text, integer nor boolean")
    return value.value if isinstance(value, Enum) else value


def span(prefix: str) -> tuple[str, str | None]:
    """Where texts with this prefix begin, and the first text that sorts behind them all, if there is one."""
    head = prefix.rstrip(chr(_LAST_CHARACTER))
    if not head:
        return prefix, None
    following = ord(head[-1]) + 1
    if following in _SURROGATES:
        following = _SURROGATES.stop
    return prefix, head[:-1] + chr(following)
