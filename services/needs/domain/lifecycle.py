"""The need's course: its status computed from the facts in whatever order they came, and its timers.

A need is terminal, or it waits with a reason and a time. `settle` sees to that after everything that happens;
`wake` acts when a time has come. Nothing here is remembered but facts, so any order of messages ends the same.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from services.needs.domain.expecting import expected_at, last_call, nothing_more_at
from services.needs.domain.gone_ahead import goods_kept, somebody_comes, went_as_a_whole
from services.needs.domain.need import Need
from services.needs.domain.said import Ending
from services.needs.domain.spec import spec
from shared.contracts.base import Event
from shared.contracts.needs import NeedCompleted, NeedLapsed, NeedProgressed, ReferralDeclined, SearchAsked
from shared.contracts.parts import SitePolicy
from shared.contracts.vocabulary import NeedStatus, Waiting
from shared.records import Change

OUTSIDE = "outside"
"""Stands in events for a body that the directory does not know."""

DRAFT_REMINDER = timedelta(days=7)
FIRST_WORD = timedelta(seconds=60)
"""How long the first word of a search may take."""
PATIENCE = timedelta(seconds=15)
"""How long matching may be late with its next action before it is asked for word."""
ASK_AGAIN_AT_MOST = timedelta(minutes=10)
LAST_WORD = timedelta(minutes=15)
"""How long a need whose time is up waits for matching's last word before it lapses without."""
CHASE_EVERY = timedelta(hours=4)


def status_of(need: Need) -> NeedStatus:
    """The status that the facts come to."""
    if need.ended:
        return need.ended.status
    if need.posted_at is None:
        return NeedStatus.DRAFT
    if need.served and (need.complete or need.over):
        return NeedStatus.AWAITING_CONFIRMATION
    if need.started:
        return NeedStatus.IN_SERVICE
    if need.complete:
        return NeedStatus.MATCHED
    if need.match.said == "partly" and need.enough:
        return NeedStatus.PARTLY_MATCHED
    heard = need.match.sequence or (need.search and need.search.heard)
    return NeedStatus.MATCHING if heard else NeedStatus.OPEN


def settle(before: Need | None, need: Need, now: datetime, policy: SitePolicy, *said: Event) -> Change[Need]:
    """The need with status, reason and next-action time as they are now, and the news of it if they are new.

    It lapses here if its time is up and not enough of it came together. That may be on its way, where messages lie
    unread: so matching is asked first, and what it says after the time was up is its last word.
    """
    need = _noted(need, now)
    if _falls_short(need, policy):
        if _heard_out(need, now):
            need = need.but(ended=Ending(status=NeedStatus.LAPSED, at=now))
            said = (*said, NeedLapsed(site_id=need.site_id))
        elif need.search and need.search.last_asked_at is None:
            need = _asking_again(need, now, last_asked_at=now)
            said = (*said, SearchAsked(spec=spec(need)))
    need = _timed(_graced(need, now), now, policy)
    moves_on = before is not None and (before.status, before.waiting) != (need.status, need.waiting)
    if moves_on or (before is not None and before.settled_there and not (need.settled_there or need.ended)):
        said = (*said, progress(need))
    return Change(need, *said)


def progress(need: Need) -> NeedProgressed:
    return NeedProgressed(
        site_id=need.site_id, status=need.status, waiting=need.waiting, next_action_at=need.next_action_at
    )


def wake(need: Need, now: datetime, policy: SitePolicy) -> Change[Need]:
    """What is done when a time of this need has come; afterwards its next time lies ahead, or it is finished."""
    if need.wake_at is None or need.wake_at > now:
        return Change(need)
    after, said = _noted(need, now), list[Event]()
    if after.referral and after.referral.answer_by <= now:
        after, declined = declined_referral(after, now)
        said.append(declined)
    if need.status is NeedStatus.AWAITING_CONFIRMATION and need.confirm_by and need.confirm_by <= now:
        after, completed = finished(after, now, confirmed=False)
        said.append(completed)
    elif _is_silent(after, now, policy):
        after = _asking_again(after, now)
        said.append(SearchAsked(spec=spec(after)))
    return settle(need, after, now, policy, *said)


def searching(need: Need) -> bool:
    """Whether it is matching's turn: something is still to be found, and can still be."""
    if need.posted_at is None or need.ended or need.over or need.complete:
        return False
    return not (need.deadline_passed and need.pending)


def finished(need: Need, now: datetime, *, confirmed: bool) -> tuple[Need, NeedCompleted]:
    """The need completed: confirmed by the resident's answer, or by time and then not confirmed."""
    ending = Ending(status=NeedStatus.COMPLETED, at=now, confirmed=confirmed)
    said = NeedCompleted(
        site_id=need.site_id,
        household_id=need.household_id,
        volunteer_ids=need.volunteer_ids,
        invitation_ids=need.invitation_ids,
        confirmed=confirmed,
    )
    return need.but(ended=ending), said


def declined_referral(need: Need, now: datetime) -> tuple[Need, ReferralDeclined]:
    """The need after the body that was asked said no, or said nothing in time."""
    asked = need.referrals[-1]
    answered = asked.model_copy(update={"answered_at": now, "accepted": False})
    after = need.but(referrals=(*need.referrals[:-1], answered), referred_to=None)
    return after, ReferralDeclined(site_id=need.site_id, organisation_id=asked.organisation_id or OUTSIDE)


def _noted(need: Need, now: datetime) -> Need:
    """The need knowing which of its times have passed."""
    if need.deadline_at is None or need.over_at is None or need.ended:
        return need
    passed, over = now >= last_call(need), need.over or now >= nothing_more_at(need)
    if (passed, over) == (need.deadline_passed, need.over):
        return need
    search = need.search
    if search and need.deadline_passed and not passed:
        # It went ahead after all: at its last visit it is asked about anew.
        search = search.model_copy(update={"last_asked_at": None})
    return need.but(deadline_passed=passed, over=over, search=search)


def _is_silent(need: Need, now: datetime, policy: SitePolicy) -> bool:
    """Whether matching, whose turn it is, was to say something by now and did not."""
    if need.search is None or need.search.ask_at > now:
        return False
    if _falls_short(need, policy):
        return need.search.last_asked_at is not None and not _heard_out(need, now)
    return searching(need)


def _heard_out(need: Need, now: datetime) -> bool:
    """Whether matching has said something since the time was up, or was asked in vain for long enough."""
    assert need.search is not None
    said_at, asked_at = need.match.said_at, need.search.last_asked_at
    if said_at is not None and said_at >= last_call(need):
        return True
    return asked_at is not None and now >= asked_at + LAST_WORD


def _falls_short(need: Need, policy: SitePolicy) -> bool:
    """The time is up: nobody has begun, and not enough is there, or nobody ever confirmed that it was. A part is not
    enough where the station does not serve in part. But whoever was told where to go comes all the same, though a visit
    before theirs was missed; and who is asked to take the need over may answer until they were told."""
    if need.ended or not need.deadline_passed or need.started:
        return False
    if need.referral or somebody_comes(need):
        return False
    if need.went_ahead and goods_kept(need):
        return False
    in_part = policy.allow_partial or went_as_a_whole(need)
    unconfirmed = not need.match.said and need.over
    return not need.enough or unconfirmed or not (in_part or need.whole)


def _graced(need: Need, now: datetime) -> Need:
    """A search that begins again is given time for its first word."""
    search = need.search
    if search is None or search.ask_at > now or not searching(need):
        return need
    return need.but(
        search=search.model_copy(update={"next_action_at": now + FIRST_WORD, "ask_at": now + FIRST_WORD})
    )


def _asking_again(need: Need, now: datetime, **facts: datetime) -> Need:
    """Ask matching for word, each time after twice the wait, but every ten minutes at least."""
    assert need.search is not None
    asks = need.search.asks + 1
    again_at = now + min(FIRST_WORD * 2 ** min(asks, 10), ASK_AGAIN_AT_MOST)
    asked = {"asks": asks, "next_action_at": again_at, "ask_at": again_at, **facts}
    return need.but(search=need.search.model_copy(update=asked))


def _timed(need: Need, now: datetime, policy: SitePolicy) -> Need:
    """The need with its status, its reason, its next-action time and its earliest timer."""
    status = status_of(need)
    if need.ended:
        asked = need.referred_to if need.taken_over else None
        over = need.but(waiting=None, next_action_at=None, wake_at=None, confirm_by=None, tier_site_id=None)
        return over.but(status=status, referred_to=asked)
    confirm_by = None
    if status is NeedStatus.AWAITING_CONFIRMATION:
        confirm_by = need.confirm_by or now + timedelta(seconds=policy.confirm_seconds)
        waiting, next_action_at, wake_at = Waiting.CONFIRMATION, confirm_by, confirm_by
    else:
        waiting, next_action_at = _reason(need, now, policy)
        wake_at = min(_timers(need, next_action_at, policy))
    need = need.but(tier_site_id=need.search.tier_site_id if need.search else None)
    return need.but(
        status=status, waiting=waiting, next_action_at=next_action_at, wake_at=wake_at, confirm_by=confirm_by
    )


def _reason(need: Need, now: datetime, policy: SitePolicy) -> tuple[Waiting, datetime]:
    if need.search is None:
        return Waiting.SUBMISSION, _ahead(need.next_action_at, now, DRAFT_REMINDER)
    to_come = somebody_comes(need) or bool(need.goods_to_receive)
    service_is_due = need.started or (need.deadline_passed and to_come and not searching(need))
    if need.referral and not service_is_due:
        return Waiting.REFERRAL, need.referral.answer_by
    if _falls_short(need, policy):
        return Waiting.SEARCH, _ahead(need.search.next_action_at, now, PATIENCE)
    if searching(need):
        return need.search.waiting, need.search.next_action_at
    due_at = expected_at(need, policy)
    if due_at and due_at > now:
        return Waiting.SERVICE, due_at
    chased = need.next_action_at if need.waiting is Waiting.COORDINATOR else None
    return Waiting.COORDINATOR, _ahead(chased, now, CHASE_EVERY)


def _ahead(planned: datetime | None, now: datetime, otherwise: timedelta) -> datetime:
    """The planned time if it still lies ahead."""
    return planned if planned and planned > now else now + otherwise


def _timers(need: Need, next_action_at: datetime, policy: SitePolicy) -> list[datetime]:
    timers = []
    last_asked_at = need.search.last_asked_at if need.search else None
    if last_asked_at and _falls_short(need, policy):
        timers.append(last_asked_at + LAST_WORD)
    elif not searching(need):
        timers.append(next_action_at)
    if need.search and (searching(need) or _falls_short(need, policy)):
        timers.append(need.search.ask_at)
    if need.referral:
        timers.append(need.referral.answer_by)
    if need.deadline_at and not need.deadline_passed:
        timers.append(last_call(need))
    if need.over_at and not need.over:
        timers.append(nothing_more_at(need))
    return timers
