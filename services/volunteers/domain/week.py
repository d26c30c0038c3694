"""Time as a person lives it: hours of the week, quiet hours, weeks and months, in their own zone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

HOURS = 168
DAY_MINUTES = 24 * 60


def hours_between(day: int, from_hour: int, to_hour: int) -> range:
    """The slots of one day of the week (0 = Monday), from one full hour up to, not including, another."""
    return range(day * 24 + from_hour, day * 24 + to_hour)


def pattern(slots: Iterable[int]) -> tuple[int, ...]:
    """A weekly pattern in its one form: sorted, each hour once."""
    return tuple(sorted(set(slots)))


@lru_cache(4096)  # a wave asks the same of everybody
def week_of(moment: datetime, zone: str) -> str:
    """The ISO week in which the moment falls there, as "2026-W53": the year is the week's, not the calendar's."""
    year, week, _ = moment.astimezone(ZoneInfo(zone)).isocalendar()
    return f"{year}-W{week:02}"


@lru_cache(4096)
def month_of(moment: datetime, zone: str) -> str:
    """The month in which the moment falls there, as "2026-11"."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{local.year}-{local.month:02}"


def is_quiet(moment: datetime, zone: str, quiet_from: int, quiet_to: int) -> bool:
    """Whether the moment lies in the quiet hours [quiet_from, quiet_to), minutes of the day there.

    They may wrap midnight; from and to being equal means that there are none.
    """
    local = moment.astimezone(ZoneInfo(zone))
    minute = local.hour * 60 + local.minute
    if quiet_from <= quiet_to:
        return quiet_from <= minute < quiet_to
    return minute >= quiet_from or minute < quiet_to
