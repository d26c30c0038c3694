"""What a closed account or charity, or a role that was taken away, means for the search and for what was promised."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from shared.contracts.matching import SeatsOffered
from tests.cast import Cast, Person
from tests.town import Town, town

PASSWORD = "correct horse 1"


@asynccontextmanager
async def fuquan() -> AsyncIterator[tuple[Town, Cast, Person]]:
    """The town, and a volunteer of its station with an account of the directory, who may help children."""
    async with town() as t:
        cast = await Cast(t.call, t.token, t.clock.now).arrive()
        await t.settle()
        opened = {"login": "li", "password": PASSWORD, "name": "李四", "roles": ["volunteer"]}
        account = await cast.made(cast.admin, "/api/accounts", {**opened, "site_id": cast.station})
        await t.settle()
        papers = [{"certificate": "child_director"}]
        await cast.volunteer("li", account_id=account["id"], certificates=papers)
        await t.settle()
        yield t, cast, cast.person(account["id"])


async def loses(t: Town, cast: Cast, person: Person, what: str) -> None:
    cast.appoint()
    account = f"/api/accounts/{person.id}"
    if what == "account":
        answer = await cast.does(cast.admin, f"{account}/disable")
    else:
        version = {"If-Match": '"1"'}
        answer = await t.call(cast.admin.token, "PATCH", account, {"roles": ["scout"]}, headers=version)
    assert answer.status == 200, answer.body
    await t.settle()


@pytest.mark.parametrize("what", ["account", "role"])
async def test_a_child_in_a_crisis_does_not_wait_for_somebody_who_can_answer_no_more(what: str) -> None:
    async with fuquan() as (t, cast, li):
        await loses(t, cast, li, what)
        child = [{"name": "小明", "birth_date": "2018-01-01", "relation": "head"}]
        home = await cast.household(residents=child)
        need = await cast.need(home, cast.people_line(hours=8), urgency="crisis")
        await t.settle()
        match = await cast.got(cast.staff, f"/api/matches/{need['id']}")
        assert match["stalled"] and match["people"][0]["invitations"] == []
        failed = match["people"][0]["diagnosis"]["removed"]
        assert [why["rule"] for why in failed if why["count"]] == ["inactive"]
        for _ in range(3):
            await t.passes(minutes=30)
        assert not [m for m in await t.log() if isinstance(m.data, SeatsOffered)], "never again and again"


async def test_the_next_one_is_asked_at_once_and_whoever_has_the_account_again_is_asked_again() -> None:
    async with fuquan() as (t, cast, li):
        wang = await cast.volunteer("wang")
        await loses(t, cast, li, "account")
        need = await cast.need(await cast.household(), cast.people_line(hours=30))
        await t.settle()
        assert [i["need_id"] for i in await cast.invitations(wang)] == [need["id"]]
        assert (await cast.does(cast.admin, f"/api/accounts/{li.id}/enable")).status == 200
        await t.settle()
        t.clock.advance(1)
        again = await cast.need(await cast.household(), cast.people_line(hours=50))
        await t.settle()
        assert [i["need_id"] for i in await cast.invitations(cast.person(li.id))] == [again["id"]]


async def test_a_seat_ahead_stays_until_the_station_gives_it_back_and_then_another_is_asked() -> None:
    async with fuquan() as (t, cast, li):
        need = await cast.need(await cast.household(), cast.people_line(hours=30))
        await t.settle()
        [asked] = await cast.invitations(li)
        assert (await cast.does(li, f"/api/invitations/{asked['id']}/accept")).status == 200
        await t.settle()
        wang = await cast.volunteer("wang")
        await loses(t, cast, li, "account")
        one = f"/api/needs/{need['id']}"
        assert (await cast.got(cast.staff, one))["status"] == "matched", "they may still come"
        task = f"/api/tasks/{asked['id']}"
        assert (await cast.got(cast.staff, f"{task}/helper"))["active"] is False
        assert (await cast.does(cast.staff, f"{task}/withdraw")).status == 200
        await t.settle()
        [instead] = await cast.invitations(wang)
        assert instead["need_id"] == need["id"]


async def test_goods_of_a_closed_charity_are_promised_to_nobody_until_it_is_there_again() -> None:
    async with fuquan() as (t, cast, _):
        await cast.lot(5)
        charity = f"/api/organisations/{cast.charity}"
        for version, active, promised in (("1", False, 0), ("2", True, 2)):
            match = {"If-Match": f'"{version}"'}
            changed = await t.call(cast.admin.token, "PATCH", charity, {"active": active}, headers=match)
            assert changed.status == 200, changed.body
            await t.settle()
            if active:
                await t.passes(hours=1)
                cast.appoint()
            else:
                need = await cast.need(await cast.household(), cast.goods_line(2))
                await t.settle()
            holds = (await cast.got(cast.donor, "/api/holds"))["items"]
            assert sum(hold["quantity"] for hold in holds) == promised
            found = await cast.got(cast.staff, f"/api/needs/{need['id']}")
            assert (found["waiting"] == "stock_short") is (not active)
