"""One wave, as it was planned."""

from __future__ import annotations

from datetime import date, datetime

from services.matching.domain.wave import GoodsPlan, PeoplePlan, Wave
from services.matching.schemas.parts import DiagnosisView, ReasonView, diagnosis_view, reason_views
from shared.contracts.vocabulary import Ring
from shared.http import Schema


class CandidateView(Schema):
    invitation_id: str
    volunteer_id: str
    reasons: list[ReasonView]


class PeoplePlanView(Schema):
    line_id: str
    ring: Ring
    wanted: int
    too_late: bool
    candidates: list[CandidateView]
    diagnosis: DiagnosisView | None


class ChoiceView(Schema):
    hold_id: str
    lot_id: str
    quantity: int
    available: int
    expires_on: date | None
    ring: Ring


class GoodsPlanView(Schema):
    line_id: str
    missing: int
    looked_at: int
    choices: list[ChoiceView]
    diagnosis: DiagnosisView | None


class WaveView(Schema):
    """One wave as it was planned."""

    number: int
    at: datetime
    people: list[PeoplePlanView]
    goods: list[GoodsPlanView]


def wave_view(wave: Wave) -> WaveView:
    return WaveView(
        number=wave.number,
        at=wave.at,
        people=[_people_plan(plan) for plan in wave.people],
        goods=[_goods_plan(plan) for plan in wave.goods],
    )


def _people_plan(plan: PeoplePlan) -> PeoplePlanView:
    return PeoplePlanView(
        line_id=plan.line_id,
        ring=plan.ring,
        wanted=plan.wanted,
        too_late=plan.too_late,
        candidates=[
            CandidateView(
                invitation_id=offer.invitation_id,
                volunteer_id=offer.volunteer_id,
                reasons=reason_views(offer.reasons),
            )
            for offer in plan.offers
        ],
        diagnosis=diagnosis_view(plan.diagnosis),
    )


def _goods_plan(plan: GoodsPlan) -> GoodsPlanView:
    return GoodsPlanView(
        line_id=plan.line_id,
        missing=plan.missing,
        looked_at=plan.looked_at,
        choices=[ChoiceView.model_validate(choice.model_dump()) for choice in plan.choices],
        diagnosis=diagnosis_view(plan.diagnosis),
    )
