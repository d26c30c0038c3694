"""Hours entered afterwards: each day has its own 24, and no service is entered over another."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.volunteers.domain.refusals import ServiceOverlaps
from services.volunteers.domain.service_hours import ServiceRecord, make_up
from shared.contracts.vocabulary import HoursKind
from tests.services.volunteers_desk import TOMORROW, desk


async def test_what_was_entered_for_one_day_leaves_the_next_its_24_hours() -> None:
    async with desk() as d:
        await d.registers("li")
        for day, minutes, status in (
            ("2026-02-28", 1000, 201),
            ("2026-03-01", 1000, 201),
            ("2026-03-01", 441, 409),
        ):
            entry = {"day": day, "minutes": minutes, "reason": "纸质签到表"}
            answer = await d.ask("staff", "POST /volunteers/li/hours", entry)
            assert answer.status_code == status, f"{minutes} minutes on {day}"


async def test_a_service_of_which_no_record_is_read_yet_stands_in_the_way_all_the_same() -> None:
    """The record is written after the check-out; the calendar knows of it at once."""
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1")
        await d.w.passes(days=1)
        await d.ask("li", "POST /tasks/li~need-1/check-in")
        await d.w.passes(hours=1)
        await d.ask("li", "POST /tasks/li~need-1/check-out")
        entered = ServiceRecord(
            id="entered",
            volunteer_id="li",
            hours_kind=HoursKind.HONOUR,
            day="2026-03-03",
            minutes=30,
            started_at=TOMORROW + timedelta(minutes=15),
            ended_at=TOMORROW + timedelta(minutes=45),
            recorded_at=d.w.clock.now(),
        )
        with pytest.raises(ServiceOverlaps):
            make_up(await d.calendar("li"), entered, (), d.w.clock.now())


async def test_a_service_entered_afterwards_fills_no_day_beyond_its_24_hours() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.takes("li", "need-1")
        await d.w.passes(days=2)
        entry = {"day": "2026-03-03", "minutes": 1440, "reason": "纸质签到表"}
        assert (await d.ask("staff", "POST /volunteers/li/hours", entry)).status_code == 201
        began, ended = ((TOMORROW + timedelta(hours=h)).isoformat() for h in (0, 2))
        late = await d.ask("staff", "POST /tasks/li~need-1/check-in", {"started_at": began})
        assert late.status_code == 200, late.text
        refused = await d.ask("staff", "POST /tasks/li~need-1/check-out", {"ended_at": ended})
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:wushe:problem:day-full")
        assert (await d.ask("staff", "POST /tasks/li~need-1/undo-check-in")).status_code == 200
