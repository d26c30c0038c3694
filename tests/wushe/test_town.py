"""The sample town, loaded through the HTTP interface of a real system."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from shared.contracts.vocabulary import NeedStatus
from shared.embedded.clock import SystemClock
from shared.security.passwords import Hasher
from wushe.check import recount
from wushe.check.embedded import evidence_in
from wushe.client import Api
from wushe.embedded import embedded
from wushe.first import ensure_administrator
from wushe.sample.staff import ADMINISTRATOR, PASSWORD
from wushe.sample.stories import play_stories
from wushe.sample.town import Town
from wushe.serving import moving

WAITED_FOR = {NeedStatus.PARTLY_MATCHED, NeedStatus.LAPSED, NeedStatus.OPEN}
"""Statuses that only time brings, or that last for a moment."""
BEGAN_AT = datetime.now(UTC).replace(microsecond=0)


@asynccontextmanager
async def a_town(data: Path) -> AsyncIterator[Town]:
    async with embedded(data, hasher=Hasher.cheap()) as system, moving(system):
        await ensure_administrator(system, data, ADMINISTRATOR, "admin", PASSWORD)
        api = Api.inside(system.api)
        try:
            yield Town(api, BEGAN_AT)
        finally:
            await api.close()


async def statuses(town: Town) -> Counter[str]:
    return Counter([need["status"] async for need in town.supervisor.every("/api/needs")])


async def test_the_town_has_needs_in_every_status_and_breaks_no_rule(tmp_path: Path) -> None:
    async with a_town(tmp_path) as town:
        await town.load()
        assert await play_stories(town) == []
        found = await statuses(town)
    assert set(NeedStatus) - set(found) <= WAITED_FOR
    async with evidence_in(tmp_path, live=False) as evidence:
        report = await recount(evidence, SystemClock())
    assert report.violations == []
    assert report.dead_letters == 0


async def test_loading_again_changes_nothing(tmp_path: Path) -> None:
    async with a_town(tmp_path) as town:
        await town.load()
        first = dict(town.ids)
        again = Town(town.api, BEGAN_AT)
        await again.load()
        assert again.ids == first
        people = [v["id"] async for v in town.supervisor.every("/api/volunteers")]
        lots = [lot["id"] async for lot in town.supervisor.every("/api/lots")]
        households = [h["id"] async for h in town.supervisor.every("/api/households")]
    assert (len(people), len(lots), len(households)) == (60, 40, 30)


async def test_a_load_that_was_cut_short_is_finished_by_the_next(tmp_path: Path) -> None:
    async with a_town(tmp_path) as town:
        await town.sign_in(ADMINISTRATOR)
        await town.load_places()
    async with a_town(tmp_path) as town:
        await town.load()
        assert len([v async for v in town.supervisor.every("/api/volunteers")]) == 60
