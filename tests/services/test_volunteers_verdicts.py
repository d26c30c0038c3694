"""Before a verdict and after it: what an undecided yes weighs, what else there is, and what a task says once it is won."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.contracts.matching import OffersChanged
from shared.contracts.taken import InvitationRef
from shared.contracts.vocabulary import Closing, Rule, TaskStatus, Urgency
from shared.contracts.volunteers import (
    InvitationAccepted,
    InvitationRefused,
    InvitationsOpened,
    TaskDone,
    TaskTaken,
    TaskWithdrawn,
)
from tests.services.volunteers_desk import (
    EAST,
    TOMORROW,
    WEST,
    Desk,
    a_release,
    a_win,
    a_window,
    an_offer,
    desk,
)

TASK = "/tasks/li~need-1"


async def moves_west(d: Desk) -> None:
    """The need of Li's task moves, and the verdict is said again."""
    await d.w.hears(("need-1", (await d.a_win("li", "need-1")).model_copy(update={"area": WEST})))


async def begins(d: Desk) -> None:
    """Li has the seat, and is there when the visit begins."""
    await d.registers("li")
    await d.takes("li", "need-1")
    await d.w.passes(days=1)
    await d.ask("li", f"POST {TASK}/check-in")


async def test_whoever_is_there_already_sees_where_the_need_has_moved() -> None:
    async with desk() as d:
        await begins(d)
        await moves_west(d)
        assert (await d.ask("li", f"GET {TASK}")).json()["area"] == WEST


async def test_a_task_that_is_over_stays_where_it_was_when_the_need_moves() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1")
        await d.ask("li", f"POST {TASK}/withdraw")
        await moves_west(d)
        assert (await d.ask("li", f"GET {TASK}")).json()["area"] == EAST


@pytest.mark.parametrize("there", [False, True])
async def test_a_task_shows_how_urgent_it_is_now(there: bool) -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1")
        if there:
            await d.w.passes(days=1)
            await d.ask("li", f"POST {TASK}/check-in")
        won = await d.a_win("li", "need-1")
        await d.w.hears(("need-1", won.model_copy(update={"urgency": Urgency.URGENT})))
        assert (await d.ask("li", f"GET {TASK}")).json()["urgency"] == "urgent"
        await d.w.hears(("need-1", won))
        assert (await d.ask("li", f"GET {TASK}")).json()["urgency"] == "urgent", "verdicts of old say nothing"


async def test_what_is_not_answered_or_not_decided_shows_how_urgent_it_is_now() -> None:
    async with desk() as d:
        for name in ("li", "wang", "zhao"):
            await d.registers(name)
        await d.asks("need-1", "li", "wang", "zhao")
        assert (await d.accepts("wang", "need-1", None)).status_code == 202
        await d.ask("zhao", "POST /invitations/zhao~need-1/decline", {"reason": "no_time"})
        refs = an_offer("need-1", "li", "wang", "zhao", "nobody").offers
        asked = tuple(InvitationRef(invitation_id=o.invitation_id, volunteer_id=o.volunteer_id) for o in refs)
        await d.w.hears(("need-1", OffersChanged(urgency=Urgency.URGENT, invitations=asked)))
        shown = [(await d.invitation(name, "need-1")).urgency for name in ("li", "wang", "zhao")]
        assert shown == [Urgency.URGENT, Urgency.URGENT, Urgency.ORDINARY]


async def test_nobody_is_missed_at_a_task_that_was_taken_back() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1")
        await d.w.passes(days=1, minutes=31)
        missing = "GET /tasks?volunteer_id=li&overdue=true"
        assert len((await d.ask("staff", missing)).json()["items"]) == 1
        await d.w.hears(("need-1", a_release("li", "need-1")))
        assert (await d.task("li", "need-1")).status == TaskStatus.CANCELLED
        assert (await d.ask("staff", missing)).json()["items"] == []


async def test_nobody_is_missed_any_more_once_the_service_is_over() -> None:
    async with desk() as d:
        await begins(d)
        await d.w.passes(hours=3)
        missing = "GET /tasks?volunteer_id=li&overdue=true"
        assert len((await d.ask("staff", missing)).json()["items"]) == 1
        await d.ask("staff", f"POST {TASK}/check-out")
        assert (await d.ask("staff", missing)).json()["items"] == []


async def test_a_yes_that_is_not_decided_yet_counts_in_its_week() -> None:
    async with desk() as d:
        await d.registers("li", weekly_cap_minutes=239)
        await d.asks("need-1", "li")
        await d.asks("need-2", "li", window=a_window(TOMORROW + timedelta(hours=4)))
        assert (await d.accepts("li", "need-1", None)).status_code == 202
        beyond = await d.accepts("li", "need-2", None)
        assert beyond.status_code == 409 and beyond.json()["type"].endswith("weekly-cap-reached")


async def test_the_other_task_is_the_most_urgent_and_then_the_earliest() -> None:
    async with desk() as d:
        await d.registers("li")
        for hours, urgency in (
            (0, Urgency.ORDINARY),
            (3, Urgency.ORDINARY),
            (9, Urgency.URGENT),
            (6, Urgency.URGENT),
        ):
            window = a_window(TOMORROW + timedelta(hours=hours))
            await d.asks(f"need-{hours}", "li", window=window, urgency=urgency)
        others = [(await d.accepts("li", f"need-{n}", "filled")).json()["other"] for n in (0, 6, 9, 3)]
        assert [other and other["id"] for other in others] == ["li~need-6", "li~need-9", "li~need-3", None]


@pytest.mark.parametrize(
    ("came", "minutes", "counted"),
    [
        (0, 40, 40),
        (0, 149, 149),
        (0, 151, 120),
        (0, 3 * 24 * 60, 120),
        (60, 200, 120),
        (-60, 3 * 24 * 60, 180),
    ],
)
async def test_a_service_that_nobody_checked_out_of_counts_as_long_as_planned_once_that_is_overdue(
    came: int, minutes: int, counted: int
) -> None:
    """Until then it counts up to the moment in which the seat is taken back. Who `came` early is there until the planned
    end; who came late, for as long as planned."""
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1")
        await d.w.passes(days=1, minutes=came)
        await d.ask("li", f"POST {TASK}/check-in")
        await d.w.passes(minutes=minutes)
        await d.w.hears(("need-1", a_release("li", "need-1")))
        assert [done.minutes for done in d.w.said(TaskDone)] == [counted]


async def test_a_service_ends_when_the_seat_was_taken_back_however_late_that_is_heard() -> None:
    async with desk() as d:
        await begins(d)
        await d.w.passes(minutes=20)
        taken_back = d.w.message("need-1", a_release("li", "need-1"))
        await d.w.passes(hours=14)
        await d.w.hears(taken_back)
        assert [done.minutes for done in d.w.said(TaskDone)] == [20]


async def test_whoever_began_before_they_could_hear_that_the_seat_was_taken_back_has_served() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1")
        await d.w.passes(days=1)
        taken_back = d.w.message("need-1", a_release("li", "need-1"))
        await d.ask("li", f"POST {TASK}/check-in")
        await d.w.passes(minutes=30)
        await d.w.hears(taken_back)
        assert [done.minutes for done in d.w.said(TaskDone)] == [30]


async def test_it_stays_known_whose_account_checked_in_and_whose_checked_out() -> None:
    async with desk() as d:
        await begins(d)
        await d.w.passes(hours=1)
        await d.ask("staff", f"POST {TASK}/check-out")
        assert (await d.task("li", "need-1")).done_by == {"check_in": "li", "check_out": "staff"}


async def test_each_change_of_a_calendar_is_told_as_newer_than_the_one_before() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1")
        await d.ask("li", f"POST {TASK}/withdraw")
        kinds = (InvitationsOpened, InvitationAccepted, TaskTaken, TaskWithdrawn)
        said = [m.data for m in d.w.messages if isinstance(m.data, kinds)]
        turns = [e.opened[0].load.turn if isinstance(e, InvitationsOpened) else e.load.turn for e in said]
        assert len(turns) == 4 and turns == sorted(set(turns))


async def test_a_task_that_was_taken_back_says_why() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1")
        await d.w.hears(("need-1", a_release("li", "need-1", Closing.LAPSED)))
        assert (await d.invitation("li", "need-1")).closing == Closing.LAPSED


async def test_a_seat_that_was_won_for_another_week_weighs_in_that_week() -> None:
    next_week = TOMORROW + timedelta(days=7)
    async with desk() as d:
        await d.registers("li", weekly_cap_minutes=239)
        await d.asks("need-1", "li")
        await d.accepts("li", "need-1", None)
        await d.w.hears(("need-1", a_win("li", "need-1", a_window(next_week))))
        for need, start_at in (("need-2", next_week), ("need-3", TOMORROW)):
            await d.asks(need, "li", window=a_window(start_at + timedelta(hours=4)))
        refused = [(r.need_id, r.rule) for r in d.w.said(InvitationRefused)]
        assert refused == [("need-2", Rule.CAP)]


async def test_a_task_counts_in_the_week_that_it_is_where_the_person_lives() -> None:
    """Half past ten on Sunday evening in Ürümqi is Monday already in Shanghai."""
    async with desk() as d:
        await d.registers("li", zone="Asia/Urumqi")
        await d.asks("need-1", "li", window=a_window(datetime(2026, 3, 8, 16, 30, tzinfo=UTC)))
        assert (await d.invitation("li", "need-1")).week == "2026-W10"
