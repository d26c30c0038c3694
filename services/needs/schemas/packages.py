"""Packages over HTTP."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from services.needs.domain.package import Assessment, Package
from services.needs.schemas.households import DisabilityIn
from services.needs.schemas.needs import LineView
from shared.contracts import vocabulary as v
from shared.http import Day, Schema


class AssessmentIn(Schema):
    """What was found at the visit. `first_day` is a day at the site; tomorrow if it is left out."""

    first_day: Day | None = None
    persons: Annotated[int, Field(strict=True, ge=1, le=30)] = 1
    disability: DisabilityIn = DisabilityIn()
    languages: Annotated[tuple[v.Language, ...], Field(max_length=len(v.Language))] = ()
    at_school: bool = False
    hardship: bool = False

    def found(self) -> Assessment:
        return Assessment(
            persons=self.persons,
            disability=self.disability.assessed(),
            languages=self.languages,
            at_school=self.at_school,
            hardship=self.hardship,
        )


class PackageView(Schema):
    code: str
    zh: str
    en: str
    category: v.Category
    field: v.Field
    skills: tuple[v.Skill, ...]
    supplies: tuple[v.GoodsCategory, ...]


class Expansion(Schema):
    """A proposal: lines that can be edited and then posted as they are."""

    package: str
    category: v.Category
    field: v.Field
    lines: tuple[LineView, ...]


def view(package: Package) -> PackageView:
    return PackageView(
        code=package.code,
        zh=package.zh,
        en=package.en,
        category=package.category,
        field=package.field,
        skills=tuple(s.skill for s in package.services),
        supplies=tuple(s.category for s in package.supplies),
    )
