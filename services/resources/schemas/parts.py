"""The kinds of value that requests are made of, with their limits."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from services.resources.domain.stock import MOST
from shared.contracts.parts import Earmark
from shared.contracts.vocabulary import Category, TargetGroup
from shared.http import Day, Schema, not_blank

Id = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=60), AfterValidator(not_blank)]
LongText = Annotated[str, StringConstraints(max_length=2000)]
AreaCode = Annotated[str, StringConstraints(min_length=2, max_length=12, pattern=r"^[0-9]+$")]
Quantity = Annotated[int, Field(strict=True, gt=0, le=MOST)]


class EarmarkBody(Schema):
    """专款专用: an empty list or null sets no condition; the dates are both inclusive."""

    purposes: Annotated[tuple[Category, ...], Field(max_length=20)] = ()
    target_groups: Annotated[tuple[TargetGroup, ...], Field(max_length=30)] = ()
    areas: Annotated[tuple[AreaCode, ...], Field(max_length=100)] = ()
    from_day: Day | None = None
    to_day: Day | None = None

    def earmark(self) -> Earmark:
        return Earmark.model_validate(self.model_dump())

    @classmethod
    def of(cls, earmark: Earmark) -> EarmarkBody:
        return cls.model_validate(earmark.model_dump())
