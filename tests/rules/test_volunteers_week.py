"""Hours, days, weeks and months as a person lives them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.volunteers.domain.week import hours_between, is_quiet, month_of, pattern, week_of

SHANGHAI, URUMQI = "Asia/Shanghai", "Asia/Urumqi"
minutes = st.integers(0, 1439)


@given(minutes, minutes, minutes)
@example(420, 60, 420)
@example(60, 60, 420)
@example(420, 1320, 420)
@example(1320, 1320, 420)
@example(60, 60, 60)
def test_quiet_hours_are_those_that_a_clock_hand_passes_on_its_way(
    at: int, quiet_from: int, quiet_to: int
) -> None:
    """From `quiet_from` forward to `quiet_to`, the end excluded, midnight or not."""
    moment = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(minutes=at)
    passed = (at - quiet_from) % 1440 < (quiet_to - quiet_from) % 1440
    assert is_quiet(moment, "UTC", quiet_from, quiet_to) == passed


@pytest.mark.parametrize(
    ("moment", "zone", "week"),
    [
        ("2026-12-31T12:00", SHANGHAI, "2026-W53"),
        ("2027-01-01T12:00", SHANGHAI, "2026-W53"),
        ("2027-01-03T15:59", SHANGHAI, "2026-W53"),
        ("2027-01-03T16:00", SHANGHAI, "2027-W01"),
        ("2027-01-03T16:00", URUMQI, "2026-W53"),
        ("2024-12-30T00:00", "UTC", "2025-W01"),
    ],
)
def test_a_week_belongs_to_the_year_of_its_thursday_in_the_persons_zone(
    moment: str, zone: str, week: str
) -> None:
    assert week_of(datetime.fromisoformat(f"{moment}+00:00"), zone) == week


def test_a_month_begins_at_midnight_where_the_person_lives() -> None:
    moment = datetime(2026, 10, 31, 16, 0, tzinfo=UTC)
    assert month_of(moment, SHANGHAI) == "2026-11"
    assert month_of(moment, URUMQI) == "2026-10"


@given(st.integers(0, 6), st.integers(0, 23), st.integers(1, 24))
def test_a_range_of_hours_is_its_slots(day: int, from_hour: int, to_hour: int) -> None:
    slots = pattern(hours_between(day, from_hour, to_hour))
    assert len(slots) == max(0, to_hour - from_hour)
    assert all(slot // 24 == day and from_hour <= slot % 24 < to_hour for slot in slots)


def test_a_pattern_has_one_form() -> None:
    assert pattern([5, 3, 5]) == pattern([3, 5]) == (3, 5)
