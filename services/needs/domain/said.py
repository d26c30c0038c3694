"""What people said about a need: who asked and relayed, how it ended, referrals, the resident's answer."""

from __future__ import annotations

from datetime import datetime

from services.needs.domain.household import Value
from services.needs.domain.words import RatingChannel
from shared.contracts import vocabulary as v

SATISFIED_FROM = 4


class Applicant(Value):
    """Who asked, if not the beneficiary: a resident of the household, or somebody with a name and a phone."""

    resident_id: str | None = None
    name: str | None = None
    phone: str | None = None
    relation: str | None = None


class Relayer(Value):
    """Who passed it on (送单): a scout's account, a hotline clerk's name."""

    account_id: str | None = None
    name: str | None = None


class Ending(Value):
    """How the need was finished. `confirmed` is only ever True after the resident's own answer."""

    status: v.NeedStatus
    at: datetime
    by: str | None = None
    reason: v.CancelReason | None = None
    note: str | None = None
    confirmed: bool = False


class Referral(Value):
    """转介: another body was asked. `organisation_id` is None for an outside body, which `body` then names."""

    organisation_id: str | None = None
    body: str | None = None
    note: str | None = None
    asked_by: str
    asked_at: datetime
    answer_by: datetime
    answered_at: datetime | None = None
    accepted: bool | None = None

    @property
    def pending(self) -> bool:
        return self.answered_at is None


class Rating(Value):
    """评单: the resident's own answer."""

    score: int
    channel: RatingChannel
    comment: str | None = None
    recorded_by: str
    at: datetime

    @property
    def satisfied(self) -> bool:
        return self.score >= SATISFIED_FROM


class Attempt(Value):
    """The resident was asked and did not answer. That is not a rating."""

    channel: RatingChannel
    by: str
    at: datetime
