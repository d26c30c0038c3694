"""Rules 3 and 5: nothing is promised twice, nothing is spent outside its conditions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from services.resources.domain.ledger import Balances, LedgerEntry, running
from services.resources.domain.records import Lot
from shared.contracts.matching import HoldRequested
from shared.contracts.parts import Earmark
from shared.contracts.resources import HoldPlaced
from wushe.check.needs import SITE_ZONE
from wushe.check.violation import Violation

AROUND_MIDNIGHT = timedelta(minutes=5)
"""A lot decides by the day it read a moment before it wrote: so much later, at most, the day may be another."""


def nothing_is_promised_twice(lot: Lot) -> Iterator[Violation]:
    """held + issued + written_off <= received, and every balance is the sum of the holds behind it."""
    if (
        min(lot.held, lot.issued, lot.written_off) < 0
        or lot.held + lot.issued + lot.written_off > lot.received
    ):
        yield Violation(3, lot.id, "more is promised than was received", "承诺量超过收到的数量")
    free = lot.received - lot.held - lot.issued - lot.written_off
    if lot.available != free:
        text = f"{lot.available} are said to be free, not {free}"
        yield Violation(3, lot.id, text, f"可用数量记为 {lot.available}，应为 {free}")
    held = sum(hold.promised for hold in lot.holds.values())
    issued = lot.issued_filed + sum(hold.handed_over for hold in lot.holds.values())
    if (held, issued) != (lot.held, lot.issued):
        text = f"holds come to {held} held and {issued} issued, not {lot.held} and {lot.issued}"
        yield Violation(
            3, lot.id, text, f"预留/出库合计 {held}/{issued}，与余额 {lot.held}/{lot.issued} 不符"
        )


def the_ledger_agrees(
    lots: Mapping[str, Lot],
    entries: Mapping[str, Sequence[LedgerEntry]],
    known_by_then: Mapping[str, int] | None = None,
) -> Iterator[Violation]:
    """No entry of a lot's ledger is missing, none promises too much, each says what the quantities so far come to, and
    the last one what the lot says.

    A lot that is busy all the time is never level with its ledger. Where the ledger was read later than the lots, and
    `known_by_then` is how many entries it had before they were read, one of the entries since says what the lot said.
    """
    for lot_id in sorted(entries.keys() - lots.keys()):
        yield Violation(3, lot_id, "its ledger is there, but the lot is gone", "台账尚在，但批次记录不见了")
    for lot in lots.values():
        ledger = sorted(entries.get(lot.id, ()), key=lambda e: e.sequence)
        if not lot.listed and not ledger:
            continue
        for entry in ledger:
            if entry.held + entry.issued + entry.written_off > entry.received:
                text = f"entry {entry.sequence} of the ledger promises more than was received"
                yield Violation(3, lot.id, text, f"台账第{entry.sequence}条的承诺量超过收到的数量")
        known = len(ledger) if known_by_then is None else known_by_then.get(lot.id, 0)
        level = [n for n in range(max(0, known - 1), len(ledger)) if _balances(ledger[n]) == _balances(lot)]
        if [e.sequence for e in ledger] != list(range(1, len(ledger) + 1)):
            yield Violation(3, lot.id, "the ledger has a gap", "台账有缺口", True)
        elif not level:
            yield Violation(3, lot.id, "the ledger's balance differs", "台账余额不符", True)
        elif not _adds_up(ledger[: level[0] + 1]):
            text = "the ledger's quantities come to other balances"
            yield Violation(3, lot.id, text, "台账各条数量合计与余额不符", True)


def what_left_has_its_card(
    lots: Mapping[str, Lot], handed_over: Mapping[str, Mapping[str, int]]
) -> Iterator[Violation]:
    """What was handed over by holds that have left their lot stands on their cards. `handed_over` is what each card of a lot
    says of it, also of holds that are there still."""
    for lot in lots.values():
        filed = sum(n for id, n in handed_over.get(lot.id, {}).items() if id not in lot.holds)
        if filed != lot.issued_filed:
            text = f"cards of holds that have left it come to {filed} handed over, not {lot.issued_filed}"
            zh = f"已归档预留的卡片合计出库 {filed}，批次记录为 {lot.issued_filed}"
            yield Violation(3, lot.id, text, zh, True)


def earmarks_are_kept(
    asked: Mapping[str, HoldRequested],
    placed: HoldPlaced,
    placed_at: datetime,
    zones: Mapping[str, ZoneInfo],
) -> Iterator[Violation]:
    """Every hold ever placed met, when it was placed, each condition of its lot. `placed` is the first word of it: said
    again later it tells of the conditions of then, which do not count against it."""
    request = asked.get(placed.hold_id)
    if request is None:
        yield Violation(5, placed.hold_id, "held without being asked for", "未经申请的预留")
        return
    zone = zones.get(request.site_id, ZoneInfo(SITE_ZONE))
    days = {moment.astimezone(zone).date() for moment in (placed_at, placed_at - AROUND_MIDNIGHT)}
    for condition in _broken(placed.state.earmark, request, days):
        yield Violation(
            5, placed.hold_id, f"held against its earmark: {condition}", f"违反专款条件：{condition}"
        )


def _broken(earmark: Earmark, request: HoldRequested, days: Iterable[date]) -> Iterator[str]:
    if earmark.purposes and request.category not in earmark.purposes:
        yield "purpose"
    if earmark.target_groups and not set(earmark.target_groups) & set(request.target_groups):
        yield "target group"
    if earmark.areas and not any(request.area.startswith(area) for area in earmark.areas):
        yield "area"
    first, last = earmark.from_day or date.min, earmark.to_day or date.max
    if not any(first <= day <= last for day in days):
        yield "date"


def _adds_up(ledger: Sequence[LedgerEntry]) -> bool:
    """Whether the quantities come to the balances of each entry."""
    return all(so_far == _balances(entry) for so_far, entry in zip(running(ledger), ledger, strict=True))


def _balances(of: Lot | LedgerEntry) -> Balances:
    return Balances(of.received, of.held, of.issued, of.written_off)
