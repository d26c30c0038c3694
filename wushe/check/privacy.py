"""Rule 7: nothing personal and no free text travels in an event."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from wushe.check.violation import Violation

SHORTEST = 2


class Canaries:
    """Everything personal that the services keep; whole values are looked up, longer ones also inside others."""

    def __init__(self, values: Iterable[str | None]) -> None:
        self._values = frozenset(v for v in values if v and len(v) >= SHORTEST)
        self._phones = re.compile(r"(?<![\w-])1\d{10}(?![\w-])")

    def found_in(self, data: Any, record: str) -> Iterator[Violation]:
        """A violation for each personal value in an event's data, naming the field and never the value."""
        for field, text in _texts(data, ""):
            if text in self._values or self._phones.search(text):
                yield Violation(7, record, f"personal data in {field}", f"字段 {field} 含个人信息")


def _texts(data: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(data, str):
        yield place, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _texts(value, f"{place}/{key}")
    elif isinstance(data, list):
        for value in data:
            yield from _texts(value, place)
