"""What is held: as long as the goods are good, and no more than is needed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from shared.contracts.resources import HoldConfirmed, HoldPlaced, HoldReleased
from shared.contracts.vocabulary import Closing, HoldStatus
from tests.services.resources_desk import a_confirmation, desk
from tests.world import START


async def test_goods_whose_expiry_is_the_last_day_there_is_are_held_and_confirmed() -> None:
    async with desk() as d:
        lot_id = await d.lists(expires_on="9999-12-31")
        hold_id = await d.holds(lot_id, 4)
        await d.confirms(hold_id)
        assert [placed.hold_id for placed in d.w.said(HoldPlaced)] == [hold_id]
        assert [confirmed.hold_id for confirmed in d.w.said(HoldConfirmed)] == [hold_id]


async def test_a_hold_is_cut_down_to_a_single_piece_if_no_more_is_needed() -> None:
    async with desk() as d:
        lot_id = await d.lists(quantity=10)
        await d.holds(lot_id, 4)
        await d.holds(lot_id, 1)
        lot = await d.lot(lot_id)
        assert (lot.held, lot.available) == (1, 9)


@pytest.mark.parametrize("days", [1, 9])
async def test_what_is_confirmed_once_more_is_kept_until_the_newer_date_also_when_an_older_one_comes_again(
    days: int,
) -> None:
    async with desk() as d:
        lot_id = await d.lists()
        hold_id = await d.holds(lot_id, 4)
        first = d.w.message("need-1", a_confirmation(hold_id))
        until = START + timedelta(days=days)
        second = d.w.message("need-1", a_confirmation(hold_id, pick_up_by=until))
        await d.w.hears(first, second)
        kept = await d.lot(lot_id)
        await d.w.hears(first, second, first)
        assert await d.lot(lot_id) == kept
        assert [e.pick_up_by for e in d.w.said(HoldConfirmed)] == [START + timedelta(days=3), until]
        assert kept.holds[hold_id].pick_up_by == until


@pytest.mark.parametrize(("good_on", "kept"), [(date(2026, 3, 5), True), (date(2026, 3, 6), False)])
async def test_what_is_confirmed_once_more_goes_back_if_it_will_be_spoilt_by_then(
    good_on: date, kept: bool
) -> None:
    async with desk() as d:
        lot_id = await d.lists(expires_on="2026-03-05")
        hold_id = await d.holds(lot_id, 4)
        await d.confirms(hold_id)
        await d.confirms(hold_id, good_on=good_on)
        assert [e.reason for e in d.w.said(HoldReleased)] == [Closing.EXPIRED] * (not kept)
        assert (await d.lot(lot_id)).held == 4 * kept


async def test_what_was_handed_over_stays_so_when_it_is_confirmed_once_more() -> None:
    async with desk() as d:
        lot_id = await d.lists(expires_on="2026-03-05")
        hold_id = await d.holds(lot_id, 4)
        await d.issues(hold_id)
        before = await d.lot(lot_id)
        await d.confirms(hold_id, pick_up_by=START + timedelta(days=9), good_on=date(2026, 3, 11))
        assert (await d.lot(lot_id)) == before
        assert before.holds[hold_id].status is HoldStatus.ISSUED
