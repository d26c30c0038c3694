"""The course of a need, as stories: from order to rating, and every way in which it does not work."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from services.needs.domain.need import Need
from shared.contracts.needs import (
    NeedCancelled,
    NeedChanged,
    NeedCompleted,
    NeedLapsed,
    NeedPosted,
    NeedProgressed,
    NeedRated,
    NeedReferred,
    ReferralAsked,
    ReferralDeclined,
    SearchAsked,
)
from shared.contracts.parts import Window
from shared.contracts.vocabulary import Closing, Ring
from tests.services import needs_desk as k
from tests.services.needs_desk import TEN, Desk, an_order, desk, goods, people
from tests.world import START


async def served(d: Desk) -> str:
    """A need whose service is done, and which waits for the resident's word."""
    need_id = await d.posts()
    await d.hears((need_id, k.won()), (need_id, k.made(k.taken())))
    await d.w.passes(hours=1)
    await d.hears(k.checked_in(need_id), k.done(need_id))
    assert await d.course(need_id) == ("awaiting_confirmation", "confirmation")
    return need_id


async def test_a_need_says_what_is_to_be_found_and_waits_visibly_from_its_first_moment() -> None:
    async with desk() as d:
        need_id = await d.posts(people(2, minimum=1), goods(3), note="要会说苗语的人")
        (posted,) = d.w.said(NeedPosted)
        assert [(line.id, line.seats, line.minimum) for line in posted.spec.people] == [("p1", 2, 1)]
        assert [(line.id, line.quantity, line.minimum) for line in posted.spec.goods] == [("g1", 3, 3)]
        assert (posted.spec.site_id, posted.spec.area, posted.spec.audience) == ("east", k.VILLAGE, "public")
        assert posted.spec.deadline_at == TEN and posted.spec.cell is not None
        assert await d.course(need_id) == ("open", "search")
        assert d.w.said(NeedProgressed) == []


async def test_from_search_to_the_residents_own_word() -> None:
    async with desk() as d:
        need_id = await d.posts(people(), goods())
        await d.hears((need_id, k.progressed(START + timedelta(minutes=15))))
        assert await d.course(need_id) == ("matching", "answers")
        await d.hears((need_id, k.won()))
        await d.hears((need_id, k.made(k.taken(), holds=(k.held(),))))
        assert await d.course(need_id) == ("matched", "service")
        await d.w.passes(hours=1)
        await d.hears(k.checked_in(need_id))
        assert await d.course(need_id) == ("in_service", "service")
        await d.hears(k.done(need_id), k.issued(need_id))
        assert await d.course(need_id) == ("in_service", "service")
        await d.hears(k.received(need_id))
        assert await d.course(need_id) == ("awaiting_confirmation", "confirmation")
        rating = {"score": 4, "channel": "phone", "comment": "很好，谢谢"}
        await d.made("staff", f"POST /needs/{need_id}/rate", rating)
        assert await d.course(need_id) == ("completed", None)
        (rated,), (completed,) = d.w.said(NeedRated), d.w.said(NeedCompleted)
        assert (rated.score, completed.confirmed, completed.volunteer_ids) == (4, True, ("li",))
        assert completed.invitation_ids == ("li~1",)
        seen = await d.made("staff", f"GET /needs/{need_id}")
        assert (seen["rating"]["satisfied"], seen["rating"]["comment"]) == (True, "很好，谢谢")
        told = [(e.status, e.waiting) for e in d.w.said(NeedProgressed)]
        assert told == [
            ("matching", "answers"),
            ("matched", "service"),
            ("in_service", "service"),
            ("awaiting_confirmation", "confirmation"),
            ("completed", None),
        ]


async def test_after_a_check_in_by_mistake_the_need_stands_where_it_stood() -> None:
    async with desk() as d:
        need_id = await d.posts(people())
        await d.hears((need_id, k.won()), (need_id, k.made(k.taken())))
        taken = (await d.made("staff", f"GET /needs/{need_id}"))["seats"]
        assert [(seat["task_status"], seat["invitation_id"]) for seat in taken] == [("taken", "li~1")]
        await d.hears(k.checked_in(need_id))
        assert await d.course(need_id) == ("in_service", "service")
        await d.hears(k.check_in_undone(need_id))
        assert await d.course(need_id) == ("matched", "service")
        assert (await d.made("staff", f"GET /needs/{need_id}"))["seats"] == taken
        await d.hears(k.checked_in(need_id), k.done(need_id))
        assert await d.course(need_id) == ("awaiting_confirmation", "confirmation")


async def test_a_three_is_an_answer_but_not_satisfied() -> None:
    async with desk() as d:
        need_id = await served(d)
        await d.made("staff", f"POST /needs/{need_id}/rate", {"score": 3, "channel": "paper"})
        seen = await d.made("staff", f"GET /needs/{need_id}")
        assert (seen["status"], seen["rating"]["satisfied"]) == ("completed", False)


async def test_silence_completes_the_need_unconfirmed_and_without_a_score() -> None:
    async with desk(confirm_seconds=3600) as d:
        need_id = await served(d)
        for _ in range(3):
            await d.made("staff", f"POST /needs/{need_id}/attempt", {"channel": "phone"})
        assert await d.course(need_id) == ("awaiting_confirmation", "confirmation")
        await d.w.passes(hours=1)
        (completed,) = d.w.said(NeedCompleted)
        assert completed.confirmed is False and d.w.said(NeedRated) == []
        seen = await d.made("staff", f"GET /needs/{need_id}")
        assert (seen["rating"], seen["ending"]["confirmed"], seen["unanswered_attempts"]) == (None, False, 3)


async def test_an_answer_that_comes_after_that_still_counts_once() -> None:
    async with desk(confirm_seconds=3600) as d:
        need_id = await served(d)
        await d.w.passes(hours=2)
        await d.made("staff", f"POST /needs/{need_id}/rate", {"score": 5, "channel": "link"})
        assert len(d.w.said(NeedRated)) == len(d.w.said(NeedCompleted)) == 1
        again = await d.ask("staff", f"POST /needs/{need_id}/rate", {"score": 1, "channel": "link"})
        assert again.status_code == 409 and again.json()["type"].endswith("already-rated")


async def test_a_search_that_falls_silent_is_asked_for_word_again_and_again() -> None:
    async with desk() as d:
        need_id = await d.posts(people(start_at=START + timedelta(days=2)))
        await d.hears((need_id, k.progressed(START + timedelta(minutes=15))))
        await d.w.passes(minutes=15)
        assert d.w.said(SearchAsked) == []
        await d.w.passes(seconds=16)
        assert len(d.w.said(SearchAsked)) == 1
        await d.w.passes(minutes=60)
        asked = len(d.w.said(SearchAsked))
        assert 6 <= asked <= 9, "twice the wait each time, ten minutes at most"
        assert await d.course(need_id) == ("matching", "answers")
        assert d.w.said(SearchAsked)[0].spec == d.w.said(NeedPosted)[0].spec


async def test_a_stalled_search_shows_why_and_who_looks_now() -> None:
    async with desk() as d:
        need_id = await d.posts()
        await d.hears((need_id, k.stalled(START + timedelta(minutes=20))))
        assert await d.course(need_id) == ("matching", "nobody")
        seen = await d.made("staff", f"GET /needs/{need_id}")
        assert seen["search"]["diagnosis"][0]["removed"] == [{"rule": "skill", "count": 9}]


async def test_a_search_that_is_stuck_for_one_line_shows_how_many_were_asked_for_the_others() -> None:
    async with desk() as d:
        need_id, rice = await d.posts(people(), people(skills=["repair"])), await d.posts(goods())
        stuck = k.stalled(START + timedelta(minutes=20))
        counted = stuck.model_copy(update={"wave": 2, "ring": Ring.TOWNSHIP, "asked": 7})
        await d.hears((need_id, counted), (rice, counted))
        seen = (await d.made("staff", f"GET /needs/{need_id}"))["search"]
        assert (seen["wave"], seen["ring"], seen["asked"], seen["waiting"]) == (2, "township", 7, "nobody")
        assert (await d.made("staff", f"GET /needs/{rice}"))["search"]["ring"] is None
        await d.hears((need_id, stuck))
        seen = (await d.made("staff", f"GET /needs/{need_id}"))["search"]
        assert (seen["wave"], seen["ring"], seen["asked"]) == (2, "township", 7), (
            "an older word counts nothing"
        )


async def test_whoever_is_to_look_as_well_reads_the_need_and_nothing_more_until_it_is_over() -> None:
    async with desk() as d:
        need_id = await d.posts()

        async def answers() -> list[int]:
            read = (f"GET /needs/{need_id}", f"GET /needs/{need_id}/contact", f"GET /needs/{need_id}/reads")
            asked = [await d.ask("above", call) for call in read]
            asked.append(await d.ask("above", f"POST /needs/{need_id}/cancel", {"reason": "other"}))
            return [answer.status_code for answer in asked]

        assert await answers() == [404] * 4
        await d.hears((need_id, k.escalated(d.w.clock.now() + timedelta(minutes=5))))
        assert await answers() == [200, 404, 404, 404]
        assert (await d.ask("stranger", f"GET /needs/{need_id}")).status_code == 404
        await d.made("staff", f"POST /needs/{need_id}/cancel", {"reason": "solved"})
        assert await answers() == [404] * 4


async def test_what_was_raised_to_a_tier_is_in_its_list_until_it_is_over() -> None:
    async with desk() as d:

        async def listed(who: str, tier: str) -> set[str]:
            return {n["id"] for n in (await d.made(who, f"GET /needs?tier_site_id={tier}"))["items"]}

        d.has_a_centre_above()
        need_id, other = await d.posts(), await d.posts()
        assert await listed("above", "main") == set()
        soon = d.w.clock.now() + timedelta(minutes=5)
        await d.hears((need_id, k.escalated(soon)))
        await d.hears((other, k.escalated(soon)))
        await d.hears((other, k.escalated(soon, "centre", hops=2)))
        for who in ("above", "boss"):
            assert await listed(who, "main") == {other, need_id}, "also what has been raised further since"
        assert await listed("top", "centre") == {other}
        assert (await d.ask("staff", "GET /needs?tier_site_id=main")).status_code == 404
        both = await d.ask("boss", "GET /needs?tier_site_id=main&site_id=east")
        assert (both.status_code, both.json()["errors"][0]["pointer"]) == (422, "/tier_site_id")
        await d.made("staff", f"POST /needs/{need_id}/cancel", {"reason": "solved"})
        assert await listed("above", "main") == {other}


def test_what_an_earlier_version_raised_to_a_tier_is_in_its_list_still() -> None:
    kept = {
        "id": "n", "site_id": "east", "household_id": "h", "area": k.VILLAGE, "beneficiary_id": "r", "created_by": "staff",
        "created_at": START, "created_ms": 0, "category": "comfort", "audience": "public",
        "search": {"next_action_at": START, "ask_at": START, "hops": 1, "tier_site_id": "main"},
    }  # fmt: skip
    assert Need.model_validate(kept).tier_site_id == "main"
    over = kept | {"ended": {"status": "cancelled", "at": START}}
    assert Need.model_validate(over).tier_site_id is None


async def test_a_search_that_goes_on_again_no_longer_shows_why_it_was_stuck() -> None:
    async with desk() as d:
        need_id = await d.posts()
        await d.hears((need_id, k.stalled(START + timedelta(minutes=20))))
        await d.hears((need_id, k.progressed(START + timedelta(minutes=30))))
        seen = await d.made("staff", f"GET /needs/{need_id}")
        assert (seen["search"]["waiting"], seen["search"]["diagnosis"]) == ("answers", [])


async def test_a_search_for_goods_alone_is_not_said_to_go_from_village_to_village() -> None:
    async with desk() as d:
        need_id = await d.posts(goods())
        await d.hears((need_id, k.progressed(START + timedelta(minutes=30), "holds")))
        seen = await d.made("staff", f"GET /needs/{need_id}")
        assert (seen["search"]["waiting"], seen["search"]["ring"]) == ("holds", None)


async def test_goods_that_are_all_received_are_waited_for_no_longer_than_the_visits() -> None:
    async with desk() as d:
        visit = people(start_at=d.w.clock.now() + timedelta(hours=5), required=False)
        need_id = await d.posts(goods(), visit)
        await d.hears((need_id, k.partly(holds=(k.held(),))), k.issued(need_id), k.received(need_id))
        await d.w.passes(hours=6)
        assert (await d.course(need_id))[0] == "in_service", "somebody may still come"
        await d.w.passes(hours=2)
        assert (await d.course(need_id))[0] == "awaiting_confirmation"


async def test_a_need_shows_no_more_of_a_hold_than_its_lot_keeps() -> None:
    async with desk() as d:
        need_id = await d.posts(goods(6, minimum=1))
        await d.hears((need_id, k.made(holds=(k.held(quantity=6),))))
        await d.hears(k.confirmed(need_id, quantity=4))
        seen = await d.made("staff", f"GET /needs/{need_id}")
        assert [g["quantity"] for g in seen["goods"]] == [4]
        await d.hears(k.issued(need_id), k.received(need_id), k.confirmed(need_id, quantity=4))
        seen = await d.made("staff", f"GET /needs/{need_id}")
        assert [g["hold_status"] for g in seen["goods"]] == ["received"], (
            "confirmed once more, as it was asked twice"
        )


async def test_a_need_nobody_took_lapses_when_its_window_begins() -> None:
    async with desk() as d:
        need_id = await d.posts()
        await d.w.passes(minutes=59)
        assert d.w.said(NeedLapsed) == []
        await d.w.passes(minutes=1)
        await d.hears((need_id, k.stalled(d.w.clock.now())))
        assert len(d.w.said(NeedLapsed)) == 1 and await d.course(need_id) == ("lapsed", None)
        assert (await d.need(need_id)).due_at is None


async def test_a_need_does_not_lapse_because_nobody_took_what_may_stay_empty() -> None:
    async with desk() as d:
        later = people(start_at=TEN + timedelta(days=1))
        need_id = await d.posts(people(required=False, minimum=0), later)
        await d.w.passes(hours=1, minutes=1)
        await d.hears((need_id, k.stalled(d.w.clock.now() + timedelta(hours=1))))
        await d.w.passes(minutes=20)
        assert (await d.course(need_id))[0] == "matching"
        await d.w.passes(days=1)
        assert await d.course(need_id) == ("lapsed", None)


async def test_a_need_whose_time_is_up_asks_for_the_last_word_before_it_lapses() -> None:
    """The station was off while the time ran out, and word that somebody will come lies unread."""
    async with desk() as d:
        need_id, other = await d.posts(), await d.posts()
        unread = [
            d.w.message(need_id, k.progressed(START + timedelta(minutes=50))),
            d.w.message(other, k.progressed(START + timedelta(minutes=50))),
            d.w.message(need_id, k.made(k.taken())),
        ]
        d.w.clock.advance(65 * 60)
        await d.w.settle()
        assert [await d.course(id) for id in (need_id, other)] == [("open", "search")] * 2
        assert len(d.w.said(SearchAsked)) == 2 and d.w.said(NeedLapsed) == []
        await d.w.hears(*unread)
        assert [await d.course(id) for id in (need_id, other)] == [
            ("matched", "service"),
            ("matching", "search"),
        ]
        await d.w.passes(minutes=15)
        assert await d.course(other) == ("lapsed", None)


async def test_a_need_whose_search_never_answers_lapses_without_its_last_word() -> None:
    async with desk() as d:
        need_id = await d.posts()
        await d.w.passes(hours=1)
        need = await d.need(need_id)
        assert need.next_action_at is not None and need.next_action_at > d.w.clock.now()
        await d.w.passes(minutes=14)
        assert d.w.said(NeedLapsed) == []
        await d.w.passes(minutes=1)
        assert len(d.w.said(NeedLapsed)) == 1 and await d.course(need_id) == ("lapsed", None)


async def test_enough_to_go_ahead_goes_ahead_and_ends_when_nothing_more_can_come() -> None:
    async with desk() as d:
        need_id = await d.posts(people(2, minimum=1))
        await d.hears((need_id, k.partly(k.taken())))
        assert (await d.course(need_id))[0] == "partly_matched"
        await d.w.passes(hours=1)
        assert await d.course(need_id) == ("partly_matched", "service")
        await d.hears(k.checked_in(need_id), k.done(need_id))
        assert (await d.course(need_id))[0] == "in_service"
        await d.w.passes(hours=2)
        assert await d.course(need_id) == ("awaiting_confirmation", "confirmation")


async def test_less_than_the_minimum_lapses() -> None:
    async with desk() as d:
        need_id = await d.posts(people(2))
        await d.hears((need_id, k.won()))
        await d.w.passes(hours=1)
        await d.hears((need_id, k.stalled(d.w.clock.now())))
        assert await d.course(need_id) == ("lapsed", None)


async def test_a_station_that_serves_in_part_to_nobody_lets_nobody_wait_for_the_rest() -> None:
    """Matching will never go ahead with one of two, so the one is told when the time has come, not when it is over."""
    async with desk(allow_partial=False) as d:
        half = await d.posts(people(2, minimum=1))
        whole = await d.posts(people(2, minimum=1), people(required=False))
        await d.hears((half, k.won()), (whole, k.won()), (whole, k.won("wang")))
        await d.w.passes(hours=1)
        await d.hears((half, k.stalled(d.w.clock.now())), (whole, k.stalled(d.w.clock.now())))
        assert await d.course(half) == ("lapsed", None)
        assert (await d.course(whole))[0] == "matching", (
            "all who are required are there, and word of it is due"
        )


async def test_who_was_served_without_the_match_ever_being_made_has_the_last_word_once_nothing_more_can_come() -> (
    None
):
    """One of two came and served, the other was never found: the resident can say how it was."""
    async with desk() as d:
        need_id = await d.posts(people(2))
        await d.hears((need_id, k.won()), k.checked_in(need_id), k.done(need_id))
        rating = {"score": 4, "channel": "phone"}
        assert (await d.ask("staff", f"POST /needs/{need_id}/rate", rating)).status_code == 409
        await d.w.passes(hours=4)
        assert await d.course(need_id) == ("awaiting_confirmation", "confirmation")
        await d.made("staff", f"POST /needs/{need_id}/rate", rating)
        (completed,) = d.w.said(NeedCompleted)
        assert (completed.volunteer_ids, completed.invitation_ids) == (("li",), ("li~1",))


async def test_what_was_received_counts_once_nothing_more_can_come_though_the_match_never_said_that_it_was_there() -> (
    None
):
    """Rice was confirmed and fetched, the oil that belonged to it was never had, and nobody is served in part here."""
    async with desk(allow_partial=False) as d:
        tomorrow = (START + timedelta(days=1)).isoformat()
        need_id = await d.posts(goods(needed_by=tomorrow), goods(5, needed_by=tomorrow))
        await d.hears(k.issued(need_id))
        await d.w.passes(days=2)
        assert await d.course(need_id) == ("in_service", "coordinator"), "nobody has signed for it"
        await d.hears(k.received(need_id))
        assert await d.course(need_id) == ("awaiting_confirmation", "confirmation")
        await d.made("staff", f"POST /needs/{need_id}/rate", {"score": 4, "channel": "phone"})
        assert await d.course(need_id) == ("completed", None)


async def test_goods_are_expected_to_be_fetched_when_their_lot_says_and_signed_for_after_that() -> None:
    async with desk() as d:
        friday, later = START + timedelta(days=4), START + timedelta(days=8)
        need_id = await d.posts(goods(needed_by=friday.isoformat()))
        await d.hears((need_id, k.made(holds=(k.held(pick_up_by=friday),))))
        assert (await d.need(need_id)).next_action_at == friday
        await d.hears(k.issued(need_id))
        assert (await d.need(need_id)).next_action_at == friday, "they are not due before they are needed"
        need_id = await d.posts(goods(needed_by=later.isoformat()))
        await d.w.passes(days=3)
        await d.hears((need_id, k.made(holds=(k.held("flour", pick_up_by=friday),))))
        await d.hears(k.issued(need_id, "flour"))
        assert (await d.need(need_id)).next_action_at == START + timedelta(days=6), "three days to sign"


async def test_a_made_match_of_which_nothing_is_heard_waits_for_a_coordinator_and_is_never_silent() -> None:
    async with desk() as d:
        need_id = await d.posts(people(), goods())
        await d.hears((need_id, k.made(k.taken(), holds=(k.held(),))))
        assert await d.course(need_id) == ("matched", "service")
        await d.w.passes(minutes=91)
        assert await d.course(need_id) == ("matched", "coordinator")
        before = (await d.need(need_id)).next_action_at
        await d.w.passes(days=9)
        after = (await d.need(need_id)).next_action_at
        assert await d.course(need_id) == ("matched", "coordinator")
        assert before is not None and after is not None and after > d.w.clock.now() > before


async def test_a_drop_out_reopens_the_search_whichever_message_comes_first() -> None:
    async with desk() as d:
        for first_calendar in (True, False):
            need_id = await d.posts()
            await d.hears((need_id, k.made(k.taken())))
            told: list[tuple[str, Any]] = [k.withdrawn(need_id), (need_id, k.reopened())]
            await d.hears(*(told if first_calendar else reversed(told)))
            assert (await d.course(need_id))[0] == "matching"
            await d.hears((need_id, k.made(k.taken("wang"))))
            assert await d.course(need_id) == ("matched", "service")


async def test_a_no_show_of_the_only_helper_after_the_start_lapses() -> None:
    async with desk() as d:
        need_id = await d.posts()
        await d.hears((need_id, k.made(k.taken())))
        await d.w.passes(hours=2)
        await d.hears(k.no_show(need_id), (need_id, k.reopened()))
        assert await d.course(need_id) == ("lapsed", None)


async def test_goods_that_came_back_no_longer_count() -> None:
    async with desk() as d:
        need_id = await d.posts(goods())
        await d.hears((need_id, k.made(holds=(k.held(),))), k.issued(need_id))
        assert (await d.course(need_id))[0] == "in_service"
        await d.hears(k.returned(need_id))
        assert (await d.course(need_id))[0] == "matching"


async def test_goods_that_were_given_back_are_not_shown_whatever_the_match_said_last_and_whichever_word_comes_first() -> (
    None
):
    """A search that has begun again already says nothing more when staff give back what it held besides."""
    async with desk() as d:
        for first_lot in (True, False):
            lot = f"rice-{first_lot}"
            need_id = await d.posts(people(), goods())
            await d.hears((need_id, k.made(k.taken(), holds=(k.held(lot),))))
            told: list[tuple[str, Any]] = [
                k.given_back(need_id, lot), (need_id, k.reopened(k.taken(), holds=(k.held(lot),)))
            ]  # fmt: skip
            await d.hears(*(told if first_lot else reversed(told)))
            assert (await d.need(need_id)).held_goods == ()
            assert (await d.ask("staff", f"GET /needs/{need_id}")).json()["goods"] == []
            assert (await d.course(need_id))[0] == "matching"


async def test_a_need_that_was_cancelled_shows_no_goods_once_the_lot_has_them_again() -> None:
    async with desk() as d:
        need_id = await d.posts(goods())
        await d.hears((need_id, k.made(holds=(k.held(),))))
        await d.made("staff", f"POST /needs/{need_id}/cancel", {"reason": "solved"})
        await d.hears(k.given_back(need_id, reason=Closing.CANCELLED))
        assert (await d.ask("staff", f"GET /needs/{need_id}")).json()["goods"] == []
        assert await d.course(need_id) == ("cancelled", None)


async def test_visits_in_different_weeks_stay_in_service_until_the_last() -> None:
    async with desk() as d:
        later = START + timedelta(days=8)
        second = Window(start_at=later, end_at=later + timedelta(hours=2))
        need_id = await d.posts(people(), people(start_at=later))
        await d.hears((need_id, k.made(k.taken(), k.taken("wang", "p2", second))))
        await d.w.passes(hours=2)
        await d.hears(k.done(need_id))
        assert await d.course(need_id) == ("in_service", "service")
        await d.w.passes(days=8)
        await d.hears(k.done(need_id, "wang", "p2"))
        assert (await d.course(need_id))[0] == "awaiting_confirmation"


async def test_a_draft_waits_for_its_submission_and_is_brought_up_again() -> None:
    async with desk() as d:
        body = an_order(await d.household()) | {"draft": True, "lines": []}
        need_id = (await d.made("staff", "POST /needs", body))["id"]
        assert await d.course(need_id) == ("draft", "submission") and d.w.said(NeedPosted) == []
        await d.w.passes(days=20)
        assert await d.course(need_id) == ("draft", "submission")
        empty = await d.ask("staff", f"POST /needs/{need_id}/post")
        assert empty.status_code == 422 and empty.json()["errors"][0]["pointer"] == "/lines"
        version = (await d.ask("staff", f"GET /needs/{need_id}")).headers["etag"]
        lines = [people(start_at=d.w.clock.now() + timedelta(hours=5))]
        edited = await d.ask("staff", f"PATCH /needs/{need_id}", {"lines": lines}, if_match=version)
        assert edited.status_code == 200 and edited.json()["line_ids"] == ["p1"]
        await d.made("staff", f"POST /needs/{need_id}/post")
        assert await d.course(need_id) == ("open", "search") and len(d.w.said(NeedPosted)) == 1
        again = await d.ask("staff", f"POST /needs/{need_id}/post")
        assert again.status_code == 409


async def test_a_draft_can_be_thrown_away_without_a_word_to_the_searchers() -> None:
    async with desk() as d:
        need_id = (await d.made("staff", "POST /needs", an_order(await d.household(), draft=True)))["id"]
        await d.made("staff", f"POST /needs/{need_id}/cancel", {"reason": "mistake"})
        assert await d.course(need_id) == ("cancelled", None) and d.w.said(NeedCancelled) == []


async def test_a_draft_that_was_thrown_away_is_not_said_to_have_been_posted() -> None:
    async with desk() as d:
        need_id = (await d.made("staff", "POST /needs", an_order(await d.household(), draft=True)))["id"]
        await d.made("staff", f"POST /needs/{need_id}/cancel", {"reason": "mistake"})
        refused = await d.ask("staff", f"POST /needs/{need_id}/post")
        assert refused.status_code == 409 and refused.json()["type"].endswith("need-closed")


async def test_cancelling_wins_and_what_comes_later_changes_nothing() -> None:
    async with desk() as d:
        need_id = await d.posts()
        note = {"reason": "solved", "note": "女儿回来了"}
        await d.made("staff", f"POST /needs/{need_id}/cancel", note)
        (cancelled,) = d.w.said(NeedCancelled)
        assert cancelled.reason == "solved" and "女儿" not in cancelled.model_dump_json()
        await d.hears(
            (need_id, k.won()), (need_id, k.made(k.taken())), k.checked_in(need_id), k.done(need_id)
        )
        assert await d.course(need_id) == ("cancelled", None)
        assert (await d.made("staff", f"GET /needs/{need_id}"))["ending"]["note"] == "女儿回来了"
        refused = await d.ask("staff", f"POST /needs/{need_id}/cancel", {"reason": "solved"})
        assert refused.status_code == 409 and refused.json()["type"].endswith("need-closed")


async def test_a_service_that_is_done_is_rated_and_not_cancelled() -> None:
    async with desk() as d:
        need_id = await served(d)
        refused = await d.ask("staff", f"POST /needs/{need_id}/cancel", {"reason": "mistake"})
        assert refused.status_code == 409 and refused.json()["type"].endswith("already-served")


async def test_what_is_not_served_cannot_be_rated() -> None:
    async with desk() as d:
        need_id = await d.posts()
        for action, body in (("rate", {"score": 5, "channel": "phone"}), ("attempt", {"channel": "phone"})):
            refused = await d.ask("staff", f"POST /needs/{need_id}/{action}", body)
            assert refused.status_code == 409 and refused.json()["type"].endswith("not-served-yet")


async def test_lines_keep_their_ids_when_they_are_edited_and_numbers_are_not_used_again() -> None:
    async with desk() as d:
        need_id = await d.posts(people(), people(2), goods())
        version = (await d.ask("staff", f"GET /needs/{need_id}")).headers["etag"]
        lines = [people(3, id="p2"), people(), goods(5, id="g1")]
        answer = await d.ask("staff", f"PATCH /needs/{need_id}", {"lines": lines}, if_match=version)
        assert answer.json()["line_ids"] == ["p2", "p3", "g1"], answer.text
        (changed,) = d.w.said(NeedChanged)
        assert [(line.id, line.seats) for line in changed.spec.people] == [("p2", 3), ("p3", 1)]
        stale = await d.ask("staff", f"PATCH /needs/{need_id}", {"urgency": "urgent"}, if_match=version)
        assert stale.status_code == 412
        unnamed = await d.ask("staff", f"PATCH /needs/{need_id}", {"urgency": "urgent"})
        assert unnamed.status_code == 428


async def test_a_line_that_somebody_took_may_grow_and_nothing_else() -> None:
    async with desk() as d:
        need_id = await d.posts(people(2))
        await d.hears((need_id, k.won()))

        async def edit(*lines: dict[str, Any]) -> int:
            version = (await d.ask("staff", f"GET /needs/{need_id}")).headers["etag"]
            answer = await d.ask("staff", f"PATCH /needs/{need_id}", {"lines": list(lines)}, if_match=version)
            return answer.status_code

        assert await edit(people(2, id="p1", start_at=TEN + timedelta(hours=1))) == 409
        assert await edit(people(1)) == 409
        assert await edit(people(3, id="p1")) == 200


async def test_what_is_all_taken_or_in_service_is_not_edited() -> None:
    async with desk() as d:
        need_id = await d.posts()
        await d.hears((need_id, k.made(k.taken())))
        codes = []
        for heard in (None, k.checked_in(need_id)):
            if heard:
                await d.hears(heard)
            version = (await d.ask("staff", f"GET /needs/{need_id}")).headers["etag"]
            refused = await d.ask(
                "staff", f"PATCH /needs/{need_id}", {"lines": [people(3)]}, if_match=version
            )
            codes.append(refused.json()["type"].rpartition(":")[2])
        assert codes == ["already-matched", "already-in-service"]


async def test_a_referral_is_accepted_by_the_organisation_that_was_asked() -> None:
    async with desk() as d:
        need_id = await d.posts(people(start_at=START + timedelta(days=20)))
        ask = {
            "organisation_id": "hands",
            "answer_by": (START + timedelta(days=2)).isoformat(),
            "note": "需专业支持",
        }
        await d.made("staff", f"POST /needs/{need_id}/refer", ask)
        (noted,) = (await d.made("staff", f"GET /needs/{need_id}"))["referrals"]
        assert noted["note"] == "需专业支持"
        (asked,) = d.w.said(ReferralAsked)
        assert asked.organisation_id == "hands" and await d.course(need_id) == ("open", "referral")
        assert (await d.ask("rival", f"POST /needs/{need_id}/referral/accept")).status_code == 404
        assert (await d.ask("rival", f"GET /needs/{need_id}/referral")).status_code == 404
        offered = await d.made("provider", "GET /needs/referred")
        assert [n["id"] for n in offered["items"]] == [need_id] and "note" not in offered["items"][0]
        twice = await d.ask("staff", f"POST /needs/{need_id}/refer", ask)
        assert twice.json()["type"].endswith("referral-pending")
        await d.made("provider", f"POST /needs/{need_id}/referral/accept")
        (referred,) = d.w.said(NeedReferred)
        assert referred.organisation_id == "hands" and await d.course(need_id) == ("referred", None)


async def test_the_search_goes_on_while_another_body_thinks_about_it() -> None:
    async with desk() as d:
        need_id = await d.posts(people(start_at=START + timedelta(days=20)))
        ask = {"organisation_id": "hands", "answer_by": (START + timedelta(days=2)).isoformat()}
        await d.made("staff", f"POST /needs/{need_id}/refer", ask)
        await d.w.passes(minutes=10)
        assert d.w.said(SearchAsked) and await d.course(need_id) == ("open", "referral")
        offered = await d.made("provider", f"GET /needs/{need_id}/referral")
        declined = await d.made("provider", f"POST /needs/{need_id}/referral/decline")
        assert declined == offered | {"accepted": False}, "who says no learns nothing of the household"
        assert len(d.w.said(ReferralDeclined)) == 1 and await d.course(need_id) == ("open", "search")
        assert (await d.ask("provider", f"GET /needs/{need_id}/referral")).status_code == 404
        none = await d.ask("provider", f"POST /needs/{need_id}/referral/accept")
        assert none.json()["type"].endswith("no-referral") or none.status_code == 404


async def test_what_was_said_of_a_referral_is_said_again_whatever_has_come_of_it_since() -> None:
    async with desk() as d:
        need_id = await d.posts(people(start_at=START + timedelta(days=20)))
        path, by = f"POST /needs/{need_id}", (START + timedelta(days=2)).isoformat()
        hands, rival = ({"organisation_id": who, "answer_by": by} for who in ("hands", "rival"))
        asked = await d.ask("staff", f"{path}/refer", hands, key="asked")
        no = await d.ask("provider", f"{path}/referral/decline", key="no")
        await d.made("staff", f"{path}/refer", rival)
        d.closes("hands")
        asked_again = await d.ask("staff", f"{path}/refer", hands, key="asked")
        no_again = await d.ask("provider", f"{path}/referral/decline", key="no")
        assert (asked_again.status_code, asked_again.json()) == (200, asked.json())
        assert (no_again.status_code, no_again.json()) == (200, no.json())
        assert (await d.ask("provider", f"{path}/referral/decline")).status_code == 404
        await d.made("rival", f"{path}/referral/decline")
        closed = await d.ask("staff", f"{path}/refer", hands)
        assert (closed.status_code, closed.json()["errors"][0]["pointer"]) == (422, "/organisation_id")


async def test_a_need_that_went_ahead_after_its_time_was_up_is_asked_about_anew_at_its_last_visit() -> None:
    """Matching's word lay unread at the first visit; what was asked then is no question about the second."""
    later = Window(start_at=TEN + timedelta(hours=30), end_at=TEN + timedelta(hours=32))
    async with desk() as d:
        need_id = await d.posts(people(), people(start_at=later.start_at))
        await d.w.passes(seconds=(TEN - START).total_seconds() + 1)
        await d.hears((need_id, k.made(k.taken(), k.taken("wang", "p2", later))))
        await d.w.passes(hours=1)
        await d.hears(k.no_show(need_id))
        await d.hears((need_id, k.reopened()))
        await d.w.passes(seconds=(later.start_at - d.w.clock.now()).total_seconds() + 1)
        assert d.w.said(NeedLapsed) == [], "a yes for it may lie unread"
        await d.w.passes(hours=0.25)
        assert len(d.w.said(NeedLapsed)) == 1


async def test_a_body_that_is_asked_may_say_yes_until_it_was_told_though_the_time_of_the_visit_has_passed() -> (
    None
):
    async with desk() as d:
        said_yes, silent = await d.posts(), await d.posts()
        for need_id in (said_yes, silent):
            by = (d.w.clock.now() + timedelta(hours=24)).isoformat()
            asked = {"organisation_id": "hands", "answer_by": by}
            await d.made("staff", f"POST /needs/{need_id}/refer", asked)
        await d.w.passes(hours=12)
        assert (await d.course(said_yes))[1] == "referral"
        await d.made("provider", f"POST /needs/{said_yes}/referral/accept")
        assert (await d.course(said_yes))[0] == "referred"
        await d.w.passes(hours=13)
        assert (await d.course(silent))[0] == "lapsed"


async def test_a_referral_that_nobody_answers_is_declined_by_time() -> None:
    async with desk() as d:
        need_id = await d.posts(people(start_at=START + timedelta(days=20)))
        ask = {"body": "县残联", "answer_by": (START + timedelta(days=1)).isoformat()}
        await d.made("staff", f"POST /needs/{need_id}/refer", ask)
        (asked,) = d.w.said(ReferralAsked)
        assert asked.organisation_id == "outside"
        await d.w.passes(days=1)
        assert [e.organisation_id for e in d.w.said(ReferralDeclined)] == ["outside"]
        assert await d.course(need_id) == ("open", "search")


async def test_who_never_answered_reads_no_more_of_a_need_that_is_over() -> None:
    async with desk() as d:
        need_id = await d.posts(people(start_at=START + timedelta(days=20)))
        ask = {"organisation_id": "hands", "answer_by": (START + timedelta(days=29)).isoformat()}
        await d.made("staff", f"POST /needs/{need_id}/refer", ask)
        assert (await d.ask("provider", f"GET /needs/{need_id}/referral")).status_code == 200
        await d.made("staff", f"POST /needs/{need_id}/cancel", {"reason": "solved"})
        assert (await d.made("provider", "GET /needs/referred"))["items"] == []
        assert (await d.ask("provider", f"GET /needs/{need_id}/referral")).status_code == 404
        late = await d.ask("provider", f"POST /needs/{need_id}/referral/accept")
        assert late.status_code == 409 and late.json()["type"].endswith("need-closed")


async def test_what_has_begun_is_said_to_be_no_more_referred() -> None:
    async with desk() as d:
        need_id = await d.posts()
        await d.hears((need_id, k.made(k.taken())), k.checked_in(need_id))
        ask = {"organisation_id": "hands", "answer_by": (START + timedelta(days=2)).isoformat()}
        refused = (await d.ask("staff", f"POST /needs/{need_id}/refer", ask)).json()
        assert "转介" in refused["title_zh"] and "refer" in refused["title_en"]


async def test_an_unanswered_referral_does_not_hide_that_a_service_is_overdue() -> None:
    """Whoever was asked cannot take over what has begun, and need not answer for a month."""
    async with desk() as d:
        ask = {"organisation_id": "hands", "answer_by": (START + timedelta(days=29)).isoformat()}
        never_came, never_left = await d.posts(), await d.posts()
        for need_id in (never_came, never_left):
            await d.made("staff", f"POST /needs/{need_id}/refer", ask)
            await d.hears((need_id, k.made(k.taken())))
            assert await d.course(need_id) == ("matched", "referral")
        await d.hears(k.checked_in(never_left))
        assert await d.course(never_left) == ("in_service", "service")
        await d.w.passes(hours=4)
        assert await d.course(never_came) == ("matched", "coordinator")
        assert await d.course(never_left) == ("in_service", "coordinator")
        await d.w.passes(days=29)
        assert len(d.w.said(ReferralDeclined)) == 2


async def test_staff_enter_the_answer_of_an_outside_body_and_of_no_other() -> None:
    async with desk() as d:
        need_id = await d.posts(people(start_at=START + timedelta(days=20)))
        by = (START + timedelta(days=1)).isoformat()
        await d.made("staff", f"POST /needs/{need_id}/refer", {"organisation_id": "hands", "answer_by": by})
        assert (await d.ask("staff", f"POST /needs/{need_id}/referral/accept")).status_code in (403, 404)
        await d.made("provider", f"POST /needs/{need_id}/referral/decline")
        await d.made("staff", f"POST /needs/{need_id}/refer", {"body": "县残联", "answer_by": by})
        assert (await d.ask("stranger", f"POST /needs/{need_id}/referral/accept")).status_code in (403, 404)
        await d.made("staff", f"POST /needs/{need_id}/referral/accept")
        assert await d.course(need_id) == ("referred", None)


async def test_a_charity_is_not_asked_to_take_a_need_over_since_nobody_there_could() -> None:
    async with desk() as d:
        need_id = await d.posts(people(start_at=START + timedelta(days=20)))
        by = (START + timedelta(days=1)).isoformat()
        asked = {"organisation_id": "love", "answer_by": by}
        refused = await d.ask("staff", f"POST /needs/{need_id}/refer", asked)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/organisation_id")
        assert "body" in refused.json()["errors"][0]["zh"] and "body" in refused.json()["errors"][0]["en"]
        await d.made("staff", f"POST /needs/{need_id}/refer", {"body": "爱心会", "answer_by": by})
        await d.made("staff", f"POST /needs/{need_id}/referral/accept")
        assert await d.course(need_id) == ("referred", None)


async def test_the_station_takes_back_a_referral_that_nobody_has_answered_and_asks_another() -> None:
    """An organisation said no by telephone, or nobody there has an account."""
    async with desk() as d:
        need_id = await d.posts(people(start_at=START + timedelta(days=20)))
        by = (START + timedelta(days=29)).isoformat()
        hands, rival = ({"organisation_id": who, "answer_by": by} for who in ("hands", "rival"))
        none = await d.ask("staff", f"POST /needs/{need_id}/referral/decline")
        assert (none.status_code, none.json()["type"].rpartition(":")[2]) == (409, "no-referral")
        await d.made("staff", f"POST /needs/{need_id}/refer", hands)
        refused = (await d.ask("staff", f"POST /needs/{need_id}/refer", rival)).json()
        assert "撤回" in refused["title_zh"] and "take it back" in refused["title_en"]
        for who in ("stranger", "rival"):
            assert (await d.ask(who, f"POST /needs/{need_id}/referral/decline")).status_code == 404
        assert (await d.ask("staff", f"POST /needs/{need_id}/referral/accept")).status_code == 404
        taken_back = await d.made("social", f"POST /needs/{need_id}/referral/decline")
        assert taken_back["accepted"] is False and await d.course(need_id) == ("open", "search")
        assert (await d.ask("provider", f"POST /needs/{need_id}/referral/accept")).status_code == 409
        assert (await d.made("provider", "GET /needs/referred"))["items"] == []
        await d.made("staff", f"POST /needs/{need_id}/refer", rival)
        await d.made("rival", f"POST /needs/{need_id}/referral/accept")
        assert await d.course(need_id) == ("referred", None)


async def test_an_organisation_that_has_closed_answers_nothing_and_reads_nothing_more() -> None:
    async with desk() as d:
        by = (START + timedelta(days=20)).isoformat()
        asked, taken = [await d.posts(people(start_at=START + timedelta(days=25))) for _ in range(2)]
        for need_id in (asked, taken):
            await d.made(
                "staff", f"POST /needs/{need_id}/refer", {"organisation_id": "hands", "answer_by": by}
            )
        await d.made("provider", f"POST /needs/{taken}/referral/accept")
        assert (await d.ask("provider", f"GET /needs/{taken}/contact")).status_code == 200
        d.closes("hands")
        for call in (f"GET /needs/{asked}/referral", f"POST /needs/{asked}/referral/accept",
                     f"POST /needs/{asked}/referral/decline", f"GET /needs/{taken}/referral"):  # fmt: skip
            assert (await d.ask("provider", call)).status_code == 404, call
        assert (await d.made("provider", "GET /needs/referred"))["items"] == []
        closed = await d.ask("provider", f"GET /needs/{taken}/contact")
        assert closed.status_code == 403 and closed.json()["type"].endswith("contact-closed")
        await d.made("staff", f"POST /needs/{asked}/referral/decline")
        assert await d.course(asked) == ("open", "search"), "the station goes on by itself"
        again = an_order((await d.need(taken)).household_id, people(start_at=START + timedelta(days=25)))
        assert (await d.made("staff", "POST /needs", again))["status"] == "open"


async def test_every_need_shows_which_of_the_five_parties_took_part() -> None:
    async with desk() as d:
        need_id = (await d.made("social", "POST /needs", an_order(await d.household(), people(), goods())))[
            "id"
        ]
        await d.hears((need_id, k.made(k.taken(), holds=(k.held(),))), k.issued(need_id))
        seen = await d.made("staff", f"GET /needs/{need_id}")
        took_part = {p["party"]: (p["took_part"], p["who"]) for p in seen["parties"]}
        assert took_part == {
            "community": (True, ["east"]),
            "social_organisation": (False, []),
            "social_work": (True, ["social"]),
            "volunteer_team": (True, ["li"]),
            "charity": (True, ["love"]),
        }


async def test_a_charity_whose_goods_came_back_did_not_take_part() -> None:
    async with desk() as d:
        need_id = await d.posts(goods())
        await d.hears((need_id, k.made(holds=(k.held(),))), k.issued(need_id), k.returned(need_id))
        seen = await d.made("staff", f"GET /needs/{need_id}")
        assert [p["took_part"] for p in seen["parties"] if p["party"] == "charity"] == [False]


async def test_a_message_twice_or_about_a_need_of_nobody_changes_nothing() -> None:
    async with desk() as d:
        need_id = await d.posts()
        message = d.w.message(need_id, k.made(k.taken()))
        await d.w.hears(message)
        before, said = await d.need(need_id), len(d.w.messages)
        await d.w.hears(message, d.w.message("no-such-need", k.made(k.taken())))
        assert await d.need(need_id) == before and len(d.w.messages) == said
