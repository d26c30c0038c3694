"""Moments as whole milliseconds since 1970: what is stored, indexed and compared."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def milliseconds(moment: datetime) -> int:
    """Rounded down: what has happened by then."""
    return (moment - EPOCH) // _MILLISECOND


def milliseconds_up(moment: datetime) -> int:
    """Rounded up: whoever is woken at this time finds that the moment has come."""
    return -((EPOCH - moment) // _MILLISECOND)


def moment_of(ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=ms)
