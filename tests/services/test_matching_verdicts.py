"""What people hear of a seat: that others were quicker, what the need is about now, and whom it is offered to next."""

from __future__ import annotations

from datetime import timedelta

from shared.contracts.matching import SeatFilled, SeatsOffered, SeatWon
from shared.contracts.needs import NeedChanged
from shared.contracts.parts import Window
from shared.contracts.vocabulary import Category, Closing
from tests.services.matching_desk import NEED, TOMORROW, a_line, a_need, desk, ids


async def test_whoever_came_too_late_hears_that_the_seat_is_filled_and_not_that_the_need_has_changed() -> (
    None
):
    async with desk() as d:
        await d.knows_people("li", "wang")
        await d.posts()
        await d.accepts("li", "wang")
        assert [(f.volunteer_id, f.reason) for f in d.w.said(SeatFilled)] == [("wang", Closing.FILLED)]


async def test_whoever_has_a_seat_hears_what_the_need_is_about_now() -> None:
    async with desk() as d:
        await d.knows_people("li")
        await d.posts()
        await d.accepts("li")
        await d.w.hears((NEED, NeedChanged(spec=a_need(category=Category.CULTURE_HEALTH))))
        assert [w.category for w in d.w.said(SeatWon)] == [Category.COMFORT, Category.CULTURE_HEALTH]


async def test_whoever_did_not_come_is_not_asked_for_another_visit_at_the_same_time() -> None:
    later = Window(
        start_at=TOMORROW.start_at + timedelta(hours=1), end_at=TOMORROW.end_at + timedelta(hours=1)
    )
    async with desk(wave_seconds=60) as d:
        await d.knows_people("li")
        await d.posts(a_line("p1"), a_line("p2", window=later))
        assert (d.asked("p1"), d.asked("p2")) == (["li"], [])
        await d.accepts("li")
        await d.w.passes(days=1, minutes=10)
        await d.stays_away("li")
        await d.w.passes(minutes=30)
        assert d.asked("p2") == []


async def test_a_seat_that_is_free_again_is_offered_to_as_few_as_at_the_beginning() -> None:
    async with desk(first_wave=1, wave_growth=3) as d:
        await d.knows_people(*(f"v{n}" for n in range(9)))
        await d.posts()
        await d.declines(*d.asked())
        taken = d.asked()[1]
        await d.accepts(taken)
        await d.withdraws(taken)
        assert [len(ids(wave.offers)) for wave in d.w.said(SeatsOffered)] == [1, 3, 1]
