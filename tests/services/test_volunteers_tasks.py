"""A seat that was won: checked in and out, given back, missed; and the hours that come of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.volunteers.domain.calendar import Calendar
from shared.contracts.vocabulary import HoursKind, InvitationStatus, TaskStatus
from shared.contracts.volunteers import (
    HoursRecorded,
    InvitationRefused,
    TaskCheckedIn,
    TaskCheckInUndone,
    TaskDone,
    TaskNoShow,
    TaskWithdrawn,
)
from shared.records import Change
from tests.services.volunteers_desk import TOMORROW, Desk, a_release, a_window, desk
from tests.world import START

TASK = "/tasks/li~need-1"
A_NEED = "0195c7d0-0000-7000-8000-000000000001"


async def serves(d: Desk, minutes: int = 90) -> None:
    """Li takes a task, comes on time, and leaves after so long."""
    await d.takes("li", "need-1")
    await d.w.passes(days=1)
    assert (await d.ask("li", f"POST {TASK}/check-in")).status_code == 200
    await d.w.passes(minutes=minutes)
    assert (await d.ask("li", f"POST {TASK}/check-out")).status_code == 200


async def makes_up(d: Desk, key: str | None = None, **body: Any) -> Any:
    given = {"day": "2026-03-01", "minutes": 60, "reason": "纸质签到表", **body}
    return await d.ask("staff", "POST /volunteers/li/hours", given, key=key)


async def test_service_from_check_in_to_check_out_becomes_credited_hours() -> None:
    async with desk() as d:
        await d.registers("li")
        await serves(d)
        (done,) = d.w.said(TaskDone)
        assert (done.minutes, done.household_id, done.made_up) == (90, "household-1", False)
        (hours,) = d.w.said(HoursRecorded)
        assert (hours.volunteer_id, hours.kind, hours.minutes) == ("li", HoursKind.CREDIT, 90)
        listed = (await d.ask("li", "GET /volunteers/li/hours")).json()
        assert listed["credit_minutes"] == 90 and listed["honour_minutes"] == 0
        assert [(r["id"], r["day"]) for r in listed["items"]] == [("li~need-1", "2026-03-03")]


async def test_a_check_in_by_mistake_is_taken_back_and_the_task_waits_as_before() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1")
        await d.w.passes(hours=23)
        assert (await d.ask("li", f"POST {TASK}/undo-check-in")).status_code == 409
        for who, later in (("li", 9), ("staff", 11)):
            assert (await d.ask("li", f"POST {TASK}/check-in")).status_code == 200
            await d.w.passes(minutes=later)
            if who == "staff":
                late = await d.ask("li", f"POST {TASK}/undo-check-in")
                assert (late.status_code, late.json()["type"].rpartition(":")[2]) == (409, "too-late-to-undo")
            undone = await d.ask(who, f"POST {TASK}/undo-check-in")
            assert (undone.json()["status"], undone.json()["started_at"]) == ("taken", None)
        assert [u.seat_id for u in d.w.said(TaskCheckInUndone)] == ["p1/1"] * 2
        assert not d.w.said(TaskDone) and not d.w.said(HoursRecorded)
        assert (await d.ask("li", f"POST {TASK}/withdraw")).status_code == 200


async def test_a_task_heard_of_twice_is_written_down_once() -> None:
    async with desk() as d:
        await d.registers("li")
        await serves(d)
        (done,) = (m for m in d.w.messages if isinstance(m.data, TaskDone))
        await d.w.hears(done, ("li", done.data))
        assert len(d.w.said(HoursRecorded)) == 1


async def test_a_check_in_sent_twice_with_one_key_gives_the_same_answer() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1")
        await d.w.passes(days=1)
        first = await d.ask("li", f"POST {TASK}/check-in", key="same")
        again = await d.ask("li", f"POST {TASK}/check-in", key="same")
        assert first.json() == again.json() and len(d.w.said(TaskCheckedIn)) == 1
        other = await d.ask("li", f"POST {TASK}/check-in")
        assert other.status_code == 409 and other.json()["type"].endswith("task-not-open")


async def test_a_volunteer_checks_in_two_hours_before_at_the_earliest_and_staff_at_any_time() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1")
        early = await d.ask("li", f"POST {TASK}/check-in")
        assert early.status_code == 409 and early.json()["type"].endswith("too-early")
        assert "2026-03-03 07:00" in early.json()["title_zh"], "by the clock on the wall of whoever reads it"
        assert (await d.ask("staff", f"POST {TASK}/check-in")).status_code == 200
        assert (await d.task("li", "need-1")).done_by == {"check_in": "staff"}


async def test_who_has_moved_since_is_told_the_earliest_time_by_the_clock_where_they_live_now() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1")
        await d.ask("li", "PATCH /volunteers/li", {"zone": "Asia/Urumqi"}, if_match='"1"')
        for who, step, earliest in (("li", "check-in", "05:00"), ("staff", "no-show", "07:30")):
            early = await d.ask(who, f"POST {TASK}/{step}")
            assert f"2026-03-03 {earliest}" in early.json()["title_zh"]


async def test_nobody_serves_in_two_places() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1")
        await d.takes("li", "need-2", window=a_window(TOMORROW + timedelta(hours=2)))
        await d.w.passes(days=1)
        await d.ask("li", f"POST {TASK}/check-in")
        await d.w.passes(hours=2)
        second = await d.ask("li", "POST /tasks/li~need-2/check-in")
        assert second.status_code == 409 and second.json()["type"].endswith("in-another-service")
        await d.ask("li", f"POST {TASK}/check-out")
        assert (await d.ask("li", "POST /tasks/li~need-2/check-in")).status_code == 200


@pytest.mark.parametrize("hours", [-1, 3, 30])
async def test_a_check_out_lies_between_the_check_in_and_now(hours: int) -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1")
        await d.w.passes(days=1)
        await d.ask("li", f"POST {TASK}/check-in")
        await d.w.passes(hours=2 if hours < 24 else 48)
        ended_at = (TOMORROW + timedelta(hours=hours)).isoformat()
        wrong = await d.ask("li", f"POST {TASK}/check-out", {"ended_at": ended_at})
        assert wrong.status_code == 422 and wrong.json()["errors"][0]["pointer"] == "/ended_at"
        right = (TOMORROW + timedelta(minutes=30)).isoformat()
        done = await d.ask("li", f"POST {TASK}/check-out", {"ended_at": right})
        assert done.json()["minutes"] == 30


async def test_a_service_that_staff_enter_afterwards_counts_as_honour_hours() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1")
        await d.w.passes(days=2)
        began, ended = TOMORROW.isoformat(), (TOMORROW + timedelta(hours=1)).isoformat()
        own = await d.ask("li", f"POST {TASK}/check-in", {"started_at": began})
        assert own.status_code == 403
        await d.ask("staff", f"POST {TASK}/check-in", {"started_at": began})
        await d.ask("staff", f"POST {TASK}/check-out", {"ended_at": ended})
        assert [(h.kind, h.minutes) for h in d.w.said(HoursRecorded)] == [(HoursKind.HONOUR, 60)]


async def test_a_withdrawal_with_a_day_to_go_is_in_time_and_a_minute_later_it_is_late() -> None:
    async with desk() as d:
        await d.registers("li", "wang")
        for person, need in (("li", "need-1"), ("wang", "need-2")):
            await d.takes(person, need, window=a_window(TOMORROW))
        await d.ask("li", f"POST {TASK}/withdraw")
        await d.w.passes(minutes=1)
        late = await d.ask("wang", "POST /tasks/wang~need-2/withdraw")
        assert late.json()["late"] is True
        assert [(w.invitation_id, w.late) for w in d.w.said(TaskWithdrawn)] == [
            ("li~need-1", False),
            ("wang~need-2", True),
        ]
        assert d.w.said(TaskWithdrawn)[0].load.busy == ()


async def test_a_task_cannot_be_given_back_while_it_is_decided_or_after_the_check_in() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.asks("need-1", "li")
        await d.accepts("li", "need-1", None)
        deciding = await d.ask("li", f"POST {TASK}/withdraw")
        assert deciding.json()["type"].endswith("still-deciding")
        await d.decides("li", "need-1", "won")
        await d.ask("staff", f"POST {TASK}/check-in")
        assert (await d.ask("li", f"POST {TASK}/withdraw")).json()["type"].endswith("task-not-open")


async def test_once_the_time_is_over_nobody_gives_the_seat_back_and_only_staff_enter_who_came() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1")
        began = d.w.clock.now() + timedelta(days=1)
        await d.w.passes(days=1, hours=2)
        withdrawn = await d.ask("li", f"POST {TASK}/withdraw")
        assert withdrawn.status_code == 409 and withdrawn.json()["type"].endswith("time-is-over")
        await d.w.passes(days=2)
        late = await d.ask("li", f"POST {TASK}/check-in")
        assert late.status_code == 409 and late.json()["type"].endswith("time-is-over")
        made_up = await d.ask("staff", f"POST {TASK}/check-in", {"started_at": began.isoformat()})
        assert made_up.status_code == 200


@pytest.mark.parametrize(("hours", "accepted"), [(-24, True), (-24.1, False), (-24 * 365, False)])
async def test_a_start_that_staff_enter_lies_near_what_was_agreed(hours: float, accepted: bool) -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1", window=a_window(TOMORROW + timedelta(days=1)))
        await d.w.passes(days=3)
        began = {"started_at": (TOMORROW + timedelta(days=1, hours=hours)).isoformat()}
        answer = await d.ask("staff", f"POST {TASK}/check-in", began)
        if accepted:
            assert answer.json()["made_up"] is True
        else:
            assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/started_at")
            assert "补录" in answer.json()["title_zh"]
            assert (await d.task("li", "need-1")).status == "taken"


async def test_a_visit_that_came_about_sooner_than_agreed_is_entered_within_a_day() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1", window=a_window(TOMORROW + timedelta(days=6)))
        for hours, status in ((25, 422), (23, 200)):
            began = {"started_at": (d.w.clock.now() - timedelta(hours=hours)).isoformat()}
            assert (await d.ask("staff", f"POST {TASK}/check-in", began)).status_code == status


async def test_somebody_who_comes_late_can_still_check_in() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1")
        await d.w.passes(days=1, hours=2, minutes=30)
        assert (await d.ask("li", f"POST {TASK}/check-in")).status_code == 200


async def test_a_missing_check_in_shows_and_staff_note_the_no_show() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1")
        await d.w.passes(days=1, minutes=29)
        assert not (await d.task("li", "need-1")).overdue
        early = await d.ask("staff", f"POST {TASK}/no-show")
        assert early.json()["type"].endswith("too-early")
        assert "2026-03-03 09:30" in early.json()["title_zh"], (
            "it cannot be taken back, and they may only be late"
        )
        await d.w.passes(minutes=1)
        assert not d.w.said(TaskNoShow)
        overdue = (await d.ask("staff", "GET /tasks?overdue=true")).json()["items"]
        assert [t["id"] for t in overdue] == ["li~need-1"]
        assert (await d.ask("li", f"POST {TASK}/no-show")).status_code == 403
        assert (await d.ask("staff", f"POST {TASK}/no-show")).json()["status"] == "no_show"
        assert [n.seat_id for n in d.w.said(TaskNoShow)] == ["p1/1"]
        assert (await d.invitation("li", "need-1")).status == InvitationStatus.NO_SHOW


async def test_a_forgotten_check_out_shows_too() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1")
        await d.w.passes(days=1, minutes=31)
        await d.ask("li", f"POST {TASK}/check-in")
        assert not (await d.task("li", "need-1")).overdue
        await d.w.passes(hours=2)
        assert (await d.task("li", "need-1")).overdue


async def test_whoever_is_there_when_a_seat_is_taken_back_is_checked_out_and_the_hours_count() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1")
        await d.w.passes(days=1)
        await d.ask("li", f"POST {TASK}/check-in")
        await d.w.passes(minutes=20)
        await d.w.hears(("need-1", a_release("li", "need-1")))
        assert (await d.task("li", "need-1")).status == TaskStatus.DONE
        assert [h.minutes for h in d.w.said(HoursRecorded)] == [20]


async def test_a_done_task_stays_done_when_the_seat_is_taken_back() -> None:
    async with desk() as d:
        await d.registers("li")
        await serves(d)
        await d.w.hears(("need-1", a_release("li", "need-1")))
        assert (await d.task("li", "need-1")).status == TaskStatus.DONE


async def test_a_week_counts_the_service_as_it_was_when_it_is_done() -> None:
    async with desk() as d:
        await d.registers("li", weekly_cap_minutes=150)
        await serves(d, minutes=30)
        assert d.w.said(TaskDone)[0].load.minutes_by_week == {"2026-W10": 30}
        now = d.w.clock.now()
        later = a_window(TOMORROW + timedelta(hours=6))
        await d.asks("need-2", "li", window=later, expires_at=now + timedelta(hours=1))
        assert not d.w.said(InvitationRefused)


async def test_tasks_are_seen_by_their_person_and_their_station_and_nobody_else() -> None:
    async with desk() as d:
        await d.registers("li", "wang")
        await d.takes("li", "need-1")
        await d.takes("wang", "need-2")
        seen = {}
        for who in ("li", "staff", "boss", "stranger"):
            seen[who] = [t["id"] for t in (await d.ask(who, "GET /tasks")).json()["items"]]
        assert seen == {
            "li": ["li~need-1"],
            "staff": ["li~need-1", "wang~need-2"],
            "boss": ["li~need-1", "wang~need-2"],
            "stranger": [],
        }
        statuses = [
            (await d.ask(w, f"GET {TASK}")).status_code
            for w in ("li", "wang", "staff", "stranger", "charity")
        ]
        assert statuses == [200, 404, 200, 404, 403]
        assert (await d.ask("stranger", f"POST {TASK}/withdraw")).status_code == 404


async def test_staff_of_the_station_whose_need_it_is_note_who_came_from_elsewhere_and_who_did_not() -> None:
    """They see it; the helper's own station does not."""
    async with desk() as d:
        await d.registers("li", "wang")
        for who, need in (("li", "need-1"), ("wang", "need-2")):
            await d.takes(who, need, site_id="west")
        other = "/tasks/wang~need-2"
        assert (await d.ask("stranger", f"GET {TASK}")).json()["volunteer_id"] == "li"
        assert (await d.ask("stranger", f"POST {TASK}/withdraw")).status_code == 404, "that is theirs to say"
        await d.w.passes(days=1, hours=1)
        began = {"started_at": TOMORROW.isoformat()}
        assert (await d.ask("stranger", f"POST {TASK}/check-in", began)).json()["status"] == "checked_in"
        assert (await d.ask("stranger", f"POST {TASK}/undo-check-in")).json()["status"] == "taken"
        await d.ask("stranger", f"POST {TASK}/check-in", began)
        assert (await d.ask("stranger", f"POST {TASK}/check-out")).json()["minutes"] == 60
        assert (await d.ask("stranger", f"POST {other}/no-show")).json()["status"] == "no_show"
        assert (await d.ask("staff", f"GET {other}")).status_code == 200


async def test_the_station_whose_need_it_is_learns_who_comes_and_can_call_until_it_is_over() -> None:
    async with desk() as d:
        await d.registers("li", "wang", name="罗小梅", phone="13800000000")
        await d.takes("li", "need-1", site_id="west")
        await d.takes("wang", "need-2")
        who_comes = f"GET {TASK}/helper"
        expected = {"volunteer_id": "li", "name": "罗小梅", "phone": "13800000000", "active": True}
        for who in ("stranger", "staff", "boss", "li"):
            assert (await d.ask(who, who_comes)).json() == expected
        assert [(await d.ask(w, who_comes)).status_code for w in ("wang", "charity")] == [404, 403]
        assert (await d.ask("stranger", "GET /tasks/wang~need-2/helper")).status_code == 404
        assert (await d.ask("stranger", "GET /volunteers/li")).status_code == 404, "the profile stays closed"
        await d.w.passes(days=1, hours=3)
        assert (await d.ask("stranger", who_comes)).json() == expected, "nobody came: now they call"
        await d.ask("stranger", f"POST {TASK}/no-show")
        assert (await d.ask("stranger", who_comes)).json() == {**expected, "phone": None}


async def elsewhere(d: Desk, who: str, query: str = "") -> list[str]:
    listed = (await d.ask(who, f"GET /tasks?from_elsewhere=true{query}")).json()["items"]
    return [task["id"] for task in listed]


async def test_the_station_whose_need_it_is_finds_the_tasks_of_people_from_elsewhere() -> None:
    async with desk() as d:
        await d.registers("li", "wang")
        await d.takes("li", "need-1", site_id="west")
        await d.takes("li", "need-2", window=a_window(TOMORROW + timedelta(hours=3)))
        await d.takes("wang", "need-3", site_id="west", window=a_window(TOMORROW + timedelta(days=1)))
        await d.takes("li", "need-4", site_id="west", window=a_window(TOMORROW + timedelta(days=2)))
        west = ["li~need-1", "li~need-4", "wang~need-3"]
        assert await elsewhere(d, "stranger") == west
        assert await elsewhere(d, "stranger", "&volunteer_id=wang") == ["wang~need-3"]
        for who in ("staff", "boss", "li"):
            assert await elsewhere(d, who) == [], "their own list has them"
        await d.w.passes(days=1, hours=1)
        assert await elsewhere(d, "stranger", "&overdue=true") == ["li~need-1"]
        assert (await d.ask("stranger", f"POST {TASK}/no-show")).status_code == 200
        assert await elsewhere(d, "stranger", "&overdue=true") == []
        assert await elsewhere(d, "stranger", "&status=taken") == ["li~need-4", "wang~need-3"]


async def test_whoever_moves_is_found_by_the_station_that_still_expects_them() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1")
        assert await elsewhere(d, "staff") == []
        moved = await d.ask("boss", "PATCH /volunteers/li", {"site_id": "west"}, if_match='"1"')
        assert moved.status_code == 200
        assert await elsewhere(d, "staff") == ["li~need-1"]


async def test_an_invitation_is_nobody_who_comes() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.asks("need-1", "li", site_id="west")
        assert (await d.ask("stranger", f"GET {TASK}/helper")).status_code == 404


async def test_invitations_and_tasks_say_whose_need_it_is() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.asks("need-1", "li", site_id="west")
        (asked,) = (await d.ask("li", "GET /invitations")).json()["items"]
        won = await d.accepts("li", "need-1")
        assert (asked["site_id"], won.json()["site_id"]) == ("west", "west")
        assert "household_id" not in asked and "household_id" not in won.json()


async def test_nobody_vouches_for_a_task_of_their_own_because_the_need_is_of_their_station() -> None:
    async with desk() as d:
        await d.registers("stranger")
        await d.takes("stranger", "need-1", site_id="west")
        await d.w.passes(days=1, hours=1)
        mine = "/tasks/stranger~need-1"
        began = {"started_at": TOMORROW.isoformat()}
        assert (await d.ask("stranger", f"POST {mine}/check-in", began)).status_code == 403
        assert (await d.ask("stranger", f"POST {mine}/no-show")).status_code == 404
        assert (await d.ask("stranger", f"POST {mine}/check-in")).status_code == 200


async def in_pages(d: Desk, query: str, limit: int) -> list[list[str]]:
    """The ids of all tasks, a page at a time."""
    pages: list[list[str]] = []
    more = ""
    while True:
        page = (await d.ask("staff", f"GET /tasks?limit={limit}&{query}{more}")).json()
        pages.append([task["id"] for task in page["items"]])
        if page["next_cursor"] is None:
            return pages
        more = f"&cursor={page['next_cursor']}"


@pytest.mark.parametrize("limit", range(1, 8))
async def test_a_page_of_tasks_holds_as_many_as_were_asked_for_and_none_is_left_out(limit: int) -> None:
    async with desk() as d:
        await d.registers("an", "li", "li-2", "wang", "zhou", weekly_cap_minutes=1200)
        taken = [("li", 1), ("li", 2), ("li", 3), ("li-2", 4), ("wang", 5), ("wang", 6)]
        for who, n in taken:
            at = TOMORROW + timedelta(hours=3 * n)
            await d.takes(who, f"need-{n}", window=a_window(at))
        all_ = [f"{who}~need-{n}" for who, n in taken]
        pages = await in_pages(d, "", limit)
        assert [id for page in pages for id in page] == all_
        assert max(map(len, pages)) <= limit and all(len(page) == limit for page in pages[:-1])
        assert await in_pages(d, "volunteer_id=wang&status=taken", 1) == [["wang~need-5"], ["wang~need-6"]]


async def test_no_task_is_left_out_though_the_one_where_a_page_ended_has_left_the_list() -> None:
    async with desk() as d:
        await d.registers("li")
        for n in (1, 2, 3):
            await d.takes("li", f"need-{n}", window=a_window(TOMORROW + timedelta(hours=3 * n)))
        first = (await d.ask("staff", "GET /tasks?status=taken&limit=2")).json()
        await d.ask("li", "POST /tasks/li~need-2/withdraw")
        path = f"GET /tasks?status=taken&limit=2&cursor={first['next_cursor']}"
        assert [t["id"] for t in (await d.ask("staff", path)).json()["items"]] == ["li~need-1", "li~need-3"]


async def test_staff_find_the_tasks_of_their_people() -> None:
    async with desk() as d:
        await d.registers("li", "wang")
        await d.takes("wang", "need-2")
        assert await in_pages(d, "", 1) == [["wang~need-2"]]
        only = (await d.ask("staff", "GET /tasks?volunteer_id=wang&status=taken")).json()["items"]
        assert len(only) == 1


async def test_hours_made_up_by_staff_stand_on_the_record_with_their_reason() -> None:
    async with desk() as d:
        await d.registers("li")
        answer = await makes_up(d, starts="09:00", need_id=A_NEED)
        assert answer.status_code == 201 and answer.json()["reason"] == "纸质签到表"
        assert answer.json()["started_at"] == "2026-03-01T01:00:00Z"
        (hours,) = d.w.said(HoursRecorded)
        assert (hours.kind, hours.minutes, hours.need_id) == (HoursKind.HONOUR, 60, A_NEED)
        assert "纸质" not in hours.model_dump_json()


@pytest.mark.parametrize("starts", ["09:00Z", "01:00:00+08:00", "nine", {}])
async def test_when_a_service_began_is_told_by_the_clock_on_the_wall(starts: object) -> None:
    async with desk() as d:
        await d.registers("li")
        answer = await makes_up(d, starts=starts)
        (error,) = answer.json()["errors"]
        assert answer.status_code == 422 and error["pointer"] == "/starts" and "09:00" in error["en"]


async def test_made_up_hours_sent_twice_with_one_key_count_once() -> None:
    async with desk() as d:
        await d.registers("li")
        first = await makes_up(d, key="same", starts="09:00")
        again = await makes_up(d, key="same", starts="09:00")
        assert first.json() == again.json() and len(d.w.said(HoursRecorded)) == 1
        other = await makes_up(d, key="same", minutes=61)
        assert other.status_code == 422 and other.json()["type"].endswith("idempotency-key-reused")


async def test_two_services_of_one_person_never_overlap_but_may_touch() -> None:
    async with desk() as d:
        await d.registers("li")
        await makes_up(d, starts="09:00")
        clash = await makes_up(d, starts="09:59")
        assert clash.status_code == 409 and clash.json()["type"].endswith("service-overlaps")
        assert (await makes_up(d, starts="10:00")).status_code == 201


async def test_made_up_hours_do_not_overlap_a_service_that_was_checked_in() -> None:
    async with desk() as d:
        await d.registers("li")
        await serves(d)
        clash = await makes_up(d, day="2026-03-03", starts="10:00", minutes=10)
        assert clash.status_code == 409
        await d.w.passes(days=60)
        assert (await makes_up(d, day="2026-03-03", starts="10:00", minutes=10)).status_code == 409
        assert (await makes_up(d, day="2026-03-03", starts="10:30", minutes=10)).status_code == 201


async def test_a_late_check_in_does_not_overlap_hours_made_up_before() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1")
        await d.w.passes(days=2)
        await makes_up(d, day="2026-03-03", starts="09:30", minutes=30)
        inside = (TOMORROW + timedelta(minutes=40)).isoformat()
        clash = await d.ask("staff", f"POST {TASK}/check-in", {"started_at": inside})
        assert clash.status_code == 409
        await d.ask("staff", f"POST {TASK}/check-in", {"started_at": TOMORROW.isoformat()})
        across = await d.ask("staff", f"POST {TASK}/check-out", {"ended_at": inside})
        assert across.status_code == 409
        until = (TOMORROW + timedelta(minutes=30)).isoformat()
        assert (await d.ask("staff", f"POST {TASK}/check-out", {"ended_at": until})).status_code == 200


async def test_a_late_check_in_does_not_overlap_a_service_of_long_ago_that_has_left_the_calendar() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-2", window=a_window(TOMORROW + timedelta(hours=2)))
        await serves(d)
        await d.w.passes(days=40)
        await d.asks("need-3", "li", window=a_window(d.w.clock.now() + timedelta(days=1)))
        task = "/tasks/li~need-2"

        async def enters(act: str, field: str, minutes: int) -> Any:
            at = (TOMORROW + timedelta(minutes=minutes)).isoformat()
            return (await d.ask("staff", f"POST {task}/{act}", {field: at})).json()

        assert (await enters("check-in", "started_at", 60))["type"].endswith("service-overlaps")
        assert (await enters("check-in", "started_at", -60))["status"] == "checked_in"
        assert (await enters("check-out", "ended_at", 30))["type"].endswith("service-overlaps")
        assert (await enters("check-out", "ended_at", 0))["status"] == "done"
        listed = (await d.ask("li", "GET /volunteers/li/hours")).json()
        assert (listed["credit_minutes"], listed["honour_minutes"]) == (90, 60)


async def test_a_day_has_no_more_than_24_hours() -> None:
    async with desk() as d:
        await d.registers("li")
        assert (await makes_up(d, minutes=1000)).status_code == 201
        full = await makes_up(d, minutes=441)
        assert full.status_code == 409 and full.json()["type"].endswith("day-full")
        assert (await makes_up(d, minutes=440)).status_code == 201


async def test_a_service_that_is_going_on_counts_in_its_day() -> None:
    async with desk() as d:
        await d.registers("li", weekly_cap_minutes=24 * 60)
        long = a_window(START + timedelta(hours=1), hours=12)
        await d.takes("li", "need-1", window=long)
        await d.w.passes(hours=1)
        assert (await d.ask("li", f"POST {TASK}/check-in")).status_code == 200
        await d.w.passes(hours=10)
        full = await makes_up(d, day="2026-03-02", minutes=721)
        assert full.status_code == 409 and full.json()["type"].endswith("day-full")
        assert (await makes_up(d, day="2026-03-02", minutes=720)).status_code == 201
        await d.w.passes(hours=2)
        assert (await d.ask("li", f"POST {TASK}/check-out")).json()["minutes"] == 720


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"minutes": 0}, "/minutes"),
        ({"minutes": 1441}, "/minutes"),
        ({"day": "2026-03-03"}, "/day"),
        ({"day": "2026-03-02", "starts": "08:30"}, "/minutes"),
        ({"day": "2026-03-02", "minutes": 541}, "/minutes"),
        ({"reason": ""}, "/reason"),
        ({"day": "yesterday"}, "/day"),
    ],
)
async def test_made_up_hours_that_make_no_sense_are_refused(body: dict[str, Any], pointer: str) -> None:
    async with desk() as d:
        await d.registers("li")
        answer = await makes_up(d, **body)
        assert answer.status_code == 422 and answer.json()["errors"][0]["pointer"] == pointer


async def test_hours_for_a_day_long_ago_are_not_said_to_lie_in_the_future() -> None:
    async with desk() as d:
        await d.registers("li")
        told = [(await makes_up(d, day=day)).json()["title_zh"] for day in ("1999-12-31", "2026-03-03")]
        assert "年份" in told[0] and "将来" not in told[0] and "将来" in told[1]
        assert (await makes_up(d, day="2000-01-01")).status_code == 201


async def test_only_staff_of_the_site_make_up_hours() -> None:
    async with desk() as d:
        await d.registers("li")
        body = {"day": "2026-03-01", "minutes": 60, "reason": "x"}
        codes = [(await d.ask(w, "POST /volunteers/li/hours", body)).status_code for w in ("li", "stranger")]
        assert codes == [403, 404]
        assert (await d.ask("stranger", "GET /volunteers/li/hours")).status_code == 404


async def test_an_interrupted_entry_of_hours_is_finished_by_sending_it_again() -> None:
    """The calendar had claimed the time when the process died; the record was not written."""
    async with desk() as whole:
        await whole.registers("li")
        answer = (await makes_up(whole, key="same", starts="09:00")).json()
        claimed = await whole.calendar("li")
    async with desk() as d:
        await d.registers("li")
        await d.w.store.change(Calendar, "li", lambda _: Change(claimed))
        assert (await makes_up(d, starts="09:30")).status_code == 409
        again = await makes_up(d, key="same", starts="09:00")
        assert again.status_code == 201 and again.json() == answer
        assert len(d.w.said(HoursRecorded)) == 1
