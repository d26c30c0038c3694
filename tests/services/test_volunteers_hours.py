"""Hours entered afterwards: each day has its own 24."""

from __future__ import annotations

from tests.services.volunteers_desk import desk


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
