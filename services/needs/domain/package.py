"""套餐: a package expands, after an assessment, into lines that stay editable until they are posted.

No line of it is required: each visit and each gift is good by itself, so the one that nobody is found for keeps the
others from nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.needs.domain.household import Disability
from services.needs.domain.lines import Line
from services.needs.domain.words import BodyCondition, SelfCare, Support
from shared.contracts import vocabulary as v
from shared.contracts.goods import Unit
from shared.contracts.parts import GoodsLine, PeopleLine, Window

_NOT_ASSESSED = Disability()


@dataclass(frozen=True, slots=True)
class Assessment:
    """What was found at the visit: how many persons it is for, and what the person can and cannot do."""

    persons: int = 1
    disability: Disability = _NOT_ASSESSED
    languages: tuple[v.Language, ...] = ()
    at_school: bool = False
    hardship: bool = False


Condition = Callable[[Assessment], bool]


def _always(_: Assessment) -> bool:
    return True


def _alone(a: Assessment) -> bool:
    return a.disability.support in (Support.WEAK, Support.NONE)


def _dependent(a: Assessment) -> bool:
    return a.disability.self_care in (SelfCare.PARTIAL, SelfCare.NONE)


def _bedridden(a: Assessment) -> bool:
    return a.disability.body is BodyCondition.BEDRIDDEN or a.disability.self_care is SelfCare.NONE


def _in_treatment(a: Assessment) -> bool:
    return a.disability.body in (BodyCondition.CHRONIC, BodyCondition.IN_TREATMENT)


def _pupil(a: Assessment) -> bool:
    return a.at_school


def _poor(a: Assessment) -> bool:
    return a.hardship


@dataclass(frozen=True, slots=True)
class Service:
    """A visit of a package: so many people, `day` days after the first day, at this hour of the site's day."""

    skill: v.Skill
    day: int
    hour: int
    hours: int = 2
    seats: int = 1
    certificates: tuple[v.Certificate, ...] = ()
    mode: v.Mode = v.Mode.ON_SITE
    when: Condition = _always


@dataclass(frozen=True, slots=True)
class Supply:
    """Goods of a package; `per_person` multiplies by the persons of the assessment."""

    category: v.GoodsCategory
    quantity: int
    unit: Unit
    per_person: bool = False
    when: Condition = _always


@dataclass(frozen=True, slots=True)
class Package:
    """One of the four packages of the field."""

    code: str
    zh: str
    en: str
    category: v.Category
    field: v.Field
    services: tuple[Service, ...]
    supplies: tuple[Supply, ...]


_CHILD_WORKERS = tuple(sorted(v.NAMED_CERTIFICATES))

GROWTH = Package(
    "growth", "未成年人成长", "growing up", v.Category.CAPACITY, v.Field.CHILDREN,
    (
        Service(v.Skill.HOME_VISIT, 0, 10, certificates=_CHILD_WORKERS),
        Service(v.Skill.TUTORING, 2, 16, when=_pupil),
        Service(v.Skill.COUNSELLING, 5, 15, 1, when=_alone),
    ),
    (
        Supply(v.GoodsCategory.SCHOOL, 1, Unit.SET, per_person=True, when=_pupil),
        Supply(v.GoodsCategory.CLOTHING, 1, Unit.PIECE, per_person=True, when=_poor),
    ),
)  # fmt: skip
ELDERLY = Package(
    "elderly", "老年人关爱", "care for the elderly", v.Category.SOCIAL_SUPPORT, v.Field.ELDERLY,
    (
        Service(v.Skill.HOME_VISIT, 0, 10),
        Service(v.Skill.MEAL_DELIVERY, 1, 11, 1, when=_dependent),
        Service(v.Skill.MEDICAL_ESCORT, 3, 8, 4, when=_in_treatment),
        Service(v.Skill.PHONE_COMPANY, 4, 15, 1, mode=v.Mode.REMOTE, when=_alone),
    ),
    (
        Supply(v.GoodsCategory.FOOD, 1, Unit.PARCEL, per_person=True),
        Supply(v.GoodsCategory.MEDICAL, 1, Unit.SET, when=_bedridden),
    ),
)  # fmt: skip
DISABILITY = Package(
    "disability", "残疾人幸福", "a good life with a disability", v.Category.SOCIAL_SUPPORT, v.Field.DISABILITY,
    (
        Service(v.Skill.HOME_VISIT, 0, 10),
        Service(v.Skill.REHABILITATION, 2, 9, certificates=(v.Certificate.REHABILITATION_THERAPIST, v.Certificate.NURSE)),
        Service(v.Skill.TEMPORARY_CARE, 4, 9, 4, when=_dependent),
        Service(v.Skill.POLICY_HELP, 6, 14, when=_poor),
    ),
    (
        Supply(v.GoodsCategory.AIDS, 1, Unit.PIECE, when=_dependent),
        Supply(v.GoodsCategory.FOOD, 1, Unit.PARCEL, per_person=True, when=_poor),
    ),
)  # fmt: skip
LINKING = Package(
    "linking", "资源链接", "linking resources", v.Category.SOCIAL_ASSISTANCE, v.Field.HARDSHIP,
    (Service(v.Skill.POLICY_HELP, 0, 10), Service(v.Skill.TRANSPORT, 1, 10)),
    (
        Supply(v.GoodsCategory.FOOD, 1, Unit.PARCEL, per_person=True),
        Supply(v.GoodsCategory.CLOTHING, 1, Unit.PIECE, per_person=True),
        Supply(v.GoodsCategory.FURNITURE, 1, Unit.PIECE, when=_poor),
    ),
)  # fmt: skip

PACKAGES = {package.code: package for package in (GROWTH, ELDERLY, DISABILITY, LINKING)}


def expand(package: Package, found: Assessment, first_day: date, zone: ZoneInfo) -> list[Line]:
    """The lines that this package comes to for what was found, from the first day on, in the site's hours.

    Nothing is saved: the lines are a proposal to be edited and posted. Visits come first, then goods.
    """

    def window(service: Service) -> Window:
        local = datetime.combine(first_day + timedelta(days=service.day), time(service.hour), zone)
        start_at = local.astimezone(UTC)
        return Window(start_at=start_at, end_at=start_at + timedelta(hours=service.hours))

    people: list[Line] = [
        PeopleLine(
            id="",
            seats=s.seats,
            minimum=s.seats,
            required=False,
            skills=(s.skill,),
            certificates=s.certificates,
            languages=found.languages,
            mode=s.mode,
            window=window(s),
        )
        for s in package.services
        if s.when(found)
    ]
    return people + [_supplied(s, found) for s in package.supplies if s.when(found)]


def _supplied(supply: Supply, found: Assessment) -> Line:
    quantity = supply.quantity * (found.persons if supply.per_person else 1)
    return GoodsLine(
        id="",
        category=supply.category,
        quantity=quantity,
        minimum=quantity,
        unit=supply.unit,
        required=False,
    )
