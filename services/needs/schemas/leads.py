"""Leads over HTTP: what a scout sends and is told, what staff see."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from services.needs.domain.lead import Lead, need_id_of
from services.needs.domain.words import LeadOutcome
from services.needs.schemas import fields as f
from shared.contracts.vocabulary import Category, LeadStatus
from shared.http import Schema


class LeadIn(Schema):
    """A suspicion: where, what it looks like, and whether somebody is in danger."""

    area: f.AreaCode
    text: f.ShortText
    hints: Annotated[tuple[Category, ...], Field(max_length=len(Category))] = ()
    crisis: bool = False


class Dismissal(Schema):
    outcome: LeadOutcome


class LeadCourse(Schema):
    """What the one who reported it sees: that it came in, when, and what came of it in kind words."""

    id: str
    status: LeadStatus
    reported_at: datetime
    outcome: LeadOutcome
    outcome_zh: str
    outcome_en: str


class LeadView(LeadCourse):
    """What staff see."""

    site_id: str
    area: str
    scout_id: str
    hints: tuple[Category, ...]
    text: str
    crisis: bool
    need_id: str | None
    hops: int
    tier_site_id: str | None
    decide_by: datetime | None
    decided_by: str | None
    decided_at: datetime | None


def course(lead: Lead) -> LeadCourse:
    return LeadCourse(**_course(lead))


def view(lead: Lead) -> LeadView:
    return LeadView(
        site_id=lead.site_id,
        area=lead.area,
        scout_id=lead.scout_id,
        hints=lead.hints,
        text=lead.text,
        crisis=lead.crisis,
        need_id=need_id_of(lead.id) if lead.status is LeadStatus.VERIFIED else None,
        hops=lead.hops,
        tier_site_id=lead.tier_site_id,
        decide_by=lead.due_at,
        decided_by=lead.decided_by,
        decided_at=lead.decided_at,
        **_course(lead),
    )


def _course(lead: Lead) -> dict[str, object]:
    return {
        "id": lead.id,
        "status": lead.status,
        "reported_at": lead.reported_at,
        "outcome": lead.outcome,
        "outcome_zh": lead.outcome.zh,
        "outcome_en": lead.outcome.en,
    }
