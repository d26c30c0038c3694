"""The values that requests are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import h3
from pydantic import (
    AfterValidator,
    Field,
    PlainValidator,
    StringConstraints,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticKnownError

from services.volunteers.domain.week import HOURS, hours_between, pattern
from shared.contracts.parts import Window
from shared.errors import Invalid
from shared.http import Moment, Schema, impersonal, not_blank
from shared.times import zone_of

CELL_RESOLUTION = 7

Name = Annotated[str, StringConstraints(min_length=1, max_length=60), AfterValidator(not_blank)]
Short = Annotated[str, StringConstraints(max_length=200)]
Long = Annotated[str, StringConstraints(min_length=1, max_length=2000), AfterValidator(not_blank)]
Phone = Annotated[str, StringConstraints(max_length=40)]
Id = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100, pattern=r"^[0-9A-Za-z._-]+$"),
    AfterValidator(impersonal),
]
Slot = Annotated[int, Field(ge=0, lt=HOURS)]
MinuteOfDay = Annotated[int, Field(ge=0, lt=24 * 60)]


class Home(Schema):
    """Where somebody lives; only the coarse cell of it is kept."""

    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]

    @property
    def cell(self) -> str:
        return str(h3.latlng_to_cell(self.lat, self.lon, CELL_RESOLUTION))


class HourRange(Schema):
    """Full hours of one day of the week, 0 being Monday: from one hour up to, not including, another."""

    day: Annotated[int, Field(ge=0, le=6)]
    from_hour: Annotated[int, Field(alias="from", ge=0, le=23)]
    to_hour: Annotated[int, Field(alias="to", ge=1, le=24)]


class Span(Schema):
    """From a moment up to, not including, another."""

    start_at: Moment
    end_at: Moment


def _hour(given: Any) -> int | HourRange:
    """A single slot, or a range of them."""
    if not isinstance(given, int) or isinstance(given, bool):
        return HourRange.model_validate(given)
    if given < 0:
        raise PydanticKnownError("greater_than_equal", {"ge": 0})
    if given >= HOURS:
        raise PydanticKnownError("less_than", {"lt": HOURS})
    return given


def _slots_at_once(given: Any, read: ValidatorFunctionWrapHandler) -> Any:
    """Slots alone, as programs send them, need not be looked at one by one."""
    plain = isinstance(given, list) and set(map(type, given)) == {int} and len(given) <= HOURS
    if plain and min(given) >= 0 and max(given) < HOURS:
        return tuple(given)
    return read(given)


Hour = Annotated[int | HourRange, PlainValidator(_hour, json_schema_input_type=Slot | HourRange)]
Hours = Annotated[tuple[Hour, ...], Field(max_length=HOURS), WrapValidator(_slots_at_once)]
Spans = Annotated[tuple[Span, ...], Field(max_length=100)]


def weekly(hours: Sequence[int | HourRange]) -> tuple[int, ...]:
    """The weekly pattern, whichever way it was given."""
    slots: list[int] = []
    for n, given in enumerate(hours):
        if isinstance(given, int):
            slots.append(given)
            continue
        if given.to_hour <= given.from_hour:
            raise Invalid(
                f"/hours/{n}/to", zh="结束时间须晚于开始时间", en="the end must come after the start"
            )
        slots.extend(hours_between(given.day, given.from_hour, given.to_hour))
    return pattern(slots)


def windows(spans: Sequence[Span], pointer: str) -> tuple[Window, ...]:
    for n, span in enumerate(spans):
        if span.end_at <= span.start_at:
            raise Invalid(
                f"{pointer}/{n}/end_at", zh="结束时间须晚于开始时间", en="the end must come after the start"
            )
    return tuple(Window(start_at=s.start_at, end_at=s.end_at) for s in spans)


def known_zone(zone: str) -> str:
    """The name of a time zone. Refuses what is none."""
    try:
        return zone_of(zone).key
    except ValueError as e:
        raise Invalid(
            "/zone", zh="没有这个时区，如 Asia/Shanghai", en="no such zone; say Asia/Shanghai"
        ) from e
