"""The hard rules over columns: for each rule of the vocabulary which rows fail it, as far as columns can tell.

What they cannot tell (single windows, tasks in a calendar) is for `Sieve.is_free` and `Sieve.is_busy` to decide.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from services.matching.index.columns import ACTIVE, MODES, Flags, Rows
from services.matching.index.geography import spans
from services.matching.index.hours import words
from services.matching.index.sieve import Sieve
from shared.contracts.vocabulary import Ring, Rule


def minute_of(moment: datetime, zone: ZoneInfo) -> int:
    local = moment.astimezone(zone)
    return local.hour * 60 + local.minute


def _inactive(s: Sieve, rows: Rows) -> Flags:
    return _lacks_any(s, rows, ACTIVE)


def _audience(s: Sieve, rows: Rows) -> Flags:
    if not s.query.named:
        return np.zeros(len(rows), np.bool_)
    return _flags(s.column("named_until", rows) < s.day)


def _skill(s: Sieve, rows: Rows) -> Flags:
    return _lacks_any(s, rows, s.skills)


def _certificate(s: Sieve, rows: Rows) -> Flags:
    """Has never had any of them."""
    if not len(s.certificates):
        return np.zeros(len(rows), np.bool_)
    return _flags(s.certified_until(rows).max(axis=1) == 0)


def _certificate_expired(s: Sieve, rows: Rows) -> Flags:
    """Has had one of them, but none is in force to the end of the window."""
    if not len(s.certificates):
        return np.zeros(len(rows), np.bool_)
    until = s.certified_until(rows).max(axis=1)
    return _flags((until > 0) & (until < s.day))


def _language(s: Sieve, rows: Rows) -> Flags:
    if not s.languages:
        return np.zeros(len(rows), np.bool_)
    return _flags((s.column("facts", rows) & np.uint64(s.languages)) == 0)


def _mode(s: Sieve, rows: Rows) -> Flags:
    return _lacks_any(s, rows, MODES[s.query.mode])


def _ring(s: Sieve, rows: Rows) -> Flags:
    outside = np.ones(len(rows), np.bool_)
    if s.remote or s.query.widest == Ring.ANYWHERE:
        return ~outside
    area = s.column("area", rows)
    for first, last in spans(s.query.widest, s.query.area, s.query.areas):
        outside &= (area < first) | (area >= last)
    return outside


def _reach(s: Sieve, rows: Rows) -> Flags:
    """Too far by the person's own measure. Where a place is unknown, the ring decides alone."""
    if s.remote:
        return np.zeros(len(rows), np.bool_)
    return _flags(s.squared(rows) > s.column("reach", rows))


def _window(s: Sieve, rows: Rows) -> Flags:
    """Not free by the weekly pattern, for those who have no single windows."""
    fails = np.zeros(len(rows), np.bool_)
    asked = [words(window.bits) for window in s.needed]
    zone = s.column("zone", rows) if len(set(asked)) > 1 else None
    for word in range(3):
        bits = np.array([three[word] for three in asked], np.uint64)
        if bits.any():
            want = bits[zone] if zone is not None else bits[0]
            fails |= (s.columns["hours"][rows, word] & want) != want
    return fails & ~s.column("special", rows)


def _nothing(s: Sieve, rows: Rows) -> Flags:
    return np.zeros(len(rows), np.bool_)


def _blocked(s: Sieve, rows: Rows) -> Flags:
    return _flags(s.column("blocked_until", rows) > s.now)


def _cap(s: Sieve, rows: Rows) -> Flags:
    return _flags(s.fit_minutes(rows) + s.window.minutes > s.column("cap", rows))


def _budget(s: Sieve, rows: Rows) -> Flags:
    if s.query.crisis:
        return np.zeros(len(rows), np.bool_)
    return _flags(s.column("free_again_at", rows) > s.now)


def _quiet(s: Sieve, rows: Rows) -> Flags:
    """Asleep: quiet hours may wrap midnight, and are none when they end where they begin."""
    if s.query.crisis:
        return np.zeros(len(rows), np.bool_)
    minute = s.by_zone(lambda zone: minute_of(s.query.now, zone), rows)
    start, end = s.column("quiet_from", rows), s.column("quiet_to", rows)
    after, before = start <= minute, minute < end
    return _flags(np.where(start <= end, after & before, after | before))


def _asked(s: Sieve, rows: Rows) -> Flags:
    ids = s.columns.ids
    return np.fromiter((ids[row] in s.excluded for row in rows.tolist()), np.bool_, len(rows))


def _lacks_any(s: Sieve, rows: Rows, facts: int) -> Flags:
    wanted = np.uint64(facts)
    return _flags((s.column("facts", rows) & wanted) != wanted)


def _flags(values: Any) -> Flags:
    return np.asarray(values, np.bool_)


RULES: dict[Rule, Callable[[Sieve, Rows], Flags]] = {
    Rule.INACTIVE: _inactive,
    Rule.AUDIENCE: _audience,
    Rule.SKILL: _skill,
    Rule.CERTIFICATE: _certificate,
    Rule.CERTIFICATE_EXPIRED: _certificate_expired,
    Rule.LANGUAGE: _language,
    Rule.MODE: _mode,
    Rule.RING: _ring,
    Rule.REACH: _reach,
    Rule.WINDOW: _window,
    Rule.OVERLAP: _nothing,
    Rule.BLOCKED: _blocked,
    Rule.CAP: _cap,
    Rule.BUDGET: _budget,
    Rule.QUIET: _quiet,
    Rule.ASKED: _asked,
}


def fails(sieve: Sieve, rule: Rule, rows: Rows) -> Flags:
    """Which of these rows fail the rule."""
    return RULES[rule](sieve, rows)
