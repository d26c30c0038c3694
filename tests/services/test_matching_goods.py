"""How people and goods are found together: held, confirmed, partly enough, given back when the other half fails."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from services.matching.domain.words import MatchStatus, Phase
from shared.contracts.matching import (
    HoldConfirmationRequested,
    HoldReleaseRequested,
    HoldRequested,
    MatchClosed,
    MatchEscalated,
    MatchMade,
    MatchPartlyMade,
    MatchReopened,
    MatchStalled,
    SearchProgressed,
    SeatReleased,
    SeatWon,
)
from shared.contracts.needs import NeedCancelled, NeedChanged, NeedLapsed, NeedPosted
from shared.contracts.parts import Earmark, Window
from shared.contracts.resources import (
    HoldConfirmed,
    HoldExpired,
    HoldPlaced,
    HoldReleased,
    LotChanged,
    LotIssued,
    LotReceived,
    LotReturned,
)
from shared.contracts.vocabulary import (
    Audience,
    CancelReason,
    Category,
    Closing,
    GoodsCategory,
    GoodsRule,
    ReturnReason,
    Skill,
    TargetGroup,
    Urgency,
    Waiting,
)
from tests.services.matching_desk import (
    NEED,
    TOMORROW,
    Desk,
    a_line,
    a_lot,
    a_need,
    desk,
    hold_event,
    ids,
    minutes,
    some_goods,
)
from tests.world import START


def later(days: int) -> Window:
    """The usual visit, so many days after it would be."""
    day = timedelta(days=days)
    return Window(start_at=TOMORROW.start_at + day, end_at=TOMORROW.end_at + day)


async def test_people_and_goods_are_searched_together_and_made_when_both_are_confirmed() -> None:
    async with desk() as d:
        await d.knows_people("li")
        await d.knows_lot("rice", 10)
        await d.posts(a_line(), some_goods(quantity=5), target_groups=(TargetGroup.ELDER_ALONE,))
        (request,) = d.requests()
        assert (request.lot_id, request.quantity, request.unit, request.site_id) == ("rice", 5, "袋", "east")
        assert request.target_groups == (TargetGroup.ELDER_ALONE,)
        assert request.hold_id.startswith("rice~")
        assert 210 <= minutes(request.expires_at) <= 240
        await d.places(request)
        await d.accepts("li")
        assert d.w.said(MatchMade) == []
        (asked,) = d.w.said(HoldConfirmationRequested)
        assert asked.pick_up_by == START + timedelta(days=3)
        assert (await d.match()).status == MatchStatus.CONFIRMING
        await d.confirms(request)
        (made,) = d.w.said(MatchMade)
        assert (ids(made.seats), [(h.lot_id, h.quantity) for h in made.holds]) == (["li"], [("rice", 5)])
        assert (await d.match()).due_at is None


async def test_goods_alone_are_made_as_soon_as_they_are_confirmed() -> None:
    async with desk() as d:
        await d.knows_lot("rice")
        await d.posts(some_goods())
        await d.places(*d.requests())
        await d.confirms(*d.requests())
        assert len(d.w.said(MatchMade)) == 1


async def test_what_expires_soonest_goes_first_then_what_is_near_then_what_leaves_least() -> None:
    async with desk() as d:
        await d.knows_lot("later", expires_on=date(2026, 6, 1))
        await d.knows_lot("never", 5)
        await d.knows_lot("soon far", expires_on=date(2026, 4, 1), area="522702103")
        await d.knows_lot("soon near", 20, expires_on=date(2026, 4, 1), area="522702102")
        await d.knows_lot("soon near small", 5, expires_on=date(2026, 4, 1), area="522702102")
        await d.knows_lot("too soon", expires_on=date(2026, 3, 5))
        await d.knows_lot("soonest but little", 4, expires_on=date(2026, 3, 20))
        await d.posts(some_goods(quantity=5, needed_by=START + timedelta(days=7)))
        assert [r.lot_id for r in d.requests()] == ["soon near small"]


async def test_goods_without_a_date_of_their_own_are_good_until_the_people_come() -> None:
    async with desk() as d:
        await d.knows_people("li")
        await d.knows_lot("today", expires_on=START.date())
        await d.knows_lot("tomorrow", expires_on=START.date() + timedelta(days=1))
        await d.posts(a_line(), some_goods())
        assert [one.lot_id for one in d.requests()] == ["tomorrow"]
        await d.posts(some_goods(), need="need-2")
        assert [one.lot_id for one in d.requests("need-2")] == ["today"]


@pytest.mark.parametrize(("needed_by", "lots"), [("2026-03-02T16:00Z", ["today"]), ("2026-03-02T16:01Z", [])])
async def test_what_is_needed_by_midnight_is_good_enough_on_the_day_that_ends_then(
    needed_by: str, lots: list[str]
) -> None:
    """Midnight of the station, that is."""
    async with desk() as d:
        await d.knows_lot("today", expires_on=START.date())
        await d.posts(some_goods(needed_by=datetime.fromisoformat(needed_by)))
        assert [one.lot_id for one in d.requests()] == lots


async def test_goods_for_a_need_with_several_visits_are_good_until_the_next_that_is_still_to_come() -> None:
    last = a_line("p2", window=later(days=9))
    async with desk() as d:
        await d.knows_people("li", "wang")
        await d.posts(a_line(), last, some_goods())
        await d.accepts(*d.asked())
        await d.accepts(*d.asked("p2"), line_id="p2")
        await d.w.passes(days=1, hours=3)
        await d.serves(d.asked()[0])
        soon, tenth = (START.date() + timedelta(days=days) for days in (2, 10))
        await d.knows_lot("spoils", expires_on=soon)
        await d.knows_lot("keeps", expires_on=tenth)
        await d.w.passes(hours=2)
        (one,) = d.requests()
        assert one.lot_id == "keeps"
        await d.places(one)
        (asked,) = d.w.said(HoldConfirmationRequested)
        assert (asked.good_on, asked.pick_up_by) == (tenth, last.window.start_at)


@pytest.mark.parametrize(("required", "day"), [(True, 10), (False, 1)])
async def test_goods_are_kept_for_a_visit_that_is_required_rather_than_for_one_that_may_stay_empty(
    required: bool, day: int
) -> None:
    nobodys = a_line("p0", required=False, skills=(Skill.REHABILITATION,))
    async with desk(wave_seconds=600, pick_up_seconds=600) as d:
        await d.knows_people("li")
        await d.knows_lot("rice")
        await d.posts(nobodys, a_line(required=required, window=later(days=9)), some_goods())
        await d.places(*d.requests())
        await d.accepts("li")
        await d.w.passes(minutes=20)
        asked = d.w.said(HoldConfirmationRequested)[0]
        assert asked.pick_up_by == START + timedelta(days=day)
        assert asked.good_on == START.date() + timedelta(days=day)


async def test_a_lot_is_told_until_when_its_goods_must_be_good_when_they_are_to_be_confirmed() -> None:
    async with desk() as d:
        await d.knows_people("li")
        await d.knows_lot("rice")
        await d.posts(a_line(), some_goods(), some_goods("g2", needed_by=START + timedelta(days=5)))
        await d.places(*d.requests())
        await d.accepts("li")
        tomorrow, on_the_sixth = (START.date() + timedelta(days=days) for days in (1, 5))
        asked = {one.line_id: one.good_on for one in d.w.said(HoldConfirmationRequested)}
        assert asked == {"g1": tomorrow, "g2": on_the_sixth}


async def test_goods_need_not_be_fetched_before_they_are_needed() -> None:
    async with desk(pick_up_seconds=3 * 86_400) as d:
        await d.knows_lot("rice")
        needed_by = START + timedelta(days=8)
        await d.posts(some_goods(), some_goods("g2", needed_by=needed_by))
        await d.places(*d.requests())
        asked = {one.line_id: one.pick_up_by for one in d.w.said(HoldConfirmationRequested)}
        assert asked == {"g1": START + timedelta(days=3), "g2": needed_by}


async def test_the_match_says_until_when_its_lots_keep_what_they_confirmed() -> None:
    async with desk() as d:
        await d.knows_lot("rice")
        await d.posts(some_goods())
        (one,) = d.requests()
        await d.places(one)
        until = START + timedelta(days=2)
        await d.w.hears(("rice", hold_event(HoldConfirmed, one, pick_up_by=until)))
        (made,) = d.w.said(MatchMade)
        assert [hold.pick_up_by for hold in made.holds] == [until]


async def test_the_match_says_it_again_when_its_lots_keep_what_they_confirmed_for_less_long() -> None:
    async with desk() as d:
        await d.knows_lot("rice")
        await d.posts(some_goods())
        (one,) = d.requests()
        await d.places(one)
        for days in (8, 2, 2):
            until = START + timedelta(days=days)
            await d.w.hears(("rice", hold_event(HoldConfirmed, one, pick_up_by=until)))
        said = [[(hold.hold_id, hold.pick_up_by) for hold in made.holds] for made in d.w.said(MatchMade)]
        assert said == [[(one.hold_id, START + timedelta(days=days))] for days in (8, 2)]
        await d.w.hears(("rice", hold_event(LotIssued, one)))
        await d.w.hears(("rice", hold_event(HoldConfirmed, one, pick_up_by=START)))
        assert len(d.w.said(MatchMade)) == 2, "what was fetched is fetched"


async def test_a_match_is_not_made_with_goods_that_cannot_be_handed_over_on_the_day() -> None:
    """The charity shortens the expiry of what is held; the lot lets the hold go, and another lot is taken."""
    async with desk() as d:
        await d.knows_people("li")
        await d.knows_lot("rice", expires_on=date(2026, 4, 1))
        await d.knows_lot("flour")
        await d.posts(a_line(), some_goods())
        (first,) = d.requests()
        await d.places(first)
        await d.accepts("li")
        spoilt = a_lot(100, expires_on=START.date())
        await d.w.hears(("rice", hold_event(HoldExpired, first, state=spoilt)))
        assert d.w.said(MatchMade) == []
        second = d.requests()[1]
        assert second.lot_id == "flour"
        await d.places(second)
        await d.confirms(second)
        (made,) = d.w.said(MatchMade)
        assert [hold.lot_id for hold in made.holds] == ["flour"]


async def test_several_lots_are_combined_when_none_has_it_all() -> None:
    async with desk() as d:
        await d.knows_lot("a", 4, expires_on=date(2026, 4, 1))
        await d.knows_lot("b", 3)
        await d.knows_lot("c", 2, area="522702102")
        await d.posts(some_goods(quantity=8))
        assert [(r.lot_id, r.quantity) for r in d.requests()] == [("a", 4), ("c", 2), ("b", 2)]
        await d.places(*d.requests())
        assert (await d.match()).secured("g1") == 8


@pytest.mark.parametrize("first", ["plain", "halal"])
async def test_goods_that_only_one_line_can_use_are_left_to_it_whichever_was_written_first(
    first: str,
) -> None:
    plain, halal = some_goods("g1"), some_goods("g2", attributes={"diet": "halal"})
    async with desk() as d:
        await d.knows_lot("halal", 5, attributes={"diet": "halal"}, expires_on=date(2026, 4, 1))
        await d.knows_lot("other", 20, expires_on=date(2026, 6, 1))
        await d.posts(*([plain, halal] if first == "plain" else [halal, plain]))
        assert {one.line_id: one.lot_id for one in d.requests()} == {"g1": "other", "g2": "halal"}
        (wave,) = await d.waves()
        assert [plan.line_id for plan in wave.goods] == [line.id for line in (await d.match()).need.goods]


async def test_lines_of_one_need_share_a_lot_and_see_what_the_other_leaves_of_it() -> None:
    async with desk() as d:
        await d.knows_lot("a", 8, expires_on=date(2026, 4, 1))
        await d.knows_lot("b", 4)
        await d.posts(some_goods("g1", 6), some_goods("g2", 6))
        assert [(one.line_id, one.lot_id, one.quantity) for one in d.requests()] == [
            ("g1", "a", 6), ("g2", "a", 2), ("g2", "b", 4),
        ]  # fmt: skip
        (wave,) = await d.waves()
        assert [choice.available for choice in wave.goods[1].choices] == [2, 4]


async def test_what_another_line_takes_is_counted_as_gone_and_not_as_refused() -> None:
    async with desk() as d:
        await d.knows_lot("a", 6)
        await d.posts(some_goods("g1", 6), some_goods("g2", 6))
        assert [(one.line_id, one.lot_id) for one in d.requests()] == [("g1", "a")]
        (why,) = d.w.said(MatchStalled)[0].diagnosis
        assert (why.line_id, why.relaxations) == ("g2", ())
        assert [(one.rule, one.count) for one in why.removed] == [(GoodsRule.QUANTITY, 1)]


async def test_goods_that_may_be_missing_take_nothing_that_is_required() -> None:
    async with desk() as d:
        await d.knows_lot("halal", 5, attributes={"diet": "halal"})
        await d.posts(some_goods("g1", attributes={"diet": "halal"}, required=False), some_goods("g2"))
        assert [(one.line_id, one.lot_id) for one in d.requests()] == [("g2", "halal")]


async def test_a_lot_is_never_asked_for_outside_its_earmark() -> None:
    async with desk() as d:
        await d.knows_lot("purpose", earmark=Earmark(purposes=(Category.RIGHTS,)))
        await d.knows_lot("group", earmark=Earmark(target_groups=(TargetGroup.ORPHAN,)))
        await d.knows_lot("area", earmark=Earmark(areas=("522703",)))
        await d.knows_lot("dates", earmark=Earmark(to_day=date(2026, 3, 1)))
        await d.posts(some_goods())
        assert d.requests() == []
        (stalled,) = d.w.said(MatchStalled)
        assert stalled.waiting == Waiting.STOCK_SHORT
        (why,) = stalled.diagnosis
        rules = [
            GoodsRule.EARMARK_PURPOSE,
            GoodsRule.EARMARK_GROUP,
            GoodsRule.EARMARK_AREA,
            GoodsRule.EARMARK_DATE,
        ]
        assert [(r.rule, r.count) for r in why.removed] == [(rule, 1) for rule in rules]
        assert [(r.rule, r.gain) for r in why.relaxations] == [(rule, 1) for rule in reversed(rules)]


async def test_a_lot_that_was_put_aside_goes_only_to_needs_that_ask_for_its_batch() -> None:
    async with desk() as d:
        await d.knows_lot("put aside", attributes={"batch": "B0417"}, expires_on=date(2026, 4, 1))
        await d.posts(some_goods())
        assert d.requests() == []
        (why,) = d.w.said(MatchStalled)[0].diagnosis
        assert [(r.rule, r.count) for r in why.removed] == [(GoodsRule.BATCH, 1)]
        assert why.relaxations == ()
        await d.knows_lot("for everybody")
        await d.posts(some_goods(), need="need-2")
        assert [one.lot_id for one in d.requests("need-2")] == ["for everybody"]
        await d.posts(some_goods(attributes={"batch": "B0417"}), need="need-3")
        assert [one.lot_id for one in d.requests("need-3")] == ["put aside"]
        await d.posts(some_goods(attributes={"batch": "B0500"}), need="need-4")
        assert d.requests("need-4") == []


async def test_nobody_is_advised_to_ask_for_no_batch_where_all_there_is_belongs_to_another_campaign() -> None:
    async with desk() as d:
        await d.knows_lot("another campaign", attributes={"batch": "B0500"})
        await d.posts(some_goods(attributes={"batch": "B0417"}))
        (why,) = d.w.said(MatchStalled)[0].diagnosis
        assert ([r.rule for r in why.removed], why.relaxations) == ([GoodsRule.ATTRIBUTES], ())
        await d.knows_lot("for everybody")
        await d.posts(some_goods(attributes={"batch": "B0417"}), need="need-2")
        (why,) = d.said_of(MatchStalled, "need-2")[0].diagnosis
        assert [(r.rule, r.gain) for r in why.relaxations] == [(GoodsRule.ATTRIBUTES, 1)]


async def test_of_lots_in_other_units_only_those_of_one_unit_are_promised() -> None:
    async with desk() as d:
        await d.knows_lot("a", unit="箱")
        await d.knows_lot("b", unit="公斤")
        await d.knows_lot("c", unit="公斤")
        await d.posts(some_goods())
        (why,) = d.w.said(MatchStalled)[0].diagnosis
        assert [(r.rule, r.gain) for r in why.relaxations] == [(GoodsRule.UNIT, 2)]


async def test_a_lot_that_refuses_is_passed_over_and_another_is_tried_at_once() -> None:
    async with desk() as d:
        await d.knows_lot("first", expires_on=date(2026, 4, 1))
        await d.knows_lot("second")
        await d.posts(some_goods())
        await d.refuses(d.requests()[0])
        assert [r.lot_id for r in d.requests()] == ["first", "second"]
        await d.refuses(d.requests()[1], GoodsRule.EARMARK_GROUP)
        assert d.w.said(MatchStalled)[-1].waiting == Waiting.STOCK_SHORT
        assert [wave.goods[0].choices for wave in await d.waves()][2] == ()


async def test_a_lot_that_was_empty_is_asked_again_after_a_while_but_a_condition_stays() -> None:
    async with desk(wave_seconds=600, tier_seconds=3600) as d:
        await d.knows_lot("empty")
        await d.knows_lot("earmarked")
        await d.posts(some_goods())
        for _ in range(2):
            one = d.requests()[-1]
            await d.refuses(one, GoodsRule.QUANTITY if one.lot_id == "empty" else GoodsRule.EARMARK_GROUP)
        assert len(d.requests()) == 2
        await d.w.passes(minutes=11)
        assert [r.lot_id for r in d.requests()][2:] == ["empty"]
        await d.w.passes(hours=9)
        assert [r.lot_id for r in d.requests()].count("earmarked") == 1


async def test_a_hold_that_expired_before_the_people_were_there_is_asked_for_again() -> None:
    async with desk() as d:
        await d.knows_people("li")
        await d.knows_lot("rice")
        await d.posts(a_line(), some_goods())
        (first,) = d.requests()
        await d.places(first)
        await d.lets_hold_expire(first)
        await d.w.passes(minutes=59)
        assert d.requests() == [first], "whoever can use it now comes first"
        assert d.said_of(SearchProgressed)[-1].next_action_at <= START + timedelta(minutes=60)
        await d.w.passes(minutes=2)
        (_, second) = d.requests()
        assert second.lot_id == "rice" and second.hold_id != first.hold_id
        await d.places(second)
        await d.accepts("li")
        await d.confirms(second)
        assert len(d.w.said(MatchMade)) == 1


async def test_what_was_left_to_others_is_asked_for_at_once_when_the_people_are_there() -> None:
    async with desk() as d:
        await d.knows_people("li", "wang")
        await d.knows_lot("rice")
        await d.posts(a_line(seats=2), some_goods())
        await d.places(*d.requests())
        await d.lets_hold_expire(d.requests()[0])
        await d.accepts("li")
        assert len(d.requests()) == 1, "one of two"
        await d.accepts("wang")
        (_, again) = d.requests()
        await d.places(again)
        await d.confirms(again)
        assert len(d.w.said(MatchMade)) == 1


async def test_what_was_left_to_others_is_asked_for_at_once_when_enough_people_are_there_to_begin() -> None:
    async with desk() as d:
        await d.knows_people("li", "wang")
        await d.knows_lot("rice")
        await d.posts(a_line(seats=2, minimum=1), some_goods())
        await d.places(*d.requests())
        await d.lets_hold_expire(d.requests()[0])
        await d.accepts("li")
        assert len(d.requests()) == 1
        await d.w.passes(minutes=16)
        (_, again) = d.requests()
        await d.places(again)
        await d.confirms(again)
        assert len(d.w.said(MatchPartlyMade)) == 1


async def test_what_was_left_to_others_is_asked_for_at_once_when_the_need_does_without_the_people() -> None:
    async with desk() as d:
        await d.knows_lot("rice")
        await d.posts(a_line(), some_goods())
        await d.places(*d.requests())
        await d.lets_hold_expire(d.requests()[0])
        await d.w.hears((NEED, NeedChanged(spec=a_need(some_goods()))))
        assert [one.lot_id for one in d.requests()] == ["rice", "rice"]


async def test_what_was_left_to_others_is_asked_for_at_once_when_the_other_goods_are_there() -> None:
    async with desk() as d:
        await d.knows_lot("rice")
        await d.posts(some_goods(), some_goods("g2", 1, category=GoodsCategory.CLOTHING))
        await d.places(*d.requests())
        await d.knows_lot("coats", category=GoodsCategory.CLOTHING)
        await d.w.passes(minutes=16)
        rice, coat = d.requests()
        await d.lets_hold_expire(rice)
        assert len(d.requests()) == 2, "as long as the coat is only asked for, the rice rests"
        await d.places(coat)
        assert [one.lot_id for one in d.requests()] == ["rice", "coats", "rice"]


@pytest.mark.parametrize(
    ("urgency", "left", "pause"),
    [(Urgency.ORDINARY, 48 * 60, 60), (Urgency.URGENT, 48 * 60, 12), (Urgency.ORDINARY, 40, 20)],
)
async def test_who_leaves_goods_to_others_looks_for_the_rest_after_a_pause(
    urgency: Urgency, left: int, pause: int
) -> None:
    """Whoever looked sooner would take what another need, which waits for the rice, has just given up."""
    async with desk() as d:
        await d.knows_lot("rice")
        deadline = START + timedelta(minutes=left)
        both = some_goods(), some_goods("g2", 1, category=GoodsCategory.CLOTHING)
        await d.posts(*both, urgency=urgency, deadline_at=deadline)
        await d.places(*d.requests())
        await d.lets_hold_expire(d.requests()[0])
        await d.knows_lot("coats", category=GoodsCategory.CLOTHING)
        await d.w.passes(minutes=pause - 1)
        assert len(d.requests()) == 1
        await d.w.passes(minutes=2)
        assert "coats" in [one.lot_id for one in d.requests()]


async def test_the_pause_before_the_rest_is_looked_for_ends_when_the_need_becomes_a_crisis() -> None:
    async with desk() as d:
        await d.knows_lot("rice")
        both = some_goods(), some_goods("g2", 1, category=GoodsCategory.CLOTHING)
        await d.posts(*both)
        await d.places(*d.requests())
        await d.w.passes(hours=3, minutes=50)
        await d.lets_hold_expire(d.requests()[0])
        await d.knows_lot("coats", category=GoodsCategory.CLOTHING)
        crisis = a_need(*both, urgency=Urgency.CRISIS, audience=Audience.NAMED)
        await d.w.hears((NEED, NeedChanged(spec=crisis)))
        await d.w.passes(minutes=13)
        assert "coats" in [one.lot_id for one in d.requests()]


async def test_the_pause_before_the_rest_is_looked_for_ends_in_time_for_a_visit_that_was_moved() -> None:
    async with desk() as d:
        await d.knows_lot("rice")
        await d.knows_people("li")
        goods = some_goods(), some_goods("g2", 1, category=GoodsCategory.CLOTHING)
        await d.posts(a_line(), *goods, deadline_at=TOMORROW.start_at)
        await d.places(*d.requests())
        await d.w.passes(hours=3, minutes=50)
        await d.lets_hold_expire(d.requests()[0])
        await d.knows_lot("coats", category=GoodsCategory.CLOTHING)
        now = d.w.clock.now()
        soon = Window(start_at=now + timedelta(minutes=50), end_at=now + timedelta(minutes=110))
        moved = a_need(a_line(window=soon), *goods, deadline_at=soon.start_at)
        await d.w.hears((NEED, NeedChanged(spec=moved)))
        await d.w.passes(minutes=50)
        assert "coats" in [one.lot_id for one in d.requests()]


async def test_a_tier_further_up_does_not_take_again_at_once_what_was_left_to_others() -> None:
    async with desk(hold_seconds=3600, tier_seconds=3600 + 60) as d:
        await d.knows_lot("rice")
        await d.posts(a_line(), some_goods())
        await d.places(*d.requests())
        await d.w.passes(seconds=3600)
        await d.lets_hold_expire(d.requests()[0])
        await d.w.passes(minutes=50)
        assert len(d.said_of(MatchEscalated)) == 1 and len(d.requests()) == 1


async def test_goods_past_their_expiry_are_left_to_nobody_and_others_are_looked_for_at_once() -> None:
    async with desk() as d:
        await d.knows_lot("rice", expires_on=date(2026, 4, 1))
        await d.knows_lot("flour")
        await d.posts(a_line(), some_goods())
        (first,) = d.requests()
        await d.places(first)
        spoilt = a_lot(100, expires_on=START.date() - timedelta(days=1))
        await d.w.hears(("rice", hold_event(HoldExpired, first, state=spoilt)))
        assert [one.lot_id for one in d.requests()] == ["rice", "flour"]


async def confirmed(d: Desk) -> HoldRequested:
    """What was asked for last is the need's now."""
    newest = d.requests()[-1]
    await d.places(newest)
    await d.confirms(newest)
    return newest


async def test_what_staff_say_is_not_needed_is_not_taken_from_the_next_lot_before_they_can_edit() -> None:
    async with desk() as d:
        await d.knows_lot("rice")
        await d.knows_lot("flour")
        await d.posts(some_goods())
        first = await confirmed(d)
        await d.w.passes(hours=3)
        await d.releases(first, Closing.NOT_NEEDED)
        assert [r.reason for r in d.w.said(MatchReopened)] == [Closing.NOT_NEEDED]
        await d.w.passes(hours=3, minutes=50)
        assert d.requests() == [first]
        match = await d.match()
        assert match.goods["g1"].refused == {} and match.next_search_at is not None
        assert d.said_of(SearchProgressed)[-1].next_action_at == match.next_search_at
        await d.w.hears((NEED, NeedChanged(spec=a_need(some_goods(quantity=3)))))
        assert [one.quantity for one in d.requests()] == [5, 3], "so much is needed"


async def test_what_was_not_needed_is_looked_for_again_after_a_tiers_time_if_nobody_edits_it() -> None:
    async with desk() as d:
        await d.knows_lot("rice")
        await d.posts(some_goods())
        await d.releases(await confirmed(d), Closing.NOT_NEEDED)
        await d.w.passes(hours=4, minutes=1)
        assert [one.lot_id for one in d.requests()] == ["rice", "rice"]


@pytest.mark.parametrize(
    ("reason", "after", "lots"),
    [
        (None, timedelta(), ["rice", "flour"]),
        (ReturnReason.UNSUITABLE, timedelta(), ["rice", "flour"]),
        (ReturnReason.OTHER, timedelta(), ["rice", "flour"]),
        (ReturnReason.UNDELIVERED, timedelta(hours=1), ["rice", "rice"]),
        (ReturnReason.DECLINED, timedelta(hours=4), ["rice", "flour"]),
    ],
)
async def test_goods_that_came_back_are_replaced_as_the_reason_wants_it(
    reason: ReturnReason | None, after: timedelta, lots: list[str]
) -> None:
    async with desk() as d:
        await d.knows_lot("rice", expires_on=date(2026, 4, 1))
        await d.knows_lot("flour", 6)
        await d.posts(some_goods())
        first = await confirmed(d)
        await d.w.hears((first.lot_id, hold_event(LotIssued, first)))
        back = a_lot(10, expires_on=date(2026, 4, 1))
        await d.w.hears((first.lot_id, hold_event(LotReturned, first, reason=reason, state=back)))
        if after:
            await d.w.passes(seconds=after.total_seconds() - 60)
            assert d.requests() == [first]
            await d.w.passes(minutes=2)
        assert [one.lot_id for one in d.requests()] == lots


async def test_goods_that_could_not_be_delivered_are_tried_again_while_there_is_time() -> None:
    async with desk() as d:
        await d.knows_lot("rice")
        await d.posts(some_goods(), deadline_at=START + timedelta(minutes=40))
        first = await confirmed(d)
        await d.w.hears((first.lot_id, hold_event(LotIssued, first)))
        back = hold_event(LotReturned, first, reason=ReturnReason.UNDELIVERED)
        await d.w.hears((first.lot_id, back))
        await d.w.passes(minutes=21)
        assert [one.lot_id for one in d.requests()] == ["rice", "rice"]


async def test_a_lot_whose_expiry_was_mistyped_and_corrected_may_be_asked_again() -> None:
    async with desk() as d:
        await d.knows_lot("rice")
        await d.posts(some_goods())
        first = await confirmed(d)
        spoilt = a_lot(100, expires_on=START.date() - timedelta(days=1))
        gone = hold_event(HoldReleased, first, reason=Closing.EXPIRED, state=spoilt)
        await d.w.hears(("rice", gone))
        await d.w.passes(hours=1)
        assert d.requests() == [first]
        await d.w.hears(("rice", LotChanged(state=a_lot(100, expires_on=date(2027, 4, 1)))))
        await d.w.passes(hours=1)
        assert [one.lot_id for one in d.requests()] == ["rice", "rice"]


async def test_a_hold_that_expired_just_before_its_confirmation_is_replaced() -> None:
    async with desk() as d:
        await d.knows_people("li")
        await d.knows_lot("rice")
        await d.posts(a_line(), some_goods())
        await d.places(*d.requests())
        await d.accepts("li")
        await d.lets_hold_expire(d.requests()[0])
        assert d.w.said(MatchMade) == []
        await d.places(d.requests()[1])
        await d.confirms(d.requests()[1])
        (made,) = d.w.said(MatchMade)
        assert ids(made.seats) == ["li"] and len(made.holds) == 1


async def test_when_the_people_cannot_be_had_the_goods_are_given_back() -> None:
    async with desk() as d:
        await d.knows_lot("rice")
        await d.posts(a_line(), some_goods())
        await d.places(*d.requests())
        await d.w.hears((NEED, NeedLapsed(site_id="east")))
        (released,) = d.w.said(HoldReleaseRequested)
        assert (released.hold_id, released.reason) == (d.requests()[0].hold_id, Closing.LAPSED)
        await d.releases(d.requests()[0], Closing.LAPSED)
        match = await d.match()
        assert (match.holds, match.due_at) == ({}, None)


async def test_when_the_goods_cannot_be_had_the_people_are_given_back() -> None:
    async with desk(allow_partial=False) as d:
        await d.knows_people("li")
        await d.posts(a_line(), some_goods())
        await d.accepts("li")
        await d.w.hears((NEED, NeedLapsed(site_id="east")))
        assert ids(d.w.said(SeatWon)) == ids(d.w.said(SeatReleased)) == ["li"]
        assert [*d.w.said(MatchMade), *d.w.said(MatchPartlyMade)] == []


async def test_goods_that_were_handed_over_stay_so_when_the_need_ends_until_they_are_returned() -> None:
    async with desk() as d:
        await d.knows_lot("rice")
        await d.posts(some_goods())
        (one,) = d.requests()
        await d.places(one)
        await d.confirms(one)
        await d.w.hears(("rice", hold_event(LotIssued, one)))
        await d.w.hears((NEED, NeedCancelled(site_id="east", reason=CancelReason.MOVED)))
        assert d.w.said(HoldReleaseRequested) == []
        assert [c.reason for c in d.w.said(MatchClosed)] == [Closing.CANCELLED]
        assert (await d.match()).holds[one.hold_id].phase == Phase.ISSUED
        await d.w.hears(("rice", hold_event(LotReturned, one)))
        assert (await d.match()).holds == {}


async def test_a_hold_placed_after_the_end_is_given_back_at_once() -> None:
    async with desk() as d:
        await d.knows_lot("rice")
        await d.posts(some_goods())
        await d.w.hears((NEED, NeedCancelled(site_id="east", reason=CancelReason.SOLVED)))
        assert len(d.w.said(HoldReleaseRequested)) == 1
        await d.places(*d.requests())
        assert len(d.w.said(HoldReleaseRequested)) == 2
        await d.releases(d.requests()[0], Closing.CANCELLED)
        assert (await d.match()).due_at is None


async def test_a_hold_that_comes_before_its_need_is_taken_up_or_given_back() -> None:
    async with desk() as d:
        await d.knows_lot("rice")
        await d.posts(some_goods(quantity=5), need="other")
        (one,) = d.requests("other")
        wanted = hold_event(HoldPlaced, one, NEED, expires_at=one.expires_at)
        stray = wanted.model_copy(update={"hold_id": "oil~1", "line_id": "g9"})
        await d.w.hears(("rice", wanted), ("oil", stray))
        await d.posts(some_goods(quantity=5))
        assert [r.hold_id for r in d.said_of(HoldReleaseRequested)] == ["oil~1"]
        assert d.requests() == []
        assert [r.hold_id for r in d.said_of(HoldConfirmationRequested)] == [one.hold_id]


async def test_answers_about_holds_that_are_overdue_are_asked_for_again_with_the_same_id() -> None:
    async with desk() as d:
        await d.knows_lot("rice")
        await d.posts(some_goods())
        await d.w.passes(minutes=4)
        assert len(d.requests()) == 1
        assert len(d.w.said(HoldRequested)) == 4  # at 0 s, 30 s, 90 s and 210 s
        await d.places(d.requests()[0])
        await d.w.passes(seconds=45)
        assert len(d.w.said(HoldConfirmationRequested)) == 2
        await d.confirms(d.requests()[0])
        await d.w.passes(minutes=60)
        assert (len(d.w.said(HoldRequested)), len(d.w.said(HoldConfirmationRequested))) == (4, 2)


async def test_a_release_is_not_asked_for_for_ever() -> None:
    async with desk() as d:
        await d.knows_lot("rice")
        await d.posts(some_goods())
        await d.w.hears((NEED, NeedCancelled(site_id="east", reason=CancelReason.SOLVED)))
        await d.w.passes(days=2)
        assert len(d.w.said(HoldReleaseRequested)) == 13
        assert (await d.match()).due_at is None


async def test_less_than_the_minimum_is_not_held_at_all() -> None:
    async with desk() as d:
        await d.knows_lot("rice", 3)
        await d.posts(some_goods(quantity=10, minimum=4))
        assert d.requests() == []
        assert d.w.said(MatchStalled)[0].diagnosis[0].remaining == 1
        await d.posts(some_goods(quantity=10, minimum=3), need="need-2")
        assert [r.quantity for r in d.requests("need-2")] == [3]


async def test_what_lies_in_more_lots_than_are_asked_for_at_once_is_had_in_several_waves() -> None:
    async with desk() as d:
        for number in range(60):
            await d.knows_lot(f"lot-{number:02}", 1)
        await d.posts(some_goods(quantity=60))
        assert len(d.requests()) == 50 and d.w.said(MatchStalled) == []
        await d.places(*d.requests())
        await d.w.passes(minutes=16)
        assert len({one.lot_id for one in d.requests()}) == 60


async def test_enough_of_both_is_made_partly_and_the_rest_is_still_looked_for() -> None:
    async with desk(wave_seconds=600) as d:
        await d.knows_people("li", "wang")
        await d.knows_lot("rice", 6)
        await d.posts(a_line(seats=2, minimum=1), some_goods(quantity=10, minimum=6))
        await d.places(*d.requests())
        await d.accepts("li")
        assert d.w.said(HoldConfirmationRequested) == []
        await d.w.passes(minutes=11)
        assert {r.hold_id for r in d.w.said(HoldConfirmationRequested)} == {d.requests()[0].hold_id}
        await d.confirms(*d.requests())
        (partly,) = d.w.said(MatchPartlyMade)
        assert (ids(partly.seats), [h.quantity for h in partly.holds]) == (["li"], [6])
        assert [m.line_id for m in partly.missing] == ["p1", "g1"]
        await d.knows_lot("more", 50)
        await d.w.passes(minutes=30)
        assert [r.quantity for r in d.requests()] == [6, 4]
        await d.places(d.requests()[1])
        await d.confirms(d.requests()[1])
        await d.accepts("wang")
        (made,) = d.w.said(MatchMade)
        assert (ids(made.seats), [h.quantity for h in made.holds]) == (["li", "wang"], [6, 4])


async def test_goods_that_come_back_or_are_released_by_staff_open_the_match_again_with_another_lot() -> None:
    async with desk() as d:
        await d.knows_lot("rice", expires_on=date(2026, 4, 1))
        await d.knows_lot("flour")
        await d.knows_lot("noodles")
        await d.posts(some_goods())
        (first,) = d.requests()
        await d.places(first)
        await d.confirms(first)
        await d.releases(first)
        assert [(r.reason, r.holds) for r in d.w.said(MatchReopened)] == [(Closing.BY_STAFF, ())]
        second = d.requests()[1]
        assert second.lot_id != "rice"
        await d.places(second)
        await d.confirms(second)
        await d.w.hears((second.lot_id, hold_event(LotIssued, second)))
        await d.w.hears((second.lot_id, hold_event(LotReceived, second)))
        assert len(d.w.said(MatchMade)) == 2
        await d.w.hears((second.lot_id, hold_event(LotReturned, second)))
        assert [r.reason for r in d.w.said(MatchReopened)] == [Closing.BY_STAFF, Closing.NOT_TO_BE_HAD]
        assert d.requests()[2].lot_id not in {"rice", second.lot_id}


async def test_goods_that_went_back_past_their_expiry_open_the_match_again_and_are_not_asked_for_again() -> (
    None
):
    async with desk() as d:
        await d.knows_lot("rice", expires_on=date(2026, 4, 1))
        await d.knows_lot("flour")
        await d.posts(some_goods())
        (first,) = d.requests()
        await d.places(first)
        await d.confirms(first)
        await d.releases(first, Closing.EXPIRED)
        assert [r.reason for r in d.w.said(MatchReopened)] == [Closing.EXPIRED]
        assert [one.lot_id for one in d.requests()] == ["rice", "flour"]
        assert (await d.match()).goods["g1"].refused == {"rice": GoodsRule.EXPIRED}


async def test_once_the_time_is_over_nothing_more_is_looked_for_but_what_came_back() -> None:
    async with desk() as d:
        await d.knows_people("li")
        await d.knows_lot("rice", 5)
        coat = some_goods("g2", 1, category=GoodsCategory.CLOTHING, required=False)
        await d.posts(a_line(), some_goods(), coat, deadline_at=TOMORROW.start_at)
        (rice,) = d.requests()
        await d.places(rice)
        await d.accepts("li")
        await d.w.passes(minutes=16)
        await d.confirms(rice)
        await d.w.hears((rice.lot_id, hold_event(LotIssued, rice)))
        await d.serves("li")
        await d.w.passes(days=2)
        await d.knows_lot("coats", category=GoodsCategory.CLOTHING)
        await d.w.passes(days=2)
        match = await d.match()
        assert d.requests() == [rice]
        assert match.goods["g2"].due_at is None and match.due_at is not None
        await d.knows_lot("flour")
        await d.w.hears((rice.lot_id, hold_event(LotReturned, rice)))
        assert [one.lot_id for one in d.requests()] == ["rice", "flour"]


async def test_a_need_that_is_given_more_time_is_looked_for_again() -> None:
    async with desk() as d:
        await d.posts(some_goods(), deadline_at=START + timedelta(days=1))
        await d.w.passes(days=2)
        await d.knows_lot("rice")
        await d.w.passes(days=1)
        assert d.requests() == []
        longer = a_need(some_goods(), deadline_at=START + timedelta(days=9))
        await d.w.hears((NEED, NeedChanged(spec=longer)))
        assert [one.lot_id for one in d.requests()] == ["rice"]


async def test_a_need_that_asks_for_less_gives_the_rest_back_and_one_that_asks_for_more_gets_more() -> None:
    async with desk() as d:
        await d.knows_lot("a", 4, expires_on=date(2026, 4, 1))
        await d.knows_lot("b", 4)
        await d.posts(a_line(), some_goods(quantity=8))
        await d.places(*d.requests())
        await d.w.hears((NEED, NeedChanged(spec=a_need(a_line(), some_goods(quantity=4)))))
        assert [r.lot_id for r in d.w.said(HoldReleaseRequested)] == ["b"]
        await d.releases(d.requests()[1], Closing.CHANGED)
        await d.w.hears((NEED, NeedChanged(spec=a_need(a_line(), some_goods(quantity=6)))))
        assert [r.quantity for r in d.requests()] == [4, 4, 2]


async def test_goods_handed_over_before_they_were_given_back_count_and_others_are_given_back_instead() -> (
    None
):
    async with desk() as d:
        await d.knows_lot("a", 4, expires_on=date(2026, 4, 1))
        await d.knows_lot("b", 4)
        await d.posts(a_line(), some_goods(quantity=8))
        await d.places(*d.requests())
        await d.w.hears((NEED, NeedChanged(spec=a_need(a_line(), some_goods(quantity=4)))))
        assert [r.lot_id for r in d.w.said(HoldReleaseRequested)] == ["b"]
        await d.w.hears(("b", hold_event(LotIssued, d.requests()[1])))
        assert [r.lot_id for r in d.w.said(HoldReleaseRequested)] == ["b", "a"]
        assert (await d.match()).secured("g1") == 4


async def test_a_need_for_other_people_gives_back_goods_that_were_held_for_these() -> None:
    async with desk() as d:
        orphans = Earmark(target_groups=(TargetGroup.ORPHAN,))
        await d.knows_lot("earmarked", earmark=orphans, expires_on=date(2026, 4, 1))
        await d.knows_lot("free")
        await d.posts(some_goods(), target_groups=(TargetGroup.ORPHAN,))
        assert [r.lot_id for r in d.requests()] == ["earmarked"]
        await d.places(*d.requests())
        await d.w.hears((NEED, NeedChanged(spec=a_need(some_goods()))))
        assert [r.lot_id for r in d.w.said(HoldReleaseRequested)] == ["earmarked"]
        assert [r.lot_id for r in d.requests()] == ["earmarked", "free"]


async def test_a_childs_need_is_not_supplied_from_the_other_end_of_the_country() -> None:
    async with desk() as d:
        await d.knows_lot("far", area="110101", expires_on=date(2026, 3, 20))
        await d.posts(some_goods(), audience=Audience.NAMED)
        assert d.requests() == []
        await d.knows_lot("near")
        await d.posts(some_goods(), audience=Audience.NAMED, need="need-2")
        assert [r.lot_id for r in d.requests("need-2")] == ["near"]


async def test_where_a_search_waits_for_goods_only_it_says_so() -> None:
    async with desk() as d:
        await d.knows_lot("rice")
        await d.posts(some_goods())
        (progressed,) = d.w.said(SearchProgressed)
        assert (progressed.waiting, progressed.open_seats, progressed.asked) == (Waiting.HOLDS, 0, 0)


async def test_a_need_without_the_line_that_was_stuck_says_what_it_is_stuck_for_now() -> None:
    async with desk() as d:
        await d.posts(a_line(), a_line("p2"), some_goods())
        assert d.w.said(MatchStalled)[-1].waiting == Waiting.NOBODY
        await d.w.hears((NEED, NeedChanged(spec=a_need(a_line(), some_goods()))))
        stalled = d.w.said(MatchStalled)[-1]
        assert [why.line_id for why in stalled.diagnosis] == ["p1", "g1"]
        await d.w.hears((NEED, NeedChanged(spec=a_need(some_goods()))))
        stalled = d.w.said(MatchStalled)[-1]
        assert (stalled.waiting, [why.line_id for why in stalled.diagnosis]) == (Waiting.STOCK_SHORT, ["g1"])


async def test_stock_that_comes_in_is_found_by_a_search_that_was_short() -> None:
    async with desk(wave_seconds=60) as d:
        await d.knows_lot("rice", 1)
        await d.posts(some_goods(quantity=5))
        assert d.requests() == []
        await d.w.hears(("rice", LotChanged(state=a_lot(20), added=19)))
        await d.w.passes(seconds=61)
        assert [r.quantity for r in d.w.said(HoldRequested)] == [5]


async def test_posting_twice_changes_nothing() -> None:
    async with desk() as d:
        await d.knows_lot("rice")
        await d.posts(some_goods())
        await d.w.hears((NEED, NeedPosted(spec=a_need(some_goods()))))
        assert len(d.requests()) == 1


async def test_a_hold_of_more_than_a_line_asks_for_by_now_gives_the_rest_back() -> None:
    async with desk() as d:
        await d.knows_people("li")
        await d.knows_lot("rice")
        await d.posts(a_line(), some_goods(quantity=10))
        (whole,) = d.requests()
        await d.places(whole)
        await d.w.hears((NEED, NeedChanged(spec=a_need(a_line(), some_goods(quantity=6)))))
        less = d.w.said(HoldRequested)[-1]
        assert (less.hold_id, less.quantity) == (whole.hold_id, 6)
        assert d.w.said(HoldReleaseRequested) == []
        await d.places(whole, less)
        await d.accepts("li")
        await d.confirms(less)
        (made,) = d.w.said(MatchMade)
        assert [(h.hold_id, h.quantity) for h in made.holds] == [(whole.hold_id, 6)]


async def test_a_hold_cut_down_after_it_was_confirmed_is_told_with_what_is_left_of_it() -> None:
    async with desk() as d:
        await d.knows_lot("rice")
        await d.posts(some_goods(quantity=10))
        (whole,) = d.requests()
        await d.places(whole)
        await d.confirms(whole)
        await d.w.hears((NEED, NeedChanged(spec=a_need(some_goods(quantity=6)))))
        assert [[h.quantity for h in made.holds] for made in d.w.said(MatchMade)] == [[10], [6]]
        assert d.w.said(MatchReopened) == []
        await d.w.hears((whole.lot_id, hold_event(LotIssued, whole)))
        assert [h.quantity for h in d.w.said(MatchMade)[-1].holds] == [10], "it was handed over before"


@pytest.mark.parametrize("flour_is", ["refused", "let go", "released"])
async def test_what_came_back_is_owed_until_it_is_there_again(flour_is: str) -> None:
    """The time is over by then, and nothing else is looked for."""
    async with desk() as d:
        await d.knows_people("li")
        await d.knows_lot("rice", 5)
        await d.posts(a_line(), some_goods(), deadline_at=TOMORROW.start_at)
        (rice,) = d.requests()
        await d.places(rice)
        await d.accepts("li")
        await d.w.passes(minutes=16)
        await d.confirms(rice)
        await d.w.hears((rice.lot_id, hold_event(LotIssued, rice)))
        await d.serves("li")
        await d.w.passes(days=2)
        for lot in ("flour", "noodles"):
            await d.knows_lot(lot)
        await d.w.hears((rice.lot_id, hold_event(LotReturned, rice)))
        flour = d.requests()[-1]
        if flour_is == "refused":
            await d.refuses(flour)
        else:
            await d.places(flour)
            await d.confirms(flour)
            await (
                d.releases(flour, Closing.BY_STAFF) if flour_is == "released" else d.lets_hold_expire(flour)
            )
        await d.w.passes(hours=2)
        assert len(d.requests()) == 3, "it is asked for once more"
