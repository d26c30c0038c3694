"""The store dies or freezes: requests are told to come again, in bounded time; no dead letters, nothing lost."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.cluster.faults.ground import Ground
from tests.cluster.faults.lengths import LENGTHS
from tests.live.crowd import Crowd, Wait

pytestmark = [pytest.mark.cluster, pytest.mark.cluster_faults, pytest.mark.timeout(1800)]

BOUND_SECONDS = 15.0
"""Nobody waits longer for an answer: five seconds for the store, five for the batch that was before, and some."""


@pytest.mark.parametrize("part", ["kill", "kill_inner"])
@pytest.mark.parametrize("turn", range(LENGTHS.outages))
async def test_a_store_killed_and_started_again_loses_nothing(ground: Ground, part: str, turn: int) -> None:
    async with ground.crowd() as crowd:
        async with ground.living(crowd):
            await ground.has_posted(crowd, 5)
            before = len(crowd.waits)
            await asyncio.to_thread(getattr(ground.store, part))
            try:
                await _some_are_put_off(crowd, before)
                await _is_said_to_be_missing(ground)
            finally:
                await asyncio.to_thread(ground.store.start)
            healing = ground.healed(f"store: {part}")
        await ground.recovers(crowd, healing)
        _all_were_answered(ground, crowd, before, f"3 store: {part}")


async def test_a_frozen_store_puts_requests_off_and_loses_nothing(ground: Ground) -> None:
    async with ground.crowd() as crowd:
        async with ground.living(crowd):
            await ground.has_posted(crowd, 5)
            before = len(crowd.waits)
            ground.store.freeze()
            try:
                await asyncio.sleep(LENGTHS.store_frozen)
            finally:
                ground.store.thaw()
            healing = ground.healed(f"store frozen {LENGTHS.store_frozen:g} s")
            await ground.has_posted(crowd, 1)
        await ground.recovers(crowd, healing)
        _all_were_answered(ground, crowd, before, "3 store frozen")


async def _some_are_put_off(crowd: Crowd, before: int, enough: int = 5) -> None:
    until = time.monotonic() + 60
    while len(_put_off(crowd.waits[before:])) < enough:
        assert time.monotonic() < until, "nobody was told to come again"
        await asyncio.sleep(0.05)


async def _is_said_to_be_missing(ground: Ground) -> None:
    """At the latest when somebody asks twice: something may have been written just before it died."""
    until = time.monotonic() + 30
    while "store" not in str(told := await asyncio.to_thread(ground.cluster.instances["needs-1"].missing)):
        assert time.monotonic() < until, told


def _put_off(waits: list[Wait]) -> list[Wait]:
    return [wait for wait in waits if wait.status == 503]


def _all_were_answered(ground: Ground, crowd: Crowd, before: int, group: str) -> None:
    """Each in time, and those who were put off were told when to come again."""
    waits = crowd.waits[before:]
    put_off, slowest = _put_off(waits), max(waits)
    assert slowest.seconds < BOUND_SECONDS, slowest
    assert put_off
    assert all(int(wait.come_again or 0) >= 1 for wait in put_off)
    assert not [wait for wait in waits if wait.status == 0], "some got no answer"
    ground.told.facts[group] = (
        f"{len(put_off)} put off, longest wait {slowest.seconds:.1f} s; {crowd.summary}"
    )
