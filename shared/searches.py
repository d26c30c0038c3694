"""The closed vocabulary of `Query`, as far as all stores read it alike."""

from __future__ import annotations

from collections.abc import Sequence, Set
from enum import Enum
from typing import Any

from shared.ports import Query, Where
from shared.records import Index

_LAST_CHARACTER = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)


def either(*conditions: Where) -> Where:
    """At least one of these conditions holds, each of them on a field that some declared index begins with."""
    return Where("", "either", conditions)


def check(indexes: Sequence[Index], query: Query) -> None:
    """Raises ValueError for a search that no declared index serves."""
    declared = {"id"}.union(*(index.fields for index in indexes))
    leading = {"id"}.union(index.fields[0] for index in indexes)
    choices = [where for where in query.where if where.test == "either"]
    for choice in choices:
        _check_choice(choice, leading)
    asked = [where.field for where in query.where if where.test != "either"]
    if unknown := [field for field in (*asked, query.order) if field not in declared]:
        raise ValueError(f"no declared index holds {', '.join(unknown)}")
    if asked and not choices and not leading.intersection(asked):
        raise ValueError(f"no declared index begins with one of {', '.join(asked)}")
    if query.limit < 1:
        raise ValueError("a search needs a limit of at least 1")


def _check_choice(choice: Where, leading: Set[str]) -> None:
    if not choice.value or any(one.test == "either" for one in choice.value):
        raise ValueError("either takes one or more plain conditions")
    if unserved := [one.field for one in choice.value if one.field not in leading]:
        raise ValueError(f"no declared index begins with {', '.join(unserved)}")


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
