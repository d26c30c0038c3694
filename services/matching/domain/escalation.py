"""Tiers: 社工室 → 社工站 → 总站 → 指导中心. When time passes without a full match the next one up looks as well; the
first stays accountable."""

from __future__ import annotations

from services.matching.domain.match import Match, is_named, lines
from services.matching.domain.scene import Scene, Station, Tier
from services.matching.domain.timing import is_over
from services.matching.domain.words import Answer
from shared.contracts.base import Event
from shared.contracts.matching import MatchEscalated
from shared.contracts.parts import GoodsLine, PeopleLine
from shared.contracts.vocabulary import GoodsRule, Ring, SiteKind

RINGS = list(Ring)

WIDEST: dict[SiteKind | None, Ring] = {
    SiteKind.ROOM: Ring.TOWNSHIP,
    SiteKind.STATION: Ring.COUNTY,
    None: Ring.COUNTY,
    SiteKind.MAIN_STATION: Ring.CITY,
    SiteKind.CENTER: Ring.ANYWHERE,
}
"""How far a search may go as long as it is this tier's; beyond the last tier it may go anywhere."""


PASSING = (GoodsRule.QUANTITY, GoodsRule.EXPIRED)
"""Refusals that time may mend: more comes in, an expiry that was mistyped is corrected, and the index tells of both."""


def raise_tier(match: Match, scene: Scene) -> tuple[Match, list[Event]]:
    """Raise the match a tier if its time has come and something is left to be found. Every line that is short is searched
    again at once; who or what could not be had a while ago may be asked again.

    When there is no tier left, or it has been raised often enough, it stays where it is and searches everywhere,
    again and again, while a coordinator is waited for.
    """
    if match.closed or match.spec is None or match.tier_due_at is None or match.tier_due_at > scene.now:
        return match, []
    station = scene.station(match.need.site_id)
    match = match.but(tier_due_at=scene.after(station.policy.tier_seconds))
    if not any(_can_be_found(match, line, scene) for line in lines(match.need)):
        return match, []
    match = _searching_again(match, scene)
    hops, above = match.hops + 1, _next_tier(match, station)
    if hops > station.policy.max_hops or above is None:
        return match.but(exhausted=True), []
    here = match.tier_site_id or match.need.site_id
    match = match.but(hops=hops, tier_site_id=above.site_id)
    escalated = MatchEscalated(
        site_id=match.need.site_id,
        from_site_id=here,
        to_site_id=above.site_id,
        hops=hops,
        next_action_at=match.due_at or scene.now,
    )
    return match, [escalated]


def _can_be_found(match: Match, line: PeopleLine | GoodsLine, scene: Scene) -> bool:
    """Whether a line is short of what may still be found: nobody comes to a time that has begun, and nothing to a need
    whose time is over."""
    if isinstance(line, GoodsLine):
        ahead = not is_over(match, line, scene.now)
    else:
        ahead = line.window.start_at > scene.now
    return ahead and not match.is_full(line)


def _next_tier(match: Match, station: Station) -> Tier | None:
    """The next open one above the tier that looks now, whether that is still open or not."""
    known = any(tier.site_id == match.tier_site_id for tier in station.tiers)
    last = _raised_to(match, station) if known else max(0, match.hops - 1)
    return next((tier for tier in station.tiers[last + 1 :] if tier.open), None)


def _raised_to(match: Match, station: Station) -> int:
    """Which of the tiers the match has been raised to."""
    ids = [tier.site_id for tier in station.tiers]
    return ids.index(match.tier_site_id) if match.tier_site_id in ids else min(match.hops, len(ids) - 1)


def widest(match: Match, station: Station) -> Ring:
    """How far the search may go now."""
    return Ring.ANYWHERE if at_once(match) else _reach(match, station)


def widest_for_goods(match: Match, station: Station) -> Ring:
    """Goods lie in stores that serve a county at least, and need not widen step by step; but what is near is not
    passed by because time presses."""
    return max(Ring.COUNTY, _reach(match, station), key=RINGS.index)


def areas(match: Match, station: Station) -> tuple[str, ...]:
    """The areas of the tiers that look as well: of the one that the match was raised to, even if that has been closed since,
    and of the open ones below it."""
    last = _raised_to(match, station)
    raised = (tier for n, tier in enumerate(station.tiers[: last + 1]) if n and (tier.open or n == last))
    return tuple(dict.fromkeys(tier.area for tier in raised if tier.area))


def first_ring(match: Match, line_id: str, station: Station) -> Ring:
    """Where the next wave of a line begins: one ring wider than the last that asked anybody. After one that found
    nobody it begins with the neighbours again, of whom somebody may be free by now."""
    furthest = widest(match, station)
    state = match.people[line_id]
    last = None if state.dry else state.ring
    if at_once(match):
        return furthest
    following = 0 if last is None else RINGS.index(last) + 1
    return RINGS[min(following, RINGS.index(furthest))]


def at_once(match: Match) -> bool:
    """A crisis and a child wait for no rings."""
    return is_named(match.need)


def lasting(refused: dict[str, GoodsRule]) -> dict[str, GoodsRule]:
    """Refusals that time does not mend."""
    return {lot: rule for lot, rule in refused.items() if rule not in PASSING}


def _reach(match: Match, station: Station) -> Ring:
    """How far the tier reaches that the match has been raised to."""
    tier = station.tiers[_raised_to(match, station)]
    return Ring.ANYWHERE if match.exhausted else WIDEST[tier.kind]


def _searching_again(match: Match, scene: Scene) -> Match:
    """Every short line due now, unless it rests; calendars and lots that refused may be asked again."""
    asked = {
        id: one._replace(answer=Answer.PASSED) if one.answer == Answer.REFUSED else one
        for id, one in match.asked.items()
    }
    people = {
        id: state.but(due_at=scene.now, dry=0) if state.free else state for id, state in match.people.items()
    }
    goods = {
        id: state.but(
            due_at=state.due_at if state.rests else scene.now, dry=0, refused=lasting(state.refused)
        )
        for id, state in match.goods.items()
    }
    return match.but(asked=asked, people=people, goods=goods)
