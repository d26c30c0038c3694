"""What is held: as long as the goods are good, and no more than is needed."""

from __future__ import annotations

from shared.contracts.resources import HoldConfirmed, HoldPlaced
from tests.services.resources_desk import desk


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
