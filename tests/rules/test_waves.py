"""However many seats are free and whatever the station has set, those asked at once fit into one message."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.matching.domain.match import PeopleState
from services.matching.domain.planning import wave_size
from shared.bookkeeping import LARGEST_MESSAGE
from shared.contracts.base import Part
from shared.contracts.parts import CalendarLoad, Offer, Reason, SitePolicy, Window
from shared.contracts.vocabulary import Criterion
from shared.contracts.volunteers import Opened

NOW = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)
PERSON = "019cac0f-2680-76c6-91b7-584afc6f0264"
INVITATION = f"{PERSON}~0123456789abcdef01234567"
BUSY = CalendarLoad(
    turn=1000,
    busy=tuple(
        Window(start_at=NOW + timedelta(days=n), end_at=NOW + timedelta(days=n, hours=2)) for n in range(12)
    ),
    contacted_at=tuple(NOW - timedelta(hours=n) for n in range(14)),
    minutes_by_week={f"2026-W{n}": 600 for n in range(10, 20)},
    tasks_by_month={f"2026-{n}": 20 for n in range(10, 13)},
)


def size_of(part: Part) -> int:
    return len(part.model_dump_json(exclude_none=True))


def test_the_largest_wave_fits_into_the_messages_that_tell_of_it() -> None:
    state = PeopleState(seats=("",) * 100, waves=6)
    asked = wave_size(state, SitePolicy(first_wave=1000, wave_growth=100))
    offer = Offer(
        invitation_id=INVITATION,
        volunteer_id=PERSON,
        reasons=tuple(Reason(criterion=c, value=123.456789) for c in Criterion),
    )
    opened = Opened(invitation_id=INVITATION, volunteer_id=PERSON, load=BUSY)
    assert asked * max(size_of(offer), size_of(opened)) < LARGEST_MESSAGE * 0.9


def test_a_wave_asks_so_many_for_each_free_seat() -> None:
    state = PeopleState(seats=("", "taken", ""), waves=2)
    assert wave_size(state, SitePolicy(first_wave=5, wave_growth=2)) == 5 * 4 * 2
