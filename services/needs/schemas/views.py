"""Needs over HTTP: what is shown of them, to whom."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.needs.domain.lifecycle import searching
from services.needs.domain.need import Need
from services.needs.domain.parties import Party
from services.needs.domain.words import Channel, RatingChannel
from services.needs.schemas.needs import LineView
from shared.contracts import vocabulary as v
from shared.contracts.parts import LineDiagnosis
from shared.http import Schema


class NeedSummary(Schema):
    """A row of a list, and the answer to an action: no free text."""

    id: str
    site_id: str
    household_id: str
    beneficiary_id: str
    area: str
    category: v.Category
    field: v.Field
    urgency: v.Urgency
    audience: v.Audience
    status: v.NeedStatus
    waiting: v.Waiting | None
    next_action_at: datetime | None
    created_at: datetime
    posted_at: datetime | None
    deadline_at: datetime | None
    line_ids: tuple[str, ...]


class PartyView(Schema):
    """One of the five parties, and by whom it took part."""

    party: v.OrganisationKind
    took_part: bool
    who: tuple[str, ...]


class SeatView(Schema):
    """The task has the id of the invitation, `GET /api/tasks/{invitation_id}`, and is `taken` as long as nothing else was
    heard of it."""

    line_id: str
    invitation_id: str
    volunteer_id: str
    task_status: v.TaskStatus


class GoodsView(Schema):
    line_id: str
    lot_id: str
    quantity: int
    hold_status: v.HoldStatus


class SearchView(Schema):
    """Where the search stands, and why it is not done."""

    active: bool
    waiting: v.Waiting
    next_action_at: datetime
    wave: int
    ring: v.Ring | None
    asked: int
    hops: int
    tier_site_id: str | None
    diagnosis: tuple[LineDiagnosis, ...]


class ReferralView(Schema):
    organisation_id: str | None
    body: str | None
    note: str | None
    answer_by: datetime
    accepted: bool | None
    answered_at: datetime | None


class RatingView(Schema):
    score: int
    satisfied: bool
    channel: RatingChannel
    comment: str | None
    at: datetime


class EndingView(Schema):
    status: v.NeedStatus
    at: datetime
    reason: v.CancelReason | None
    note: str | None
    confirmed: bool


class NeedView(NeedSummary):
    """The need as staff see it. Names, phones and addresses are not here: they are a contact, or in the file."""

    cell: str | None
    channel: Channel
    applicant_id: str | None
    applicant_relation: str | None
    relayer_id: str | None
    lead_id: str | None
    created_by: str
    minor: bool
    target_groups: tuple[v.TargetGroup, ...]
    note: str | None
    lines: tuple[LineView, ...]
    parties: tuple[PartyView, ...]
    seats: tuple[SeatView, ...]
    goods: tuple[GoodsView, ...]
    search: SearchView | None
    referrals: tuple[ReferralView, ...]
    unanswered_attempts: int
    rating: RatingView | None
    ending: EndingView | None


class ReferredView(Schema):
    """A need as the body that is asked to take it over sees it."""

    id: str
    site_id: str
    area: str
    category: v.Category
    field: v.Field
    urgency: v.Urgency
    audience: v.Audience
    status: v.NeedStatus
    target_groups: tuple[v.TargetGroup, ...]
    lines: tuple[LineView, ...]
    answer_by: datetime | None
    accepted: bool | None


def summary(need: Need) -> NeedSummary:
    return NeedSummary(**_summary(need))


def view(need: Need, took_part: list[Party]) -> NeedView:
    applicant, relayer = need.applicant, need.relayer
    return NeedView(
        cell=need.cell,
        channel=need.channel,
        applicant_id=applicant.resident_id if applicant else None,
        applicant_relation=applicant.relation if applicant else None,
        relayer_id=relayer.account_id if relayer else None,
        lead_id=need.lead_id,
        created_by=need.created_by,
        minor=need.minor,
        target_groups=need.target_groups,
        note=need.note,
        lines=(*need.people, *need.goods),
        parties=tuple(PartyView(party=p.party, took_part=p.took_part, who=p.who) for p in took_part),
        seats=_seats(need),
        goods=_goods(need),
        search=_search(need),
        referrals=tuple(ReferralView(**_of(r, ReferralView)) for r in need.referrals),
        unanswered_attempts=len(need.attempts),
        rating=RatingView(**_of(need.rating, RatingView)) if need.rating else None,
        ending=EndingView(**_of(need.ended, EndingView)) if need.ended else None,
        **_summary(need),
    )


def referred(need: Need) -> ReferredView:
    asked = need.referrals[-1] if need.referrals else None
    shown = _of(need, ReferredView, "lines", "answer_by", "accepted")
    return ReferredView(
        lines=(*need.people, *need.goods),
        answer_by=asked.answer_by if asked else None,
        accepted=asked.accepted if asked else None,
        **shown,
    )


def _summary(need: Need) -> dict[str, Any]:
    return _of(need, NeedSummary, "line_ids") | {"line_ids": need.lines.ids}


def _seats(need: Need) -> tuple[SeatView, ...]:
    def status(invitation_id: str) -> v.TaskStatus:
        task = need.tasks.get(invitation_id)
        return task.status if task else v.TaskStatus.TAKEN

    return tuple(
        SeatView(task_status=status(s.invitation_id), **_of(s, SeatView, "task_status")) for s in need.seats
    )


def _goods(need: Need) -> tuple[GoodsView, ...]:
    def status(hold_id: str) -> v.HoldStatus:
        hold = need.holds.get(hold_id)
        return hold.status if hold else v.HoldStatus.CONFIRMED

    return tuple(
        GoodsView(line_id=g.line_id, lot_id=g.lot_id, quantity=g.quantity, hold_status=status(g.hold_id))
        for g in need.held_goods
    )


def _search(need: Need) -> SearchView | None:
    if need.search is None:
        return None
    return SearchView(active=searching(need), **_of(need.search, SearchView, "active"))


def _of(shown: object, schema: type[Schema], *but: str) -> dict[str, Any]:
    """The fields of this schema that stand under the same name in what is shown."""
    return {name: getattr(shown, name) for name in schema.model_fields if name not in but}
