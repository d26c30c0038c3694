"""Rules 4 and 6: no need is forgotten, and none for a child or in a crisis reaches the public."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from services.matching.domain.match import Match, lines
from services.matching.domain.words import Answer, MatchStatus
from services.needs.domain.lead import Lead
from services.needs.domain.need import Need
from services.resources.domain.records import Lot
from shared.contracts.parts import NeedSpec
from shared.contracts.vocabulary import (
    CHILD_GROUPS,
    Audience,
    Field,
    HoldStatus,
    LeadStatus,
    Skill,
    is_crisis,
)
from wushe.check.heard import Place
from wushe.check.people import volunteer_of
from wushe.check.violation import Violation

PATIENCE = timedelta(seconds=60)
INSTANT = timedelta(microseconds=1)
SITE_ZONE = "Asia/Shanghai"


def no_need_is_forgotten(need: Need, now: datetime | None) -> Iterator[Violation]:
    """A need is terminal, or waits with a reason and a time; `now` is None for a system that stands still."""
    if need.status.terminal:
        return
    if need.waiting is None or need.next_action_at is None:
        yield Violation(
            4, need.id, f"{need.status} without a reason or a time", f"{need.status.zh}，但没有原因或时间"
        )
    elif now is not None and need.next_action_at + PATIENCE < now:
        yield Violation(4, need.id, "its next action is overdue", "下一步行动已逾期", True)


def no_lead_is_forgotten(lead: Lead, now: datetime) -> Iterator[Violation]:
    """A lead is decided, or the station above is told in time that it waits."""
    if lead.due_at is not None and lead.due_at + PATIENCE < now:
        yield Violation(
            4, lead.id, "the station above has not been told of it", "逾期未升级到上一级站点", True
        )


def every_tier_hears_of_a_lead(lead: Lead, places: Mapping[str, Place]) -> Iterator[Violation]:
    """A lead that nobody has decided goes up until there is no open site above that has not been told, or as often as
    its site lets it. A site that was opened, or came to lie above, after the report is not counted."""
    if lead.status is not LeadStatus.REPORTED or lead.decide_by is not None:
        return
    here, at = places.get(lead.site_id), places.get(lead.tier_site_id or lead.site_id)
    if here is None or lead.hops >= here.fewest_hops:
        return
    passed = set[str]()
    while at is not None and at.parent_id not in passed and at.below_since <= lead.reported_at:
        above = at.parent_id or ""
        passed.add(above)
        at = places.get(above)
        if at is not None and at.open_since is not None and at.open_since <= lead.reported_at:
            yield Violation(4, lead.id, f"{above} was never told of it", f"从未升级到 {above}")
            return


def who_is_to_be_protected_is(need: Need) -> Iterator[Violation]:
    """A need that goes on and is for a child, minds children or is in a crisis, is one for named people."""
    minding = any(Skill.CHILD_MINDING in line.skills for line in need.people)
    protected = need.minor or minding or _is_to_be_protected(need)
    goes_on = need.posted_at is not None and not need.status.terminal
    if protected and goes_on and need.audience is not Audience.NAMED:
        yield Violation(6, need.id, "it is open to the public", "未限定为指定人员")


def _is_to_be_protected(of: Need | NeedSpec) -> bool:
    child = of.field is Field.CHILDREN or not CHILD_GROUPS.isdisjoint(of.target_groups)
    return child or is_crisis(of.category, of.urgency)


def what_is_made_is_whole(match: Match) -> Iterator[Violation]:
    """A match that is made has all that it was to find: it searches no more."""
    if (
        match.spec is not None
        and match.status == MatchStatus.MADE
        and not all(match.is_full(line) for line in lines(match.need))
    ):
        yield Violation(4, match.id, "it is said to be made, but is not whole", "称已匹配，但并未配齐")


def helpers_are_those_with_seats(
    needs: Mapping[str, Need], matches: Mapping[str, Match]
) -> Iterator[Violation]:
    """A need that goes on shows those who have its seats, to whom its contact is open, and nobody else."""
    for need in needs.values():
        match = matches.get(need.id)
        if need.status.terminal or match is None or match.closed:
            continue
        shown = {seat.invitation_id for seat in need.seats}
        there = {holder for line in match.people.values() for holder in line.seats if holder}
        for id in sorted(shown - there):
            yield Violation(2, need.id, f"{id} is shown, but has no seat", f"显示 {id}，但其并无名额", True)
        for id in sorted(there - shown):
            yield Violation(2, need.id, f"{id} has a seat, but is not shown", f"{id} 有名额，但未显示", True)


def every_need_is_searched_for(
    needs: Mapping[str, Need], matches: Mapping[str, Match]
) -> Iterator[Violation]:
    """Every posted need has a match that goes on until all is found, and ends when the need does; nothing is searched for
    that nobody knows of any more."""
    for id, search in matches.items():
        if id not in needs and search.spec is not None and not search.closed:
            yield Violation(4, id, "it is searched for, but it is gone", "仍在匹配，但需求记录不见了", True)
    for need in needs.values():
        if need.posted_at is None:
            continue
        match = matches.get(need.id)
        if match is None:
            if not need.status.terminal:
                yield Violation(4, need.id, "nobody searches for it", "没有在匹配", True)
        elif need.status.terminal and not match.closed:
            yield Violation(4, need.id, "it is over, but its search is not", "需求已结束，但匹配未结束", True)
        elif match.closed and not need.status.terminal:
            yield Violation(4, need.id, "its search is over, but it is not", "匹配已结束，但需求未结束", True)
        elif not match.closed and match.status != MatchStatus.MADE and match.due_at is None:
            yield Violation(4, need.id, "its search has no next time", "匹配没有下一次时间", True)


def what_is_over_holds_nothing(needs: Mapping[str, Need], lots: Mapping[str, Lot]) -> Iterator[Violation]:
    """A need that is over, however it ended, holds no stock that it has not fetched."""
    over = {need.id for need in needs.values() if need.status.terminal}
    for lot in lots.values():
        for id, hold in lot.holds.items():
            if hold.promised and hold.need_id in over:
                yield Violation(
                    3, lot.id, f"{id} is held for a need that is over", f"{id} 仍为已结束的需求预留", True
                )


def goods_and_lots_agree(
    needs: Mapping[str, Need], matches: Mapping[str, Match], lots: Mapping[str, Lot]
) -> Iterator[Violation]:
    """A need that goes on is shown the goods that lots keep for it or have handed over, and no others: all of them where
    its match has said what is there. What was signed for may have left its lot, and is not looked at."""
    kept: dict[str, set[tuple[str, int]]] = {}
    for lot in lots.values():
        for id, hold in lot.holds.items():
            if hold.status in (HoldStatus.CONFIRMED, HoldStatus.ISSUED):
                kept.setdefault(hold.need_id, set()).add((id, hold.quantity))
    for need in needs.values():
        if need.posted_at is None or need.status.terminal:
            continue
        shown = {(goods.hold_id, goods.quantity) for goods in need.goods_to_receive}
        there = kept.get(need.id, set())
        for id, _ in sorted(shown - there):
            yield Violation(3, need.id, f"{id} is shown, but not kept", f"显示 {id}，但批次并未保留", True)
        match = matches.get(need.id)
        if match is not None and match.status in (MatchStatus.MADE, MatchStatus.PARTLY_MADE):
            for id, _ in sorted(there - shown):
                yield Violation(3, need.id, f"{id} is kept, but not shown", f"{id} 已保留，但未显示", True)


def the_public_is_not_asked(
    matches: Mapping[str, Match], certified: Mapping[str, date], homes: Mapping[str, Set[ZoneInfo]]
) -> Iterator[Violation]:
    """A need for named people, and any for a child or in a crisis, went only to people with one of the certificates that
    this takes, seen by staff and in force on the day; but who had a seat before it became one keeps it. `certified` tells
    of each person how long one ever was, by what the registry said of them, and `homes` in which zones they lived: the
    day is theirs."""
    for match in matches.values():
        spec = match.spec
        if spec is None or not (spec.audience is Audience.NAMED or _is_to_be_protected(spec)):
            continue
        ends = {line.id: line.window.end_at - INSTANT for line in spec.people}
        for invitation_id, asked in match.asked.items():
            kept = asked.answer == Answer.CHANGED or invitation_id in match.stayed
            if kept or asked.line_id not in ends:
                continue
            id = volunteer_of(invitation_id)
            zones = homes.get(id) or {ZoneInfo(SITE_ZONE)}
            day = min(ends[asked.line_id].astimezone(zone).date() for zone in zones)
            if certified.get(id, date.min) < day:
                yield Violation(6, match.id, f"{id} was asked", f"邀约了非指定人员 {id}")
