"""The recount itself: gather the evidence, apply the rules, and on a live system let what is under way arrive."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from services.matching.domain.match import Match
from services.needs.domain.lead import Lead
from services.needs.domain.need import Need
from services.resources.domain.filing import HoldCard
from services.resources.domain.ledger import LedgerEntry
from services.resources.domain.records import Lot
from services.volunteers.domain.calendar import Calendar
from services.volunteers.domain.registry import Volunteer
from services.volunteers.domain.service_hours import ServiceRecord
from shared.errors import Illegible
from shared.ports import Clock
from shared.run.dead_letters import OPEN, letters
from wushe.check import needs as need_rules
from wushe.check import people, stock
from wushe.check.evidence import Evidence, Progress
from wushe.check.heard import NOTED, Heard
from wushe.check.privacy import canaries
from wushe.check.unread import Unread
from wushe.check.violation import Violation

Say = Callable[[str], None]


@dataclass
class Report:
    """What was counted, and what is wrong. `unsettled` is True where a standing system had messages under way, so
    that comparisons between services say nothing yet."""

    counted: dict[str, int] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)
    dead_letters: int = 0
    unsettled: bool = False

    @property
    def clean(self) -> bool:
        return not self.violations


@dataclass
class Books:
    """Everything that the rules look at, read once."""

    needs: dict[str, Need]
    leads: dict[str, Lead]
    matches: dict[str, Match]
    calendars: dict[str, Calendar]
    volunteers: int
    hours: dict[str, ServiceRecord]
    lots: dict[str, Lot]
    ledgers: dict[str, list[LedgerEntry]]
    handed_over: dict[str, dict[str, int]]
    """What the cards of each lot's holds say was handed over."""


async def recount(
    evidence: Evidence, clock: Clock, seconds: float = 60.0, say: Say = lambda _: None
) -> Report:
    """Recount every rule. On a live system a difference between services counts only if it is still there whenever
    everything that was under way has arrived; that is looked at again and again, for `seconds` at most. If it has not
    arrived even once by then, nothing can be said. Raises RecordsUnreadable."""
    try:
        return await _recount(evidence, clock, seconds, say)
    except Illegible as e:
        raise await evidence.unreadable() from e


async def _recount(evidence: Evidence, clock: Clock, seconds: float, say: Say) -> Report:
    say("records")
    books = await _books(evidence)
    mark, marked_at = await evidence.progress(), time.monotonic()
    report = Report(counted=_counted(books))
    found = list(_apply(books, clock, evidence.live))
    say("log")
    found += await _log_rules(evidence, books, report)
    await evidence.look_through_the_rest()
    report.dead_letters = sum([len(await letters(s, OPEN)) for s in evidence.stores.values()])
    lasting = [v for v in found if not v.passing]
    passing = {v for v in found if v.passing}
    if passing and evidence.live:
        say("messages under way")
        outlasting = await _outlasting(passing, books, evidence, clock, (mark, marked_at), seconds)
        report.unsettled, passing = outlasting is None, outlasting or set()
    elif passing and not mark.at_rest:
        report.unsettled, passing = True, set()
    report.violations = sorted({*lasting, *passing})
    return report


async def _outlasting(
    passing: set[Violation],
    books: Books,
    evidence: Evidence,
    clock: Clock,
    since: tuple[Progress, float],
    seconds: float,
) -> set[Violation] | None:
    """Those that are still there each time that what was under way has arrived. One look more is not enough: a record
    that is busy has news under way at every look, and is wrong only if it never agrees. None: it never arrived."""
    mark, marked_at = since
    end, looks = time.monotonic() + seconds, 0
    while passing and time.monotonic() < end:
        await asyncio.sleep(0.25)
        if (await evidence.progress()).has_passed(mark, time.monotonic() - marked_at):
            before, books = books, await _books(evidence)
            mark, marked_at = await evidence.progress(), time.monotonic()
            passing, looks = passing & set(_apply(books, clock, True, before)), looks + 1
    return passing if looks else None


async def _books(evidence: Evidence) -> Books:
    ledgers: dict[str, list[LedgerEntry]] = {}
    async for entry in evidence.records("resources", LedgerEntry):
        ledgers.setdefault(entry.lot_id, []).append(entry)
    books = Books(
        needs=await evidence.everything("needs", Need),
        leads=await evidence.everything("needs", Lead),
        matches=await evidence.everything("matching", Match),
        calendars=await evidence.everything("volunteers", Calendar),
        volunteers=len([v.id async for v in evidence.records("volunteers", Volunteer)]),
        hours=await evidence.everything("volunteers", ServiceRecord),
        lots=await evidence.everything("resources", Lot),
        ledgers=ledgers,
        handed_over={},
    )
    async for card in evidence.records("resources", HoldCard):
        if card.hold.handed_over:
            books.handed_over.setdefault(card.lot_id, {})[card.id] = card.hold.handed_over
    return books


def _counted(books: Books) -> dict[str, int]:
    return {
        "needs": len(books.needs),
        "leads": len(books.leads),
        "matches": len(books.matches),
        "calendars": len(books.calendars),
        "volunteers": books.volunteers,
        "service records": len(books.hours),
        "lots": len(books.lots),
        "ledger entries": sum(map(len, books.ledgers.values())),
    }


def _apply(books: Books, clock: Clock, live: bool, before: Books | None = None) -> Iterable[Violation]:
    """What these books break. With those of a look before, what the lots said by then is looked for in the ledgers as
    they are now."""
    now = clock.now() if live else None
    for calendar in books.calendars.values():
        yield from people.nobody_is_in_two_places(calendar)
        yield from people.no_yes_is_forgotten(calendar)
    for match in books.matches.values():
        yield from people.a_seat_has_one_holder(match)
        yield from need_rules.what_is_made_is_whole(match)
    yield from people.seats_and_tasks_agree(books.matches, books.calendars)
    yield from people.hours_are_what_was_served(books.calendars, books.hours)
    yield from people.nobody_served_twice_at_once(books.hours)
    for lot in books.lots.values():
        yield from stock.nothing_is_promised_twice(lot)
    if before is None:
        yield from stock.the_ledger_agrees(books.lots, books.ledgers)
    else:
        known = {lot_id: len(entries) for lot_id, entries in before.ledgers.items()}
        yield from stock.the_ledger_agrees(before.lots, books.ledgers, known)
    yield from stock.what_left_has_its_card(books.lots, books.handed_over)
    for need in books.needs.values():
        yield from need_rules.no_need_is_forgotten(need, now)
        yield from need_rules.who_is_to_be_protected_is(need)
    if now is not None:
        for lead in books.leads.values():
            yield from need_rules.no_lead_is_forgotten(lead, now)
    yield from need_rules.every_need_is_searched_for(books.needs, books.matches)
    yield from need_rules.helpers_are_those_with_seats(books.needs, books.matches)
    yield from need_rules.what_is_over_holds_nothing(books.needs, books.lots)
    yield from need_rules.goods_and_lots_agree(books.needs, books.matches, books.lots)


async def _log_rules(evidence: Evidence, books: Books, report: Report) -> list[Violation]:
    """That the log can be read, rules 5, 6 and 7, and of leads and of needs that are gone 4, which go by what was said: over every message there is.
    A need that was posted since the records were read is looked up."""
    personal, heard, unread = await canaries(evidence), Heard(), Unread()
    found: list[Violation] = []
    messages = 0
    async for delivery in evidence.log():
        messages += 1
        with suppress(ValueError, AttributeError, RecursionError):
            raw = json.loads(delivery.value)
            found += personal.found_in(raw.get("data"), str(raw.get("id")))
        message = unread.read(delivery)
        if message is not None and message.type in NOTED:
            heard.note(message)
    report.counted["messages"] = messages
    found += await unread.violations(evidence)
    for placed, at in heard.placed.values():
        found += stock.earmarks_are_kept(heard.asked, placed, at, heard.zones)
    for lead in books.leads.values():
        found += need_rules.every_tier_hears_of_a_lead(lead, heard.places)
    for id in sorted(heard.posted - books.needs.keys()):
        if await evidence.stores["needs"].get(Need, id) is None:
            found.append(Violation(4, id, "it was posted, but it is gone", "曾经受理，但需求记录不见了"))
    return [*found, *need_rules.the_public_is_not_asked(books.matches, heard.certified, heard.homes)]
