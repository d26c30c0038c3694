"""The search for one need, as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from services.matching.domain.match import Hold, Match, is_named, owner_of, seat_id
from services.matching.domain.planning import wave_size
from services.matching.domain.settling import waits_for
from services.matching.domain.wave import Wave
from services.matching.domain.words import PROMISED, SURE, Answer, MatchStatus, Phase
from services.matching.schemas.parts import DiagnosisView, ReasonView, diagnosis_view, reason_views
from shared.contracts.goods import Unit
from shared.contracts.parts import GoodsLine, LineDiagnosis, PeopleLine, Reason, SitePolicy, Window
from shared.contracts.vocabulary import (
    Certificate,
    Closing,
    GoodsCategory,
    GoodsRule,
    Language,
    Mode,
    Ring,
    Skill,
    Waiting,
)
from shared.http import Schema

Reasons = Mapping[str, tuple[Reason, ...]]
Diagnoses = Mapping[str, LineDiagnosis]
LAPSING = PROMISED - SURE
_ANSWERS = {answer.value: answer for answer in Answer}


class SeatView(Schema):
    seat_id: str
    invitation_id: str | None
    volunteer_id: str | None
    done: bool


class InvitationView(Schema):
    """Somebody who was asked, in which wave, why they, and what they said."""

    invitation_id: str
    volunteer_id: str
    wave: int
    answer: Answer
    reasons: list[ReasonView]


class PeopleLineView(Schema):
    line_id: str
    minimum: int
    required: bool
    skills: list[Skill]
    certificates: list[Certificate]
    languages: list[Language]
    mode: Mode
    window: Window
    ring: Ring | None
    seats: list[SeatView]
    open_seats: int
    invitations: list[InvitationView]
    next_wave_at: datetime | None
    next_wave_size: int
    diagnosis: DiagnosisView | None


class HoldView(Schema):
    hold_id: str
    lot_id: str
    quantity: int
    phase: Phase
    expires_at: datetime | None


class RefusedLotView(Schema):
    lot_id: str
    rule: GoodsRule


class GoodsLineView(Schema):
    line_id: str
    category: GoodsCategory
    unit: Unit
    quantity: int
    minimum: int
    required: bool
    secured: int
    holds: list[HoldView]
    refused: list[RefusedLotView]
    next_search_at: datetime | None
    diagnosis: DiagnosisView | None


class MatchView(Schema):
    """Where the search for a need stands. `hops` counts escalations; the need's own site stays accountable."""

    need_id: str
    site_id: str
    status: MatchStatus
    waiting: Waiting | None
    stalled: bool
    closing: Closing | None
    named: bool
    wave: int
    hops: int
    tier_site_id: str | None
    exhausted: bool
    next_action_at: datetime | None
    tier_due_at: datetime | None
    people: list[PeopleLineView]
    goods: list[GoodsLineView]


def match_view(match: Match, waves: list[Wave], policy: SitePolicy, diagnosis: Diagnoses) -> MatchView:
    """The match with the reasons that its waves kept. Only of a match that is no stub."""
    reasons = {
        offer.invitation_id: offer.reasons for wave in waves for plan in wave.people for offer in plan.offers
    }
    searching = not match.closed and match.status != MatchStatus.MADE
    return MatchView(
        need_id=match.id,
        site_id=match.need.site_id,
        status=match.status,
        waiting=waits_for(match) if searching else None,
        stalled=match.stalled,
        closing=match.closing,
        named=is_named(match.need),
        wave=match.wave,
        hops=match.hops,
        tier_site_id=match.tier_site_id,
        exhausted=match.exhausted,
        next_action_at=match.next_search_at or match.due_at,
        tier_due_at=match.tier_due_at,
        people=[_people(match, line, reasons, policy, diagnosis) for line in match.need.people],
        goods=[_goods(match, line, diagnosis) for line in match.need.goods],
    )


def _people(
    match: Match, line: PeopleLine, reasons: Reasons, policy: SitePolicy, diagnosis: Diagnoses
) -> PeopleLineView:
    state = match.people[line.id]
    return PeopleLineView(
        line_id=line.id,
        minimum=line.minimum,
        required=line.required,
        skills=list(line.skills),
        certificates=list(line.certificates),
        languages=list(line.languages),
        mode=line.mode,
        window=line.window,
        ring=state.ring,
        seats=[_seat(match, line.id, number, holder) for number, holder in state.numbered],
        open_seats=state.free,
        invitations=_invitations(match, line.id, reasons),
        next_wave_at=state.due_at,
        next_wave_size=wave_size(state, policy),
        diagnosis=_why_short(match, line, diagnosis),
    )


def _why_short(match: Match, line: PeopleLine | GoodsLine, known: Diagnoses) -> DiagnosisView | None:
    return None if match.is_full(line) else diagnosis_view(known.get(line.id))


def _seat(match: Match, line_id: str, number: int, holder: str) -> SeatView:
    return SeatView(
        seat_id=seat_id(line_id, number),
        invitation_id=holder or None,
        volunteer_id=owner_of(holder) if holder else None,
        done=holder in match.done,
    )


def _invitations(match: Match, line_id: str, reasons: Reasons) -> list[InvitationView]:
    return [
        InvitationView(
            invitation_id=id,
            volunteer_id=owner_of(id),
            wave=asked.wave,
            answer=_ANSWERS[asked.answer],
            reasons=reason_views(reasons.get(id, ())),
        )
        for id, asked in match.asked.items()
        if asked.line_id == line_id
    ]


def _goods(match: Match, line: GoodsLine, diagnosis: Diagnoses) -> GoodsLineView:
    state = match.goods[line.id]
    holds = {id: hold for id, hold in match.holds.items() if hold.line_id == line.id}
    return GoodsLineView(
        line_id=line.id,
        category=line.category,
        unit=line.unit,
        quantity=line.quantity,
        minimum=line.minimum,
        required=line.required,
        secured=match.secured(line.id),
        holds=[_hold(id, hold) for id, hold in holds.items()],
        refused=[RefusedLotView(lot_id=lot_id, rule=rule) for lot_id, rule in state.refused.items()],
        next_search_at=state.due_at,
        diagnosis=_why_short(match, line, diagnosis),
    )


def _hold(id: str, hold: Hold) -> HoldView:
    """A hold that was confirmed no longer lapses, and one that is given back has no deadline either."""
    return HoldView(
        hold_id=id,
        lot_id=owner_of(id),
        quantity=hold.quantity,
        phase=hold.phase,
        expires_at=hold.expires_at if hold.phase in LAPSING else None,
    )
