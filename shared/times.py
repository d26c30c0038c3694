"""Moments as whole milliseconds since 1970: what is stored, indexed and compared. And the zones they are lived in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def zone_of(name: str) -> ZoneInfo:
    """The time zone of this name. Raises ValueError for what is none, and for names that mean on each machine what its
    owner has set there."""
    if name in ("localtime", "posixrules", "Factory"):
        raise ValueError(name)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError) as e:
        raise ValueError(name) from e


def milliseconds(moment: datetime) -> int:
    """Rounded down: what has happened by then."""
    return (moment - EPOCH) // _MILLISECOND


def milliseconds_up(moment: datetime) -> int:
    """Rounded up: whoever is woken at this time finds that the moment has come."""
    return -((EPOCH - moment) // _MILLISECOND)


def moment_of(ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=ms)
