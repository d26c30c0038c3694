"""Who holds two roles finds in a list what either of them reaches: small places share their people."""

from __future__ import annotations

from typing import Any

import pytest

from shared.contracts.vocabulary import Role
from tests.cast import TOWNSHIP, Cast, Person, volunteer_id
from tests.town import Town, town


async def arrived(t: Town) -> tuple[Cast, str]:
    """The town, and another station of it whose staff has other roles as well."""
    cast = await Cast(t.call, t.token, t.clock.now).arrive()
    other = await cast.site("西站", "station", TOWNSHIP, cast.main)
    await t.settle()
    return cast, other


async def ids(cast: Cast, person: Person, path: str) -> list[str]:
    return [one["id"] for one in (await cast.got(person, path))["items"]]


async def test_staff_who_volunteer_elsewhere_find_their_people_and_themselves() -> None:
    async with town() as t:
        cast, other = await arrived(t)
        both = Person(
            volunteer_id("both"), t.token(volunteer_id("both"), Role.STAFF, Role.VOLUNTEER, site_id=other)
        )
        await cast.volunteer("both")
        await t.settle()
        resident = await cast.household()
        await cast.need(resident, cast.people_line())
        await t.settle()
        [asked] = await cast.invitations(both)
        assert (await cast.does(both, f"/api/invitations/{asked['id']}/accept")).status == 200
        colleague = await cast.made(
            both, "/api/volunteers", {"name": "同事", "area": TOWNSHIP, "site_id": other}
        )
        await t.settle()
        assert set(await ids(cast, both, "/api/volunteers")) == {both.id, colleague["id"]}
        [task] = (await cast.got(both, "/api/tasks"))["items"]
        assert task["volunteer_id"] == both.id


@pytest.mark.parametrize("roles", [(Role.STAFF, Role.VOLUNTEER), (Role.SOCIAL_WORKER,)])
async def test_who_acts_for_a_station_and_helps_says_whom_they_mean_until_they_are_registered_themselves(
    roles: tuple[Role, ...],
) -> None:
    """Left to guess, it would be a stranger's profile under their account, or theirs under none."""
    async with town() as t:
        cast, _ = await arrived(t)
        both = volunteer_id("both")
        me = Person(both, t.token(both, *roles, site_id=cast.station))
        profile = {"name": "龙阿妮", "area": TOWNSHIP}
        unsaid = await t.call(me.token, "POST", "/api/volunteers", profile)
        assert unsaid.status == 422 and unsaid.body["errors"][0]["pointer"] == "/account_id"
        other = await cast.made(me, "/api/volunteers", {**profile, "account_id": None})
        assert other["id"] != both and other["status"] == "active"
        mine = await cast.made(me, "/api/volunteers", {**profile, "account_id": both})
        assert (mine["id"], mine["status"]) == (both, "active")
        assert (await cast.made(me, "/api/volunteers", profile))["id"] not in (both, other["id"])


async def test_staff_of_a_charity_find_the_holds_of_their_needs_and_of_their_lots() -> None:
    async with town() as t:
        cast, other = await arrived(t)
        await cast.lot(10)
        await t.settle()
        need = await cast.need(await cast.household(), cast.goods_line(2))
        await t.settle()
        roles = (Role.STAFF, Role.CHARITY)
        both = Person("both", t.token("both", *roles, site_id=other, organisation_id=cast.charity))
        [hold] = (await cast.got(both, "/api/holds"))["items"]
        assert hold["need_id"] == need["id"]
        stranger = Person("x", t.token("x", Role.STAFF, site_id=other, organisation_id=cast.charity))
        assert await ids(cast, stranger, "/api/holds") == []


async def test_a_scout_who_became_staff_elsewhere_finds_the_old_lead_too_but_only_its_course() -> None:
    async with town() as t:
        cast, other = await arrived(t)
        scout = Person("both", t.token("both", Role.SCOUT, site_id=cast.station))
        told = {"area": TOWNSHIP, "text": "门一直关着"}
        elsewhere = await cast.made(scout, "/api/leads", told)
        both = Person("both", t.token("both", Role.SCOUT, Role.STAFF, site_id=other))
        here = await cast.made(both, "/api/leads", told)
        await t.settle()
        found: dict[str, Any] = {lead["id"]: lead for lead in (await cast.got(both, "/api/leads"))["items"]}
        assert found.keys() == {elsewhere["id"], here["id"]}
        assert "text" in found[here["id"]]
        assert "text" not in found[elsewhere["id"]]
