"""Needs over HTTP: orders as they come in."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from services.needs.domain.lines import Line
from services.needs.domain.ordering import Edit, Order
from services.needs.domain.said import Applicant, Relayer
from services.needs.domain.words import Channel, RatingChannel
from services.needs.schemas import fields as f
from shared.contracts import vocabulary as v
from shared.contracts.goods import GivenAttributes, Unit, check_attributes
from shared.contracts.parts import GoodsLine, PeopleLine, Window
from shared.http import Moment, Schema

LINES_AT_MOST = 40


class WindowIn(Schema):
    start_at: Moment
    end_at: Moment


class PeopleLineIn(Schema):
    """`minimum` is all seats if it is left out. Without the minimum of every `required` line nothing of the need goes
    ahead; where visits are each good by themselves, none is required. `id` names a line that stands already, in an
    edit; a line without one, or with an empty one as a package gives it, is new."""

    kind: Literal["people"]
    id: f.LineId | None = None
    seats: f.Seats
    minimum: f.Minimum | None = None
    required: bool = True
    skills: Annotated[tuple[v.Skill, ...], Field(max_length=len(v.Skill))] = ()
    certificates: Annotated[tuple[v.Certificate, ...], Field(max_length=len(v.Certificate))] = ()
    languages: Annotated[tuple[v.Language, ...], Field(max_length=len(v.Language))] = ()
    mode: v.Mode = v.Mode.ON_SITE
    window: WindowIn

    def line(self, at: str) -> PeopleLine:
        return PeopleLine(
            kind="people",
            id=self.id or "",
            seats=self.seats,
            minimum=self.seats if self.minimum is None else self.minimum,
            required=self.required,
            skills=self.skills,
            certificates=self.certificates,
            languages=self.languages,
            mode=self.mode,
            window=Window(start_at=self.window.start_at, end_at=self.window.end_at),
        )


class GoodsLineIn(Schema):
    """`minimum` is the whole quantity if it is left out."""

    kind: Literal["goods"]
    id: f.LineId | None = None
    category: v.GoodsCategory
    quantity: f.Quantity
    minimum: f.Minimum | None = None
    unit: Unit
    required: bool = True
    attributes: GivenAttributes = Field(default_factory=dict)
    needed_by: Moment | None = None

    def line(self, at: str) -> GoodsLine:
        check_attributes(self.category, self.attributes, at)
        return GoodsLine(
            kind="goods",
            id=self.id or "",
            category=self.category,
            quantity=self.quantity,
            minimum=self.quantity if self.minimum is None else self.minimum,
            unit=self.unit,
            required=self.required,
            attributes=self.attributes,
            needed_by=self.needed_by,
        )


LineIn = Annotated[PeopleLineIn | GoodsLineIn, Field(discriminator="kind")]
LinesIn = Annotated[tuple[LineIn, ...], Field(max_length=LINES_AT_MOST)]
LineView = PeopleLine | GoodsLine


class ApplicantIn(Schema):
    """Who asked: a resident of the household by id, or somebody else by name."""

    resident_id: f.Code | None = None
    name: f.Name | None = None
    phone: f.Phone | None = None
    relation: f.Name | None = None


class RelayerIn(Schema):
    account_id: f.Code | None = None
    name: f.Name | None = None


class OrderIn(Schema):
    """What is asked for, for whom, by whom. Who may be told of it is computed, never given."""

    household_id: f.Code
    site_id: f.Code | None = None
    beneficiary_id: f.Code | None = None
    applicant: ApplicantIn | None = None
    relayer: RelayerIn | None = None
    channel: Channel = Channel.STAFF
    category: v.Category
    field: v.Field = v.Field.OTHER
    urgency: v.Urgency = v.Urgency.ORDINARY
    note: f.LongText | None = None
    lines: LinesIn = ()

    def order(self, **also: Any) -> Order:
        facts: dict[str, Any] = {
            "beneficiary_id": self.beneficiary_id,
            "applicant": Applicant(**dict(self.applicant)) if self.applicant else None,
            "relayer": Relayer(**dict(self.relayer)) if self.relayer else None,
            "channel": self.channel,
            "field": self.field,
            "urgency": self.urgency,
            "note": self.note,
        }
        return Order(self.household_id, self.category, lines_of(self.lines), **facts | also)


class NeedIn(OrderIn):
    """With `draft` it is only kept, and may be incomplete."""

    draft: bool = False


class NeedRow(OrderIn):
    """One line of a bulk load; `key` names it, so that loading it again changes nothing."""

    key: Annotated[str, Field(min_length=1, max_length=200)]


class NeedEdit(Schema):
    """What is given is changed. `lines` are all lines as they should be: known ones with their id."""

    category: v.Category | None = None
    field: v.Field | None = None
    urgency: v.Urgency | None = None
    note: f.LongText | None = None
    lines: LinesIn | None = None

    def edit(self) -> Edit:
        lines = None if self.lines is None else lines_of(self.lines)
        return Edit(lines, self.category, self.field, self.urgency, self.note)


class Cancellation(Schema):
    reason: v.CancelReason
    note: f.ShortText | None = None


class ReferralIn(Schema):
    """`organisation_id` is one of the directory; an outside body is named by `body`."""

    organisation_id: f.Code | None = None
    body: f.Name | None = None
    answer_by: Moment
    note: f.ShortText | None = None


class RatingIn(Schema):
    """The resident's own answer, as it was given."""

    score: Annotated[int, Field(strict=True, ge=1, le=5)]
    channel: RatingChannel
    comment: f.LongText | None = None


class AttemptIn(Schema):
    channel: RatingChannel


def lines_of(lines: tuple[PeopleLineIn | GoodsLineIn, ...]) -> tuple[Line, ...]:
    return tuple(line.line(f"/lines/{n}") for n, line in enumerate(lines))
