"""排困线索: what a scout suspects, before staff have looked; the scout sees its course, never the file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import ClassVar

from services.needs.domain.ordering import Moment
from services.needs.domain.refusals import LeadDecided
from services.needs.domain.words import LeadOutcome
from shared.contracts import topics
from shared.contracts.needs import LeadDismissed, LeadRaised, LeadReported, LeadVerified
from shared.contracts.vocabulary import Category, LeadStatus
from shared.records import Change, Record, index


class Lead(Record):
    """A report. `text` is for the station's staff only and leaves the record in no other way."""

    kind: ClassVar[str] = "lead"
    topic = topics.LEAD
    indexes = (
        index("scout_id", "reported_ms"),
        index("site_id", "status", "reported_ms"),
        index("tier_site_id", "status", "reported_ms"),
        index("reported_ms"),
    )

    site_id: str
    area: str
    scout_id: str
    hints: tuple[Category, ...] = ()
    text: str
    crisis: bool = False
    reported_at: datetime
    reported_ms: int
    status: LeadStatus = LeadStatus.REPORTED
    outcome: LeadOutcome = LeadOutcome.RECEIVED
    hops: int = 0
    tier_site_id: str | None = None
    """The site that is to look as well after `hops` times of waiting in vain."""
    told: tuple[str, ...] = ()
    """All sites above that were to look as well, in that order: whoever was, and closed since, is not asked again."""
    decide_by: datetime | None = None
    """When the station above is told, if nobody has decided; None once there is none above that has not been."""
    decided_by: str | None = None
    decided_at: datetime | None = None

    @property
    def due_at(self) -> datetime | None:
        return self.decide_by if self.status is LeadStatus.REPORTED else None


def need_id_of(lead_id: str) -> str:
    """The id of the need that this lead becomes: always the same, so that a lead never becomes two needs."""
    digest = sha256(f"need of lead {lead_id}".encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"


def report(lead: Lead, at: Moment) -> Change[Lead]:
    """A hint at a crisis says that somebody is in danger, as its own mark does."""
    lead = lead.but(crisis=lead.crisis or Category.CRISIS_INTERVENTION in lead.hints)
    said = LeadReported(site_id=lead.site_id, area=lead.area, scout_id=lead.scout_id, crisis=lead.crisis)
    return Change(lead.but(decide_by=_patience_ends(lead, at)), said)


def raise_tier(lead: Lead, above: Sequence[str], at: Moment) -> Change[Lead]:
    """Nobody has decided in time: the next of the open sites `above` its own is to look as well. After the last of them,
    or `max_hops` times, it stays where it is, in everybody's list."""
    if lead.due_at is None or lead.due_at > at.now:
        return Change(lead)
    told = _told(lead)
    reached = max((above.index(id) for id in told if id in above), default=-1)
    to = next((id for id in above[reached + 1 :] if id not in told), None)
    if to is None or lead.hops >= at.policy.max_hops:
        return Change(lead.but(decide_by=None))
    told = (*told, to)
    after = lead.but(hops=lead.hops + 1, tier_site_id=to, told=told, decide_by=_patience_ends(lead, at))
    return Change(after, LeadRaised(site_id=lead.site_id, to_site_id=to, hops=after.hops, crisis=lead.crisis))


def _told(lead: Lead) -> tuple[str, ...]:
    """Of a lead that was raised by an earlier version only the last is known."""
    return lead.told or ((lead.tier_site_id,) if lead.tier_site_id else ())


def require_undecided(lead: Lead) -> None:
    if lead.status is not LeadStatus.REPORTED:
        raise LeadDecided()


def dismiss(lead: Lead, outcome: LeadOutcome, by: str, now: datetime) -> Change[Lead]:
    """Staff looked and found nothing to do, or nothing new."""
    require_undecided(lead)
    after = lead.but(status=LeadStatus.DISMISSED, outcome=outcome, decided_by=by, decided_at=now)
    return Change(after, LeadDismissed(site_id=lead.site_id))


def verify(lead: Lead, need_id: str, by: str, now: datetime) -> Change[Lead]:
    """They made a need of it. That stands even if somebody dismissed the lead at the same moment."""
    if lead.status is LeadStatus.VERIFIED:
        return Change(lead)
    after = lead.but(status=LeadStatus.VERIFIED, outcome=LeadOutcome.ARRANGING, decided_by=by, decided_at=now)
    return Change(after, LeadVerified(site_id=lead.site_id, need_id=need_id))


def _patience_ends(lead: Lead, at: Moment) -> datetime:
    seconds = at.policy.crisis_lead_seconds if lead.crisis else at.policy.lead_seconds
    return at.now + timedelta(seconds=seconds)


def follow(lead: Lead, outcome: LeadOutcome, need_id: str, by: str, now: datetime) -> Change[Lead]:
    """The scout hears how the need ended that they made of it."""
    verified = verify(lead, need_id, by, now)
    return Change(verified.record.but(outcome=outcome), *verified.events)
