"""How a search for people goes: waves, winners, losers, drop-outs, tiers."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.matching.app import RECORDS, build
from services.matching.domain.wave import PeoplePlan, Wave, wave_id
from services.matching.domain.words import Answer, MatchStatus
from shared.contracts.directory import SiteChanged
from shared.contracts.matching import (
    HoldConfirmationRequested,
    MatchClosed,
    MatchEscalated,
    MatchMade,
    MatchPartlyMade,
    MatchReopened,
    MatchStalled,
    OffersWithdrawn,
    SearchProgressed,
    SeatFilled,
    SeatReleased,
    SeatsOffered,
    SeatWon,
)
from shared.contracts.needs import (
    NeedCancelled,
    NeedChanged,
    NeedCompleted,
    NeedLapsed,
    NeedPosted,
    NeedReferred,
    SearchAsked,
)
from shared.contracts.parts import CalendarLoad, CertificateHeld, GoodsLine, Offer, PeopleLine, Window
from shared.contracts.vocabulary import (
    Audience,
    CancelReason,
    Category,
    Certificate,
    Closing,
    Mode,
    Ring,
    Rule,
    SiteKind,
    Skill,
    Urgency,
    Waiting,
)
from shared.contracts.volunteers import InvitationAccepted, VolunteerChanged
from shared.records import Change
from tests.services.matching_desk import (
    COUNTY,
    NEED,
    NEXT_COUNTY,
    NEXT_TOWNSHIP,
    NEXT_VILLAGE,
    TOMORROW,
    a_line,
    a_need,
    a_social_worker,
    a_volunteer,
    desk,
    ids,
    minutes,
    some_goods,
)
from tests.world import START, world
from wushe.check.needs import the_public_is_not_asked

FAR_OFF = "520102001001"
A_MAIN_STATION_FAR_OFF = SiteChanged(
    site_name="总站", kind=SiteKind.MAIN_STATION, area=FAR_OFF[:6], parent_id="center"
)
"""In another city: the tree of sites need not follow that of areas."""

IN_THREE_DAYS = Window(
    start_at=TOMORROW.start_at + timedelta(days=2), end_at=TOMORROW.end_at + timedelta(days=2)
)


async def test_the_second_to_accept_is_told_the_seat_is_filled() -> None:
    async with desk() as d:
        await d.knows_people("li", "wang", "zhao")
        await d.posts()
        await d.accepts("li", "wang")
        assert ids(d.w.said(SeatWon)) == ["li"]
        assert ids(d.w.said(SeatFilled)) == ["wang"]
        (withdrawn,) = d.w.said(OffersWithdrawn)
        assert sorted(ids(withdrawn.invitations)) == ["wang", "zhao"]
        (made,) = d.w.said(MatchMade)
        assert [(s.volunteer_id, s.seat_id, s.window) for s in made.seats] == [("li", "p1/1", TOMORROW)]
        assert (await d.match()).due_at is None


async def test_a_yes_that_is_repeated_gets_its_verdict_repeated() -> None:
    async with desk() as d:
        await d.knows_people("li", "wang")
        await d.posts()
        await d.accepts("li", "wang")
        await d.accepts("li", "wang", again=True)
        assert ids(d.w.said(SeatWon)) == ["li", "li"]
        assert ids(d.w.said(SeatFilled)) == ["wang", "wang"]
        assert len(d.w.said(MatchMade)) == 1


async def test_a_no_that_was_said_stands_even_if_a_seat_is_free_when_it_is_asked_about_again() -> None:
    """The person's time is free again by then: they may be somewhere else."""
    async with desk() as d:
        await d.knows_people("li", "wang")
        await d.posts()
        await d.accepts("li", "wang")
        repeated = d.about(InvitationAccepted, "wang", again=True)
        await d.withdraws("li")
        await d.w.hears(("wang", repeated))
        assert ids(d.w.said(SeatWon)) == ["li"]
        assert ids(d.w.said(SeatFilled)) == ["wang", "wang"]


async def test_offers_carry_the_need_and_their_reasons_and_end_before_the_window_begins() -> None:
    async with desk() as d:
        await d.knows_people("li")
        soon = Window(start_at=START + timedelta(minutes=20), end_at=START + timedelta(minutes=80))
        await d.posts(a_line(window=soon), cell="8741a54a4ffffff")
        (offered,) = d.w.said(SeatsOffered)
        assert (offered.site_id, offered.household_id, offered.open_seats) == ("east", "household-1", 1)
        assert offered.expires_at == soon.start_at
        assert [r.criterion for r in offered.offers[0].reasons] == ["fit", "load", "continuity", "waiting"]


async def test_waves_widen_ring_by_ring_and_grow() -> None:
    async with desk(first_wave=2, wave_growth=2.0, wave_seconds=600, tier_seconds=10**6) as d:
        await d.knows_people("v1", "v2", "v3")
        await d.knows_people(*(f"t{n}" for n in range(5)), area=NEXT_VILLAGE)
        await d.knows_people(*(f"c{n}" for n in range(20)), area=NEXT_TOWNSHIP)
        await d.knows_people("far", area=NEXT_COUNTY)
        await d.posts()
        await d.w.passes(minutes=21)
        waves = d.w.said(SeatsOffered)
        assert [(w.wave, w.ring, len(w.offers)) for w in waves] == [
            (1, Ring.VILLAGE, 2),
            (2, Ring.TOWNSHIP, 4),
            (3, Ring.COUNTY, 8),
        ]
        assert {o.volunteer_id[0] for o in waves[0].offers} == {"v"}
        assert {o.volunteer_id[0] for o in waves[2].offers} <= {"v", "t", "c"}
        everybody = d.asked()
        assert len(everybody) == len(set(everybody))


async def test_neighbours_are_asked_first_even_if_everybody_was_asleep_when_the_need_came() -> None:
    async with desk(wave_seconds=600) as d:
        start, end = 8 * 60 + 55, 9 * 60 + 5
        await d.knows_people("near", quiet_from=start, quiet_to=end)
        await d.knows_people("far", area=NEXT_TOWNSHIP, quiet_from=start, quiet_to=end)
        await d.posts()
        assert d.asked() == []
        await d.w.passes(minutes=11)
        assert d.asked() == ["near"]
        await d.w.passes(minutes=11)
        assert d.asked() == ["near", "far"]


async def test_no_wave_is_wasted_on_rings_where_nobody_fits() -> None:
    async with desk(first_wave=3) as d:
        await d.knows_people("one", area=NEXT_VILLAGE)
        await d.knows_people("a", "b", "c", "d", area=NEXT_TOWNSHIP)
        await d.posts()
        (first,) = d.w.said(SeatsOffered)
        assert (first.ring, len(first.offers)) == (Ring.COUNTY, 3)


async def test_neighbours_who_are_too_few_for_the_seats_do_not_hold_the_others_up() -> None:
    async with desk(first_wave=2) as d:
        await d.knows_people("near")
        await d.knows_people("a", "b", "c", "d", area=NEXT_VILLAGE)
        await d.posts(a_line(seats=2))
        (first,) = d.w.said(SeatsOffered)
        assert (first.ring, len(first.offers)) == (Ring.TOWNSHIP, 4)


async def test_where_time_presses_the_first_wave_is_as_wide_as_it_must_be_to_be_full() -> None:
    async with desk(first_wave=3) as d:
        await d.knows_people("near")
        await d.knows_people("a", "b", "c", "d", area=NEXT_TOWNSHIP)
        await d.posts()
        await d.posts(need="urgent", urgency=Urgency.URGENT)
        assert d.asked() == ["near"]
        assert d.asked(need="urgent")[0] == "near" and len(d.asked(need="urgent")) == 3


async def test_the_next_wave_goes_out_as_soon_as_everybody_asked_has_answered() -> None:
    async with desk(first_wave=2) as d:
        await d.knows_people("li", "wang", "zhao", "sun")
        await d.posts()
        first = d.asked()
        await d.declines(first[0])
        assert d.asked() == first
        await d.lets_expire(first[1])
        assert len(d.w.said(SeatsOffered)) == 2
        assert sorted(d.asked()) == ["li", "sun", "wang", "zhao"]
        assert minutes(d.w.clock.now()) == 0


async def test_a_calendar_that_refuses_is_passed_over_and_asked_again_in_the_next_tier() -> None:
    async with desk(first_wave=1, tier_seconds=3600) as d:
        await d.knows_people("li")
        await d.posts()
        await d.cannot_be_asked("li", rule=Rule.QUIET)
        assert d.asked() == ["li"]
        await d.w.passes(minutes=61)
        assert d.asked() == ["li", "li"]
        invitations = [o.invitation_id for w in d.w.said(SeatsOffered) for o in w.offers]
        assert len(set(invitations)) == 2


async def test_nobody_is_asked_twice_for_one_line_however_long_it_takes() -> None:
    async with desk(first_wave=1, wave_seconds=60, tier_seconds=600) as d:
        await d.knows_people("li", "wang", "zhao")
        await d.posts()
        await d.w.passes(hours=20)
        assert sorted(d.asked()) == ["li", "wang", "zhao"]


async def test_whom_an_offer_reached_after_its_time_was_not_asked_and_is_asked_again() -> None:
    """As after a night without power: nobody has seen anything of it."""
    async with desk(first_wave=2, wave_seconds=600) as d:
        await d.knows_people("li", "wang")
        await d.posts()
        await d.lets_expire("li")
        await d.lets_expire("wang", unseen=True)
        assert len(d.asked()) == 2
        await d.w.passes(minutes=11)
        assert d.asked()[2:] == ["wang"]
        await d.lets_expire("wang")
        await d.w.passes(hours=1)
        assert len(d.asked()) == 3


async def test_one_person_is_not_asked_for_two_lines_at_the_same_time() -> None:
    async with desk() as d:
        await d.knows_people("li", "wang", skills=(Skill.HOME_VISIT, Skill.ERRANDS))
        await d.posts(a_line("p1"), a_line("p2", skills=(Skill.ERRANDS,)))
        assert sorted(d.asked("p1")) == ["li", "wang"]
        assert d.asked("p2") == []
        later = Window(start_at=TOMORROW.end_at, end_at=TOMORROW.end_at + timedelta(hours=1))
        await d.posts(a_line("p1"), a_line("p2", skills=(Skill.ERRANDS,), window=later), need="need-2")
        assert sorted(d.asked("p2", "need-2")) == ["li", "wang"]


async def test_a_certificate_is_in_force_to_the_end_of_its_last_day_where_its_holder_lives() -> None:
    """Half past midnight in Shanghai, half past ten the evening before in Ürümqi."""
    ends = START.replace(hour=16, minute=30) + timedelta(days=1)
    late = Window(start_at=ends - timedelta(hours=1), end_at=ends)
    last_day = CertificateHeld(certificate=Certificate.SOCIAL_WORKER, expires_on=date(2026, 3, 3))
    async with desk() as d:
        await d.knows_people("east", certificates=(last_day,))
        await d.knows_people("west", certificates=(last_day,), zone="Asia/Urumqi")
        nursing = a_line(window=late, certificates=(Certificate.SOCIAL_WORKER,))
        await d.posts(nursing)
        assert d.asked() == ["west"]
        await d.posts(a_line(window=late), need="child", audience=Audience.NAMED)
        assert d.asked(need="child") == ["west"]
        asked, certified = {"child": await d.match("child")}, {"west": date(2026, 3, 3)}
        assert list(the_public_is_not_asked(asked, certified, {"west": {ZoneInfo("Asia/Urumqi")}})) == []
        (found,) = the_public_is_not_asked(asked, certified, {"west": {ZoneInfo("Asia/Shanghai")}})
        assert found.rule == 6


@pytest.mark.parametrize("first", ["home visit", "nurse"])
async def test_whoever_alone_can_do_one_line_is_kept_for_it_whichever_was_written_first(first: str) -> None:
    visit, nursing = a_line("p1"), a_line("p2", certificates=(Certificate.NURSE,))
    async with desk() as d:
        await d.knows_people("li", "wang")
        await d.knows_people("nurse", certificates=(CertificateHeld(certificate=Certificate.NURSE),))
        await d.posts(*([visit, nursing] if first == "home visit" else [nursing, visit]))
        assert (sorted(d.asked("p1")), d.asked("p2")) == (["li", "wang"], ["nurse"])
        assert d.w.said(MatchStalled) == []
        (wave,) = await d.waves()
        written = [line.id for line in (await d.match()).need.people]
        assert [plan.line_id for plan in wave.people] == written, "as the need has them"


async def test_seats_that_take_everybody_who_can_come_first_though_few_are_free_for_others() -> None:
    async with desk() as d:
        both = (Skill.HOME_VISIT, Skill.ERRANDS)
        await d.knows_people("li", "wang", skills=both)
        await d.knows_people("zhao", skills=(Skill.ERRANDS,))
        await d.posts(a_line("p1", skills=(Skill.ERRANDS,)), a_line("p2", 2))
        assert (d.asked("p1"), sorted(d.asked("p2"))) == (["zhao"], ["li", "wang"])


@pytest.mark.parametrize("others", [(), ("li",)])
async def test_a_line_that_may_stay_empty_takes_nobody_whom_a_required_one_cannot_do_without(
    others: tuple[str, ...],
) -> None:
    async with desk() as d:
        await d.knows_people(*others)
        await d.knows_people("nurse", certificates=(CertificateHeld(certificate=Certificate.NURSE),))
        await d.posts(a_line("p2", certificates=(Certificate.NURSE,), required=False), a_line("p1"))
        assert (d.asked("p1"), d.asked("p2")) == ((["li"], ["nurse"]) if others else (["nurse"], []))


async def test_when_nobody_fits_the_match_stalls_and_says_why_and_what_would_help() -> None:
    async with desk() as d:
        await d.knows_people("far", area=NEXT_COUNTY)
        await d.knows_people("away", busy=(TOMORROW,))
        await d.knows_people("other", skills=(Skill.REPAIR,))
        await d.posts()
        (stalled,) = d.w.said(MatchStalled)
        assert stalled.waiting == Waiting.NOBODY
        (why,) = stalled.diagnosis
        assert [(r.rule, r.count) for r in why.removed] == [
            (Rule.SKILL, 1), (Rule.RING, 1), (Rule.WINDOW, 1),
        ]  # fmt: skip
        assert (why.looked_at, why.remaining) == (3, 0)
        assert [(r.rule, r.gain) for r in why.relaxations] == [
            (Rule.WINDOW, 1), (Rule.RING, 1), (Rule.SKILL, 1),
        ]  # fmt: skip
        assert stalled.next_action_at > d.w.clock.now()
        assert d.w.said(SearchProgressed) == []


async def test_of_those_who_only_come_in_person_a_remote_task_counts_who_could_come() -> None:
    async with desk() as d:
        visits = (Mode.ON_SITE,)
        await d.knows_people("far", modes=visits, area=NEXT_COUNTY)
        await d.posts(a_line(mode=Mode.REMOTE), need="in vain")
        (why,) = d.said_of(MatchStalled, "in vain")[0].diagnosis
        assert ([r.rule for r in why.removed], why.relaxations) == ([Rule.MODE], ())
        await d.knows_people("near", modes=visits)
        await d.posts(a_line(mode=Mode.REMOTE))
        (why,) = d.said_of(MatchStalled)[0].diagnosis
        assert [(r.rule, r.gain) for r in why.relaxations] == [(Rule.MODE, 1)]
        await d.posts(a_line(), need="on site")
        assert d.asked(need="on site") == ["near"], "and it comes true"


async def test_nobody_is_advised_to_wait_for_the_end_of_quiet_hours_that_last_until_the_visit() -> None:
    noon = 12 * 60
    soon = Window(start_at=START + timedelta(minutes=90), end_at=START + timedelta(hours=3))
    async with desk() as d:
        await d.knows_people("li", quiet_from=8 * 60, quiet_to=noon)
        await d.posts(a_line(window=soon))
        (why,) = d.w.said(MatchStalled)[0].diagnosis
        assert ([r.rule for r in why.removed], why.relaxations) == ([Rule.QUIET], ())
        await d.posts(need="tomorrow")
        (why,) = d.said_of(MatchStalled, "tomorrow")[0].diagnosis
        assert [(r.rule, r.gain) for r in why.relaxations] == [(Rule.QUIET, 1)]


async def test_a_search_that_is_stuck_says_why_only_of_the_lines_that_are() -> None:
    async with desk() as d:
        await d.knows_people("li")
        await d.posts(a_line(), a_line("p2", skills=(Skill.REPAIR,)))
        (stalled,) = d.w.said(MatchStalled)
        assert d.asked("p1") == ["li"]
        assert [(why.line_id, why.looked_at) for why in stalled.diagnosis] == [("p2", 1)]
        assert (stalled.wave, stalled.asked) == (1, 1), "and who was asked for the others"


async def test_a_need_without_the_line_that_was_stuck_is_no_longer_said_to_be_stuck() -> None:
    async with desk() as d:
        await d.knows_people("li")
        await d.posts(a_line(), a_line("p2", skills=(Skill.REPAIR,)))
        await d.w.hears((NEED, NeedChanged(spec=a_need(a_line()))))
        match = await d.match()
        assert (match.stalled, match.diagnosis) == (False, {})
        assert [said.waiting for said in d.w.said(SearchProgressed)] == [Waiting.ANSWERS]
        await d.w.hears((NEED, SearchAsked(spec=a_need(a_line()))))
        assert len(d.w.said(MatchStalled)) == 1


async def test_who_could_not_be_asked_is_not_counted_among_those_who_were() -> None:
    async with desk(first_wave=3) as d:
        await d.knows_people("li", "wang", "zhao", "chen")
        await d.posts()
        await d.cannot_be_asked(*d.asked(), rule=Rule.QUIET)
        assert len(d.asked()) == 4
        assert [said.asked for said in d.w.said(SearchProgressed)] == [3, 1]


async def test_whom_a_calendar_refused_is_put_down_to_what_keeps_them_away_and_not_to_having_been_asked() -> (
    None
):
    async with desk() as d:
        await d.knows_people("li", "wang", weekly_contacts=1)
        await d.posts()
        used_up = CalendarLoad(turn=1, contacted_at=(START,))
        await d.cannot_be_asked("li", "wang", rule=Rule.BUDGET, load=used_up)
        assert len(d.asked()) == 2, "nobody is asked again for nothing"
        (why,) = d.w.said(MatchStalled)[-1].diagnosis
        assert [(r.rule, r.count) for r in why.removed] == [(Rule.BUDGET, 2)]
        assert [(r.rule, r.gain) for r in why.relaxations] == [(Rule.BUDGET, 2)]


async def test_nobody_is_advised_to_ask_those_again_whose_answer_is_awaited() -> None:
    async with desk(first_wave=2) as d:
        await d.knows_people("li", "wang")
        await d.posts()
        await d.declines("li")
        await d.w.passes(minutes=16)
        why = (await d.match()).diagnosis["p1"]
        assert [(r.rule, r.count) for r in why.removed] == [(Rule.ASKED, 2)]
        assert [(r.rule, r.gain) for r in why.relaxations] == [(Rule.ASKED, 1)]


async def test_a_stalled_search_finds_whoever_comes_later() -> None:
    async with desk(wave_seconds=600) as d:
        await d.posts()
        assert len(d.w.said(MatchStalled)) == 1
        await d.knows_people("li")
        await d.w.passes(minutes=11)
        assert d.asked() == ["li"]
        assert d.w.said(SearchProgressed)[-1].waiting == Waiting.ANSWERS


async def test_a_stalled_search_repeats_itself_less_and_less_often() -> None:
    async with desk(wave_seconds=600, tier_seconds=10**6) as d:
        await d.posts()
        await d.w.passes(hours=4)
        at = [round(minutes(wave.at)) for wave in await d.waves()]
        assert at == [0, 10, 30, 70, 110, 150, 190, 230]


async def test_the_search_does_not_sleep_past_the_window() -> None:
    """The nearer it comes the sooner is looked again: whoever has slept until an hour before is still asked."""
    async with desk(wave_seconds=3600, tier_seconds=10**6) as d:
        awake = 9 * 60 + 65  # 10:05 in Fuquan, where the story begins at 09:00
        await d.knows_people("li", quiet_from=8 * 60, quiet_to=awake)
        soon = Window(start_at=START + timedelta(minutes=80), end_at=START + timedelta(minutes=140))
        await d.posts(a_line(window=soon))
        await d.w.passes(hours=2)
        at = [round(minutes(wave.at)) for wave in await d.waves()]
        assert at[:4] == [0, 40, 60, 70] and d.asked() == ["li"]


async def test_the_next_people_are_asked_while_there_is_time_to_come() -> None:
    async with desk(first_wave=1, wave_seconds=3600) as d:
        await d.knows_people("li", "wang")
        soon = Window(start_at=START + timedelta(minutes=40), end_at=START + timedelta(minutes=100))
        await d.posts(a_line(window=soon))
        await d.w.passes(minutes=21)
        assert len(d.asked()) == 2
        await d.w.passes(hours=1)
        assert len(await d.waves()) < 12, "not more often than once a minute"


async def test_a_need_is_raised_a_tier_when_time_passes_and_the_first_station_stays_accountable() -> None:
    async with desk(tier_seconds=3600, max_hops=2) as d:
        await d.knows_people("far", area=NEXT_COUNTY)
        await d.posts()
        await d.w.passes(minutes=61)
        await d.w.passes(hours=5)
        raised = d.w.said(MatchEscalated)
        assert [(e.site_id, e.from_site_id, e.to_site_id, e.hops) for e in raised] == [
            ("east", "east", "main", 1),
            ("east", "main", "center", 2),
        ]
        assert d.asked() == ["far"]
        (offered,) = d.w.said(SeatsOffered)
        assert (offered.ring, offered.site_id) == (Ring.CITY, "east")


async def test_a_closed_site_is_passed_over_and_nobody_above_it_is_left_out() -> None:
    closed = SiteChanged(
        site_name="总站", kind=SiteKind.MAIN_STATION, area=COUNTY, parent_id="center", active=False
    )
    async with desk(tier_seconds=3600, max_hops=2) as d:
        await d.posts()
        await d.w.passes(minutes=61)
        d.w.knows(("main", closed))
        await d.posts(need="need-2")
        await d.w.passes(minutes=61)
        raised = {need: d.said_of(MatchEscalated, need) for need in (NEED, "need-2")}
        assert {need: [(e.from_site_id, e.to_site_id) for e in said] for need, said in raised.items()} == {
            NEED: [("east", "main"), ("main", "center")],
            "need-2": [("east", "center")],
        }


async def test_a_search_reaches_as_far_as_the_tier_it_was_raised_to_and_no_further_when_that_has_closed() -> (
    None
):
    async with desk(tier_seconds=3600, wave_seconds=600, max_hops=3) as d:
        d.w.knows(("main", A_MAIN_STATION_FAR_OFF))
        await d.posts()
        await d.w.passes(minutes=61)
        d.w.knows(("main", A_MAIN_STATION_FAR_OFF.model_copy(update={"active": False})))
        await d.knows_people("there", area=FAR_OFF)
        await d.knows_people("nowhere near", area="110101001001")
        await d.w.passes(minutes=41)
        assert d.asked() == ["there"]
        await d.w.passes(minutes=61)
        assert [e.to_site_id for e in d.w.said(MatchEscalated)] == ["main", "center"]
        assert d.asked() == ["there", "nowhere near"]


async def test_a_search_reaches_no_less_far_when_a_site_below_its_tier_opens_again() -> None:
    async with desk(tier_seconds=3600, wave_seconds=600, max_hops=1) as d:
        d.w.knows(("main", A_MAIN_STATION_FAR_OFF.model_copy(update={"active": False})))
        await d.posts()
        await d.w.passes(minutes=61)
        assert [e.to_site_id for e in d.w.said(MatchEscalated)] == ["center"]
        d.w.knows(("main", A_MAIN_STATION_FAR_OFF))
        await d.knows_people("anywhere", area="110101001001")
        await d.w.passes(minutes=41)
        assert d.asked() == ["anywhere"]


async def test_nobody_is_asked_in_the_area_of_a_tier_that_was_closed_when_the_need_was_raised_past_it() -> (
    None
):
    async with desk(tier_seconds=3600, wave_seconds=600, max_hops=1) as d:
        d.w.knows(("main", A_MAIN_STATION_FAR_OFF.model_copy(update={"active": False})))
        nearer = SiteChanged(site_name="总站", kind=SiteKind.MAIN_STATION, area=COUNTY)
        d.w.knows(("center", nearer))
        await d.posts()
        await d.w.passes(minutes=61)
        await d.knows_people("there", area=FAR_OFF)
        await d.knows_people("here", area=NEXT_COUNTY)
        await d.w.passes(minutes=41)
        assert d.asked() == ["here"]


@pytest.mark.parametrize("rest", ["nothing", "goods", "a later visit"])
async def test_no_tier_is_told_of_a_visit_whose_time_is_over(rest: str) -> None:
    more: dict[str, PeopleLine | GoodsLine] = {
        "goods": some_goods(),
        "a later visit": a_line("p2", window=IN_THREE_DAYS),
    }
    async with desk(first_wave=1, tier_seconds=40 * 3600, max_hops=2) as d:
        await d.knows_people("li")
        await d.posts(a_line(seats=2, minimum=1), *([more[rest]] if rest in more else []))
        await d.accepts("li")
        await d.w.passes(hours=26)
        await d.serves("li")
        await d.w.passes(hours=24)
        raised = [e.to_site_id for e in d.w.said(MatchEscalated)]
        assert raised == ([] if rest == "nothing" else ["main"])


async def test_beyond_the_last_tier_a_coordinator_is_waited_for_and_the_search_goes_on() -> None:
    async with desk(tier_seconds=3600, max_hops=1, wave_seconds=3600) as d:
        await d.posts()
        await d.w.passes(hours=3)
        assert len(d.w.said(MatchEscalated)) == 1
        assert d.w.said(MatchStalled)[-1].waiting == Waiting.COORDINATOR
        await d.knows_people("stranger", area="110101001001")
        await d.w.passes(hours=2)
        assert d.asked() == ["stranger"]


async def test_a_need_for_a_child_goes_only_to_named_people_wherever_they_are_and_never_to_the_public() -> (
    None
):
    async with desk(first_wave=50, tier_seconds=600, wave_seconds=60) as d:
        await d.knows_people(*(f"v{n}" for n in range(9)))
        await d.w.hears(("worker", VolunteerChanged(state=a_social_worker(area=NEXT_COUNTY))))
        await d.posts(audience=Audience.NAMED)
        (offered,) = d.w.said(SeatsOffered)
        assert (offered.ring, ids(offered.offers)) == (Ring.ANYWHERE, ["worker"])
        await d.declines("worker")
        await d.w.passes(hours=20)
        assert d.asked() == ["worker"]
        why = d.w.said(MatchStalled)[-1].diagnosis[0]
        assert Rule.AUDIENCE in [r.rule for r in why.removed]
        assert Rule.AUDIENCE not in [r.rule for r in why.relaxations]


async def test_whose_certificate_runs_out_too_soon_for_a_child_is_told_to_be_able_to_renew_it() -> None:
    soon = CertificateHeld(certificate=Certificate.CHILD_DIRECTOR, expires_on=date(2026, 3, 2))
    async with desk() as d:
        await d.knows_people("li")
        await d.w.hears(("director", VolunteerChanged(state=a_volunteer(certificates=(soon,)))))
        await d.posts(audience=Audience.NAMED)
        assert d.asked() == []
        (why,) = d.w.said(MatchStalled)[-1].diagnosis
        removed = {one.rule: one.count for one in why.removed}
        assert removed == {Rule.AUDIENCE: 1, Rule.CERTIFICATE_EXPIRED: 1}
        assert {one.rule: one.gain for one in why.relaxations} == {Rule.CERTIFICATE_EXPIRED: 1}


@pytest.mark.parametrize("facts", [{"urgency": Urgency.CRISIS}, {"category": Category.CRISIS_INTERVENTION}])
async def test_a_crisis_is_named_even_if_it_was_posted_to_the_public_and_knows_no_quiet_hours(
    facts: dict[str, Any],
) -> None:
    async with desk() as d:
        await d.knows_people("public")
        asleep = a_social_worker(quiet_from=0, quiet_to=1439, weekly_contacts=0)
        await d.w.hears(("worker", VolunteerChanged(state=asleep)))
        await d.posts(**facts)
        assert d.asked() == ["worker"]
        assert d.w.said(SeatsOffered)[0].expires_at == START + timedelta(minutes=10)
        await d.posts(need="need-2")
        assert d.asked(need="need-2") == ["public"]


async def test_remote_tasks_know_no_distance() -> None:
    async with desk() as d:
        await d.knows_people("far", area="110101001001", modes=(Mode.REMOTE,), cell="8741a54a4ffffff")
        await d.posts(a_line(mode=Mode.REMOTE), cell="87319b6f4ffffff")
        assert d.asked() == ["far"]


async def test_who_drops_out_reopens_the_match_and_the_next_wave_goes_out_at_once() -> None:
    async with desk(first_wave=1) as d:
        await d.knows_people("li", "wang")
        await d.posts()
        (first,) = d.asked()
        await d.accepts(first)
        await d.withdraws(first, late=True)
        (reopened,) = d.w.said(MatchReopened)
        assert (reopened.reason, reopened.late, reopened.seats) == (Closing.WITHDRAWN, True, ())
        (second,) = d.asked()[1:]
        assert second != first
        await d.accepts(second)
        assert [ids(m.seats) for m in d.w.said(MatchMade)] == [[first], [second]]


async def test_when_a_seat_is_free_again_those_who_were_only_too_late_for_it_are_asked_again() -> None:
    async with desk() as d:
        await d.knows_people("li", "wang", "zhao", "chen")
        await d.posts()
        await d.declines("zhao")
        await d.accepts("li", "wang")
        await d.withdraws("li")
        assert sorted(d.asked()[4:]) == ["chen", "wang"]
        await d.accepts("wang")
        assert [ids(m.seats) for m in d.w.said(MatchMade)] == [["li"], ["wang"]]


async def test_whoever_was_too_late_for_one_line_is_asked_for_another_at_the_same_time() -> None:
    async with desk(wave_seconds=60) as d:
        await d.knows_people("li", "wang", skills=(Skill.HOME_VISIT, Skill.ERRANDS))
        await d.posts(a_line("p1"), a_line("p2", skills=(Skill.ERRANDS,)))
        await d.accepts("li")
        await d.w.passes(minutes=5)
        assert d.asked("p2") == ["wang"]


async def test_a_no_show_reopens_too_but_a_window_that_has_begun_waits_for_a_coordinator() -> None:
    async with desk(first_wave=1) as d:
        await d.knows_people("li", "wang")
        await d.posts()
        (first,) = d.asked()
        await d.accepts(first)
        await d.w.passes(days=1, minutes=30)
        await d.stays_away(first)
        assert d.w.said(MatchReopened)[0].reason == Closing.NO_SHOW
        assert len(d.asked()) == 1
        assert d.w.said(MatchStalled)[-1].waiting == Waiting.COORDINATOR
        assert (await d.match()).due_at is not None


@pytest.mark.parametrize("how", ["somebody did not come", "somebody has served"])
async def test_a_visit_that_was_missed_does_not_hold_the_later_ones_back(how: str) -> None:
    """Nobody can be asked for it any more: whoever comes next must know where to go, and what is held is confirmed."""
    visits = (a_line("p1", seats=2), a_line("p2", window=IN_THREE_DAYS))
    async with desk(first_wave=1, wave_seconds=600) as d:
        await d.knows_people("li", "wang", "zhao")
        await d.posts(*visits, some_goods(required=False))
        await d.w.passes(minutes=30)
        first, second = d.asked("p1")[:2]
        await d.accepts(first)
        if how == "somebody did not come":
            await d.accepts(second)
        last = d.asked("p2")[0]
        await d.accepts(last, line_id="p2")
        await d.w.passes(days=1, minutes=30)
        if how == "somebody has served":
            assert d.w.said(MatchPartlyMade) == [], "no seat of the first visit is to stay empty"
            await d.serves(first)
        else:
            await d.stays_away(second)
            assert d.w.said(MatchReopened) != []
            await d.w.passes(hours=1)
        assert {first, last} == set(ids(d.w.said(MatchPartlyMade)[-1].seats))
        await d.knows_lot("rice")
        await d.w.passes(days=1)
        (one,) = d.requests()
        await d.places(one)
        assert [hold.hold_id for hold in d.w.said(HoldConfirmationRequested)] == [one.hold_id]


async def test_an_optional_visit_that_nobody_took_leaves_the_search_for_the_rest_alone() -> None:
    optional = a_line("p1", required=False, skills=(Skill.REHABILITATION,))
    async with desk(invitation_seconds=10**6, tier_seconds=10**6) as d:
        await d.knows_people("li")
        await d.posts(optional, a_line("p2", window=IN_THREE_DAYS))
        await d.w.passes(days=1, minutes=30)
        assert d.asked("p2") == ["li"]
        assert d.w.said(SearchProgressed)[-1].waiting == Waiting.ANSWERS
        await d.accepts("li", line_id="p2")
        assert ids(d.w.said(MatchPartlyMade)[-1].seats) == ["li"]


async def test_enough_is_made_partly_after_the_first_waves_time_and_wholly_later() -> None:
    async with desk(first_wave=1, wave_seconds=600) as d:
        await d.knows_people("li", "wang", "zhao")
        await d.posts(a_line(seats=3, minimum=1))
        await d.accepts("li")
        assert d.w.said(MatchPartlyMade) == []
        await d.w.passes(minutes=11)
        assert [ids(m.seats) for m in d.w.said(MatchPartlyMade)] == [["li"]]
        await d.accepts("wang")
        assert [ids(m.seats) for m in d.w.said(MatchPartlyMade)][1:] == [["li", "wang"]]
        await d.accepts("zhao")
        assert [ids(m.seats) for m in d.w.said(MatchMade)] == [["li", "wang", "zhao"]]


async def test_a_station_that_allows_no_part_waits_for_the_whole() -> None:
    async with desk(wave_seconds=600, allow_partial=False) as d:
        await d.knows_people("li")
        await d.posts(a_line(seats=2, minimum=1))
        await d.accepts("li")
        await d.w.passes(hours=1)
        assert d.w.said(MatchPartlyMade) == []
        await d.posts(a_line(), a_line("p2", required=False, skills=(Skill.REPAIR,)), need="need-2")
        await d.accepts("li", need="need-2")
        await d.w.passes(hours=1)
        assert ids(d.said_of(MatchPartlyMade, "need-2")[0].seats) == ["li"]


async def test_whoever_is_enough_to_begin_is_told_before_the_window_begins_and_not_after() -> None:
    """Only then is the door known to them."""
    async with desk() as d:
        await d.knows_people("li", "wang")
        soon = Window(start_at=START + timedelta(minutes=12), end_at=START + timedelta(minutes=72))
        await d.posts(a_line(seats=2, minimum=1, window=soon))
        await d.accepts("li")
        await d.w.passes(minutes=2)
        assert [ids(partly.seats) for partly in d.w.said(MatchPartlyMade)] == [["li"]]


async def test_a_need_that_is_cancelled_gives_everything_back_and_late_comers_are_told() -> None:
    async with desk() as d:
        await d.knows_people("li", "wang", "zhao")
        await d.posts(a_line(seats=2))
        await d.accepts("li")
        await d.w.hears((NEED, NeedCancelled(site_id="east", reason=CancelReason.SOLVED)))
        assert ids(d.w.said(SeatReleased)) == ["li"]
        assert [sorted(ids(o.invitations)) for o in d.w.said(OffersWithdrawn)] == [["wang", "zhao"]]
        assert [c.reason for c in d.w.said(MatchClosed)] == [Closing.CANCELLED]
        await d.accepts("wang")
        await d.accepts("li", again=True)
        assert [(f.volunteer_id, f.reason) for f in d.w.said(SeatFilled)] == [
            ("wang", Closing.CANCELLED),
            ("li", Closing.CANCELLED),
        ]
        assert (await d.match()).due_at is None


async def test_every_end_closes_the_search_once_with_its_reason() -> None:
    ends = {
        "n1": (NeedLapsed(site_id="east"), Closing.LAPSED),
        "n2": (NeedReferred(site_id="east", organisation_id="o"), Closing.REFERRED),
        "n3": (NeedCompleted(site_id="east", household_id="h", confirmed=True), Closing.COMPLETED),
    }
    async with desk() as d:
        for need, (end, reason) in ends.items():
            await d.posts(need=need)
            await d.w.hears((need, end), (need, end))
            assert [c.reason for c in d.said_of(MatchClosed, need)] == [reason]


async def test_whoever_won_a_seat_just_before_the_need_was_completed_is_told_not_to_come() -> None:
    """The resident was content with the one who came; the word of the second seat was still on its way."""
    async with desk() as d:
        await d.knows_people("li", "wang", "zhao")
        await d.posts(a_line(seats=3, minimum=1))
        await d.accepts("li", "wang", "zhao")
        await d.serves("li")
        completed = NeedCompleted(
            site_id="east", household_id="h", volunteer_ids=("li", "zhao"), confirmed=True
        )
        await d.w.hears((NEED, completed))
        await d.serves("zhao")
        assert [(r.volunteer_id, r.reason) for r in d.w.said(SeatReleased)] == [("wang", Closing.COMPLETED)]


async def test_whoever_served_and_won_another_seat_just_before_the_end_is_told_not_to_come_again() -> None:
    """They served in the morning; the yes for the afternoon met the resident's word that it was enough."""
    async with desk() as d:
        await d.knows_people("li")
        later = Window(start_at=TOMORROW.end_at, end_at=TOMORROW.end_at + timedelta(hours=1))
        await d.posts(a_line("p1"), a_line("p2", window=later))
        await d.accepts("li")
        await d.accepts("li", line_id="p2")
        (morning,) = (won.invitation_id for won in d.w.said(SeatWon) if won.line_id == "p1")
        completed = NeedCompleted(
            site_id="east", household_id="h", volunteer_ids=("li",), invitation_ids=(morning,), confirmed=True
        )
        await d.w.hears((NEED, completed))
        assert [r.line_id for r in d.w.said(SeatReleased)] == ["p2"]


async def test_a_service_that_is_done_counts_though_its_line_was_moved_before_word_of_it_came() -> None:
    """Nobody is sent again to a resident who has been served."""
    async with desk() as d:
        await d.knows_people("li", "wang", "zhao")
        await d.posts(a_line(seats=2))
        await d.accepts("li", "wang")
        await d.serves("li")
        moved = Window(start_at=START + timedelta(days=2), end_at=START + timedelta(days=2, hours=2))
        await d.w.hears((NEED, NeedChanged(spec=a_need(a_line(seats=2, window=moved)))))
        assert ids(d.w.said(SeatReleased)) == ["wang"]
        await d.accepts("zhao")
        assert ids(d.w.said(MatchMade)[-1].seats) == ["li", "zhao"]


async def test_a_service_that_is_done_is_never_released() -> None:
    async with desk() as d:
        await d.knows_people("li", "wang")
        await d.posts(a_line(seats=2))
        await d.accepts("li", "wang")
        await d.serves("li")
        await d.w.hears((NEED, NeedCancelled(site_id="east", reason=CancelReason.OTHER)))
        assert ids(d.w.said(SeatReleased)) == ["wang"]


async def test_whoever_has_helped_there_before_is_asked_first_where_the_station_wants_it() -> None:
    async with desk(first_wave=1, criteria=("continuity", "fit")) as d:
        await d.knows_people("li", "wang", "zhao")
        for need in ("a", "b", "c"):
            await d.posts(need=need)
        await d.posts(a_line(seats=3))
        await d.accepts("zhao")
        await d.serves("zhao")
        for need in ("d", "e", "f"):
            await d.posts(need=need)
            assert d.asked(need=need) == ["zhao"]
        reasons = d.said_of(SeatsOffered, "d")[0].offers[0].reasons
        assert [(r.criterion, r.value) for r in reasons] == [("continuity", 1), ("fit", 0)]


async def test_not_always_the_same_person_is_asked_first_among_equals() -> None:
    async with desk(first_wave=1) as d:
        await d.knows_people(*(f"v{n}" for n in range(6)))
        for n in range(30):
            await d.posts(need=f"n{n}")
        first = {d.asked(need=f"n{n}")[0] for n in range(30)}
        assert len(first) == 6


async def test_who_was_asked_least_comes_first_among_equals() -> None:
    async with desk(first_wave=1) as d:
        await d.knows_people("busy", "idle")
        load = CalendarLoad(turn=1, contacted_at=(START,))
        await d.posts(a_line(seats=2), need="other")
        await d.declines("busy", need="other", load=load)
        for n in range(9):
            await d.posts(need=f"n{n}")
            assert d.asked(need=f"n{n}") == ["idle"]


async def test_a_changed_line_is_searched_for_anew_and_the_others_go_on() -> None:
    async with desk() as d:
        await d.knows_people("li", "wang", skills=(Skill.HOME_VISIT, Skill.ERRANDS))
        later = Window(start_at=TOMORROW.end_at, end_at=TOMORROW.end_at + timedelta(hours=1))
        errands = a_line("p2", skills=(Skill.ERRANDS,), window=later)
        await d.posts(a_line("p1"), errands)
        await d.accepts("li")
        await d.accepts("wang", line_id="p2")
        moved = Window(
            start_at=TOMORROW.start_at + timedelta(days=1), end_at=TOMORROW.end_at + timedelta(days=1)
        )
        await d.w.hears((NEED, NeedChanged(spec=a_need(a_line("p1", window=moved), errands))))
        assert [(r.volunteer_id, r.line_id, r.reason) for r in d.w.said(SeatReleased)] == [
            ("li", "p1", Closing.CHANGED)
        ]
        assert d.w.said(MatchReopened)[-1].reason == Closing.CHANGED
        newest = d.w.said(SeatsOffered)[-1]
        assert (newest.line_id, newest.window) == ("p1", moved)
        await d.accepts("li")
        assert sorted(ids(d.w.said(MatchMade)[-1].seats)) == ["li", "wang"]


async def test_a_need_that_moves_is_searched_for_where_it_is_now_and_seats_stay() -> None:
    async with desk(first_wave=2) as d:
        await d.knows_people("li", "wang", "zhao", "sun")
        await d.posts(a_line(seats=2))
        won, slow, no, late = d.asked()
        await d.accepts(won)
        await d.declines(no)
        await d.knows_people("chen", area=NEXT_TOWNSHIP)
        late_yes = d.about(InvitationAccepted, late)
        await d.w.hears((NEED, NeedChanged(spec=a_need(a_line(seats=2), area=NEXT_TOWNSHIP))))
        (told,) = d.w.said(OffersWithdrawn)
        assert (told.reason, set(ids(told.invitations))) == (Closing.CHANGED, {slow, late})
        assert d.w.said(SeatReleased) == []
        assert [(w.volunteer_id, w.area) for w in d.w.said(SeatWon)][1:] == [(won, NEXT_TOWNSHIP)]
        anew = d.w.said(SeatsOffered)[-1]
        assert (anew.ring, anew.area, ids(anew.offers)) == (Ring.VILLAGE, NEXT_TOWNSHIP, ["chen"])
        await d.w.hears((late, late_yes))
        assert [(f.volunteer_id, f.reason) for f in d.w.said(SeatFilled)] == [(late, Closing.CHANGED)]
        await d.w.passes(hours=3)
        assert set(d.asked()[5:]) == {slow, late}, "who said no has answered"


@pytest.mark.parametrize("changes", [{"cell": "8741a54a4ffffff"}, {"category": Category.CULTURE_HEALTH}])
async def test_whoever_was_asked_for_another_place_or_matter_is_asked_anew(changes: dict[str, Any]) -> None:
    async with desk() as d:
        await d.knows_people("li")
        await d.posts()
        await d.w.hears((NEED, NeedChanged(spec=a_need(**changes))))
        assert d.asked() == ["li", "li"]
        assert ids(d.w.said(OffersWithdrawn)[0].invitations) == ["li"]
        await d.accepts("li")
        assert ids(d.w.said(MatchMade)[0].seats) == ["li"]


async def test_a_need_that_turns_out_to_be_urgent_is_searched_for_at_once() -> None:
    """Nobody waits out the hour that an ordinary need had been given."""
    async with desk() as d:
        await d.posts(urgency=Urgency.ORDINARY)
        await d.w.passes(hours=2)
        await d.knows_people("li")
        assert d.asked() == []
        await d.w.hears((NEED, NeedChanged(spec=a_need(urgency=Urgency.URGENT))))
        assert d.asked() == ["li"]


async def test_a_childs_need_that_becomes_a_crisis_is_asked_about_anew_as_one() -> None:
    """Certified people are few: budgets, quiet hours and an ordinary offer that nobody answered are no answer to it."""
    async with desk(first_wave=9) as d:
        for id in ("slow", "busy", "silent", "no"):
            await d.w.hears((id, VolunteerChanged(state=a_social_worker())))
        await d.posts(audience=Audience.NAMED)
        assert set(d.asked()) == {"slow", "busy", "silent", "no"}
        await d.cannot_be_asked("busy", rule=Rule.BUDGET)
        await d.lets_expire("silent")
        await d.declines("no")
        await d.w.passes(minutes=20)
        crisis = a_need(audience=Audience.NAMED, urgency=Urgency.CRISIS)
        await d.w.hears((NEED, NeedChanged(spec=crisis)))
        (told,) = d.w.said(OffersWithdrawn)
        assert (told.reason, ids(told.invitations)) == (Closing.CHANGED, ["slow"])
        anew = d.w.said(SeatsOffered)[-1]
        assert set(ids(anew.offers)) == {"slow", "busy", "silent"}, "who said no has answered"
        assert (anew.urgency, anew.expires_at - d.w.clock.now()) == (Urgency.CRISIS, timedelta(minutes=10))
        longer = crisis.model_copy(update={"deadline_at": START + timedelta(days=20)})
        await d.w.hears((NEED, NeedChanged(spec=longer)))
        assert len(d.asked()) == 7, "nobody is asked a third time for the same crisis"


@pytest.mark.parametrize("begun", [True, False])
async def test_whoever_said_yes_in_the_moment_in_which_a_childs_need_became_a_crisis_has_the_seat(
    begun: bool,
) -> None:
    async with desk() as d:
        await d.w.hears(("li", VolunteerChanged(state=a_social_worker())))
        await d.posts(audience=Audience.NAMED)
        yes = d.about(InvitationAccepted, "li")
        crisis = a_need(audience=Audience.NAMED, urgency=Urgency.CRISIS)
        await d.w.hears((NEED, NeedChanged(spec=crisis, begun=begun)), ("li", yes))
        assert ids(d.w.said(SeatWon)) == ["li"] and d.w.said(SeatFilled) == []
        assert ids(d.w.said(MatchMade)[-1].seats) == ["li"]


async def test_more_seats_are_searched_for_and_fewer_are_given_back() -> None:
    async with desk() as d:
        await d.knows_people("li", "wang", "zhao")
        await d.posts()
        await d.accepts("li")
        await d.w.hears((NEED, NeedChanged(spec=a_need(a_line(seats=2)))))
        assert d.w.said(MatchReopened)[0].reason == Closing.CHANGED
        assert ids(d.w.said(MatchReopened)[0].seats) == ["li"]


async def test_the_number_of_a_seat_stays_its_own_when_seats_come_and_go() -> None:
    async with desk(first_wave=9) as d:
        await d.knows_people("li", "wang", "zhao")
        await d.posts(a_line(seats=2))
        await d.accepts("li", "wang")
        await d.withdraws("li")
        for seats in (1, 2):
            await d.w.hears((NEED, NeedChanged(spec=a_need(a_line(seats=seats)))))
        await d.accepts("zhao")
        assert [(w.volunteer_id, w.seat_id) for w in d.w.said(SeatWon)] == [
            ("li", "p1/1"),
            ("wang", "p1/2"),
            ("zhao", "p1/3"),
        ]
        assert [s.seat_id for s in d.w.said(MatchMade)[-1].seats] == ["p1/2", "p1/3"]
        view = (await d.gets("staff", f"/matches/{NEED}")).json()
        assert [s["seat_id"] for s in view["people"][0]["seats"]] == ["p1/2", "p1/3"]


async def test_a_need_that_becomes_one_for_a_child_is_taken_away_from_the_public() -> None:
    async with desk() as d:
        await d.knows_people("li", "wang")
        await d.w.hears(("worker", VolunteerChanged(state=a_social_worker(area=NEXT_TOWNSHIP))))
        await d.posts(a_line(seats=2))
        await d.accepts("li")
        await d.w.hears((NEED, NeedChanged(spec=a_need(a_line(seats=2), audience=Audience.NAMED))))
        assert ids(d.w.said(SeatReleased)) == ["li"]
        assert ids(d.w.said(OffersWithdrawn)[-1].invitations) == ["wang"]
        assert ids(d.w.said(SeatsOffered)[-1].offers) == ["worker"]
        await d.accepts("wang")
        assert [(f.volunteer_id, f.reason) for f in d.w.said(SeatFilled)] == [("wang", Closing.CHANGED)]


async def test_who_has_served_before_a_need_becomes_one_for_named_people_has_served() -> None:
    async with desk() as d:
        await d.knows_people("li", "wang")
        await d.w.hears(("worker", VolunteerChanged(state=a_social_worker(area=NEXT_TOWNSHIP))))
        await d.posts(a_line(seats=2))
        await d.accepts("li")
        await d.serves("li")
        await d.w.hears((NEED, NeedChanged(spec=a_need(a_line(seats=2), audience=Audience.NAMED))))
        await d.accepts("worker")
        assert ids(d.w.said(MatchMade)[-1].seats) == ["li", "worker"]
        certified = {"worker": date.max}
        assert list(the_public_is_not_asked({NEED: await d.match()}, certified, {})) == []


async def test_a_need_that_becomes_one_for_a_child_after_service_has_begun_asks_the_public_no_more() -> None:
    async with desk() as d:
        await d.knows_people("li", "wang", "zhao")
        await d.w.hears(("worker", VolunteerChanged(state=a_social_worker(area=NEXT_TOWNSHIP))))
        await d.posts(a_line(seats=2))
        await d.accepts("li")
        changed = NeedChanged(spec=a_need(a_line(seats=2), audience=Audience.NAMED), begun=True)
        await d.w.hears((NEED, changed))
        assert d.w.said(SeatReleased) == [], "whoever has a seat keeps it"
        assert set(ids(d.w.said(OffersWithdrawn)[-1].invitations)) == {"wang", "zhao"}
        assert ids(d.w.said(SeatsOffered)[-1].offers) == ["worker"]
        await d.accepts("wang")
        assert [(f.volunteer_id, f.reason) for f in d.w.said(SeatFilled)] == [("wang", Closing.CHANGED)]
        await d.accepts("worker")
        assert ids(d.w.said(MatchMade)[-1].seats) == ["li", "worker"]
        certified = {"worker": date.max}
        assert list(the_public_is_not_asked({NEED: await d.match()}, certified, {})) == []
        await d.knows_people("sun")
        await d.withdraws("li")
        assert "sun" not in d.asked()
        assert list(the_public_is_not_asked({NEED: await d.match()}, certified, {})) == []


async def test_a_need_that_asks_is_told_where_the_search_stands() -> None:
    async with desk() as d:
        await d.knows_people("li")
        asks = SearchAsked(spec=a_need())
        await d.w.hears((NEED, asks))
        assert d.asked() == ["li"]
        await d.w.hears((NEED, asks))
        assert [p.waiting for p in d.w.said(SearchProgressed)] == [Waiting.ANSWERS] * 2
        await d.accepts("li")
        await d.w.hears((NEED, asks))
        assert [ids(m.seats) for m in d.w.said(MatchMade)] == [["li"], ["li"]]
        await d.w.hears((NEED, NeedLapsed(site_id="east")), (NEED, asks))
        assert [c.reason for c in d.w.said(MatchClosed)] == [Closing.LAPSED] * 2


async def test_a_need_that_ended_before_it_was_heard_of_is_never_searched_for() -> None:
    async with desk() as d:
        await d.knows_people("li")
        await d.w.hears((NEED, NeedCancelled(site_id="east", reason=CancelReason.MISTAKE)))
        await d.w.hears((NEED, NeedPosted(spec=a_need())))
        assert d.w.said(SeatsOffered) == []
        assert (await d.match()).status == MatchStatus.CLOSED


async def test_a_yes_that_comes_before_its_need_is_kept_and_answered() -> None:
    async with desk() as d:
        early = InvitationAccepted(invitation_id="li~x", need_id=NEED, line_id="p1")
        await d.w.hears(("li", early))
        assert d.w.said(SeatWon) == []
        await d.posts()
        assert ids(d.w.said(SeatWon)) == ["li"]
        assert len(d.w.said(MatchMade)) == 1


async def test_nothing_is_planned_until_the_index_has_caught_up() -> None:
    caught_up = False
    async with world(RECORDS, lambda kit: build(kit, ready=lambda: caught_up)) as w:
        await w.hears(("li", VolunteerChanged(state=a_volunteer())), (NEED, NeedPosted(spec=a_need())))
        w.clock.advance(3)
        await w.settle()
        assert w.said(SeatsOffered) == []
        caught_up = True
        await w.settle()
        assert len(w.said(SeatsOffered)) == 1


async def test_a_plan_that_was_written_before_a_crash_is_carried_out_after_it() -> None:
    async with desk(first_wave=1) as d:
        await d.knows_people("li", "wang")
        offer = Offer(invitation_id="wang~planned", volunteer_id="wang")
        plan = PeoplePlan(line_id="p1", ring=Ring.VILLAGE, wanted=1, offers=(offer,))
        wave = Wave(id=wave_id(NEED, 1), need_id=NEED, number=1, at=START, people=(plan,))
        await d.w.store.change(Wave, wave.id, lambda _: Change(wave))
        await d.posts()
        assert [w.offers for w in d.w.said(SeatsOffered)] == [(offer,)]
        assert await d.waves() == [wave]


async def test_two_sweepers_ask_everybody_once() -> None:
    async with desk() as d:
        await d.knows_people("li")
        (open_search,) = [row for row in d.w.service.handlers if row.event is NeedPosted]
        posted = d.w.message(NEED, NeedPosted(spec=a_need()))
        await open_search.method(posted.data, posted)
        (sweep,) = d.w.service.sweeps
        await asyncio.gather(sweep.wake(NEED), sweep.wake(NEED), sweep.wake(NEED))
        await d.w.settle()
        assert d.asked() == ["li"]


async def test_answers_are_remembered_for_whoever_looks() -> None:
    async with desk() as d:
        await d.knows_people("li", "wang", "zhao", "sun")
        await d.posts()
        await d.declines("li")
        await d.lets_expire("wang")
        await d.accepts("zhao")
        answers = {id.partition("~")[0]: asked.answer for id, asked in (await d.match()).asked.items()}
        assert answers == {
            "li": Answer.DECLINED,
            "wang": Answer.EXPIRED,
            "zhao": Answer.WON,
            "sun": Answer.WITHDRAWN,
        }
