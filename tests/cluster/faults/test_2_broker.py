"""The broker dies, freezes or is gone while people go on: posting is acknowledged, and everything flows afterwards."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.cluster.faults.ground import Ground
from tests.cluster.faults.lengths import LENGTHS
from tests.live.crowd import Crowd

pytestmark = [pytest.mark.cluster, pytest.mark.cluster_faults, pytest.mark.timeout(1800)]

POSTED_MEANWHILE = 5


@pytest.mark.parametrize("turn", range(LENGTHS.outages))
async def test_a_broker_killed_and_started_again_on_its_data_loses_nothing(ground: Ground, turn: int) -> None:
    async with ground.crowd() as crowd:
        async with ground.living(crowd):
            await ground.has_posted(crowd, 5)
            await asyncio.to_thread(ground.broker.kill)
            try:
                await ground.has_posted(crowd, POSTED_MEANWHILE)
            finally:
                await asyncio.to_thread(ground.broker.start)
            healing = ground.healed("broker killed")
        await ground.recovers(crowd, healing)
        ground.told.facts["2 broker killed"] = crowd.summary


async def test_a_frozen_broker_delays_and_loses_nothing(ground: Ground) -> None:
    async with ground.crowd() as crowd:
        async with ground.living(crowd):
            await ground.has_posted(crowd, 5)
            ground.broker.freeze()
            try:
                await _goes_on_for(LENGTHS.broker_frozen, ground, crowd)
            finally:
                ground.broker.thaw()
            healing = ground.healed(f"broker frozen {LENGTHS.broker_frozen:g} s")
        await ground.recovers(crowd, healing)
        ground.told.facts["2 broker frozen"] = crowd.summary


async def test_while_the_broker_is_gone_posting_is_acknowledged_and_all_flows_afterwards(
    ground: Ground,
) -> None:
    async with ground.crowd() as crowd:
        async with ground.living(crowd):
            await ground.has_posted(crowd, 5)
            await asyncio.to_thread(ground.broker.kill)
            try:
                await _goes_on_for(LENGTHS.broker_gone, ground, crowd)
                waiting = await ground.figures(["needs-1", "needs-2"])
                assert "bus" in str(await asyncio.to_thread(ground.cluster.instances["needs-1"].missing))
            finally:
                await asyncio.to_thread(ground.broker.start)
            healing = ground.healed(f"broker gone {LENGTHS.broker_gone:g} s")
        assert max(told["wushe_outbox_depth"] for told in waiting.values()) > 0, "nothing waited in an outbox"
        await ground.recovers(crowd, healing)
        ground.told.facts["2 broker gone"] = crowd.summary


async def _goes_on_for(seconds: float, ground: Ground, crowd: Crowd) -> None:
    """People post through all of this time, and every request is answered without an error."""
    before, end = len(crowd.promises.needs), time.monotonic() + seconds
    answered = len(crowd.waits)
    while (left := end - time.monotonic()) > 0:
        await ground.has_posted(crowd, 1, seconds=30.0)
        await asyncio.sleep(min(1.0, max(0.0, left)))
    assert len(crowd.promises.needs) >= before + POSTED_MEANWHILE
    refused = [wait for wait in crowd.waits[answered:] if wait.status >= 500]
    assert not refused, (
        f"{len(refused)} requests were put off though the store was there, such as {refused[0]}"
    )
