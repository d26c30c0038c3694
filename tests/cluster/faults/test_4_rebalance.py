"""Instances come and go under load: order per key holds, what comes twice is absorbed and counted."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping

import pytest

from tests.cluster.faults.ground import Ground
from tests.cluster.faults.lengths import LENGTHS
from tests.live.crowd import Crowd

pytestmark = [pytest.mark.cluster, pytest.mark.cluster_faults, pytest.mark.timeout(1800)]

SCALED = ("needs", "matching", "volunteers", "resources")
FIRST = [f"{service}-1" for service in SCALED]
SECOND = [f"{service}-2" for service in SCALED]
REBALANCES, DUPLICATES = "wushe_rebalances", "wushe_duplicates_absorbed"


async def test_from_one_instance_to_two_and_back_keeps_order_and_doubles_nothing(ground: Ground) -> None:
    await ground.leave(SECOND)
    try:
        async with ground.crowd(pace=0.2) as crowd:
            before = await ground.figures(FIRST)
            async with ground.living(crowd):
                for _ in range(LENGTHS.turns):
                    await _comes_and_leaves(ground, crowd)
                await _comes_and_dies(ground)
                healing = ground.healed("second instances died")
                await ground.has_posted(crowd, 5)
            await ground.recovers(crowd, healing)
            after = await ground.figures(FIRST)
            dealt, absorbed = _risen(before, after, REBALANCES), _risen(before, after, DUPLICATES)
            assert min(dealt.values()) >= 2 * LENGTHS.turns, dealt
            assert sum(absorbed.values()) > 0, absorbed
            messages = await order_holds(ground)
            ground.told.facts["4 rebalance"] = (
                f"rebalances {dealt}, duplicates absorbed {absorbed}, {messages} messages in order per key; "
                f"{crowd.summary}"
            )
    finally:
        await asyncio.to_thread(ground.cluster.start)


async def _comes_and_leaves(ground: Ground, crowd: Crowd) -> None:
    await ground.restart(SECOND)
    await asyncio.to_thread(ground.cluster.wait_ready)
    await ground.has_posted(crowd, 5)
    await ground.leave(SECOND)
    await ground.has_posted(crowd, 5)


async def _comes_and_dies(ground: Ground) -> None:
    """Each dies between its work and its offset, so that the one that stays is given the same messages again."""
    await ground.restart(SECOND, "loop.applied:5")
    until = time.monotonic() + 90
    while alive := [name for name in SECOND if ground.cluster.instances[name].pid is not None]:
        assert time.monotonic() < until, f"{alive} had no work"
        await asyncio.sleep(0.05)


async def order_holds(ground: Ground) -> int:
    """No message lies before an earlier one of its record, whoever published it. Gives the number of messages."""
    last: dict[tuple[str, str], int] = {}
    messages = 0
    async for delivery in ground.evidence.log():
        messages += 1
        place, number = (delivery.position.topic, delivery.key), int(json.loads(delivery.value)["sequence"])
        known = last.get(place, 0)
        assert number <= known + 1, f"{place}: {number} came after {known}"
        last[place] = max(known, number)
    return messages


def _risen(
    before: Mapping[str, Mapping[str, float]], after: Mapping[str, Mapping[str, float]], figure: str
) -> dict[str, int]:
    return {name: int(after[name][figure] - before[name][figure]) for name in before}
