"""What a wave asks the index, and the plan that its answers make. Pure: the searching itself is the service's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import ceil

from services.matching.domain.escalation import areas, first_ring, widest, widest_for_goods
from services.matching.domain.match import Match, PeopleState, is_named, owner_of
from services.matching.domain.scene import Scene, day_of
from services.matching.domain.timing import good_on, is_pressing
from services.matching.domain.wave import GoodsPlan, LotChoice, PeoplePlan, mark
from services.matching.domain.words import MAY_BE_ASKED_AGAIN, Answer
from services.matching.index.port import LotsQuery, LotsResult, PeopleQuery, PeopleResult
from shared.contracts.parts import GoodsLine, LineDiagnosis, Offer, PeopleLine, SitePolicy
from shared.contracts.vocabulary import is_crisis

GROWTHS_AT_MOST = 6
"""How often a wave grows before it stays as large as it is."""
ASKED_AT_MOST = 500
"""People in one wave of a line: one message names them all, and another tells how busy each of them is."""


def due_people(match: Match, now: datetime) -> list[PeopleLine]:
    return [line for line in match.need.people if _is_due(match.people[line.id].due_at, now)]


def due_goods(match: Match, now: datetime) -> list[GoodsLine]:
    return [line for line in match.need.goods if _is_due(match.goods[line.id].due_at, now)]


def is_too_late(line: PeopleLine, now: datetime) -> bool:
    """Nobody can be asked for a time that has begun."""
    return line.window.start_at <= now


def people_query(
    match: Match, line: PeopleLine, scene: Scene, familiar: Mapping[str, int], planned: Sequence[PeoplePlan]
) -> PeopleQuery:
    """Whom to look for: as many as the station asks at a time for each free seat, but nobody twice who
    said no or did not answer.

    Neighbours are asked first, even if they are few, as long as they could fill the seats; where time presses, only a
    ring that fills the wave will do.
    `planned` are the plans of the need's other lines in this very wave.
    """
    need, station = match.need, scene.station(match.need.site_id)
    answers = _answers(match, line, planned)
    wanted = wave_size(match.people[line.id], station.policy)
    return PeopleQuery(
        line_id=line.id,
        window=line.window,
        area=need.area,
        cell=need.cell,
        now=scene.now,
        seed=match.id,
        waiting_since=need.posted_at,
        skills=line.skills,
        certificates=line.certificates,
        languages=line.languages,
        mode=line.mode,
        named=is_named(need),
        crisis=is_crisis(need.category, need.urgency),
        ring=first_ring(match, line.id, station),
        widest=widest(match, station),
        areas=areas(match, station),
        wanted=wanted,
        least=wanted if is_pressing(need) else match.people[line.id].free,
        excluded=frozenset(answers),
        refused=frozenset(id for id, answer in answers.items() if answer == Answer.REFUSED),
        engaged=frozenset(id for id, answer in answers.items() if answer in (Answer.ASKED, Answer.WON)),
        familiar=familiar,
        criteria=station.policy.criteria,
    )


def wave_size(state: PeopleState, policy: SitePolicy) -> int:
    """How many are asked at once: so many for each free seat, more in each later wave."""
    growth = max(1.0, policy.wave_growth) ** min(state.waves, GROWTHS_AT_MOST)
    return min(ASKED_AT_MOST, ceil(max(1, policy.first_wave) * growth) * state.free)


def lots_query(match: Match, line: GoodsLine, scene: Scene) -> LotsQuery:
    """What to look for: what the line is still short of, good until it is needed: on its date, or else when the
    people come, since goods past their expiry are not handed over."""
    need, station = match.need, scene.station(match.need.site_id)
    today = day_of(scene.now, station.zone)
    return LotsQuery(
        line_id=line.id,
        category=line.category,
        unit=line.unit,
        quantity=line.quantity - match.promised(line.id),
        area=need.area,
        today=today,
        good_on=good_on(need, line, scene),
        purpose=need.category,
        seed=match.id,
        attributes=line.attributes,
        target_groups=need.target_groups,
        cell=need.cell,
        widest=widest_for_goods(match, station),
        areas=areas(match, station),
        excluded=frozenset(match.goods[line.id].refused),
    )


def people_plan(
    match: Match, query: PeopleQuery, found: PeopleResult, why: LineDiagnosis | None
) -> PeoplePlan:
    digest = mark(match.id, query.line_id, match.wave + 1)
    return PeoplePlan(
        line_id=query.line_id,
        ring=found.ring,
        wanted=query.wanted,
        offers=tuple(
            Offer(
                invitation_id=f"{one.volunteer_id}~{digest}",
                volunteer_id=one.volunteer_id,
                reasons=one.reasons,
            )
            for one in found.candidates
        ),
        diagnosis=why,
    )


def too_late_plan(match: Match, line: PeopleLine, scene: Scene) -> PeoplePlan:
    ring = match.people[line.id].ring or widest(match, scene.station(match.need.site_id))
    nobody = LineDiagnosis(line_id=line.id, looked_at=0)
    return PeoplePlan(line_id=line.id, ring=ring, wanted=0, diagnosis=nobody, too_late=True)


def goods_plan(
    match: Match, line: GoodsLine, found: LotsResult, why: LineDiagnosis | None, partial: bool
) -> GoodsPlan:
    """What to hold: nothing, as long as not even the least that would do can be had, be it in several waves."""
    digest = mark(match.id, line.id, match.wave + 1)
    promised = match.promised(line.id)
    least = line.minimum if partial else line.quantity
    takes = found.takes if promised + found.available >= least else ()
    return GoodsPlan(
        line_id=line.id,
        missing=line.quantity - promised,
        choices=tuple(
            LotChoice(
                hold_id=f"{take.lot_id}~{digest}",
                lot_id=take.lot_id,
                quantity=take.quantity,
                available=take.available,
                expires_on=take.expires_on,
                ring=take.ring,
            )
            for take in takes
        ),
        looked_at=found.looked_at,
        diagnosis=why,
    )


def _is_due(due_at: datetime | None, now: datetime) -> bool:
    return due_at is not None and due_at <= now


def _answers(match: Match, line: PeopleLine, planned: Sequence[PeoplePlan]) -> dict[str, str]:
    """Everybody who was asked for this line, or for another line of this need at the same time, and whose answer stands
    or is awaited, with that answer: what a calendar refused only of those who were never asked otherwise."""
    answers: dict[str, str] = {}
    same_time = {other.id for other in match.need.people if other.window.overlaps(line.window)} | {line.id}
    for invitation_id, asked in match.asked.items():
        if asked.line_id in same_time and asked.answer not in MAY_BE_ASKED_AGAIN:
            id = owner_of(invitation_id)
            if id not in answers or asked.answer != Answer.REFUSED:
                answers[id] = asked.answer
    for plan in planned:
        if plan.line_id in same_time:
            answers |= {offer.volunteer_id: Answer.ASKED for offer in plan.offers}
    return answers
