"""The order of candidates: the station's criteria one after another, then who was asked least, then chance.

Everything is packed into one number, smallest first. Each criterion counts up to a limit that no real person
reaches, so that one can never spill over into the next.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.matching.index.columns import LANGUAGES, Rows
from services.matching.index.geography import RINGS, STEPS, km_of, ring_span
from services.matching.index.people import WEEK
from services.matching.index.port import Candidate
from services.matching.index.sieve import Sieve
from shared.contracts.parts import Reason
from shared.contracts.vocabulary import Criterion, Ring

Numbers = NDArray[Any]
Values = NDArray[Any] | int

FIT_BITS, DISTANCE_BITS, LOAD_BITS, CONTINUITY_BITS, CONTACT_BITS, CHANCE_BITS = 4, 6, 7, 6, 4, 36
_LOW, _FIRST, _SECOND = (1 << 64) - 1, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def seed_of(need_id: str) -> int:
    return int.from_bytes(blake2b(need_id.encode(), digest_size=8).digest())


def drawn(chance: int, seed: int) -> int:
    """The lot that a person draws for a need: splitmix64's finisher over both their numbers."""
    mixed = (chance ^ seed) & _LOW
    mixed = ((mixed ^ mixed >> 30) * _FIRST) & _LOW
    mixed = ((mixed ^ mixed >> 27) * _SECOND) & _LOW
    return (mixed ^ mixed >> 31) >> (64 - CHANCE_BITS)


def keys(sieve: Sieve, rows: Rows, squared: Numbers | None, ring: Ring) -> Numbers:
    """The packed places of these rows of a ring, smallest first; `squared` are their distances, unless remote."""
    packed = np.zeros(len(rows), np.int64)
    for criterion in dict.fromkeys(sieve.query.criteria):
        match criterion:
            case Criterion.FIT:
                packed = _then(packed, _most(extras(sieve, rows), FIT_BITS), FIT_BITS)
            case Criterion.DISTANCE if squared is not None:
                packed = _then(packed, nearness(sieve, rows, squared, ring), DISTANCE_BITS)
            case Criterion.LOAD:
                packed = _then(packed, _few(sieve.month_tasks(rows), LOAD_BITS), LOAD_BITS)
            case Criterion.CONTINUITY if sieve.query.familiar:
                packed = _then(packed, _most(familiarity(sieve, rows), CONTINUITY_BITS), CONTINUITY_BITS)
            case _:
                continue
    packed = _then(packed, contacts(sieve, rows), CONTACT_BITS)
    return packed << CHANCE_BITS | _drawn(sieve.column("chance", rows), seed_of(sieve.query.seed))


def extras(sieve: Sieve, rows: Rows) -> Values:
    """Matching facts beyond the one that was needed: more of the languages, more of the certificates in force."""
    fit: Values = 0
    if len(set(sieve.query.languages)) > 1:
        facts = sieve.column("facts", rows)
        spoken = [(facts & np.uint64(LANGUAGES[x])) != 0 for x in set(sieve.query.languages)]
        fit = fit + sum(flags.astype(np.int64) for flags in spoken) - 1
    if len(sieve.query.certificates) > 1:
        held = sieve.last_day(rows) <= sieve.certified_until(rows).T
        fit = fit + held.sum(axis=0) - 1
    return fit


def nearness(sieve: Sieve, rows: Rows, squared: Numbers, ring: Ring) -> Numbers:
    """The ring in which the person lives, and within it the step of kilometres; an unknown place is the last."""
    step = np.asarray(np.searchsorted(STEPS, squared))
    widest = Ring.ANYWHERE if sieve.query.areas else ring
    nearer = RINGS[: RINGS.index(widest)]
    if not nearer:
        return step
    area = sieve.column("area", rows)
    for narrower in nearer:
        first, last = ring_span(narrower, sieve.query.area)
        step += (len(STEPS) + 1) * ((area < first) | (area >= last))
    return step


def familiarity(sieve: Sieve, rows: Rows) -> Numbers:
    """The tasks done for this household, for rows that rise."""
    values = np.zeros(len(rows), np.int64)
    for id, tasks in sieve.query.familiar.items():
        row = sieve.columns.rows.get(id, -1)
        place = int(rows.searchsorted(row))
        if place < len(rows) and rows[place] == row:
            values[place] = tasks
    return values


def contacts(sieve: Sieve, rows: Rows) -> Numbers:
    """How often the person was asked in the last seven days, of the newest eight times."""
    count = sieve.column("contact_count", rows)
    stale = (sieve.column("contact_count_until", rows) <= sieve.now).nonzero()[0]
    if len(stale):
        times = sieve.arrays["contacts"][rows[stale]]
        count[stale] = (times > sieve.now - WEEK).sum(axis=1)
    return count


def candidates(sieve: Sieve, rows: list[int]) -> tuple[Candidate, ...]:
    """These people, in this order, with what the ranking saw of them."""
    if not rows:
        return ()
    array = np.array(rows)
    seen = [(c, _seen(c, sieve, array)) for c in dict.fromkeys(sieve.query.criteria)]
    shown = [[None if value != value else reason(c, value) for value in values] for c, values in seen]
    ids = sieve.columns.ids
    if not shown:
        return tuple([Candidate(ids[row], ()) for row in rows])
    each = zip(rows, zip(*shown, strict=True), strict=True)
    return tuple([Candidate(ids[row], tuple([r for r in reasons if r is not None])) for row, reasons in each])


@lru_cache(maxsize=65_536)
def reason(criterion: Criterion, value: float) -> Reason:
    return Reason(criterion=criterion, value=value)


def _seen(criterion: Criterion, sieve: Sieve, rows: Rows) -> list[float]:
    """What is shown for a criterion; nan where there is nothing to show."""
    values: Values
    match criterion:
        case Criterion.FIT:
            values = extras(sieve, rows)
        case Criterion.DISTANCE:
            if sieve.remote:
                return [float("nan")] * len(rows)
            return [round(km_of(far), 1) if far == far else far for far in sieve.squared(rows).tolist()]
        case Criterion.LOAD:
            values = sieve.month_tasks(rows)
        case Criterion.CONTINUITY:
            ids, familiar = sieve.columns.ids, sieve.query.familiar
            return [float(familiar.get(ids[row], 0)) for row in rows.tolist()]
        case Criterion.WAITING:
            values = int((sieve.query.now - sieve.query.waiting_since).total_seconds() // 60)
    return [float(values)] * len(rows) if isinstance(values, int) else values.astype(np.float64).tolist()


def _most(values: Values, bits: int) -> Values:
    """The more the better: as a place, smallest first."""
    most = (1 << bits) - 1
    return most - _few(values, bits)


def _few(values: Values, bits: int) -> Values:
    """The fewer the better, as far as counts go."""
    most = (1 << bits) - 1
    return min(values, most) if isinstance(values, int) else np.minimum(values, most)


def _then(packed: Numbers, values: Values, bits: int) -> Numbers:
    return packed << bits | values


def _drawn(chance: Numbers, seed: int) -> Numbers:
    """`drawn` for a column."""
    mixed = chance ^ np.uint64(seed)
    mixed = (mixed ^ mixed >> np.uint64(30)) * np.uint64(_FIRST)
    mixed = (mixed ^ mixed >> np.uint64(27)) * np.uint64(_SECOND)
    return ((mixed ^ mixed >> np.uint64(31)) >> np.uint64(64 - CHANCE_BITS)).astype(np.int64)
