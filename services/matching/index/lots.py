"""Lots in columns: which could give how much, and what keeps the others away."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.matching.index.columns import LAST_DAY
from services.matching.index.earmarks import Terms, allows
from services.matching.index.geography import RING_UNITS, RINGS, code_of, spans
from services.matching.index.numbered import Numbered
from services.matching.index.port import SMALLEST_GOODS_CHANGE_FIRST, LotsQuery, LotsResult, Take
from shared.contracts.goods import Attribute
from shared.contracts.parts import LineDiagnosis, LotState, Relaxation, Removed
from shared.contracts.vocabulary import GoodsCategory, GoodsRule, Ring

CATEGORIES = {category: n for n, category in enumerate(GoodsCategory)}
AT_MOST = 50
"""Into how many lots one line may be split at once."""

Numbers = NDArray[Any]
Flags = NDArray[np.bool_]


class Lots:
    """Every lot that is listed; a closed one has nothing left for anybody."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._rows: dict[str, int] = {}
        self._numbers = np.zeros((1024, 7), np.int64)
        self._sequences: list[int] = []
        self._units: Numbered[str] = Numbered()
        self._attributes: Numbered[tuple[tuple[str, str], ...]] = Numbered()
        self._terms: Numbered[Terms] = Numbered()

    def note(self, id: str, state: LotState, sequence: int) -> None:
        row = self._rows.get(id)
        if row is None:
            row = self._rows[id] = len(self._ids)
            self._ids.append(id)
            self._sequences.append(0)
            if row == len(self._numbers):
                self._numbers = np.concatenate([self._numbers, np.zeros_like(self._numbers)])
        if sequence <= self._sequences[row]:
            return
        self._sequences[row] = sequence
        self._numbers[row] = (
            CATEGORIES[state.category],
            self._units.number(state.unit),
            self._attributes.number(tuple(sorted(state.attributes.items()))),
            self._terms.number(Terms.of(state.earmark)),
            state.available if state.open else 0,
            state.expires_on.toordinal() if state.expires_on else LAST_DAY,
            code_of(state.area),
        )

    def search(self, query: LotsQuery) -> LotsResult:
        table = self._numbers[: len(self._ids)]
        category = table[:, 0] == CATEGORIES[query.category]
        found = np.flatnonzero(category & (table[:, 4] > 0))
        for rule in GoodsRule:
            if len(found) and rule is not GoodsRule.CATEGORY:
                found = found[~self._fails(rule, query, found)]
        takes = self._choose(query, found)
        available = int(self._left(query, found).sum())
        return LotsResult(takes, len(table), available, self._explain(query) if query.explain else None)

    def _choose(self, query: LotsQuery, rows: Numbers) -> tuple[Take, ...]:
        """One lot that has it all if there is one, else several."""
        if not len(rows) or query.quantity <= 0:
            return ()
        available, expires = self._left(query, rows), self._numbers[rows, 5]
        ring = self._rings(query, rows)

        def take(place: int, quantity: int) -> Take:
            return self._take(int(rows[place]), int(ring[place]), quantity, int(available[place]))

        enough = available >= query.quantity
        if enough.any():
            places = np.flatnonzero(enough)
            order = np.lexsort((available[places], ring[places], expires[places]))
            return (take(places[order[0]], query.quantity),)
        takes, missing = [], query.quantity
        for place in np.lexsort((-available, ring, expires))[:AT_MOST].tolist():
            quantity = min(missing, int(available[place]))
            takes.append(take(place, quantity))
            missing -= quantity
            if not missing:
                break
        return tuple(takes)

    def _explain(self, query: LotsQuery) -> LineDiagnosis:
        rows = np.arange(len(self._ids))
        failed = {rule: self._fails(rule, query, rows) for rule in GoodsRule}
        times, left, removed = np.zeros(len(rows), np.int64), np.ones(len(rows), np.bool_), []
        for rule, fails in failed.items():
            times += fails
            count = int((left & fails).sum())
            left &= ~fails
            if count:
                removed.append(Removed(rule=rule, count=count))
        remaining = int(left.sum())
        alone = {
            rule: self._had(rule, rows[failed[rule] & (times == 1)]) for rule in SMALLEST_GOODS_CHANGE_FIRST
        }
        return LineDiagnosis(
            line_id=query.line_id,
            looked_at=len(rows),
            removed=tuple(removed),
            remaining=remaining,
            relaxations=tuple(Relaxation(rule=r, gain=remaining + n) for r, n in alone.items() if n),
        )

    def _had(self, rule: GoodsRule, rows: Numbers) -> int:
        """How many of these lots a line would have without this rule: it asks for one other unit, and not for all."""
        if rule is GoodsRule.UNIT and len(rows):
            return int(np.unique_counts(self._numbers[rows, 1]).counts.max())
        return len(rows)

    def _fails(self, rule: GoodsRule, query: LotsQuery, rows: Numbers) -> Flags:
        """Which of these lots fail the rule."""
        table = self._numbers
        match rule:
            case GoodsRule.CATEGORY:
                fails = table[rows, 0] != CATEGORIES[query.category]
            case GoodsRule.UNIT:
                fails = table[rows, 1] != self._units.find(query.unit)
            case GoodsRule.ATTRIBUTES:
                wanted = set(query.attributes.items())
                fails = _flags(not wanted <= set(held) for held in self._attributes.values)[table[rows, 2]]
            case GoodsRule.BATCH:
                asked = query.attributes.get(Attribute.BATCH)
                fails = _flags(_batch_of(held) not in (None, asked) for held in self._attributes.values)[
                    table[rows, 2]
                ]
            case GoodsRule.EXPIRED:
                fails = table[rows, 5] < max(query.good_on, query.today).toordinal()
            case GoodsRule.AREA:
                fails = self._outside(query, rows)
            case GoodsRule.QUANTITY:
                fails = self._left(query, rows) <= 0
            case GoodsRule.REFUSED:
                fails = _flags(self._ids[row] in query.excluded for row in rows.tolist())
            case _:
                fails = _flags(not allows(rule, terms, query) for terms in self._terms.values)[table[rows, 3]]
        return np.asarray(fails, np.bool_)

    def _outside(self, query: LotsQuery, rows: Numbers) -> Flags:
        outside = np.ones(len(rows), np.bool_)
        if query.widest == Ring.ANYWHERE:
            return ~outside
        area = self._numbers[rows, 6]
        for first, last in spans(query.widest, query.area, query.areas):
            outside &= (area < first) | (area >= last)
        return outside

    def _rings(self, query: LotsQuery, rows: Numbers) -> Numbers:
        area, here = self._numbers[rows, 6], code_of(query.area)
        return np.asarray(sum((area // unit != here // unit).astype(np.int64) for unit in RING_UNITS[:-1]))

    def _take(self, row: int, ring: int, quantity: int, available: int) -> Take:
        expires = int(self._numbers[row, 5])
        expires_on = None if expires == LAST_DAY else date.fromordinal(expires)
        return Take(self._ids[row], quantity, available, expires_on, RINGS[ring])

    def _left(self, query: LotsQuery, rows: Numbers) -> Numbers:
        """What these lots have for this line."""
        left: Numbers = self._numbers[rows, 4]
        if query.going:
            left -= np.array([query.going.get(self._ids[row], 0) for row in rows.tolist()], np.int64)
        return left


def _batch_of(held: tuple[tuple[str, str], ...]) -> str | None:
    """The campaign for which these are put aside: only needs that name it are given them."""
    return next((value for name, value in held if name == Attribute.BATCH), None)


def _flags(values: Any) -> Flags:
    return np.fromiter(values, np.bool_)
