"""A match as staff see it: who was asked and why, what is held, what comes next, what stands in the way."""

from __future__ import annotations

from shared.contracts.needs import NeedCancelled
from shared.contracts.vocabulary import CancelReason, Rule, Skill
from shared.contracts.volunteers import InvitationAccepted
from tests.services.matching_desk import NEED, NEXT_COUNTY, NEXT_TOWNSHIP, a_line, desk, some_goods


async def test_a_match_shows_its_seats_its_holds_and_why_each_was_asked() -> None:
    async with desk(first_wave=3) as d:
        await d.knows_people("li", "wang", "zhao")
        await d.knows_lot("rice", 10)
        await d.posts(a_line(seats=2), some_goods(quantity=4))
        await d.places(*d.requests())
        await d.accepts("li")
        answer = await d.gets("staff", f"/matches/{NEED}")
        assert answer.status_code == 200 and answer.headers["etag"]
        match = answer.json()
        assert (match["status"], match["waiting"], match["wave"], match["hops"]) == (
            "searching",
            "answers",
            1,
            0,
        )
        (people,) = match["people"]
        assert [seat["volunteer_id"] for seat in people["seats"]] == ["li", None]
        asked = {one["volunteer_id"]: one for one in people["invitations"]}
        assert {who: one["answer"] for who, one in asked.items()} == {
            "li": "won",
            "wang": "asked",
            "zhao": "asked",
        }
        assert [r["criterion"] for r in asked["li"]["reasons"]] == ["fit", "load", "continuity", "waiting"]
        assert people["next_wave_at"] and people["next_wave_size"] == 6
        (goods,) = match["goods"]
        assert (goods["secured"], [(h["lot_id"], h["phase"]) for h in goods["holds"]]) == (
            4,
            [("rice", "held")],
        )
        assert match["next_action_at"]


async def test_a_match_says_what_stands_in_the_way_as_it_was_and_as_it_is_now() -> None:
    async with desk() as d:
        await d.knows_people("far", area=NEXT_COUNTY)
        await d.posts()
        await d.knows_people("other", skills=(Skill.REPAIR,))
        then = (await d.gets("staff", f"/matches/{NEED}")).json()
        now = (await d.gets("staff", f"/matches/{NEED}?explain=true")).json()
        assert (then["stalled"], then["waiting"]) == (True, "nobody")
        counts = [
            {one["rule"]: one["count"] for one in match["people"][0]["diagnosis"]["removed"]}
            for match in (then, now)
        ]
        assert counts == [{Rule.RING: 1}, {Rule.RING: 1, Rule.SKILL: 1}]
        assert now["people"][0]["diagnosis"]["relaxations"] == [
            {"rule": "ring", "count": 1},
            {"rule": "skill", "count": 1},
        ]


async def test_where_goods_are_asked_for_nobody_is_said_to_have_been_asked() -> None:
    async with desk() as d:
        await d.knows_lot("rice")
        await d.posts(some_goods())
        match = (await d.gets("staff", f"/matches/{NEED}")).json()
        assert (match["waiting"], match["stalled"]) == ("holds", False)


async def test_a_line_that_is_full_is_not_said_to_be_short() -> None:
    async with desk() as d:
        await d.knows_people("far", area=NEXT_TOWNSHIP)
        await d.posts(a_line(), a_line("p2", skills=(Skill.REPAIR,)))
        before = (await d.gets("staff", f"/matches/{NEED}")).json()["people"]
        await d.accepts("far")
        after = (await d.gets("staff", f"/matches/{NEED}")).json()["people"]
        assert [line["diagnosis"] is not None for line in before] == [True, True]
        assert [line["diagnosis"] is not None for line in after] == [False, True]


async def test_a_hold_that_was_confirmed_has_no_end_any_more() -> None:
    async with desk() as d:
        await d.knows_lot("rice")
        await d.posts(some_goods())
        await d.places(*d.requests())
        await d.confirms(*d.requests())
        (hold,) = (await d.gets("staff", f"/matches/{NEED}")).json()["goods"][0]["holds"]
        assert (hold["phase"], hold["expires_at"]) == ("confirmed", None)


async def test_a_need_that_ended_before_it_was_heard_of_is_shown_as_closed() -> None:
    async with desk() as d:
        await d.w.hears((NEED, NeedCancelled(site_id="east", reason=CancelReason.MISTAKE)))
        await d.posts(a_line(), some_goods())
        answer = await d.gets("staff", f"/matches/{NEED}")
        assert answer.status_code == 200
        match = answer.json()
        assert (match["status"], match["closing"], match["next_action_at"]) == ("closed", "cancelled", None)
        assert [seat["volunteer_id"] for seat in match["people"][0]["seats"]] == [None]


async def test_the_waves_of_a_search_are_listed_newest_first_a_page_at_a_time() -> None:
    async with desk(first_wave=1, wave_seconds=60, tier_seconds=10**6) as d:
        await d.knows_people("li", "wang", "zhao")
        await d.posts(a_line(seats=1), some_goods())
        await d.w.passes(minutes=3, seconds=1)
        first = (await d.gets("staff", f"/matches/{NEED}/waves?limit=2")).json()
        assert [wave["number"] for wave in first["items"]] == [4, 3]
        rest = (await d.gets("staff", f"/matches/{NEED}/waves?cursor={first['next_cursor']}&limit=2")).json()
        assert [wave["number"] for wave in rest["items"]] == [2, 1]
        earliest = rest["items"][-1]
        assert len(earliest["people"][0]["candidates"]) == 1
        assert earliest["goods"][0]["diagnosis"]["looked_at"] == 0


async def test_only_those_at_the_needs_own_site_and_above_it_may_look() -> None:
    async with desk() as d:
        await d.posts()
        for path in (f"/matches/{NEED}", f"/matches/{NEED}/waves"):
            statuses = {
                who: (await d.gets(who, path)).status_code
                for who in ("staff", "boss", "stranger", "volunteer")
            }
            assert statuses == {"staff": 200, "boss": 200, "stranger": 404, "volunteer": 403}


async def test_whoever_is_asked_to_look_as_well_may_look_as_long_as_it_is_searched() -> None:
    async with desk(tier_seconds=3600, max_hops=2) as d:

        async def may_look() -> list[str]:
            asked = {who: await d.gets(who, f"/matches/{NEED}") for who in ("above", "far_above", "stranger")}
            return [who for who, answer in asked.items() if answer.status_code == 200]

        await d.posts()
        assert await may_look() == []
        await d.w.passes(minutes=61)
        assert await may_look() == ["above"]
        await d.w.passes(minutes=60)
        assert await may_look() == ["above", "far_above"]
        await d.w.hears((NEED, NeedCancelled(site_id="east", reason=CancelReason.OTHER)))
        assert await may_look() == []


async def test_a_match_that_nobody_has_heard_the_need_of_is_not_shown() -> None:
    async with desk() as d:
        assert (await d.gets("staff", "/matches/unknown")).status_code == 404
        await d.w.hears(("li", InvitationAccepted(invitation_id="li~1", need_id=NEED, line_id="p1")))
        assert (await d.gets("staff", f"/matches/{NEED}")).status_code == 404
