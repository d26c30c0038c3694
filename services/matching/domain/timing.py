"""How long a match waits before it goes on, or takes a part for enough."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zlib import crc32

from services.matching.domain.match import Match, lines
from services.matching.domain.scene import Scene, day_of
from shared.contracts.dates import over_at
from shared.contracts.parts import GoodsLine, NeedSpec, SitePolicy
from shared.contracts.vocabulary import Urgency, is_crisis

TO_GET_THERE = timedelta(minutes=30)
"""How long before a window begins those who have a seat must know where to go."""

LONGEST_PAUSE = 4
"""A search that finds nobody is repeated after one, two, at most so many times a wave's seconds."""
SHORTEST_PAUSE = 60
OUT_OF_STEP = 1 / 8
"""By what part of its time, at most, goods are kept shorter for one match than for another."""


def is_over(match: Match, line: GoodsLine, now: datetime) -> bool:
    """Whether nothing more is looked for on this line: the last window has ended and the last date has passed, so that the
    need is over. What had been handed over and came back is owed all the same."""
    return not match.goods[line.id].came_back and over_at(lines(match.need), match.need.deadline_at) <= now


def is_pressing(need: NeedSpec) -> bool:
    """Whether the shorter timers count."""
    return need.urgency == Urgency.URGENT or is_crisis(need.category, need.urgency)


def with_part_due(match: Match, policy: SitePolicy, now: datetime) -> Match:
    """The match knowing when part of it may do: after the time of a wave, but while whoever has a seat can still get
    there."""
    return _part_due_by(match, now + timedelta(seconds=wave_seconds(match.need, policy)), now)


def part_is_due(match: Match, now: datetime) -> Match:
    """The match from the moment on in which part of it may do; it is looked at again when people set out for the next visit."""
    return match.but(partial=True, partial_at=_next_part_due(match, now))


def in_time(match: Match, now: datetime) -> Match:
    """The match that lets part of it do no later than people set out for the next visit, also if its lines have changed since."""
    if match.partial:
        return part_is_due(match, now)
    if match.partial_at is None:
        return match
    return _part_due_by(match, match.partial_at, now)


def _part_due_by(match: Match, latest: datetime, now: datetime) -> Match:
    ahead = [line.window.start_at for line in match.need.people if line.window.start_at > now]
    at = min([latest, *(start - TO_GET_THERE for start in ahead)])
    return part_is_due(match, now) if at <= now else match.but(partial=False, partial_at=at)


def _next_part_due(match: Match, now: datetime) -> datetime | None:
    times = (line.window.start_at - TO_GET_THERE for line in match.need.people)
    return min((at for at in times if at > now), default=None)


def good_on(need: NeedSpec, line: GoodsLine, scene: Scene) -> date:
    """The day on which goods must still be good: when they are needed, not before today. What is needed by midnight is
    needed on the day that ends then."""
    at, zone = needed_at(need, line, scene), scene.station(need.site_id).zone
    if at == line.needed_by and at > scene.now:
        at -= timedelta(microseconds=1)
    return day_of(at, zone)


def needed_at(need: NeedSpec, line: GoodsLine, scene: Scene) -> datetime:
    """When goods are needed: on their date, or else when the people come next, who are required rather than those who
    may stay away; not before now."""
    to_come = [visit for visit in need.people if visit.window.start_at > scene.now]
    visits = [visit for visit in to_come if visit.required] or to_come
    needed_by = line.needed_by or min((visit.window.start_at for visit in visits), default=scene.now)
    return max(scene.now, needed_by)


def wave_seconds(need: NeedSpec, policy: SitePolicy) -> int:
    return policy.urgent_wave_seconds if is_pressing(need) else policy.wave_seconds


def kept_until(match: Match, policy: SitePolicy, now: datetime) -> datetime:
    """When goods that are asked for now are given up if the rest is not there: a little sooner than the station says, other
    each time. Needs that are loaded in bulk, and the timers of each, else go on in step for ever."""
    sooner = OUT_OF_STEP * crc32(f"{match.id} {now.isoformat()}".encode()) / 2**32
    return now + timedelta(seconds=policy.hold_seconds * (1 - sooner))
