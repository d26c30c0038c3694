"""kill -9 of each service, at every named point of its loop and blindly under load, while a second instance lives on."""

from __future__ import annotations

import asyncio
import time
from random import Random

import pytest

from shared.run.faults import POINTS
from tests.cluster.faults.ground import Ground
from tests.cluster.faults.lengths import LENGTHS
from tests.cluster.faults.stirring import stirred
from tests.live.crowd import Crowd
from wushe.check.embedded import heard
from wushe.routing import services

pytestmark = [pytest.mark.cluster, pytest.mark.cluster_faults, pytest.mark.timeout(7200)]

DIES_WITHIN = 120.0
KILLS_PER_CROWD = 15


@pytest.mark.parametrize("nth", LENGTHS.passes)
@pytest.mark.parametrize("point", POINTS)
async def test_each_service_killed_at_this_point_loses_nothing(ground: Ground, point: str, nth: int) -> None:
    doomed = [f"{service}-1" for service in services() if _passes(service, point)]
    async with ground.crowd(pace=0.4) as crowd:
        async with ground.living(crowd), stirred(ground, crowd.cast):
            await ground.restart(doomed, f"{point}:{nth}")
            await _all_died(ground, doomed)
        await ground.restart(doomed)
        await ground.holds_to(crowd)
        _tells(ground, f"1 killed at {point}, pass {nth}", crowd, len(doomed))


async def test_blind_kills_under_load_lose_nothing(ground: Ground) -> None:
    chance = Random(4711)
    names = list(ground.cluster.instances)
    left = LENGTHS.kills
    while left:
        kills = min(left, KILLS_PER_CROWD)
        async with ground.crowd(pace=0.4) as crowd:
            for _ in range(kills):
                await _killed_under_load(ground, crowd, chance.choice(names), chance.uniform(0.3, 2.5))
        left -= kills
        _tells(ground, f"1 blind kills, {LENGTHS.kills - left} so far", crowd, kills)


async def _killed_under_load(ground: Ground, crowd: Crowd, name: str, seconds: float) -> None:
    began = time.monotonic()
    async with ground.living(crowd):
        await asyncio.sleep(seconds)
        ground.cluster.instances[name].kill()
        await ground.restart([name])
    await ground.holds_to(crowd)
    print(
        f"{name} killed after {seconds:.1f} s of load: sound again, {time.monotonic() - began:.1f} s in all"
    )


def _passes(service: str, point: str) -> bool:
    """The directory hears nothing, so it has no loop."""
    return bool(heard()[service]) or not point.startswith("loop.")


async def _all_died(ground: Ground, doomed: list[str]) -> None:
    until = time.monotonic() + DIES_WITHIN
    while alive := [name for name in doomed if ground.cluster.instances[name].pid is not None]:
        assert time.monotonic() < until, f"{alive} never came to the point"
        await asyncio.sleep(0.05)


def _tells(ground: Ground, group: str, crowd: Crowd, kills: int) -> None:
    ground.told.facts[group] = f"{kills} kills, {crowd.summary}"
