"""Carrying a wave out: people are asked, lots are asked for, and the next time is set."""

from __future__ import annotations

from datetime import datetime

from services.matching.domain.asking import FIRST_ASK_SECONDS, ask_again, hold_request
from services.matching.domain.escalation import lasting, raise_tier
from services.matching.domain.match import (
    Asked,
    Hold,
    Match,
    is_named,
    lines,
)
from services.matching.domain.planning import is_too_late
from services.matching.domain.resting import resumed
from services.matching.domain.scene import Scene
from services.matching.domain.settling import settled, word
from services.matching.domain.timing import (
    LONGEST_PAUSE,
    SHORTEST_PAUSE,
    is_over,
    is_pressing,
    kept_until,
    part_is_due,
    wave_seconds,
    with_part_due,
)
from services.matching.domain.wave import GoodsPlan, PeoplePlan, Wave
from services.matching.domain.words import MatchStatus
from shared.contracts.base import Event
from shared.contracts.matching import SeatsOffered
from shared.contracts.parts import GoodsLine, PeopleLine, SitePolicy
from shared.contracts.vocabulary import Waiting
from shared.records import Change

A_MOMENT_SECONDS = 0.5
"""How long what a wake has brought up waits."""


def wake(match: Match, wave: Wave | None, scene: Scene) -> Change[Match]:
    """Let the timers of a match pass: a tier, overdue answers, the time after which part of it may do, and the wave
    that was planned for it."""
    if match.closed or match.spec is None:
        match, events = ask_again(match, scene)
        return Change(match, *events)
    match, events = raise_tier(match, scene)
    match, asked = ask_again(match, scene)
    if match.partial_at is not None and match.partial_at <= scene.now:
        match = part_is_due(match, scene.now)
    match, planned = carry_out(match, wave, scene) if wave else (match, [])
    change = resumed(settled(match, scene, *events, *asked, *planned), scene, A_MOMENT_SECONDS)
    if not wave and not events:
        return change
    return with_word(change, scene)


def carry_out(match: Match, wave: Wave, scene: Scene) -> tuple[Match, list[Event]]:
    """Do what was planned, as far as it is still called for."""
    policy = scene.policy(match.need.site_id)
    match = match.but(wave=wave.number)
    if match.partial_at is None and not match.partial:
        match = with_part_due(match, policy, scene.now)
    events: list[Event] = []
    for line in match.need.people:
        for plan in (plan for plan in wave.people if plan.line_id == line.id):
            match, offered = _offer(match, line, plan, scene)
            events += offered
    for goods in match.need.goods:
        for choice in (plan for plan in wave.goods if plan.line_id == goods.id):
            match, requested = _request(match, goods, choice, scene)
            events += requested
    return weighed(match, scene), events


def _offer(match: Match, line: PeopleLine, plan: PeoplePlan, scene: Scene) -> tuple[Match, list[Event]]:
    """Ask the people of the plan; the next wave is due after its time, or when all have answered."""
    state, policy = match.people[line.id], scene.policy(match.need.site_id)
    match = _diagnosed(match, plan)
    if plan.too_late:
        return match.with_line(line.id, state.but(due_at=None, dry=state.dry + 1)), []
    if not plan.offers:
        due_at = min(_pause(match, policy, state.dry, scene), _in_time(line, scene))
        return match.with_line(line.id, state.but(ring=plan.ring, dry=state.dry + 1, due_at=due_at)), []
    due_at = min(scene.after(wave_seconds(match.need, policy)), _in_time(line, scene))
    state = state.but(ring=plan.ring, waves=state.waves + 1, dry=0, due_at=due_at)
    asked = {offer.invitation_id: Asked(line.id, match.wave) for offer in plan.offers}
    match = match.with_line(line.id, state).but(asked={**match.asked, **asked})
    return match, [_offered(match, line, plan, scene)]


def _offered(match: Match, line: PeopleLine, plan: PeoplePlan, scene: Scene) -> SeatsOffered:
    need, policy = match.need, scene.policy(match.need.site_id)
    seconds = policy.urgent_invitation_seconds if is_pressing(need) else policy.invitation_seconds
    return SeatsOffered(
        line_id=line.id,
        wave=match.wave,
        ring=plan.ring,
        site_id=need.site_id,
        household_id=need.household_id,
        category=need.category,
        urgency=need.urgency,
        skills=line.skills,
        certificates=line.certificates,
        named=is_named(need),
        mode=line.mode,
        area=need.area,
        cell=need.cell,
        window=line.window,
        open_seats=match.people[line.id].free,
        expires_at=min(scene.after(seconds), line.window.start_at),
        offers=plan.offers,
    )


def _request(match: Match, line: GoodsLine, plan: GoodsPlan, scene: Scene) -> tuple[Match, list[Event]]:
    """Ask for the lots of the plan, unless the time is over. What is still missing then is looked for again later, and by
    then there may be more where there was not enough."""
    state, policy = match.goods[line.id], scene.policy(match.need.site_id)
    match = _diagnosed(match, plan)
    if is_over(match, line, scene.now):
        return match.with_line(line.id, state.but(due_at=None)), []
    state = state.awake(state.due_at)
    expires_at = kept_until(match, policy, scene.now)
    ask_at = scene.after(FIRST_ASK_SECONDS)
    holds = {
        choice.hold_id: Hold(line_id=line.id, quantity=choice.quantity, expires_at=expires_at, ask_at=ask_at)
        for choice in plan.choices
    }
    match = match.but(holds={**match.holds, **holds})
    if match.promised(line.id) >= line.quantity:
        state = state.but(due_at=None, dry=0)
    else:
        due_at, dry = _pause(match, policy, state.dry, scene), 0 if holds else state.dry + 1
        state = state.but(due_at=due_at, dry=dry, refused=lasting(state.refused))
    match = match.with_line(line.id, state)
    return match, [hold_request(match, id, hold) for id, hold in holds.items()]


def _diagnosed(match: Match, plan: PeoplePlan | GoodsPlan) -> Match:
    """Remember why a line is short, for whoever looks; forget it when it no longer is."""
    diagnosis = {id: why for id, why in match.diagnosis.items() if id != plan.line_id}
    if plan.diagnosis is not None:
        diagnosis[plan.line_id] = plan.diagnosis
    return match if diagnosis == match.diagnosis else match.but(diagnosis=diagnosis)


def _pause(match: Match, policy: SitePolicy, dry: int, scene: Scene) -> datetime:
    return scene.after(wave_seconds(match.need, policy) * min(2**dry, LONGEST_PAUSE))


def _in_time(line: PeopleLine, scene: Scene) -> datetime:
    """When half of what is left until the window has passed: a wave later than the window asks nobody."""
    left = (line.window.start_at - scene.now).total_seconds()
    return scene.after(max(SHORTEST_PAUSE, left / 2))


def weighed(match: Match, scene: Scene) -> Match:
    """Whether the search is stuck, and for whom it waits."""
    too_late = _is_too_late(match, scene)
    nobody = any(_finds_nobody(match, x) for x in match.need.people if not is_too_late(x, scene.now))
    short = any(_is_short(match, line) for line in match.need.goods)
    if not (too_late or nobody or short):
        return match.but(stalled=False, waiting=Waiting.ANSWERS)
    if too_late or match.exhausted:
        return match.but(stalled=True, waiting=Waiting.COORDINATOR)
    return match.but(stalled=True, waiting=Waiting.NOBODY if nobody else Waiting.STOCK_SHORT)


def _is_too_late(match: Match, scene: Scene) -> bool:
    """Whether the time of something required has begun, or of all that is still short: what may stay empty stays so."""
    late = [x for x in match.need.people if match.people[x.id].free and is_too_late(x, scene.now)]
    ahead = any(not match.is_full(x) and x not in late for x in lines(match.need))
    return any(x.required for x in late) or bool(late and not ahead)


def _finds_nobody(match: Match, line: PeopleLine) -> bool:
    state = match.people[line.id]
    return bool(state.free and state.dry) and not match.pending(line.id)


def _is_short(match: Match, line: GoodsLine) -> bool:
    state, promised = match.goods[line.id], match.promised(line.id)
    return state.dry > 0 and promised < line.quantity


def with_word(change: Change[Match], scene: Scene) -> Change[Match]:
    """Say where the search stands, unless everything has been found."""
    match = change.record
    if match.status == MatchStatus.MADE:
        return change
    return Change(match, *change.events, word(match, scene.now))
