"""China's administrative divisions, four levels; the notice stands in `data/README.md`."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import NamedTuple

LEVELS = {2: "province", 4: "prefecture", 6: "county", 9: "township", 12: "village"}


class Area(NamedTuple):
    """A node of the area tree. A code's leading digits are its ancestors' codes. `lat`/`lon` in degrees."""

    code: str
    name: str
    parent: str | None
    lat: float | None = None
    lon: float | None = None

    @property
    def level(self) -> str:
        return LEVELS[len(self.code)]


class Divisions:
    """The areas by code, down to townships; villages are the directory's own records."""

    def __init__(self, areas: dict[str, Area]) -> None:
        self._areas = areas
        self._children: dict[str | None, list[Area]] = {}
        for area in areas.values():
            self._children.setdefault(area.parent, []).append(area)

    def get(self, code: str) -> Area | None:
        return self._areas.get(code)

    def children(self, code: str | None) -> list[Area]:
        """The areas directly below `code`, in order of code; the provinces for None."""
        return self._children.get(code, [])

    def __len__(self) -> int:
        return len(self._areas)


def ancestors(code: str) -> Iterator[str]:
    """The codes of the areas that hold this one, nearest first, itself included."""
    for digits in sorted(LEVELS, reverse=True):
        if digits <= len(code):
            yield code[:digits]


@cache
def divisions() -> Divisions:
    """The national table, read once per process (about 0.1 s)."""
    with gzip.open(files("shared.places") / "data" / "divisions.csv.gz", "rt", encoding="utf-8") as text:  # type: ignore[call-overload]
        rows = csv.reader(text)
        next(rows)
        return Divisions({r[0]: Area(r[0], r[1], r[2] or None, _degrees(r[3]), _degrees(r[4])) for r in rows})


def _degrees(text: str) -> float | None:
    return float(text) if text else None


def one_lies_in_the_other(area: str, other: str) -> bool:
    """Whether one of these area codes is the other, or stands above it."""
    return area.startswith(other) or other.startswith(area)
