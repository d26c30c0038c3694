"""Messages of different needs come in any order, and any of them twice: no rule breaks, and nothing is lost."""

from __future__ import annotations

from random import Random

import pytest

from shared.contracts import Message
from shared.contracts.matching import MatchEvent
from shared.contracts.resources import HoldEvent, LotEvent
from shared.contracts.vocabulary import HoldStatus
from tests.services.resources_desk import Desk, a_confirmation, a_release, a_request, desk

NEEDS = 12


def told(d: Desk, lot_id: str, chance: Random) -> list[list[Message]]:
    """What matching says about each need, in its order: a request, then sometimes more."""
    stories = []
    for n in range(NEEDS):
        need = f"need-{n}"
        request = a_request(lot_id, chance.randint(1, 4), need)
        rest: list[MatchEvent] = chance.choice(
            [[], [a_confirmation(request.hold_id)], [a_release(request.hold_id)]]
        )
        if chance.random() < 0.3:
            rest = [a_confirmation(request.hold_id), a_release(request.hold_id)]
        stories.append([d.w.message(need, event) for event in (request, *rest)])
    return stories


def shuffled(stories: list[list[Message]], chance: Random) -> list[Message]:
    """All stories at once, each in its own order, every message perhaps again later."""
    waiting = [list(story) for story in stories]
    order: list[Message] = []
    while any(waiting):
        order.append(chance.choice([story for story in waiting if story]).pop(0))
        if chance.random() < 0.4:
            order.append(chance.choice(order))
    return order + chance.sample(order, k=len(order) // 2)


async def ends(seed: int, quantity: int, *, straight: bool) -> dict[str, HoldStatus]:
    chance = Random(seed)
    async with desk() as d:
        lot_id = await d.lists(quantity=quantity)
        stories = told(d, lot_id, chance)
        messages = [m for story in stories for m in story] if straight else shuffled(stories, chance)
        await d.w.hears(*messages)
        lot = await d.lot(lot_id)
        for message in d.w.messages:
            assert isinstance(message.data, LotEvent)
            state = message.data.state
            assert state.held + state.issued + state.written_off <= state.received
        said = [m.data.name for m in d.w.messages if isinstance(m.data, HoldEvent)]
        assert len(said) == sum(len(story) for story in stories), "every question has exactly one answer"
        return {hold.need_id: hold.status for hold in lot.holds.values() if hold.asked}


@pytest.mark.parametrize("seed", range(6))
async def test_with_enough_for_all_every_order_ends_the_same(seed: int) -> None:
    assert await ends(seed, 1000, straight=True) == await ends(seed, 1000, straight=False)


@pytest.mark.parametrize("seed", range(6))
async def test_with_too_little_for_all_no_order_promises_too_much(seed: int) -> None:
    await ends(seed, 15, straight=False)
