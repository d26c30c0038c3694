"""Searching people: the best of the nearest ring that has enough, and the account of everybody else."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from services.matching.index.columns import KNOWN, Columns, Flags, Rows
from services.matching.index.geography import RINGS, spans
from services.matching.index.port import SMALLEST_CHANGE_FIRST
from services.matching.index.ranking import Numbers, keys
from services.matching.index.rules import fails, says_nothing, sleeps_on
from services.matching.index.sieve import Sieve
from shared.contracts.parts import LineDiagnosis, Relaxation, Removed
from shared.contracts.vocabulary import Ring, Rule

_EVERYWHERE = [(0, 10**12)]
_SELECTIVE_FIRST = (
    Rule.AUDIENCE,
    Rule.CERTIFICATE,
    Rule.CERTIFICATE_EXPIRED,
    Rule.LANGUAGE,
    Rule.WINDOW,
    Rule.QUIET,
    Rule.BUDGET,
    Rule.BLOCKED,
    Rule.CAP,
)

_NOT_ALL_HELPED = (Rule.MODE, Rule.QUIET, Rule.ASKED)


def best(sieve: Sieve) -> tuple[Ring, list[int]]:
    """The ring that was settled on, and the rows of its best people, best first.

    The first ring counts if the least that will do can be asked in it; a wider one only if it has enough, so that no
    wave is wasted on a handful; the widest in any case.
    """
    query = sieve.query
    if sieve.remote:
        return Ring.ANYWHERE, _best_in(sieve, Ring.ANYWHERE)
    last = RINGS.index(query.widest)
    first = min(RINGS.index(query.ring), last)
    found: list[int] = []
    for number in range(first, last + 1):
        found = _best_in(sieve, RINGS[number])
        if len(found) >= (query.least if number == first else query.wanted):
            return RINGS[number], found
    return query.widest, found


def explain(sieve: Sieve) -> LineDiagnosis:
    """Everybody who is known, counted by the first rule that removes them, and what each rule alone keeps away.

    Who has failed two rules is of no further interest: no single relaxation brings them back.
    """
    rows = sieve.columns.having(KNOWN, _EVERYWHERE)
    looked_at, counts = len(rows), dict.fromkeys(Rule, 0)
    failed = np.full(len(rows), -1, np.int8)
    for number, rule in enumerate(Rule):
        if says_nothing(sieve, rule):
            continue
        flags = _judged_for(sieve, rule, rows, fails(sieve, rule, rows))
        if rule == Rule.ASKED:
            flags &= (failed < 0) | ~sieve.are(sieve.query.refused, rows)
        fresh = flags & (failed < 0)
        counts[rule] = int(np.count_nonzero(fresh))
        kept = ~(flags ^ fresh)
        failed[fresh] = number
        if not kept.all():
            rows, failed = rows[kept], failed[kept]
    remaining = int(np.count_nonzero(failed < 0))
    alone = dict(zip(Rule, np.bincount(failed[failed >= 0], minlength=len(Rule)).tolist(), strict=True))
    for rule in _NOT_ALL_HELPED:
        if alone[rule]:
            alone[rule] = _helped(sieve, rule, rows[failed == list(Rule).index(rule)])
    return LineDiagnosis(
        line_id=sieve.query.line_id,
        looked_at=looked_at,
        removed=tuple(Removed(rule=rule, count=count) for rule, count in counts.items() if count),
        remaining=remaining,
        relaxations=tuple(
            Relaxation(rule=rule, gain=remaining + alone[rule])
            for rule in SMALLEST_CHANGE_FIRST
            if alone[rule]
        ),
    )


def _helped(sieve: Sieve, rule: Rule, rows: Rows) -> int:
    """How many of these, whom only this rule keeps away, could come or be asked if it were relaxed."""
    match rule:
        case Rule.MODE if sieve.remote:
            return _near_enough(sieve.on_site, rows)
        case Rule.QUIET:
            rows = rows[~sleeps_on(sieve, rows)]
        case Rule.ASKED:
            rows = rows[~sieve.are(sieve.query.engaged, rows)]
    return len(rows)


def _near_enough(on_site: Sieve, rows: Rows) -> int:
    """How many of those who only come in person could come: for them ring and reach count."""
    for rule in (Rule.RING, Rule.REACH):
        if len(rows) and not says_nothing(on_site, rule):
            rows = rows[~fails(on_site, rule, rows)]
    return len(rows)


def _judged_for(sieve: Sieve, rule: Rule, rows: Rows, flags: Flags) -> Flags:
    """Decide what columns cannot: single windows and tasks, of whoever has any."""
    if rule == Rule.WINDOW:
        for place in sieve.column("special", rows).nonzero()[0].tolist():
            flags[place] = not sieve.is_free(int(rows[place]))
    elif rule == Rule.OVERLAP:
        for place in sieve.maybe_busy(rows).nonzero()[0].tolist():
            flags[place] = sieve.is_busy(int(rows[place]))
    return flags


def _best_in(sieve: Sieve, ring: Ring) -> list[int]:
    """The best people of a ring, at most as many as are wanted."""
    query = sieve.query
    areas = _EVERYWHERE if ring == Ring.ANYWHERE else spans(ring, query.area, query.areas)
    rows = sieve.columns.having(sieve.must_have, areas)
    for rule in _SELECTIVE_FIRST:
        if len(rows) and not says_nothing(sieve, rule):
            rows = rows[~fails(sieve, rule, rows)]
    if not len(rows):
        return []
    squared = None
    if not sieve.remote:
        squared = sieve.squared(rows)
        if not says_nothing(sieve, Rule.REACH):
            within = ~(squared > sieve.column("reach", rows))
            rows, squared = rows[within], squared[within]
    return list(islice(_judged(sieve, rows, keys(sieve, rows, squared, ring)), query.wanted))


def _judged(sieve: Sieve, rows: Rows, packed: Numbers) -> Iterator[int]:
    """Those rows that can be asked, best first; who is doubtful is judged only when it is their turn.

    Told apart by id, because a person who moves while a search goes on has another row from then on.
    """
    doubtful, passed_over = sieve.doubtful(rows), set(sieve.query.excluded)
    for place in _ordered(sieve, rows, packed):
        row = int(rows[place])
        id = sieve.columns.ids[row]
        if id in passed_over:
            continue
        if doubtful[place] and (not sieve.is_free(row) or sieve.is_busy(row)):
            continue
        passed_over.add(id)
        yield row


def _ordered(sieve: Sieve, rows: Rows, packed: Numbers) -> Iterator[int]:
    """Places in `rows`, best first: the likely ones are sorted first, the rest only if they are reached."""
    likely = 2 * sieve.query.wanted + len(sieve.excluded) + 32
    if len(rows) > 2 * likely:
        split = packed.argpartition(likely)
        yield from _sorted(sieve.columns, rows, packed, split[:likely])
        yield from _sorted(sieve.columns, rows, packed, split[likely:])
    else:
        yield from _sorted(sieve.columns, rows, packed, np.arange(len(rows)))


def _sorted(columns: Columns, rows: Rows, packed: Numbers, places: Rows) -> list[int]:
    """These places by their keys. Equal keys are one in many millions, and go by id."""
    chosen = packed[places]
    order = chosen.argsort()
    ordered: list[int] = places[order].tolist()
    rising = chosen[order]
    if len(chosen) > 1 and (rising[1:] == rising[:-1]).any():
        ordered.sort(key=lambda place: (int(packed[place]), columns.ids[int(rows[place])]))
    return ordered
