"""Places as numbers: area codes as integers whose ranges are areas, cells as points on the unit sphere."""

from __future__ import annotations

from functools import lru_cache
from math import asin, cos, pi, radians, sin, sqrt

import h3

from shared.contracts.vocabulary import Ring

EARTH_KM = 6371.007180918475
"""The radius that H3 measures by."""

RINGS: tuple[Ring, ...] = tuple(Ring)
RING_UNITS = (1, 10**3, 10**6, 10**8, 10**12)
"""Codes with the same quotient by this unit lie in the same village, township, county, city; or anywhere."""

STEPS_KM = (1, 3, 5, 10, 20, 50)
"""Within a ring nearness counts in steps, so that a hundred metres never outweigh the criteria that follow."""

DIGITS = 12
Point = tuple[float, float, float]
Span = tuple[int, int]
NOWHERE: Point = (float("nan"), float("nan"), float("nan"))


@lru_cache(maxsize=65_536)
def code_of(area: str) -> int:
    """An area code as a number of 12 digits. A coarser code is filled with noughts, which no real area below it
    has, so that it lies in the same ring as another exactly when `Atlas.same_ring` says so."""
    return int(area[:DIGITS].ljust(DIGITS, "0")) if area.isascii() and area.isdecimal() else 0


def ring_span(ring: Ring, area: str) -> Span:
    """The codes that lie in this ring around the area: half-open."""
    unit = RING_UNITS[RINGS.index(ring)]
    first = code_of(area) // unit * unit
    return first, first + unit


def area_span(area: str) -> Span:
    """The codes of an area and everything below it."""
    first = code_of(area)
    return first, first + 10 ** (DIGITS - min(len(area), DIGITS))


def spans(ring: Ring, area: str, areas: tuple[str, ...]) -> list[Span]:
    """What counts as inside: the ring, and the areas of the tiers; disjoint, in order."""
    merged: list[Span] = []
    for first, last in sorted([ring_span(ring, area), *map(area_span, areas)]):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged


@lru_cache(maxsize=65_536)
def point_of(cell: str | None) -> Point:
    """The centre of a cell as a unit vector; NOWHERE if there is none or it is no cell."""
    if cell is None or not h3.is_valid_cell(cell):
        return NOWHERE
    latitude, longitude = (radians(degrees) for degrees in h3.cell_to_latlng(cell))
    return cos(latitude) * cos(longitude), cos(latitude) * sin(longitude), sin(latitude)


@lru_cache(maxsize=1024)
def chord(km: float) -> float:
    """The squared straight line, on the unit sphere, between points so many kilometres apart."""
    return (2 * sin(min(max(km, 0) / (2 * EARTH_KM), pi / 2))) ** 2


def km_of(squared: float) -> float:
    """The great-circle distance of points whose squared straight line is this."""
    return 2 * EARTH_KM * asin(min(1.0, sqrt(squared) / 2))


STEPS = tuple(chord(km) for km in STEPS_KM)
