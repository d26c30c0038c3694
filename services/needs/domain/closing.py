"""How a need ends, or goes to another body: cancel, refer, and the resident's own answer."""

from __future__ import annotations

from datetime import timedelta

from services.needs.domain import refusals as no
from services.needs.domain.lifecycle import OUTSIDE, declined_referral, finished, settle
from services.needs.domain.need import Need
from services.needs.domain.ordering import Moment
from services.needs.domain.said import Attempt, Ending, Rating, Referral
from shared.contracts import vocabulary as v
from shared.contracts.needs import NeedCancelled, NeedRated, NeedReferred, ReferralAsked
from shared.errors import Invalid
from shared.records import Change

REFERRAL_AT_MOST = timedelta(days=30)


def cancel(need: Need, reason: v.CancelReason, note: str | None, by: str, at: Moment) -> Change[Need]:
    """Cancelling wins over everything but a service that is already done."""
    if need.ended:
        raise no.NeedClosed()
    if need.status is v.NeedStatus.AWAITING_CONFIRMATION:
        raise no.AlreadyServed()
    ending = Ending(status=v.NeedStatus.CANCELLED, at=at.now, by=by, reason=reason, note=note)
    said = [NeedCancelled(site_id=need.site_id, reason=reason)] if need.posted_at else []
    return settle(need, need.but(ended=ending), at.now, at.policy, *said)


def refer(need: Need, referral: Referral, at: Moment) -> Change[Need]:
    """Ask another body to take the need over; the search goes on until it accepts."""
    _in_progress(need)
    if need.referral:
        raise no.ReferralPending()
    if need.started:
        raise no.AlreadyInService()
    if not at.now < referral.answer_by <= at.now + REFERRAL_AT_MOST:
        raise Invalid(
            "/answer_by", zh="答复期限须在 30 天以内", en="the answer must be due within 30 days from now"
        )
    organisation_id = referral.organisation_id or OUTSIDE
    said = ReferralAsked(site_id=need.site_id, organisation_id=organisation_id, answer_by=referral.answer_by)
    after = need.but(referrals=(*need.referrals, referral), referred_to=referral.organisation_id)
    return settle(need, after, at.now, at.policy, said)


def accept_referral(need: Need, by: str, at: Moment) -> Change[Need]:
    """The other body takes the need over: it is finished here."""
    _in_progress(need)
    asked = need.referral
    if asked is None:
        raise no.NoReferral()
    if need.started:
        raise no.AlreadyInService()
    answered = asked.model_copy(update={"answered_at": at.now, "accepted": True})
    ending = Ending(status=v.NeedStatus.REFERRED, at=at.now, by=by)
    after = need.but(referrals=(*need.referrals[:-1], answered), ended=ending)
    said = NeedReferred(site_id=need.site_id, organisation_id=asked.organisation_id or OUTSIDE)
    return settle(need, after, at.now, at.policy, said)


def decline_referral(need: Need, at: Moment) -> Change[Need]:
    _in_progress(need)
    if need.referral is None:
        raise no.NoReferral()
    after, said = declined_referral(need, at.now)
    return settle(need, after, at.now, at.policy, said)


def rate(need: Need, rating: Rating, at: Moment) -> Change[Need]:
    """评单: the resident's own answer completes the need. It may come late, after the need was closed unconfirmed."""
    if need.rating:
        raise no.AlreadyRated()
    said = NeedRated(site_id=need.site_id, score=rating.score)
    if need.status is v.NeedStatus.COMPLETED:
        return settle(need, need.but(rating=rating), at.now, at.policy, said)
    _in_progress(need)
    if not need.served:
        raise no.NotServedYet()
    after, completed = finished(need.but(rating=rating), at.now, confirmed=True)
    return settle(need, after, at.now, at.policy, said, completed)


def note_attempt(need: Need, attempt: Attempt, at: Moment) -> Change[Need]:
    """The resident did not answer. Nothing is confirmed by that, and the time to answer runs on."""
    _in_progress(need)
    if not need.served:
        raise no.NotServedYet()
    return Change(need.but(attempts=(*need.attempts, attempt)))


def _in_progress(need: Need) -> None:
    if need.ended:
        raise no.NeedClosed()
    if need.posted_at is None:
        raise no.StillADraft()
