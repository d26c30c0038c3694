"""The whole linkage as stories: all services, one simulated town, a clock that is turned by hand."""

from __future__ import annotations

from typing import Any

from shared.contracts.matching import MatchClosed, MatchEscalated, MatchReopened, MatchStalled, SeatsOffered
from shared.contracts.resources import HoldExpired, HoldRefused
from shared.contracts.vocabulary import Role
from tests.cast import TOWNSHIP, Cast, Person, volunteer_id
from tests.journeys.stage import fuquan
from tests.town import Town


async def status(cast: Cast, need: dict[str, Any]) -> tuple[str, str | None]:
    cast.appoint()
    found = await cast.got(cast.staff, f"/api/needs/{need['id']}")
    return found["status"], found["waiting"]


async def accepts(t: Town, cast: Cast, person: Person) -> Any:
    (invitation,) = [i for i in await cast.invitations(person) if i["status"] == "pending"]
    return await cast.does(person, f"/api/invitations/{invitation['id']}/accept")


async def edited(t: Town, person: Person, path: str, **changes: Any) -> None:
    """This person looks at it and changes what they saw."""
    seen = await t.call(person.token, "GET", path)
    answer = await t.call(person.token, "PATCH", path, changes, headers={"If-Match": seen.headers["etag"]})
    assert answer.status == 200, answer.body


async def a_visit_with_rice(
    t: Town, cast: Cast, hours: float, expires_on: str
) -> tuple[Person, dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Somebody who can come, rice that is good until that day and rice that keeps, and a need for a visit so many hours
    from now and for two bags."""
    li = await cast.volunteer("li")
    soon, late = await cast.lot(5, expires_on=expires_on), await cast.lot(5)
    home = await cast.household()
    await t.settle()
    need = await cast.need(home, cast.people_line(hours=hours), cast.goods_line(2))
    await t.settle()
    return li, soon, late, need


async def test_a_need_finds_people_and_goods_together_and_ends_with_the_residents_own_word() -> None:
    async with fuquan() as (t, cast):
        li = await cast.volunteer("li")
        lot = await cast.lot(10)
        home = await cast.household()
        await t.settle()
        need = await cast.need(home, cast.people_line(), cast.goods_line(2))
        assert (need["status"], need["waiting"]) == ("open", "search")
        await t.settle()
        assert (await cast.got(cast.donor, f"/api/lots/{lot['id']}"))["held"] == 2

        won = await accepts(t, cast, li)
        assert won.status == 200, won.body
        await t.settle()
        assert await status(cast, need) == ("matched", "service")

        await t.passes(hours=2)
        li = cast.person(li.id)
        task = won.body["id"]
        assert (await cast.does(li, f"/api/tasks/{task}/check-in")).status == 200
        await t.settle()
        assert (await status(cast, need))[0] == "in_service"
        (hold,) = (await cast.got(cast.staff, f"/api/holds?need_id={need['id']}"))["items"]
        assert (await cast.does(cast.staff, f"/api/holds/{hold['id']}/issue")).status == 200
        signed = {"relation": "resident", "signature": "罗"}
        assert (await cast.does(cast.staff, f"/api/holds/{hold['id']}/receipt", signed)).status == 200
        await t.passes(minutes=45)
        li = cast.person(li.id)
        assert (await cast.does(li, f"/api/tasks/{task}/check-out")).status == 200
        await t.settle()
        assert await status(cast, need) == ("awaiting_confirmation", "confirmation")

        rating = {"score": 5, "channel": "phone"}
        assert (await cast.does(cast.staff, f"/api/needs/{need['id']}/rate", rating)).status == 200
        await t.settle()
        assert await status(cast, need) == ("completed", None)
        hours = (await cast.got(cast.person(li.id), f"/api/volunteers/{li.id}/hours"))["items"]
        assert [h["minutes"] for h in hours] == [45]
        balance = await cast.got(cast.donor, f"/api/lots/{lot['id']}")
        assert (balance["held"], balance["issued"], balance["available"]) == (0, 2, 8)


async def test_the_second_to_accept_the_last_seat_is_told_kindly_and_shown_another_task() -> None:
    async with fuquan() as (t, cast):
        li, wang = await cast.volunteer("li"), await cast.volunteer("wang")
        home = await cast.household()
        await t.settle()
        first = await cast.need(home, cast.people_line(hours=3))
        await t.settle()
        other = await cast.need(home, cast.people_line(hours=9))
        await t.settle()
        mine = {i["need_id"]: i for i in await cast.invitations(wang)}
        theirs = {i["need_id"]: i for i in await cast.invitations(li)}
        assert (await cast.does(li, f"/api/invitations/{theirs[first['id']]['id']}/accept")).status == 200
        late = await cast.does(wang, f"/api/invitations/{mine[first['id']]['id']}/accept")
        assert late.status == 409
        assert late.body["other"]["id"] == mine[other["id"]]["id"]


async def test_a_drop_out_reopens_the_seat_and_the_next_one_gets_it() -> None:
    async with fuquan(first_wave=1) as (t, cast):
        await cast.volunteer("li")
        await cast.volunteer("wang")
        home = await cast.household()
        await t.settle()
        need = await cast.need(home, cast.people_line(hours=30))
        await t.settle()
        both = [cast.person(volunteer_id("li")), cast.person(volunteer_id("wang"))]
        (li,) = [p for p in both if await cast.invitations(p)]
        won = await accepts(t, cast, li)
        await t.settle()
        assert (await status(cast, need))[0] == "matched"
        assert (await cast.does(li, f"/api/tasks/{won.body['id']}/withdraw")).status == 200
        await t.settle()
        said = [m.data for m in await t.log() if isinstance(m.data, MatchReopened)]
        assert len(said) == 1
        wang = cast.person(volunteer_id("wang" if li.id == volunteer_id("li") else "li"))
        assert (await accepts(t, cast, wang)).status == 200
        await t.settle()
        assert (await status(cast, need))[0] == "matched"


async def test_cancelling_gives_back_the_seat_and_the_stock() -> None:
    async with fuquan() as (t, cast):
        li = await cast.volunteer("li")
        lot = await cast.lot(10)
        home = await cast.household()
        await t.settle()
        need = await cast.need(home, cast.people_line(), cast.goods_line(4))
        await t.settle()
        won = await accepts(t, cast, li)
        await t.settle()
        cancelled = await cast.does(cast.staff, f"/api/needs/{need['id']}/cancel", {"reason": "solved"})
        assert cancelled.status == 200
        await t.settle()
        assert (await status(cast, need))[0] == "cancelled"
        assert (await cast.got(cast.donor, f"/api/lots/{lot['id']}"))["available"] == 10
        task = await cast.got(cast.person(li.id), f"/api/tasks/{won.body['id']}")
        assert task["status"] == "cancelled"
        assert [m.data.reason for m in await t.log() if isinstance(m.data, MatchClosed)] == ["cancelled"]


async def test_the_ring_widens_until_somebody_is_found_and_nobody_is_asked_twice() -> None:
    async with fuquan(first_wave=1, wave_seconds=60) as (t, cast):
        await cast.volunteer("near")
        await cast.volunteer("far", area="522702002", reach_km=100)
        home = await cast.household()
        await t.settle()
        await cast.need(home, cast.people_line(hours=5))
        await t.settle()
        assert [len(await cast.invitations(cast.person(volunteer_id(p)))) for p in ("near", "far")] == [1, 0]
        await t.passes(minutes=2)
        assert [len(await cast.invitations(cast.person(volunteer_id(p)))) for p in ("near", "far")] == [1, 1]
        rings = [m.data.ring for m in await t.log() if isinstance(m.data, SeatsOffered)]
        assert (rings[0], rings[-1]) == ("village", "county")


async def test_a_need_for_a_child_reaches_only_named_people() -> None:
    async with fuquan() as (t, cast):
        li = await cast.volunteer("li")
        director = await cast.volunteer("director", certificates=[{"certificate": "child_director"}])
        child = {"name": "小龙", "birth_date": "2016-06-01"}
        home = await cast.household(residents=[child], target_groups=["left_behind_child"])
        await t.settle()
        need = await cast.need(home, cast.people_line(hours=5))
        await t.passes(minutes=60)
        assert await cast.invitations(cast.person(li.id)) == []
        assert len(await cast.invitations(cast.person(director.id))) == 1
        cast.appoint()
        match = await cast.got(cast.staff, f"/api/matches/{need['id']}")
        assert match["need_id"] == need["id"]


async def test_a_need_nobody_can_take_says_why_and_is_raised_a_tier() -> None:
    async with fuquan(tier_seconds=600, wave_seconds=60) as (t, cast):
        for name in ("a", "b", "c"):
            await cast.volunteer(name)
        home = await cast.household()
        await t.settle()
        need = await cast.need(home, cast.people_line(hours=20, skills=["rehabilitation"]))
        await t.settle()
        stalled = [m.data for m in await t.log() if isinstance(m.data, MatchStalled)]
        (line,) = stalled[0].diagnosis
        assert line.looked_at >= 3 and {r.rule: r.count for r in line.removed}["skill"] == 3
        assert ("skill", 3) in [(r.rule, r.gain) for r in line.relaxations]
        await t.passes(minutes=11)
        (raised,) = [m.data for m in await t.log() if isinstance(m.data, MatchEscalated)]
        assert (raised.site_id, raised.to_site_id, raised.hops) == (cast.station, cast.main, 1)
        _, waiting = await status(cast, need)
        assert waiting in ("nobody", "coordinator")


async def test_a_need_whose_time_has_passed_lapses_and_gives_everything_back() -> None:
    async with fuquan() as (t, cast):
        lot = await cast.lot(10)
        home = await cast.household()
        await t.settle()
        need = await cast.need(home, cast.people_line(hours=5), cast.goods_line(3))
        await t.settle()
        cast.appoint()
        assert (await cast.got(cast.donor, f"/api/lots/{lot['id']}"))["held"] == 3
        await t.passes(hours=6)
        assert (await status(cast, need))[0] == "lapsed"
        assert (await cast.got(cast.donor, f"/api/lots/{lot['id']}"))["available"] == 10


async def test_an_earmarked_gift_is_never_booked_outside_its_conditions() -> None:
    async with fuquan() as (t, cast):
        await cast.lot(10, earmark={"target_groups": ["orphan"]})
        home = await cast.household()
        await t.settle()
        need = await cast.need(
            home, cast.goods_line(1, needed_by=(t.clock.now().replace(hour=20)).isoformat())
        )
        await t.settle()
        log = [m.data for m in await t.log()]
        stalled = [e for e in log if isinstance(e, MatchStalled)]
        removed = {r.rule for e in stalled for line in e.diagnosis for r in line.removed}
        assert "earmark_group" in removed or any(isinstance(e, HoldRefused) for e in log)
        assert (await status(cast, need))[1] in ("stock_short", "nobody")


async def test_a_hold_that_was_never_confirmed_expires_and_is_asked_for_again() -> None:
    async with fuquan(hold_seconds=600) as (t, cast):
        await cast.lot(10)
        home = await cast.household()
        await t.settle()
        need = await cast.need(home, cast.people_line(hours=20), cast.goods_line(3))
        await t.passes(minutes=30)
        assert any(isinstance(m.data, HoldExpired) for m in await t.log())
        cast.appoint()
        held = (await cast.got(cast.staff, f"/api/holds?need_id={need['id']}"))["items"]
        assert sum(h["quantity"] for h in held if h["status"] == "held") in (0, 3)


async def test_a_scout_never_sees_the_file_and_hears_what_came_of_it() -> None:
    async with fuquan() as (t, cast):
        scout = Person("scout", t.token("scout", Role.SCOUT, site_id=cast.station))
        lead = await cast.made(scout, "/api/leads", {"area": TOWNSHIP, "text": "后山老人三天没开门"})
        seen = await cast.got(scout, f"/api/leads/{lead['id']}")
        assert seen["status"] == "reported"
        assert (await cast.does(scout, "/api/households", {})).status == 403
        assert (await t.call(scout.token, "GET", "/api/needs")).status == 403


async def test_goods_that_run_out_before_the_people_come_are_changed_for_others_in_time() -> None:
    async with fuquan() as (t, cast):
        li, soon, late, need = await a_visit_with_rice(t, cast, hours=5, expires_on="2026-03-04")
        path = f"/api/needs/{need['id']}"
        lines = [{**cast.people_line(hours=24 * 5), "id": "p1"}, {**cast.goods_line(2), "id": "g1"}]
        await edited(t, cast.staff, path, lines=lines)
        await t.settle()
        assert (await cast.got(cast.donor, f"/api/lots/{soon['id']}"))["held"] == 2, "held before the edit"
        assert (await accepts(t, cast, li)).status == 200
        await t.settle()
        assert await status(cast, need) == ("matched", "service")
        found = await cast.got(cast.staff, path)
        assert [goods["lot_id"] for goods in found["goods"]] == [late["id"]]
        (kept,) = (await cast.got(cast.staff, f"/api/holds?need_id={need['id']}&status=confirmed"))["items"]
        assert kept["pick_up_by"] == found["lines"][0]["window"]["start_at"] == found["next_action_at"]
        assert (await cast.got(cast.donor, f"/api/lots/{soon['id']}"))["held"] == 0


async def test_goods_whose_expiry_is_shortened_after_the_match_are_changed_for_others_when_it_comes() -> None:
    async with fuquan() as (t, cast):
        li, spoilt, good, need = await a_visit_with_rice(t, cast, hours=24 * 5, expires_on="2026-06-01")
        assert (await accepts(t, cast, li)).status == 200
        await t.settle()
        await edited(t, cast.donor, f"/api/lots/{spoilt['id']}", expires_on="2026-03-04")
        await t.passes(days=4)
        assert await status(cast, need) == ("matched", "service")
        found = await cast.got(cast.staff, f"/api/needs/{need['id']}")
        assert [goods["lot_id"] for goods in found["goods"]] == [good["id"]]
