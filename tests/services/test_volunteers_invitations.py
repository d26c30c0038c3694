"""Volunteers are asked, say yes or no, and learn at once what came of it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from services.volunteers.domain.calendar import Calendar
from shared.contracts.directory import AccountChanged
from shared.contracts.parts import Offer, Reason
from shared.contracts.vocabulary import (
    Category,
    Certificate,
    Closing,
    Criterion,
    InvitationStatus,
    Role,
    Rule,
    TaskStatus,
    Urgency,
)
from shared.contracts.volunteers import (
    InvitationAccepted,
    InvitationDeclined,
    InvitationExpired,
    InvitationRefused,
    InvitationsOpened,
    Opened,
    SlotFreed,
    TaskTaken,
    TaskWithdrawn,
    VolunteerChanged,
)
from tests.services.volunteers_desk import (
    EAST,
    TOMORROW,
    WEST,
    Desk,
    a_loss,
    a_profile,
    a_release,
    a_win,
    a_window,
    a_withdrawal,
    an_offer,
    desk,
)
from tests.world import START


def rules(d: Desk) -> list[Rule]:
    return [refused.rule for refused in d.w.said(InvitationRefused)]


def opened(d: Desk) -> list[Opened]:
    return [one for said in d.w.said(InvitationsOpened) for one in said.opened]


async def test_everybody_asked_gets_an_invitation_of_their_own() -> None:
    async with desk() as d:
        await d.registers("li", "wang")
        await d.asks("need-1", "li", "wang")
        assert sorted(o.invitation_id for o in opened(d)) == ["li~need-1", "wang~need-1"]
        assert [said.need_id for said in d.w.said(InvitationsOpened)] == ["need-1"]
        assert opened(d)[0].load.contacted_at == (START,)


async def test_what_somebody_was_asked_comes_in_pages() -> None:
    async with desk() as d:
        await d.registers("li")
        for n in range(3):
            await d.asks(f"need-{n}", "li")
        everything = (await d.ask("li", "GET /invitations")).json()
        assert (len(everything["items"]), everything["next_cursor"]) == (3, None)
        found, cursor = [], ""
        while cursor is not None:
            page = (await d.ask("li", f"GET /invitations?limit=2{cursor and f'&cursor={cursor}'}")).json()
            found += page["items"]
            cursor = page["next_cursor"]
        assert found == everything["items"]


async def test_the_same_wave_heard_twice_asks_once() -> None:
    async with desk() as d:
        await d.registers("li")
        wave = d.w.message("need-1", an_offer("need-1", "li"))
        await d.w.hears(wave, wave)
        await d.asks("need-1", "li")
        assert len(opened(d)) == 1


async def test_whoever_is_not_registered_or_not_active_is_not_asked() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.ask("staff", "POST /volunteers/li/deactivate")
        await d.asks("need-1", "li", "nobody")
        assert rules(d) == [Rule.INACTIVE, Rule.INACTIVE]


async def test_a_blocked_person_is_asked_again_when_the_block_is_over() -> None:
    async with desk() as d:
        await d.registers("li")
        until = START + timedelta(minutes=30)
        await d.ask("li", "POST /volunteers/li/block", {"until": until.isoformat()})
        await d.asks("need-1", "li")
        assert rules(d) == [Rule.BLOCKED]
        await d.w.passes(minutes=30)
        await d.asks("need-2", "li")
        assert len(opened(d)) == 1


async def test_nobody_is_asked_beyond_their_contact_budget_of_seven_days() -> None:
    async with desk() as d:
        await d.registers("li", weekly_contacts=2)
        late = START + timedelta(days=30)
        for need in ("need-1", "need-2", "need-3"):
            await d.asks(need, "li", expires_at=late, window=a_window(late))
        assert rules(d) == [Rule.BUDGET]
        await d.w.passes(days=7)
        await d.asks("need-4", "li", expires_at=late, window=a_window(late))
        assert rules(d) == [Rule.BUDGET] and len(opened(d)) == 3


@pytest.mark.parametrize("facts", [{"urgency": Urgency.CRISIS}, {"category": Category.CRISIS_INTERVENTION}])
async def test_a_crisis_knows_no_budget_and_no_quiet_hours(facts: dict[str, Any]) -> None:
    async with desk() as d:
        await d.registers("li", weekly_contacts=0, quiet_from=0, quiet_to=1439)
        await d.asks("need-1", "li")
        await d.asks("need-2", "li", **facts)
        assert rules(d) == [Rule.BUDGET] and len(opened(d)) == 1


@pytest.mark.parametrize(
    ("local_hour", "zone", "refused"),
    [
        (21, "Asia/Shanghai", False),
        (22, "Asia/Shanghai", True),
        (0, "Asia/Shanghai", True),
        (6, "Asia/Shanghai", True),
        (7, "Asia/Shanghai", False),
        (7, "Asia/Urumqi", True),
        (9, "Asia/Urumqi", False),
    ],
)
async def test_quiet_hours_wrap_midnight_in_the_persons_own_zone(
    local_hour: int, zone: str, refused: bool
) -> None:
    """The hours are Shanghai's clock; in Urumqi it is two hours earlier."""
    async with desk() as d:
        await d.registers("li", zone=zone)
        now = datetime(2026, 3, 2, local_hour, tzinfo=UTC) + timedelta(hours=16)
        d.w.clock.set(now)
        await d.asks(
            "need-1", "li", window=a_window(now + timedelta(days=2)), expires_at=now + timedelta(hours=1)
        )
        assert rules(d) == ([Rule.QUIET] if refused else [])


@pytest.mark.parametrize(("home", "said"), [(EAST, "township"), (WEST, "county"), ("522701", "city")])
async def test_an_invitation_calls_nobody_nearer_than_they_live(home: str, said: str) -> None:
    """The wave asks in the township, and in the areas of the tiers that look as well."""
    async with desk() as d:
        await d.registers("li", area=home)
        await d.asks("need-1", "li")
        assert (await d.ask("li", "GET /invitations/li~need-1")).json()["ring"] == said


async def test_an_invitation_shows_the_errand_and_the_place_but_no_person() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.asks("need-1", "li")
        shown = (await d.ask("li", "GET /invitations/li~need-1")).json()
        assert shown["category"] == "social_support" and shown["area_names"][-1] == "凤山镇"
        assert shown["status"] == "pending" and shown["ring"] == "township"
        assert not {"name", "phone", "address", "household_id"} & shown.keys()


async def test_an_invitation_does_not_tell_that_it_is_a_household_they_served_before() -> None:
    async with desk() as d:
        await d.registers("li")
        seen = {Criterion.DISTANCE: 1.2, Criterion.CONTINUITY: 3.0}
        reasons = tuple(Reason(criterion=criterion, value=value) for criterion, value in seen.items())
        one = Offer(invitation_id="li~need-1", volunteer_id="li", reasons=reasons)
        await d.asks("need-1", offers=(one,))
        for path in ("/invitations/li~need-1", "/invitations", "/volunteers/li/calendar"):
            shown = await d.ask("li", f"GET {path}")
            assert "distance" in shown.text and "continuity" not in shown.text


async def test_whoever_is_first_wins_and_has_a_task() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.asks("need-1", "li")
        answer = await d.accepts("li", "need-1")
        assert answer.status_code == 200
        assert answer.json()["status"] == "taken" and answer.json()["seat_id"] == "p1/1"
        (taken,) = d.w.said(TaskTaken)
        assert taken.load.busy == (a_window(),)
        assert taken.load.minutes_by_week == {"2026-W10": 120} and taken.load.tasks_by_month == {"2026-03": 1}


async def test_whoever_is_too_late_is_told_kindly_and_shown_another_task() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.asks("need-1", "li")
        await d.asks("need-2", "li", window=a_window(TOMORROW + timedelta(hours=5)))
        answer = await d.accepts("li", "need-1", "filled")
        said = answer.json()
        assert answer.status_code == 409 and said["type"] == "urn:wushe:problem:seat-filled"
        assert answer.headers["content-type"] == "application/problem+json"
        assert said["other"]["id"] == "li~need-2" and said["other"]["area_names"]
        described = d.api.openapi()
        accepting = described["paths"]["/api/invitations/{invitation_id}/accept"]["post"]
        refused = accepting["responses"]["409"]["content"]["application/problem+json"]["schema"]
        parts = [
            described["components"]["schemas"][part["$ref"].rpartition("/")[2]] for part in refused["allOf"]
        ]
        assert said.keys() == {name for part in parts for name in part["properties"]}
        (freed,) = d.w.said(SlotFreed)
        assert freed.reason == "filled" and freed.load.busy == () and freed.load.minutes_by_week == {}


async def test_nobody_is_told_that_others_were_quicker_when_the_need_is_over() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.asks("need-1", "li")
        await d.asks("need-2", "li", window=a_window(TOMORROW + timedelta(hours=5)))
        await d.accepts("li", "need-1", None, key="same")
        over = a_loss("li", "need-1").model_copy(update={"reason": Closing.CANCELLED})
        await d.w.hears(("need-1", over))
        said = (await d.accepts("li", "need-1", None, key="same")).json()
        assert said["type"] == "urn:wushe:problem:invitation-withdrawn"
        assert "满" not in said["title"] + said.get("detail", "")
        assert said["other"]["id"] == "li~need-2"


async def test_the_other_task_is_one_that_the_person_could_really_take() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-0")
        for need, window in (("need-1", a_window(TOMORROW + timedelta(hours=2))), ("need-2", a_window())):
            await d.asks(need, "li", window=window)
        assert rules(d) == [Rule.OVERLAP]
        answer = await d.accepts("li", "need-1", "filled")
        assert answer.json()["other"] is None


async def test_the_other_task_is_not_one_beyond_the_weekly_cap() -> None:
    async with desk() as d:
        await d.registers("li", weekly_cap_minutes=200)
        later, last = (a_window(TOMORROW + timedelta(hours=hours), hours=1) for hours in (3, 5))
        await d.asks("need-1", "li")
        await d.asks("need-2", "li", window=later)
        await d.asks("need-3", "li", window=a_window(TOMORROW + timedelta(hours=8)))
        await d.asks("need-4", "li", window=last)
        await d.accepts("li", "need-1", "won")
        answer = await d.accepts("li", "need-2", "filled")
        assert answer.json()["other"]["id"] == "li~need-4"
        answer = await d.accepts("li", "need-4", "filled")
        assert answer.json()["other"] is None


async def test_without_a_verdict_in_time_the_answer_says_where_to_look() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.asks("need-1", "li")
        answer = await d.accepts("li", "need-1", None, key="same")
        assert answer.status_code == 202
        assert answer.headers["location"] == "/api/invitations/li~need-1"
        assert (await d.ask("li", "GET /invitations/li~need-1")).json()["status"] == "claimed"
        await d.decides("li", "need-1", "won")
        assert (await d.accepts("li", "need-1", None, key="same")).status_code == 200


async def test_a_yes_sent_twice_with_one_key_counts_once_and_tells_the_present_verdict() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.asks("need-1", "li")
        assert (await d.accepts("li", "need-1", "won", key="same")).status_code == 200
        again = await d.accepts("li", "need-1", None, key="same")
        assert again.status_code == 200 and again.json()["id"] == "li~need-1"
        assert len(d.w.said(InvitationAccepted)) == 1
        other = await d.accepts("li", "need-1", None)
        assert other.status_code == 409 and other.json()["type"].endswith("invitation-already-answered")


async def test_a_person_who_says_yes_to_two_overlapping_tasks_at_once_gets_one() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.asks("need-1", "li")
        await d.asks("need-2", "li", window=a_window(TOMORROW + timedelta(minutes=119)))
        calls = [d.accepts("li", need, "won") for need in ("need-1", "need-2")]
        answers = await asyncio.gather(*calls)
        assert sorted(a.status_code for a in answers) == [200, 409]
        lost = next(a for a in answers if a.status_code == 409)
        assert lost.json()["type"].endswith("slot-taken")
        assert len((await d.calendar("li")).load(START).busy) == 1


async def test_tasks_that_only_touch_do_not_overlap() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1")
        await d.takes("li", "need-2", window=a_window(TOMORROW + timedelta(hours=2)))
        await d.takes("li", "need-3", window=a_window(TOMORROW - timedelta(hours=2)))
        assert len((await d.calendar("li")).load(START).busy) == 3


CHILD_DIRECTOR = {"certificate": "child_director", "expires_on": "2026-03-03"}


async def test_a_service_that_needs_papers_is_offered_only_to_who_has_them_when_it_ends() -> None:
    """Matching may have planned on what it knew a moment before."""
    night = {"window": a_window(TOMORROW + timedelta(hours=12), hours=4)}
    async with desk() as d:
        await d.registers("li", certificates=[CHILD_DIRECTOR])
        await d.registers("wang")
        await d.asks("need-1", "li", named=True)
        await d.asks("need-2", "li", certificates=(Certificate.CHILD_DIRECTOR, Certificate.NURSE))
        assert rules(d) == [] and len(opened(d)) == 2
        await d.asks("need-3", "li", named=True, **night)
        await d.asks("need-4", "li", certificates=(Certificate.CHILD_DIRECTOR,), **night)
        await d.asks("need-5", "wang", named=True)
        await d.asks("need-6", "li", certificates=(Certificate.NURSE,))
        await d.asks("need-7", "li", named=True, certificates=(Certificate.NURSE,), **night)
        expired, lacks = Rule.CERTIFICATE_EXPIRED, Rule.CERTIFICATE
        assert rules(d) == [expired, expired, Rule.AUDIENCE, lacks, lacks]


async def test_whoever_lost_their_papers_since_they_were_asked_cannot_say_yes() -> None:
    async with desk() as d:
        await d.registers("li", certificates=[{**CHILD_DIRECTOR, "expires_on": "2029-01-01"}])
        await d.asks("need-1", "li", named=True)
        shorter = {**CHILD_DIRECTOR, "expires_on": "2026-03-02"}
        assert (await d.ask("staff", "POST /volunteers/li/certificates", shorter)).status_code == 200
        answer = await d.accepts("li", "need-1")
        assert answer.status_code == 409 and answer.json()["type"].endswith("certificate-needed")


async def test_a_yes_beyond_the_weekly_cap_is_refused() -> None:
    async with desk() as d:
        await d.registers("li", weekly_cap_minutes=239)
        await d.asks("need-1", "li")
        await d.asks("need-2", "li", window=a_window(TOMORROW + timedelta(hours=4)))
        await d.accepts("li", "need-1")
        answer = await d.accepts("li", "need-2")
        assert answer.status_code == 409 and answer.json()["type"].endswith("weekly-cap-reached")
        await d.asks("need-3", "li", window=a_window(TOMORROW + timedelta(hours=4)))
        assert rules(d) == [Rule.CAP]
        await d.takes("li", "need-4", window=a_window(TOMORROW + timedelta(days=6)))


async def test_a_deactivated_person_cannot_say_yes_any_more() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.asks("need-1", "li")
        await d.ask("staff", "POST /volunteers/li/deactivate")
        answer = await d.accepts("li", "need-1")
        assert answer.json()["type"].endswith("volunteer-not-active")


CLOSED = AccountChanged(roles=(Role.VOLUNTEER,), valid_from=START, active=False)
NO_MORE = AccountChanged(roles=(Role.SCOUT,), valid_from=START)
AGAIN = AccountChanged(roles=(Role.VOLUNTEER,), valid_from=START)


@pytest.mark.parametrize("lost", [CLOSED, NO_MORE])
async def test_whoever_cannot_sign_in_to_answer_is_not_asked_until_they_can_again(
    lost: AccountChanged,
) -> None:
    async with desk() as d:
        await d.registers("li")
        without = (await d.ask("staff", "POST /volunteers", a_profile())).json()["id"]
        await d.w.hears(("li", lost))
        assert not d.w.said(VolunteerChanged)[-1].state.active, "so that matching looks past them"
        assert (await d.ask("staff", "GET /volunteers/li")).json()["can_answer"] is False
        await d.asks("need-1", "li", without)
        assert rules(d) == [Rule.INACTIVE]
        assert [one.volunteer_id for one in opened(d)] == [without], "their station answers for them"
        await d.w.hears(("li", AGAIN))
        await d.asks("need-2", "li")
        assert [one.volunteer_id for one in opened(d)] == [without, "li"]


async def test_whoever_is_deactivated_stays_so_when_the_account_is_opened_again() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.w.hears(("li", CLOSED))
        assert (await d.ask("staff", "POST /volunteers/li/deactivate")).status_code == 200
        await d.w.hears(("li", AGAIN))
        await d.asks("need-1", "li")
        assert rules(d) == [Rule.INACTIVE]


async def test_whoever_is_registered_with_a_closed_account_is_not_asked() -> None:
    async with desk() as d:
        d.w.knows(("li", CLOSED))
        await d.ask("staff", "POST /volunteers", a_profile(account_id="li"))
        await d.asks("need-1", "li")
        assert rules(d) == [Rule.INACTIVE]


async def test_an_account_of_nobody_who_helps_registers_nobody() -> None:
    async with desk() as d:
        await d.w.hears(("clerk", CLOSED))
        assert (await d.ask("boss", "GET /volunteers")).json()["items"] == []


async def test_a_seat_that_somebody_without_account_holds_stays_and_whoever_expects_them_sees_it() -> None:
    """As after a deactivation: they may still come. Their station gives the seat back if they do not."""
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1", site_id="west")
        await d.w.hears(("li", CLOSED))
        assert (await d.task("li", "need-1")).status is TaskStatus.TAKEN
        helper = (await d.ask("stranger", "GET /tasks/li~need-1/helper")).json()
        assert (helper["active"], helper["phone"]) == (False, "13800000000")
        assert (await d.ask("staff", "POST /tasks/li~need-1/withdraw")).status_code == 200


async def test_a_no_is_an_answer_and_is_kept_with_its_reason() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.asks("need-1", "li")
        answer = await d.ask("li", "POST /invitations/li~need-1/decline", {"reason": "too_far"})
        assert answer.status_code == 200 and answer.json()["status"] == "declined"
        assert [e.reason for e in d.w.said(InvitationDeclined)] == ["too_far"]
        late = await d.accepts("li", "need-1")
        assert late.json()["type"].endswith("invitation-already-answered")


async def test_an_unanswered_invitation_expires_by_itself() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.asks("need-1", "li")
        await d.w.passes(hours=1)
        assert [(e.invitation_id, e.unseen) for e in d.w.said(InvitationExpired)] == [("li~need-1", False)]
        answer = await d.accepts("li", "need-1")
        assert answer.json()["type"].endswith("invitation-expired")


async def test_an_invitation_that_runs_out_while_nothing_runs_was_not_left_unanswered() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.asks("need-1", "li")
        d.w.clock.advance(9 * 3600)
        await d.w.settle()
        assert [(e.invitation_id, e.unseen) for e in d.w.said(InvitationExpired)] == [("li~need-1", True)]


async def test_an_invitation_that_comes_after_its_time_says_only_that_it_expired() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.asks("need-1", "li", expires_at=START)
        (expired,) = d.w.said(InvitationExpired)
        assert (expired.unseen, expired.load.contacted_at, opened(d)) == (True, (), [])


async def test_a_withdrawn_offer_closes_only_what_was_not_answered() -> None:
    async with desk() as d:
        await d.registers("li", "wang")
        await d.asks("need-1", "li", "wang")
        await d.accepts("li", "need-1", None)
        await d.w.hears(("need-1", a_withdrawal("need-1", "li", "wang")))
        assert (await d.invitation("li", "need-1")).status == InvitationStatus.CLAIMED
        assert (await d.invitation("wang", "need-1")).status == InvitationStatus.WITHDRAWN
        late = await d.accepts("wang", "need-1")
        assert late.status_code == 409 and late.json()["type"].endswith("seat-filled")


async def test_who_says_no_after_the_last_place_went_is_not_thanked_for_a_yes() -> None:
    async with desk() as d:
        await d.registers("wang")
        await d.asks("need-1", "wang")
        await d.w.hears(("need-1", a_withdrawal("need-1", "wang")))
        no = await d.ask("wang", "POST /invitations/wang~need-1/decline", {"reason": "no_time"})
        assert no.status_code == 409 and no.json()["type"].endswith("invitation-withdrawn")
        assert "yes" not in no.json()["title_en"]


async def test_an_offer_withdrawn_for_another_reason_says_so() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.asks("need-1", "li")
        await d.w.hears(("need-1", a_withdrawal("need-1", "li", reason=Closing.CANCELLED)))
        late = await d.accepts("li", "need-1")
        assert late.json()["type"].endswith("invitation-withdrawn")


async def test_a_yes_without_verdict_is_asked_about_again_and_again_but_never_freed_by_time() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.asks("need-1", "li")
        await d.accepts("li", "need-1", None)
        await d.w.passes(seconds=200)
        said_at = [m.time for m in d.w.messages if isinstance(m.data, InvitationAccepted) and m.data.again]
        gaps = [round((b - a).total_seconds()) for a, b in pairwise(said_at)]
        assert gaps == [10, 20, 40, 60, 60]
        await d.w.passes(hours=2)
        assert (await d.invitation("li", "need-1")).status == InvitationStatus.CLAIMED


async def test_a_verdict_repeated_changes_nothing_not_even_after_the_person_withdrew() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1")
        await d.w.hears(("need-1", a_win("li", "need-1")))
        assert len(d.w.said(TaskTaken)) == 1
        await d.ask("li", "POST /tasks/li~need-1/withdraw")
        await d.w.hears(("need-1", a_win("li", "need-1")))
        assert (await d.task("li", "need-1")).status == TaskStatus.WITHDRAWN
        assert len(d.w.said(TaskWithdrawn)) == 1


async def test_a_seat_that_nobody_here_claims_any_more_is_given_back() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.asks("need-1", "li")
        await d.accepts("li", "need-1", "filled")
        await d.w.hears(("need-1", a_win("li", "need-1")), ("need-2", a_win("wang", "need-2")))
        given_back = d.w.said(TaskWithdrawn)
        assert [g.invitation_id for g in given_back] == ["li~need-1", "wang~need-2"]
        assert not d.w.said(TaskTaken)


async def test_a_seat_whose_time_moved_onto_another_task_is_given_back() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1")
        later = a_window(TOMORROW + timedelta(hours=3))
        await d.asks("need-2", "li", window=later)
        await d.accepts("li", "need-2", None)
        await d.w.hears(("need-2", a_win("li", "need-2", a_window(TOMORROW + timedelta(hours=1)))))
        assert [w.invitation_id for w in d.w.said(TaskWithdrawn)] == ["li~need-2"]
        assert [h.id for h in (await d.calendar("li")).held()] == ["li~need-1"]


async def test_a_task_says_where_it_is_now_when_the_need_has_moved() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1")
        said = len(d.w.messages)
        moved = (await d.a_win("li", "need-1")).model_copy(
            update={"area": WEST, "category": Category.CULTURE_HEALTH}
        )
        await d.w.hears(("need-1", moved), ("need-1", await d.a_win("li", "need-1")))
        task = (await d.ask("li", "GET /tasks/li~need-1")).json()
        assert (task["area"], task["category"]) == (WEST, "culture_health")
        assert len(d.w.messages) == said, "it is the same task"


async def test_a_released_seat_frees_the_slot() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1")
        await d.w.hears(("need-1", a_release("li", "need-1")))
        assert (await d.task("li", "need-1")).status == TaskStatus.CANCELLED
        assert [f.load.busy for f in d.w.said(SlotFreed)] == [()]
        await d.takes("li", "need-2")


async def test_news_about_invitations_nobody_knows_of_changes_nothing() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.w.hears(
            ("need-1", a_loss("li", "need-1")),
            ("need-1", a_release("li", "need-1")),
            ("need-1", a_withdrawal("need-1", "li")),
        )
        assert (await d.calendar("li")).invitations == {}
        assert (await d.accepts("li", "need-1")).status_code == 404


async def test_a_calendar_forgets_what_closed_a_month_ago() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.asks("need-1", "li")
        await d.w.passes(days=32)
        now = d.w.clock.now()
        await d.asks(
            "need-2", "li", window=a_window(now + timedelta(days=1)), expires_at=now + timedelta(hours=1)
        )
        assert list((await d.calendar("li")).invitations) == ["li~need-2"]


async def test_staff_answer_for_people_of_their_own_site_only_and_it_is_noted() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.asks("need-1", "li")
        for foreign in ("stranger", "wang"):
            answer = await d.accepts("li", "need-1", by=foreign)
            assert answer.status_code == 404
        assert (await d.accepts("li", "need-1", by="charity")).status_code == 403
        assert (await d.accepts("li", "need-1", by="staff")).status_code == 200
        assert (await d.invitation("li", "need-1")).answered_by == "staff"


async def test_lists_show_ones_own_invitations_and_staff_those_of_their_people() -> None:
    async with desk() as d:
        await d.registers("li", "wang")
        await d.asks("need-1", "li", "wang")
        await d.asks("need-2", "li", window=a_window(TOMORROW + timedelta(hours=3)))
        await d.ask("li", "POST /invitations/li~need-2/decline", {"reason": "unwell"})
        mine = (await d.ask("li", "GET /invitations?status=pending")).json()["items"]
        assert [i["id"] for i in mine] == ["li~need-1"]
        theirs = await d.ask("staff", "GET /invitations?volunteer_id=li")
        assert len(theirs.json()["items"]) == 2
        assert (await d.ask("li", "GET /invitations?volunteer_id=wang")).status_code == 404
        assert (await d.ask("stranger", "GET /invitations?volunteer_id=li")).status_code == 404


async def test_the_area_of_an_unknown_village_is_shown_by_what_is_known_of_it() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.asks("need-1", "li", area=f"{EAST}999")
        shown = (await d.ask("li", "GET /invitations/li~need-1")).json()
        assert shown["area_names"][-1] == "凤山镇"


async def test_hearing_everything_once_more_changes_no_record() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1")
        await d.asks("need-2", "li", window=a_window(TOMORROW + timedelta(hours=3)))
        await d.accepts("li", "need-2", "filled")
        heard = [
            d.w.message("need-1", an_offer("need-1", "li"), sequence=1),
            d.w.message("need-1", a_win("li", "need-1"), sequence=2),
            d.w.message("need-2", a_loss("li", "need-2"), sequence=2),
        ]
        before, said = await d.w.store.get(Calendar, "li"), len(d.w.messages)
        await d.w.hears(*heard, *reversed(heard))
        after = await d.w.store.get(Calendar, "li")
        assert before is not None and after is not None
        assert (after.version, after.record, len(d.w.messages)) == (before.version, before.record, said)


async def test_staff_who_help_at_another_station_answer_for_themselves_and_vouch_for_nothing() -> None:
    async with desk() as d:
        await d.registers("stranger")
        await d.asks("need-1", "stranger")
        (asked,) = (await d.ask("stranger", "GET /invitations")).json()["items"]
        assert (await d.ask("stranger", f"GET /invitations/{asked['id']}")).status_code == 200
        assert (await d.accepts("stranger", "need-1")).status_code == 200
        assert (await d.ask("stranger", f"GET /tasks/{asked['id']}")).status_code == 200
        assert (await d.ask("stranger", "GET /volunteers/stranger/calendar")).status_code == 200
        made_up = {"day": "2026-03-01", "minutes": 60, "reason": "x"}
        for call, body in (
            ("POST /volunteers/stranger/activate", None),
            ("POST /volunteers/stranger/hours", made_up),
            (f"POST /tasks/{asked['id']}/no-show", None),
        ):
            assert (await d.ask("stranger", call, body)).status_code == 404
