"""The copy itself, in an order that may be broken off anywhere: look at all, refuse or write, count again.

Records come before the log, and the log before the groups' places in it: whoever started services on half a copy would
find less than there is, but nothing would be applied twice.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from shared.contracts import TOPICS
from shared.embedded.clock import SystemClock
from shared.embedded.contents import Contents, standing_still
from shared.embedded.ids import SystemIds
from shared.kafka import KafkaBus, Patience
from shared.kafka.progress import Progress
from shared.ports import Faults, NoFaults
from shared.run.faults import KillAt
from shared.run.settings import Settings
from wushe.cluster import connection_for, link_for, require_kafka
from wushe.copy.layout import Chains
from wushe.copy.log import Log
from wushe.copy.records import Records
from wushe.copy.sums import Sum
from wushe.copy.survey import SHELVES, Survey, survey_of
from wushe.copy.telling import Attended, CannotMove, MovedOn, Tell
from wushe.embedded import DATABASE
from wushe.language import say
from wushe.system import RECORDS

UNHURRIED = Patience(answer=20.0, publish=60.0, join=40.0, rebalance=25.0)
"""Seconds. Nobody waits for a copy as people wait for a service, and beginning again costs more than waiting."""


class Row(NamedTuple):
    """What was counted on either side of one kind of record of a service, or of one topic."""

    name: str
    source: Sum
    target: Sum


class Copied(NamedTuple):
    """What came of a copy: the count of everything, and what had to be written for it."""

    rows: list[Row]
    groups_agree: bool
    records: int
    messages: int

    @property
    def complete(self) -> bool:
        return self.groups_agree and all(row.source == row.target for row in self.rows)


async def copy_station(data: Path, settings: Settings, phase: Callable[[str], Tell]) -> Copied:
    """Copy what lies in this data directory to the servers of these settings. Raises InUse, CannotMove, Attended, MovedOn,
    Overtaken, Outage; after any of them it may be run again."""
    async with (
        standing_still(data / DATABASE, RECORDS, TOPICS) as contents,
        _servers(settings) as (records, log),
    ):
        partitions = await log.partitions()
        survey = _readable(contents, partitions, phase(say("读取来源", "reading the source")))
        there = await _looked_at(survey, records, log, phase(say("查看目标", "looking at the target")))
        return await _carry(survey, records, log, there, phase)


def _readable(contents: Contents, partitions: Mapping[str, int], tell: Tell) -> Survey:
    survey = survey_of(contents, partitions, tell)
    if survey.flaws:
        raise CannotMove(survey.flaws)
    return survey


async def _looked_at(survey: Survey, records: Records, log: Log, tell: Tell) -> Chains:
    """What lies on Kafka already. Raises what forbids the copy."""
    if attended := await log.attended():
        raise Attended(attended)
    there = await log.chains(tell)
    if strangers := [*await records.strangers(survey), *await log.strangers(survey, there)]:
        raise MovedOn(strangers)
    return there


async def _carry(
    survey: Survey, records: Records, log: Log, there: Chains, phase: Callable[[str], Tell]
) -> Copied:
    written = await records.put(survey, phase(say("写入记录", "writing records")))
    published = await log.put(survey, there, phase(say("写入消息", "writing messages")))
    await log.commit(survey)
    counting = phase(say("核对", "counting again"))
    sums, chains = await records.sums(survey, counting), await log.chains(counting)
    rows = [Row(f"{shelf[0]}.{shelf[1].kind}", survey.sums[shelf], sums[shelf]) for shelf in SHELVES]
    here = survey.layout.chains
    rows += [Row(topic.name, here.sum_of(topic.name), chains.sum_of(topic.name)) for topic in TOPICS]
    return Copied(rows, not await log.misplaced(survey), written, published)


@asynccontextmanager
async def _servers(settings: Settings) -> AsyncIterator[tuple[Records, Log]]:
    connection, link = connection_for(settings, "copy"), replace(link_for(settings), patience=UNHURRIED)
    await require_kafka(link)
    bus, progress = KafkaBus(link), Progress(link, TOPICS)
    faults: Faults = KillAt.parse(settings.fault) if settings.fault else NoFaults()
    try:
        yield Records(connection, SystemIds(SystemClock()), faults), Log(bus, progress, faults)
    finally:
        await progress.close()
        await bus.close()
        await connection.close()
