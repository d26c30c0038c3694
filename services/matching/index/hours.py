"""Hours of the week as bits, and whether a window is covered by a weekly pattern and its exceptions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shared.contracts.parts import Window

WORD = 64
WORDS = 3
HOURS_OF_WEEK = 168
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LOW = (1 << WORD) - 1

Span = tuple[int, int]
"""A half-open interval in microseconds since 1970."""


def micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def span_of(window: Window) -> Span:
    return micros(window.start_at), micros(window.end_at)


@lru_cache(maxsize=16_384)
def pattern(hours: tuple[int, ...]) -> int:
    """The hours of the week (0 = Monday 00:00) as bits of one number."""
    bits = 0
    for hour in hours:
        bits |= 1 << hour
    return bits & ((1 << HOURS_OF_WEEK) - 1)


def words(bits: int) -> tuple[int, int, int]:
    """The same bits as three words of 64."""
    return bits & _LOW, (bits >> WORD) & _LOW, bits >> (2 * WORD)


class Needed(NamedTuple):
    """What a window asks of a weekly pattern in one zone: the bits, and each hour with the part it covers."""

    bits: int
    parts: tuple[tuple[int, int, int], ...]


@lru_cache(maxsize=4096)
def needed(start_at: datetime, end_at: datetime, zone: ZoneInfo) -> Needed:
    """The local hours of the week that [start_at, end_at) touches."""
    bits, parts, here = 0, [], start_at
    while here < end_at:
        local = here.astimezone(zone)
        rest = timedelta(hours=1) - timedelta(
            minutes=local.minute, seconds=local.second, microseconds=local.microsecond
        )
        hour = local.weekday() * 24 + local.hour
        until = min(end_at, here + rest)
        parts.append((hour, micros(here), micros(until)))
        bits |= 1 << hour
        here = until
    return Needed(bits, tuple(parts))


def overlaps(spans: Iterable[Span], start: int, end: int) -> bool:
    return any(one < end and start < other for one, other in spans)


def covered(spans: Sequence[Span], start: int, end: int) -> bool:
    """Whether these windows, in order of their start, together cover [start, end)."""
    for one, other in spans:
        if one > start:
            return False
        start = max(start, other)
        if start >= end:
            return True
    return start >= end


class Exceptions(NamedTuple):
    """Single windows that add to a weekly pattern or take away from it, in order of their start."""

    pattern: int
    free: tuple[Span, ...]
    busy: tuple[Span, ...]

    def allow(self, window: Needed) -> bool:
        """Whether the pattern and the free windows together cover it, and no busy one touches it."""
        if not window.parts:
            return True
        start, end = window.parts[0][1], window.parts[-1][2]
        if overlaps(self.busy, start, end):
            return False
        if not window.bits & ~self.pattern:
            return True
        return all(
            self.pattern >> hour & 1 or covered(self.free, first, last) for hour, first, last in window.parts
        )
