"""What needs intake says. Ids, coarse places, categories and windows only: the file stays in the service."""

from __future__ import annotations

from datetime import datetime

from shared.contracts import topics
from shared.contracts import vocabulary as v
from shared.contracts.base import Event
from shared.contracts.parts import NeedSpec


class HouseholdRegistered(Event):
    name = "household.registered"
    topic = topics.HOUSEHOLD

    site_id: str
    area: str
    persons: int
    target_groups: tuple[v.TargetGroup, ...] = ()


class LeadReported(Event):
    """A scout reported a suspicion; `scout_id` is an account."""

    name = "lead.reported"
    topic = topics.LEAD

    site_id: str
    area: str
    scout_id: str
    crisis: bool = False


class LeadVerified(Event):
    """Staff found it true and made a need of it."""

    name = "lead.verified"
    topic = topics.LEAD

    site_id: str
    need_id: str


class LeadDismissed(Event):
    name = "lead.dismissed"
    topic = topics.LEAD

    site_id: str


class NeedPosted(Event):
    name = "need.posted"
    topic = topics.NEED

    spec: NeedSpec
    lead_id: str | None = None


class NeedChanged(Event):
    """The lines were edited before everything was matched. Lines keep their ids; the search goes on with these."""

    name = "need.changed"
    topic = topics.NEED

    spec: NeedSpec


class NeedCancelled(Event):
    """Cancelling wins at needs; matching then gives everything back."""

    name = "need.cancelled"
    topic = topics.NEED

    site_id: str
    reason: v.CancelReason


class NeedLapsed(Event):
    """The deadline passed before the need could be met."""

    name = "need.lapsed"
    topic = topics.NEED

    site_id: str


class ReferralAsked(Event):
    """Another body was asked to take the need over; until it accepts, the search goes on."""

    name = "referral.asked"
    topic = topics.NEED

    site_id: str
    organisation_id: str
    answer_by: datetime


class ReferralDeclined(Event):
    name = "referral.declined"
    topic = topics.NEED

    site_id: str
    organisation_id: str


class NeedReferred(Event):
    """Another body has accepted the need: it is finished here."""

    name = "need.referred"
    topic = topics.NEED

    site_id: str
    organisation_id: str


class SearchAsked(Event):
    """Needs has waited past the next-action time and asks matching for word."""

    name = "search.asked"
    topic = topics.NEED

    spec: NeedSpec


class NeedRated(Event):
    """The resident's own answer, from 1 to 5. Silence is never an answer."""

    name = "need.rated"
    topic = topics.NEED

    site_id: str
    score: int


class NeedCompleted(Event):
    """Finished and confirmed: by the resident's answer, or without one (`confirmed` is then False)."""

    name = "need.completed"
    topic = topics.NEED

    site_id: str
    household_id: str
    volunteer_ids: tuple[str, ...] = ()
    confirmed: bool


class NeedProgressed(Event):
    """The need's status, computed from what was heard; while it waits, why and until when."""

    name = "need.progressed"
    topic = topics.NEED

    site_id: str
    status: v.NeedStatus
    waiting: v.Waiting | None = None
    next_action_at: datetime | None = None
