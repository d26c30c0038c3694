"""Searching people: the best of the nearest ring that has enough, and the account of everybody else."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from services.matching.index.columns import KNOWN, Columns, Flags, Rows
from services.matching.index.geography import RINGS, spans
from services.matching.index.port import SMALLEST_CHANGE_FIRST, PeopleQuery
from services.matching.index.ranking import keys
from services.matching.index.rules import fails
from services.matching.index.sieve import Sieve
from shared.contracts.parts import LineDiagnosis, Relaxation, Removed
from shared.contracts.vocabulary import Ring, Rule

_EVERYWHERE = [(0, 10**12)]
_IN_COLUMNS = (Rule.LANGUAGE, Rule.AUDIENCE, Rule.CERTIFICATE, Rule.CERTIFICATE_EXPIRED)
_THEN = (Rule.WINDOW, Rule.BLOCKED, Rule.BUDGET, Rule.CAP, Rule.QUIET, Rule.REACH)


def best(sieve: Sieve) -> tuple[Ring, list[int]]:
    """The ring that was settled on, and the rows of its best people, best first.

    The first ring counts if anybody in it can be asked; a wider one only if it has enough, so that no wave is wasted
    on a handful; the widest in any case.
    """
    query = sieve.query
    if sieve.remote:
        return Ring.ANYWHERE, _best_in(sieve, Ring.ANYWHERE)
    first, last = RINGS.index(query.ring), RINGS.index(query.widest)
    found: list[int] = []
    ring = query.widest
    for number in range(min(first, last), last + 1):
        ring = RINGS[number]
        found = _best_in(sieve, ring)
        if len(found) >= (1 if number == first else query.wanted):
            break
    return ring, found


def explain(sieve: Sieve) -> LineDiagnosis:
    """Everybody who is known, counted by the first rule that removes them, and what each rule alone keeps away."""
    columns = sieve.columns
    rows = columns.having(KNOWN, _EVERYWHERE)
    failed: dict[Rule, Flags] = {rule: fails(sieve, rule, rows) for rule in Rule}
    _judge_the_doubtful(sieve, rows, failed)
    times = np.zeros(len(rows), np.int64)
    left = np.ones(len(rows), np.bool_)
    removed = []
    for rule, flags in failed.items():
        times += flags
        count = int((left & flags).sum())
        left &= ~flags
        if count:
            removed.append(Removed(rule=rule, count=count))
    remaining = int(left.sum())
    alone = {rule: int((failed[rule] & (times == 1)).sum()) for rule in SMALLEST_CHANGE_FIRST}
    gains = [Relaxation(rule=rule, gain=remaining + count) for rule, count in alone.items() if count]
    return LineDiagnosis(
        line_id=sieve.query.line_id,
        looked_at=len(rows),
        removed=tuple(removed),
        remaining=remaining,
        relaxations=tuple(gains),
    )


def _judge_the_doubtful(sieve: Sieve, rows: Rows, failed: dict[Rule, Flags]) -> None:
    """Decide what columns cannot: single windows and tasks, of whoever has any."""
    for place in np.flatnonzero(sieve.column("special", rows)).tolist():
        failed[Rule.WINDOW][place] = not sieve.is_free(int(rows[place]))
    for place in np.flatnonzero(sieve.maybe_busy(rows)).tolist():
        failed[Rule.OVERLAP][place] = sieve.is_busy(int(rows[place]))


def _best_in(sieve: Sieve, ring: Ring) -> list[int]:
    """The best people of a ring, at most as many as are wanted."""
    query = sieve.query
    areas = _EVERYWHERE if ring == Ring.ANYWHERE else spans(ring, query.area, query.areas)
    rows = sieve.columns.having(sieve.must_have, areas)
    for rule in (*_IN_COLUMNS, *_THEN):
        if not len(rows):
            return []
        if _asks(query, rule):
            rows = rows[~fails(sieve, rule, rows)]
    return list(islice(_judged(sieve, rows), query.wanted))


def _asks(query: PeopleQuery, rule: Rule) -> bool:
    """Whether the rule has anything to say, so that nothing is computed for one that has not."""
    match rule:
        case Rule.LANGUAGE:
            return bool(query.languages)
        case Rule.AUDIENCE:
            return query.named
        case Rule.CERTIFICATE | Rule.CERTIFICATE_EXPIRED:
            return bool(query.certificates)
        case _:
            return True


def _judged(sieve: Sieve, rows: Rows) -> Iterator[int]:
    """Those rows that can be asked, best first; who is doubtful is judged only when it is their turn."""
    doubtful = sieve.doubtful(rows)
    ids, excluded = sieve.columns.ids, sieve.excluded
    for place in _ordered(sieve, rows):
        row = int(rows[place])
        if ids[row] in excluded:
            continue
        if doubtful[place] and (not sieve.is_free(row) or sieve.is_busy(row)):
            continue
        yield row


def _ordered(sieve: Sieve, rows: Rows) -> Iterator[int]:
    """Places in `rows`, best first: the likely ones are sorted first, the rest only if they are reached."""
    packed = keys(sieve, rows)
    likely = 2 * sieve.query.wanted + len(sieve.excluded) + 32
    if len(rows) > 2 * likely:
        split = np.argpartition(packed, likely)
        yield from _sorted(sieve.columns, rows, packed, split[:likely])
        yield from _sorted(sieve.columns, rows, packed, split[likely:])
    else:
        yield from _sorted(sieve.columns, rows, packed, np.arange(len(rows)))


def _sorted(columns: Columns, rows: Rows, packed: Rows, places: Rows) -> list[int]:
    """These places by their keys. Equal keys are one in many millions, and go by id."""
    chosen = packed[places]
    order = np.argsort(chosen, kind="stable")
    ordered: list[int] = places[order].tolist()
    if len(chosen) > 1 and (np.diff(chosen[order]) == 0).any():
        ordered.sort(key=lambda place: (int(packed[place]), columns.ids[int(rows[place])]))
    return ordered
