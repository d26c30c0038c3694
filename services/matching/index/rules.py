"""The hard rules over columns: for each rule of the vocabulary which rows fail it, as far as columns can tell.

What they cannot tell (single windows, tasks in a calendar) is for `Sieve.is_free` and `Sieve.is_busy` to decide.
Looking up by number clips, because a search in another thread may meet a zone that was noted after it began.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from services.matching.index.columns import ACTIVE, HOURS, MODES, Flags, Rows
from services.matching.index.geography import spans
from services.matching.index.hours import words
from services.matching.index.sieve import Numbers, Sieve
from shared.contracts.vocabulary import Ring, Rule


def says_nothing(s: Sieve, rule: Rule) -> bool:
    """Whether nobody at all can fail the rule: because the query asks for nothing, or by what is known of all."""
    query = s.query
    match rule:
        case Rule.AUDIENCE:
            return not query.named
        case Rule.SKILL:
            return not query.skills
        case Rule.CERTIFICATE:
            return not query.certificates
        case Rule.CERTIFICATE_EXPIRED:
            return not (query.certificates or query.named)
        case Rule.LANGUAGE:
            return not query.languages
        case Rule.RING:
            return s.remote or query.widest == Ring.ANYWHERE
        case Rule.REACH:
            return s.remote or query.cell is None
        case Rule.BLOCKED:
            return s.bounds.last_block <= s.now
        case Rule.CAP:
            return s.bounds.most_minutes + s.window.minutes <= s.bounds.least_cap
        case Rule.BUDGET:
            return query.crisis or s.bounds.last_free_again <= s.now
        case Rule.QUIET:
            return query.crisis or not any(asleep(s))
        case Rule.ASKED:
            return not s.excluded
        case _:
            return False


def fails(s: Sieve, rule: Rule, rows: Rows) -> Flags:
    """Which of these rows fail the rule, which says something."""
    return _RULES[rule](s, rows)


def asleep(s: Sieve) -> list[bool]:
    """For each of the quiet hours that people keep, whether it is now."""
    kept = list(s.quiet)
    zones = {quiet.zone for quiet in kept}
    minutes = {zone: (local := s.query.now.astimezone(zone)).hour * 60 + local.minute for zone in zones}
    return [quiet.holds(minutes[quiet.zone]) for quiet in kept]


def sleeps_on(s: Sieve, rows: Rows) -> Flags:
    """Who keeps quiet hours that, if it is quiet now, last until the window begins: to wait for their end is of no use."""
    lasting = [quiet.ends_after(s.query.now) >= s.window.start_at for quiet in list(s.quiet)]
    return np.array(lasting, np.bool_).take(s.column("quiet", rows), mode="clip")


def _inactive(s: Sieve, rows: Rows) -> Flags:
    return _lacks_any(s, rows, ACTIVE)


def _audience(s: Sieve, rows: Rows) -> Flags:
    """Has never had any of the certificates of named people; whose ran out may renew it."""
    flags: Flags = s.column("named_until", rows) == 0
    return flags


def _skill(s: Sieve, rows: Rows) -> Flags:
    return _lacks_any(s, rows, s.skills)


def _certificate(s: Sieve, rows: Rows) -> Flags:
    """Has never had any of them."""
    flags: Flags = s.certified_until(rows).max(axis=1) == 0
    return flags


def _certificate_expired(s: Sieve, rows: Rows) -> Flags:
    """Has had one of them, but none is in force to the end of the window; nor of those of named people."""
    flags, last = np.zeros(len(rows), np.bool_), s.last_day(rows)
    if s.query.certificates:
        flags |= _ran_out(s.certified_until(rows).max(axis=1), last)
    if s.query.named:
        flags |= _ran_out(s.column("named_until", rows), last)
    return flags


def _ran_out(until: Numbers, last: Numbers | int) -> Flags:
    flags: Flags = (until > 0) & (until < last)
    return flags


def _language(s: Sieve, rows: Rows) -> Flags:
    flags: Flags = (s.column("facts", rows) & np.uint64(s.languages)) == 0
    return flags


def _mode(s: Sieve, rows: Rows) -> Flags:
    return _lacks_any(s, rows, MODES[s.query.mode])


def _ring(s: Sieve, rows: Rows) -> Flags:
    outside = np.ones(len(rows), np.bool_)
    area = s.column("area", rows)
    for first, last in spans(s.query.widest, s.query.area, s.query.areas):
        outside &= (area < first) | (area >= last)
    return outside


def _reach(s: Sieve, rows: Rows) -> Flags:
    """Too far by the person's own measure. Where a place is unknown, the ring decides alone."""
    flags: Flags = s.squared(rows) > s.column("reach", rows)
    return flags


def _window(s: Sieve, rows: Rows) -> Flags:
    """Not free by the weekly pattern, for those who have no single windows."""
    fails = np.zeros(len(rows), np.bool_)
    asked = [words(window.bits) for window in s.needed]
    zone = s.column("zone", rows) if len(set(asked)) > 1 else None
    for word, name in enumerate(HOURS):
        bits = [three[word] for three in asked]
        if any(bits):
            want = np.uint64(bits[0]) if zone is None else np.array(bits, np.uint64).take(zone, mode="clip")
            fails |= (s.column(name, rows) & want) != want
    return fails & ~s.column("special", rows)


def _nothing(s: Sieve, rows: Rows) -> Flags:
    return np.zeros(len(rows), np.bool_)


def _blocked(s: Sieve, rows: Rows) -> Flags:
    flags: Flags = s.column("blocked_until", rows) > s.now
    return flags


def _cap(s: Sieve, rows: Rows) -> Flags:
    flags: Flags = s.week_minutes(rows) + s.window.minutes > s.column("cap", rows)
    return flags


def _budget(s: Sieve, rows: Rows) -> Flags:
    flags: Flags = s.column("free_again_at", rows) > s.now
    return flags


def _quiet(s: Sieve, rows: Rows) -> Flags:
    return np.array(asleep(s), np.bool_).take(s.column("quiet", rows), mode="clip")


def _asked(s: Sieve, rows: Rows) -> Flags:
    return np.isin(rows, list(s.excluded))


def _lacks_any(s: Sieve, rows: Rows, facts: int) -> Flags:
    wanted = np.uint64(facts)
    flags: Flags = (s.column("facts", rows) & wanted) != wanted
    return flags


_RULES: dict[Rule, Callable[[Sieve, Rows], Flags]] = {
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
