"""Households and residents over HTTP. Only the station's staff ever see these."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from services.needs.domain.disclosure import mask_name
from services.needs.domain.household import (
    Disability,
    Household,
    OldAddress,
    Resident,
    coarse_cell,
    is_asked_for,
)
from services.needs.domain.words import BodyCondition, Livelihood, Move, Relation, SelfCare, Sex, Support
from services.needs.schemas import fields as f
from shared.contracts.vocabulary import TargetGroup
from shared.http import Day, Schema

Groups = Annotated[tuple[TargetGroup, ...], Field(max_length=len(TargetGroup))]


class DisabilityIn(Schema):
    """残障评估四项"""

    self_care: SelfCare | None = None
    livelihood: Livelihood | None = None
    body: BodyCondition | None = None
    support: Support | None = None

    def assessed(self) -> Disability:
        return Disability(**self.model_dump())


class Location(Schema):
    """A point; only the coarse cell around it is kept."""

    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]

    def cell(self) -> str:
        return coarse_cell(self.lat, self.lon)


class ResidentIn(Schema):
    name: f.Name
    birth_date: Day | None = None
    sex: Sex | None = None
    phone: f.Phone | None = None
    relation: Relation = Relation.OTHER
    target_groups: Groups = ()
    disability: DisabilityIn = DisabilityIn()

    def resident(self) -> Resident:
        return Resident(id="", **dict(self) | {"disability": self.disability.assessed()})


class ResidentEdit(Schema):
    """What is given is changed, what is left out stays; null empties a field that may be empty."""

    name: f.Name | None = None
    birth_date: Day | None = None
    sex: Sex | None = None
    phone: f.Phone | None = None
    relation: Relation | None = None
    target_groups: Groups | None = None
    disability: DisabilityIn | None = None

    def changes(self) -> dict[str, object]:
        found = _given(self, {"name", "relation", "target_groups", "disability"})
        return found | ({"disability": self.disability.assessed()} if self.disability else {})


class HouseholdIn(Schema):
    """`site_id` may be left out by somebody who belongs to a site. With `lead_id`, of a lead that was raised to them, they
    file at the site of the lead."""

    site_id: f.Code | None = None
    lead_id: f.Code | None = None
    area: f.AreaCode
    address: f.ShortText
    phone: f.Phone | None = None
    location: Location | None = None
    target_groups: Groups = ()
    residents: Annotated[tuple[ResidentIn, ...], Field(max_length=30)] = ()
    old_address: f.ShortText | None = Field(default=None, description="易地搬迁前的住址")
    old_area: f.AreaCode | None = None


class HouseholdEdit(Schema):
    """What is given is changed. A new address or area moves the former one into the history, with `move`. Who
    moves into another area without a new `location` has none any more. With `site_id` another station answers for the
    household from now on, and no longer this one; it takes somebody who reaches both. Needs that are posted stay where they are."""

    site_id: f.Code | None = None
    area: f.AreaCode | None = None
    address: f.ShortText | None = None
    phone: f.Phone | None = None
    location: Location | None = None
    target_groups: Groups | None = None
    move: Move = Move.MOVED

    def changes(self) -> dict[str, object]:
        found = _given(self, {"site_id", "area", "address", "target_groups"})
        found.pop("move", None)
        if "location" in found:
            found.pop("location")
            found["cell"] = self.location.cell() if self.location else None
        return found


class ResidentView(Schema):
    id: str
    name: str
    birth_date: date | None
    sex: Sex | None
    phone: str | None
    relation: Relation
    target_groups: tuple[TargetGroup, ...]
    disability: Disability


class HouseholdView(Schema):
    """The whole file."""

    id: str
    site_id: str
    area: str
    cell: str | None
    address: str
    phone: str | None
    target_groups: tuple[TargetGroup, ...]
    residents: tuple[ResidentView, ...]
    old_addresses: tuple[OldAddress, ...]
    created_at: datetime


class HouseholdSummary(Schema):
    """A row of a list: no name, no address, no phone."""

    id: str
    site_id: str
    area: str
    persons: int
    target_groups: tuple[TargetGroup, ...]
    created_at: datetime


class Wanted(Schema):
    """Whom to look for: by name or a part of it, by phone, or by both. It stands in a body, since an address is logged.
    With `lead_id`, of a lead that was raised to them, they look at the site of the lead, and that is put on record."""

    name: f.Name | None = None
    phone: f.Phone | None = None
    site_id: f.Code | None = None
    lead_id: f.Code | None = None


class ResidentFound(Schema):
    """`name` is masked: 王**. The file has the whole one."""

    id: str
    name: str


class HouseholdFound(HouseholdSummary):
    """A household with those of its residents who were looked for."""

    residents: tuple[ResidentFound, ...]


class HouseholdReceipt(Schema):
    """What is kept as the answer to a change of a file: ids only."""

    id: str
    site_id: str
    area: str
    cell: str | None
    resident_ids: tuple[str, ...]
    created_at: datetime


def view(household: Household) -> HouseholdView:
    residents = tuple(ResidentView(**dict(r)) for r in household.residents)
    return HouseholdView(residents=residents, **_same(household, HouseholdView, "residents"))


def summary(household: Household) -> HouseholdSummary:
    groups = household.all_groups
    return HouseholdSummary(
        persons=len(household.residents), target_groups=groups,
        **_same(household, HouseholdSummary, "persons", "target_groups"),
    )  # fmt: skip


def found(household: Household, wanted: Wanted) -> HouseholdFound:
    residents = is_asked_for(household, wanted.name, wanted.phone)
    return HouseholdFound(
        residents=tuple(ResidentFound(id=r.id, name=mask_name(r.name)) for r in residents),
        **dict(summary(household)),
    )


def receipt(household: Household) -> HouseholdReceipt:
    ids = tuple(r.id for r in household.residents)
    return HouseholdReceipt(resident_ids=ids, **_same(household, HouseholdReceipt, "resident_ids"))


def _same(household: Household, shown: type[Schema], *but: str) -> dict[str, object]:
    return {name: getattr(household, name) for name in shown.model_fields if name not in but}


def _given(edit: Schema, never_empty: set[str]) -> dict[str, object]:
    """The fields that the client sent; null counts only where a field may be empty."""
    sent = {name: getattr(edit, name) for name in edit.model_fields_set}
    return {name: value for name, value in sent.items() if value is not None or name not in never_empty}
