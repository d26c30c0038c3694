"""Kinds of field: text with its limit, counts, moments."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from shared.http import not_blank

_DIALLED = re.compile(r"^[0-9０-９+＋()（） \-－]{3,20}$")


def _dialled(phone: str) -> str:
    if not _DIALLED.fullmatch(phone):
        raise PydanticCustomError("phone", "must be a phone number")
    return phone


NAME = 60
SHORT = 200
LONG = 2000

Name = Annotated[str, StringConstraints(min_length=1, max_length=NAME), AfterValidator(not_blank)]
ShortText = Annotated[str, StringConstraints(min_length=1, max_length=SHORT), AfterValidator(not_blank)]
LongText = Annotated[str, StringConstraints(max_length=LONG)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Phone = Annotated[
    str, AfterValidator(_dialled), WithJsonSchema({"type": "string", "pattern": _DIALLED.pattern})
]
LineId = Annotated[str, StringConstraints(max_length=100)]
AreaCode = Annotated[str, StringConstraints(min_length=1, max_length=12)]
Seats = Annotated[int, Field(strict=True, ge=1, le=100)]
Quantity = Annotated[int, Field(strict=True, ge=1, le=1_000_000_000_000)]
Minimum = Annotated[int, Field(strict=True, ge=0, le=1_000_000_000_000)]
