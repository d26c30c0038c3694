"""The recount of a live system: what is under way is no violation, what never agrees is one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from services.resources.domain.records import Lot
from services.resources.domain.stock import receive_more
from shared.ports import Clock
from shared.records import Change
from tests.cast import Cast
from tests.town import town
from wushe.check.embedded import evidence_of
from wushe.check.evidence import Evidence, Progress
from wushe.check.recount import recount


@asynccontextmanager
async def a_lot_ahead_of_its_ledger(looks: int) -> AsyncIterator[tuple[Evidence, Clock]]:
    """A live system in which everything has been published and read; and yet, for so many looks at how far it has come,
    a lot is ahead of its ledger, as one is that changes all the time."""
    async with town() as t:
        cast = await Cast(t.call, t.token, t.clock.now).arrive()
        await t.settle()
        id = (await cast.lot(100))["id"]
        await t.settle()
        calm = evidence_of(t.engine, t.clock, live=True)
        left = looks

        async def progress() -> Progress:
            nonlocal left
            left -= 1
            received = 100 + max(0, left)
            await t.stores["resources"].change(Lot, id, lambda lot: _with(lot, received))
            return await calm.progress()

        yield replace(calm, progress=progress), t.clock


def _with(lot: Lot | None, received: int) -> Change[Lot]:
    assert lot is not None
    return Change(lot.but(received=received))


def _one_more(lot: Lot | None) -> Change[Lot]:
    assert lot is not None
    return receive_more(lot, 1)


async def test_a_record_with_news_under_way_at_every_look_is_no_violation() -> None:
    async with a_lot_ahead_of_its_ledger(looks=8) as (evidence, clock):
        report = await recount(evidence, clock)
        assert report.clean, report.violations


async def test_what_never_agrees_is_a_violation() -> None:
    async with a_lot_ahead_of_its_ledger(looks=1_000_000) as (evidence, clock):
        report = await recount(evidence, clock, seconds=3.0)
        assert [(violation.rule, violation.en) for violation in report.violations] == [
            (3, "the ledger's balance differs")
        ]


async def test_a_lot_that_is_never_level_with_its_ledger_is_none_if_the_ledger_follows() -> None:
    async with town() as t:
        cast = await Cast(t.call, t.token, t.clock.now).arrive()
        await t.settle()
        id = (await cast.lot(100))["id"]
        await t.settle()
        calm = evidence_of(t.engine, t.clock, live=True)

        async def progress() -> Progress:
            """Everything has arrived, and by the time of the next look the lot has changed once more."""
            await t.settle()
            seen = await calm.progress()
            await t.stores["resources"].change(Lot, id, _one_more)
            return seen

        evidence = replace(calm, progress=progress)
        report = await recount(evidence, t.clock, seconds=5.0)
        assert report.clean, report.violations
