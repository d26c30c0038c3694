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
from services.matching.index.geography import RING_UNITS, STEPS, code_of, km_of
from services.matching.index.people import WEEK
from services.matching.index.port import Candidate
from services.matching.index.sieve import Sieve
from shared.contracts.parts import Reason
from shared.contracts.vocabulary import Criterion

Numbers = NDArray[Any]

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


def keys(sieve: Sieve, rows: Rows) -> Numbers:
    """The packed places of these rows, smallest first."""
    packed = np.zeros(len(rows), np.int64)
    for criterion in dict.fromkeys(sieve.query.criteria):
        match criterion:
            case Criterion.FIT:
                packed = _then(packed, _most(extras(sieve, rows), FIT_BITS), FIT_BITS)
            case Criterion.DISTANCE if not sieve.remote:
                packed = _then(packed, nearness(sieve, rows), DISTANCE_BITS)
            case Criterion.LOAD:
                packed = _then(packed, np.minimum(loads(sieve, rows), (1 << LOAD_BITS) - 1), LOAD_BITS)
            case Criterion.CONTINUITY if sieve.query.familiar:
                packed = _then(packed, _most(familiarity(sieve, rows), CONTINUITY_BITS), CONTINUITY_BITS)
            case _:
                continue
    packed = _then(packed, contacts(sieve, rows), CONTACT_BITS)
    return packed << CHANCE_BITS | _drawn(sieve.column("chance", rows), seed_of(sieve.query.seed))


def extras(sieve: Sieve, rows: Rows) -> Numbers | int:
    """Matching facts beyond the one that was needed: more of the languages, more of the certificates in force."""
    fit: Numbers | int = 0
    if len(set(sieve.query.languages)) > 1:
        facts = sieve.column("facts", rows)
        spoken = [(facts & np.uint64(LANGUAGES[x])) != 0 for x in set(sieve.query.languages)]
        fit = fit + sum(flags.astype(np.int64) for flags in spoken) - 1
    if len(sieve.certificates) > 1:
        held = sieve.certified_until(rows) >= sieve.day
        fit = fit + held.sum(axis=1) - 1
    return fit


def nearness(sieve: Sieve, rows: Rows) -> Numbers:
    """The ring in which the person lives, and within it the step of kilometres; an unknown place is the last."""
    area, here = sieve.column("area", rows), code_of(sieve.query.area)
    ring = sum((area // unit != here // unit).astype(np.int64) for unit in RING_UNITS[:-1])
    step = np.searchsorted(STEPS, sieve.squared(rows))
    return np.asarray(ring * (len(STEPS) + 1) + step)


def loads(sieve: Sieve, rows: Rows) -> Numbers | int:
    """Tasks taken this month, in each person's own zone."""
    months = [sieve.query.now.astimezone(zone).strftime("%Y-%m") for zone in sieve.zones]
    return sieve.tallied(sieve.columns.tasks, months, rows)


def familiarity(sieve: Sieve, rows: Rows) -> Numbers:
    ids, familiar = sieve.columns.ids, sieve.query.familiar
    return np.fromiter((familiar.get(ids[row], 0) for row in rows.tolist()), np.int64, len(rows))


def contacts(sieve: Sieve, rows: Rows) -> Numbers:
    """How often the person was asked in the last seven days, of the newest eight times."""
    return np.asarray((sieve.column("contacts", rows) > sieve.now - WEEK).sum(axis=1))


def candidates(sieve: Sieve, rows: list[int]) -> tuple[Candidate, ...]:
    """These people, in this order, with what the ranking saw of them."""
    if not rows:
        return ()
    array = np.array(rows)
    seen = [(c, _seen(c, sieve, array)) for c in dict.fromkeys(sieve.query.criteria)]
    ids = sieve.columns.ids
    return tuple(
        Candidate(ids[row], tuple(reason(c, values[n]) for c, values in seen if values[n] == values[n]))
        for n, row in enumerate(rows)
    )


@lru_cache(maxsize=65_536)
def reason(criterion: Criterion, value: float) -> Reason:
    return Reason(criterion=criterion, value=value)


def _seen(criterion: Criterion, sieve: Sieve, rows: Rows) -> list[float]:
    """What is shown for a criterion; nan where there is nothing to show."""
    match criterion:
        case Criterion.FIT:
            values: Numbers | int = extras(sieve, rows)
        case Criterion.DISTANCE:
            if sieve.remote:
                return [float("nan")] * len(rows)
            return [
                round(km_of(squared), 1) if squared == squared else squared for squared in sieve.squared(rows)
            ]
        case Criterion.LOAD:
            values = loads(sieve, rows)
        case Criterion.CONTINUITY:
            values = familiarity(sieve, rows)
        case Criterion.WAITING:
            values = int((sieve.query.now - sieve.query.waiting_since).total_seconds() // 60)
    return [float(value) for value in np.broadcast_to(values, len(rows)).tolist()]


def _most(values: Numbers | int, bits: int) -> Numbers | int:
    """The more the better: as a place, smallest first."""
    return (1 << bits) - 1 - np.minimum(values, (1 << bits) - 1)


def _then(packed: Numbers, values: Numbers | int, bits: int) -> Numbers:
    return packed << bits | values


def _drawn(chance: Numbers, seed: int) -> Numbers:
    """`drawn` for a column."""
    mixed = chance ^ np.uint64(seed)
    mixed = (mixed ^ mixed >> np.uint64(30)) * np.uint64(_FIRST)
    mixed = (mixed ^ mixed >> np.uint64(27)) * np.uint64(_SECOND)
    return ((mixed ^ mixed >> np.uint64(31)) >> np.uint64(64 - CHANCE_BITS)).astype(np.int64)
