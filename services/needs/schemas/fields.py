"""Kinds of field: text with its limit, counts, moments."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from shared.http import not_blank

NAME = 60
SHORT = 200
LONG = 2000

Name = Annotated[str, StringConstraints(min_length=1, max_length=NAME), AfterValidator(not_blank)]
ShortText = Annotated[str, StringConstraints(min_length=1, max_length=SHORT), AfterValidator(not_blank)]
LongText = Annotated[str, StringConstraints(max_length=LONG)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Phone = Annotated[str, StringConstraints(pattern=r"^[0-9０-９+＋()（） \-－]{3,20}$")]
AreaCode = Annotated[str, StringConstraints(min_length=1, max_length=12)]
Seats = Annotated[int, Field(strict=True, ge=1, le=100)]
Quantity = Annotated[int, Field(strict=True, ge=1, le=1_000_000_000_000)]
Minimum = Annotated[int, Field(strict=True, ge=0, le=1_000_000_000_000)]


def _utc(moment: datetime) -> datetime:
    """Any zone is taken; UTC is kept. Years far away cannot be turned into UTC safely."""
    if not 1900 < moment.year < 2200:
        raise ValueError("out of range")
    return moment.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_utc)]
