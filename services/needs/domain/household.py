"""The household's file: the only place where a resident's name, address and phone are kept."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, ClassVar

import h3
from pydantic import BaseModel, ConfigDict

from services.needs.domain.refusals import TooManyResidents
from services.needs.domain.words import BodyCondition, Livelihood, Move, Relation, SelfCare, Sex, Support
from shared.contracts import topics
from shared.contracts.needs import HouseholdChanged, HouseholdRegistered
from shared.contracts.vocabulary import CHILD_GROUPS, TargetGroup
from shared.errors import Invalid, NotFound
from shared.places import one_lies_in_the_other
from shared.records import Change, Record, index

CELL_RESOLUTION = 7
ADULT_AT = 18
RESIDENTS_AT_MOST = 30
OLDEST = 130
_GROWN_UP = frozenset({Relation.SPOUSE, Relation.PARENT, Relation.GRANDPARENT, Relation.GUARDIAN})


class Value(BaseModel):
    """A part of a record: frozen, and old bodies with more in them can still be read."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Disability(Value):
    """残障评估四项: four coded fields; None where nobody has assessed yet."""

    self_care: SelfCare | None = None
    livelihood: Livelihood | None = None
    body: BodyCondition | None = None
    support: Support | None = None


class Resident(Value):
    """One person of the household; the id begins with the household's."""

    id: str
    name: str
    birth_date: date | None = None
    sex: Sex | None = None
    phone: str | None = None
    relation: Relation = Relation.OTHER
    target_groups: tuple[TargetGroup, ...] = ()
    disability: Disability = Disability()

    def minor_on(self, day: date) -> bool:
        """Whether the person is under 18 on this day; someone born on 29 February comes of age on 1 March."""
        born = self.birth_date
        return born is not None and (day.year - born.year, day.month, day.day) < (
            ADULT_AT,
            born.month,
            born.day,
        )


class OldAddress(Value):
    """Where the household lived before, kept because resettled people are asked about it for years."""

    area: str
    address: str
    until_at: datetime
    why: Move


class Household(Record):
    """家庭档案. `cell` is coarse (H3 resolution 7); the point it came from is not kept."""

    kind: ClassVar[str] = "household"
    topic = topics.HOUSEHOLD
    indexes = (index("site_id", "created_ms"), index("created_ms"))

    site_id: str
    first_site_id: str | None = None
    """The station that filed it, if it was handed over since: under whose keys its needs are loaded, so that a file sent again
    repeats nothing."""
    area: str
    cell: str | None = None
    address: str
    phone: str | None = None
    target_groups: tuple[TargetGroup, ...] = ()
    residents: tuple[Resident, ...] = ()
    residents_numbered: int = 0
    old_addresses: tuple[OldAddress, ...] = ()
    registered_by: str
    created_at: datetime
    created_ms: int

    def resident(self, id: str) -> Resident | None:
        return next((r for r in self.residents if r.id == id), None)

    def groups_of(self, resident: Resident) -> tuple[TargetGroup, ...]:
        """What the household and this person are: the groups that count for a need of theirs."""
        return tuple(dict.fromkeys((*self.target_groups, *resident.target_groups)))

    @property
    def all_groups(self) -> tuple[TargetGroup, ...]:
        return tuple(
            dict.fromkeys((*self.target_groups, *(g for r in self.residents for g in r.target_groups)))
        )


def coarse_cell(lat: float, lon: float) -> str:
    """The H3 cell of about 5 km² around a point: near enough to rank by distance, too coarse to find a door."""
    return str(h3.latlng_to_cell(lat, lon, CELL_RESOLUTION))


def register(household: Household, residents: Iterable[Resident]) -> Change[Household]:
    """File a household with the residents known so far."""
    for resident in residents:
        household = with_resident(household, resident)
    return Change(household, HouseholdRegistered(**_counted(household)))


def changed(before: Household, after: Household) -> Change[Household]:
    """The household as it is now; said only where it changes what others count, who in it is to be protected, or around
    which place is searched."""
    counted = _counted(after)
    alike = (counted, after.cell, _ages(after)) == (_counted(before), before.cell, _ages(before))
    return Change(after) if alike else Change(after, HouseholdChanged(**counted))


def _counted(household: Household) -> dict[str, Any]:
    """What others may know of a household: where, how many, of which groups."""
    return {
        "site_id": household.site_id,
        "area": household.area,
        "persons": len(household.residents),
        "target_groups": household.all_groups,
    }


def _ages(household: Household) -> list[tuple[date | None, Relation, tuple[TargetGroup, ...]]]:
    """What it goes by whether somebody is a child. It is compared here and told to nobody."""
    return [(r.birth_date, r.relation, r.target_groups) for r in household.residents]


def with_resident(household: Household, resident: Resident) -> Household:
    """The household with one more resident, who gets the next number; numbers are never used again."""
    if len(household.residents) >= RESIDENTS_AT_MOST:
        raise TooManyResidents(limit=RESIDENTS_AT_MOST)
    number = household.residents_numbered + 1
    joined = resident.model_copy(update={"id": f"{household.id}~{number}"})
    return household.but(residents=(*household.residents, joined), residents_numbered=number)


def with_changed_resident(household: Household, id: str, changes: dict[str, object]) -> Household:
    """The household with this resident's facts corrected."""
    if household.resident(id) is None:
        raise NotFound()
    changed = (r.model_copy(update=changes) if r.id == id else r for r in household.residents)
    return household.but(residents=tuple(changed))


def edited(household: Household, changes: dict[str, object], why: Move, now: datetime) -> Household:
    """The file with these facts changed; a former address goes into its history.

    Whoever lives in another area now no longer lives in the old cell: without a new one there is none.
    """
    after = household.but(**changes)
    if after.site_id != household.site_id:
        after = after.but(first_site_id=household.first_site_id or household.site_id)
    if "cell" not in changes and not one_lies_in_the_other(after.area, household.area):
        after = after.but(cell=None)
    if (after.area, after.address) == (household.area, household.address):
        return after
    old = OldAddress(area=household.area, address=household.address, until_at=now, why=why)
    return after.but(old_addresses=(*household.old_addresses, old))


def is_asked_for(household: Household, name: str | None, phone: str | None) -> tuple[Resident, ...]:
    """The residents whose name holds this one, or whose phone, or the household's, is this one; both, if both are given.

    Full width or half, capitals or not, dots and spaces in names, dashes in phones make no difference.
    """
    wanted, number = plain(name or ""), digits(phone or "")
    return tuple(
        r
        for r in household.residents
        if wanted in plain(r.name)
        and (not number or number in (digits(r.phone or ""), digits(household.phone or "")))
    )


def is_found(household: Household, name: str | None, phone: str | None) -> bool:
    """Whether one of its residents is asked for, or the phone of a household in which nobody is filed yet."""
    if household.residents or plain(name or ""):
        return bool(is_asked_for(household, name, phone))
    return digits(phone or "") == digits(household.phone or "")


def plain(name: str) -> str:
    """A name as it is compared."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(c for c in folded if not c.isspace() and unicodedata.category(c) not in ("Po", "Pd"))


def digits(phone: str) -> str:
    """A phone number as it is compared."""
    return "".join(str(unicodedata.decimal(c)) for c in phone if c.isdecimal())


def is_child(household: Household, resident: Resident, day: date) -> bool:
    """Whether this person is under 18, or filed as a child: also where only the household is, and nothing is known of
    them from which one would know better."""
    if resident.minor_on(day) or not CHILD_GROUPS.isdisjoint(resident.target_groups):
        return True
    unknown = resident.birth_date is None and resident.relation not in _GROWN_UP
    return unknown and not CHILD_GROUPS.isdisjoint(household.target_groups)


def beneficiary_of(household: Household, id: str | None) -> Resident:
    """The member of this household that a need is for; None will do where there is only one."""
    if id is None:
        if len(household.residents) == 1:
            return household.residents[0]
        if not household.residents:
            raise Invalid(
                "/beneficiary_id",
                zh="档案里还没有成员，请先登记成员",
                en="nobody is filed in this household yet; add the resident first",
            )
        raise Invalid("/beneficiary_id", zh="请指明服务对象是哪位成员", en="say which resident this is for")
    found = household.resident(id)
    if found is None:
        raise not_here("/beneficiary_id")
    return found


def not_here(pointer: str) -> Invalid:
    return Invalid(pointer, zh="这户没有这位成员", en="this household has no such resident")
