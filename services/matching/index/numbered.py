"""Values that many share, by number: what they come to is worked out once per search, not once per row."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Numbered(Generic[K]):
    """Each different value once, in the order in which it was first seen."""

    def __init__(self, *values: K) -> None:
        self.values: list[K] = []
        self._numbers: dict[K, int] = {}
        for value in values:
            self.number(value)

    def number(self, value: K) -> int:
        number = self._numbers.get(value)
        if number is None:
            number = self._numbers[value] = len(self.values)
            self.values.append(value)
        return number

    def find(self, value: K) -> int:
        """Its number, or -1 for a value that was never seen."""
        return self._numbers.get(value, -1)
