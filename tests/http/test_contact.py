"""Who may know whom: nobody learns a name, a phone or an address a step too early, or a day too late."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from shared.contracts.vocabulary import Role
from shared.http.catalogue import catalogue
from shared.security.policy import POLICY
from tests.cast import TOWNSHIP, Cast, Person, volunteer_id
from tests.town import Town, town

NAME, PHONE, ADDRESS = "龙阿婆·金", "13985450001", "葛镜桥巷七十七号"
APPLICANT, APPLICANT_PHONE, NOTE = "王二侄", "13985450002", "夜里常咳，门槛高"
SECRETS = (NAME, PHONE, ADDRESS, APPLICANT, APPLICANT_PHONE, NOTE, "龙阿婆", "葛镜桥")


@asynccontextmanager
async def a_need_for_grandma() -> AsyncIterator[tuple[Town, Cast, dict[str, Any]]]:
    async with town() as t:
        cast = await Cast(t.call, t.token, t.clock.now).arrive()
        for name in ("li", "wang"):
            await cast.volunteer(name)
        await cast.lot(10)
        grandma = {"name": NAME, "birth_date": "1944-05-06", "relation": "head", "phone": PHONE}
        home = await cast.household(address=ADDRESS, phone=PHONE, residents=[grandma])
        await t.settle()
        asked_by = {"name": APPLICANT, "phone": APPLICANT_PHONE, "relation": "侄子"}
        lines = (cast.people_line(), cast.goods_line(2))
        need = await cast.need(home, *lines, note=NOTE, applicant=asked_by)
        await t.settle()
        yield t, cast, {**need, "household_id": home["id"], "resident_id": home["resident_ids"][0]}


async def all_that_can_be_read(t: Town, person: Person, role: Role, known: dict[str, str]) -> dict[str, str]:
    """Every GET of the live route table that this role has at all, about everything there is: path and answer."""
    seen: dict[str, str] = {}
    for route in catalogue(t.system.api):
        if route.method != "GET" or not (route.public or role in POLICY[route.action]):
            continue
        parts = (known.get(p[1:-1], "needs") if p.startswith("{") else p for p in route.path.split("/"))
        path = "/".join(parts)
        answer = await t.call(person.token, "GET", path)
        assert answer.status < 500, path
        seen[path] = json.dumps(answer.body, ensure_ascii=False) + str(answer.headers)
    return seen


async def everything_known(cast: Cast, need: dict[str, Any], person: Person) -> dict[str, str]:
    """The ids of all there is, by the names that addresses have for them."""
    (hold,) = (await cast.got(cast.staff, f"/api/holds?need_id={need['id']}"))["items"]
    *_, asked = (await cast.got(cast.staff, f"/api/invitations?volunteer_id={person.id}"))["items"]
    return {
        "need_id": need["id"],
        "household_id": need["household_id"],
        "resident_id": need["resident_id"],
        "hold_id": hold["id"],
        "lot_id": hold["lot_id"],
        "fund_id": hold["lot_id"],
        "invitation_id": asked["id"],
        "task_id": asked["id"],
        "volunteer_id": person.id,
        "lead_id": need["id"],
        "id": person.id,
        "code": "elderly",
    }


def secrets_in(seen: dict[str, str]) -> list[tuple[str, str]]:
    return [(path, secret) for path, text in seen.items() for secret in SECRETS if secret in text]


async def accepts(cast: Cast, person: Person) -> str:
    (asked,) = [i for i in await cast.invitations(person) if i["status"] == "pending"]
    won = await cast.does(person, f"/api/invitations/{asked['id']}/accept")
    assert won.status == 200, won.body
    task: str = won.body["id"]
    return task


async def test_a_volunteer_who_was_asked_sees_no_name_no_phone_and_no_address() -> None:
    async with a_need_for_grandma() as (t, cast, need):
        li = cast.person(volunteer_id("li"))
        known = await everything_known(cast, need, li)
        seen = await all_that_can_be_read(t, li, Role.VOLUNTEER, known)
        assert len(seen) >= 20
        assert any(need["id"] in text for text in seen.values()), "the invitation itself is seen"
        assert secrets_in(seen) == []
        assert (await t.call(li.token, "GET", f"/api/needs/{need['id']}/contact")).status == 404


async def test_a_volunteer_sees_it_masked_then_whole_then_nothing_any_more() -> None:
    async with a_need_for_grandma() as (t, cast, need):
        li, contact = cast.person(volunteer_id("li")), f"/api/needs/{need['id']}/contact"
        (hold,) = (await cast.got(cast.staff, f"/api/holds?need_id={need['id']}"))["items"]
        task = await accepts(cast, li)
        masked = await won_but_not_made(t, li, contact)
        assert masked["name"] == "龙**" and masked["phone"] == "139****0001"
        assert not any(secret in json.dumps(masked, ensure_ascii=False) for secret in SECRETS)
        await t.settle()
        whole = (await t.call(li.token, "GET", contact)).body
        assert (whole["level"], whole["name"], whole["phone"], whole["address"]) == (
            "full",
            NAME,
            PHONE,
            ADDRESS,
        )
        assert (whole["applicant_name"], whole["applicant_phone"]) == (None, None)
        known = await everything_known(cast, need, li)
        elsewhere = await all_that_can_be_read(t, li, Role.VOLUNTEER, known)
        elsewhere.pop(contact)
        assert secrets_in(elsewhere) == [], "nothing of it stands anywhere but in the contact"
        await t.passes(hours=2)
        cast.appoint()
        li = cast.person(volunteer_id("li"))
        for step in ("check-in", "check-out"):
            assert (await cast.does(li, f"/api/tasks/{task}/{step}")).status == 200
            await t.settle()
        closed = await t.call(li.token, "GET", contact)
        assert closed.status == 403
        assert secrets_in(await all_that_can_be_read(t, li, Role.VOLUNTEER, known)) == []
        assert hold["need_id"] == need["id"]


async def won_but_not_made(t: Town, person: Person, contact: str) -> dict[str, Any]:
    """The contact as soon as it opens: the seat is won, and the match is on its way to be made."""
    for _ in range(1000):
        seen = await t.http.get(contact, headers={"Authorization": f"Bearer {person.token}"})
        if seen.status_code == 200:
            found: dict[str, Any] = seen.json()
            assert found["level"] == "masked", found
            return found
        await t.system.step()
    raise AssertionError("the contact never opened")


async def test_somebody_else_who_was_asked_never_sees_it() -> None:
    async with a_need_for_grandma() as (t, cast, need):
        await accepts(cast, cast.person(volunteer_id("li")))
        await t.settle()
        wang = cast.person(volunteer_id("wang"))
        known = await everything_known(cast, need, wang)
        assert secrets_in(await all_that_can_be_read(t, wang, Role.VOLUNTEER, known)) == []
        assert (await t.call(wang.token, "GET", f"/api/needs/{need['id']}/contact")).status == 404


async def test_who_gives_the_seat_back_sees_only_the_area() -> None:
    async with a_need_for_grandma() as (t, cast, need):
        li = cast.person(volunteer_id("li"))
        task = await accepts(cast, li)
        await t.settle()
        assert (await cast.does(li, f"/api/tasks/{task}/withdraw")).status == 200
        await t.settle()
        left = await t.call(li.token, "GET", f"/api/needs/{need['id']}/contact")
        assert left.body["level"] == "area"
        assert not any(secret in json.dumps(left.body, ensure_ascii=False) for secret in SECRETS)


async def test_every_look_at_a_contact_is_on_record_and_looks_at_the_area_are_not() -> None:
    async with a_need_for_grandma() as (t, cast, need):
        li, contact = cast.person(volunteer_id("li")), f"/api/needs/{need['id']}/contact"
        await accepts(cast, li)
        await t.settle()
        await t.call(li.token, "GET", contact)
        await t.call(cast.staff.token, "GET", contact)
        reads = (await cast.got(cast.staff, f"/api/needs/{need['id']}/reads"))["items"]
        assert [(r["reader_id"], r["level"]) for r in reads] == [
            ("staff", "full"),
            (volunteer_id("li"), "full"),
        ]


async def test_a_scout_never_sees_a_file_not_even_of_their_own_lead() -> None:
    async with a_need_for_grandma() as (t, cast, need):
        scout = Person("scout", t.token("scout", Role.SCOUT, site_id=cast.station))
        report = {"area": TOWNSHIP, "text": "后山那户三天没开门"}
        lead = await cast.made(scout, "/api/leads", report)
        order = {"household_id": need["household_id"], "category": "comfort", "note": NOTE}
        verify = {**order, "lines": [cast.people_line(hours=20)]}
        made = await cast.made(cast.staff, f"/api/leads/{lead['id']}/verify", verify)
        await t.settle()
        known = {**await everything_known(cast, need, cast.person(volunteer_id("li"))), "lead_id": lead["id"]}
        for need_id in (need["id"], made["id"]):
            seen = await all_that_can_be_read(t, scout, Role.SCOUT, {**known, "need_id": need_id})
            assert secrets_in(seen) == []
            assert not any(need["household_id"] in text or made["id"] in text for text in seen.values())
        course = (await t.call(scout.token, "GET", f"/api/leads/{lead['id']}")).body
        assert set(course) == {"id", "status", "reported_at", "outcome", "outcome_zh", "outcome_en"}


async def test_who_takes_a_need_over_may_look_whom_to_serve_for_a_month_and_it_is_on_record() -> None:
    async with a_need_for_grandma() as (t, cast, need):
        names = ("承接机构", "另一机构")
        ours, other = [
            (await cast.made(cast.admin, "/api/organisations", {"name": name, "kind": "social_work"}))["id"]
            for name in names
        ]
        await t.settle()

        def provider(organisation: str) -> Person:
            token = t.token(f"p-{organisation}", Role.PROVIDER, organisation_id=organisation)
            return Person(f"p-{organisation}", token)

        path = f"/api/needs/{need['id']}"
        asks = {"organisation_id": ours, "answer_by": (t.clock.now() + timedelta(days=1)).isoformat()}
        assert (await cast.does(cast.staff, f"{path}/refer", asks)).status == 200
        before = await t.call(provider(ours).token, "GET", f"{path}/contact")
        assert before.status == 404, "who is only asked learns nothing"
        assert (await cast.does(provider(ours), f"{path}/referral/accept")).status == 200
        seen = (await t.call(provider(ours).token, "GET", f"{path}/contact")).body
        assert (seen["level"], seen["name"], seen["phone"], seen["address"]) == ("full", NAME, PHONE, ADDRESS)
        assert (seen["applicant_name"], seen["applicant_phone"]) == (None, None)
        assert (await t.call(provider(other).token, "GET", f"{path}/contact")).status == 404
        reads = (await cast.got(cast.staff, f"{path}/reads"))["items"]
        assert [(r["reader_id"], r["level"]) for r in reads] == [(f"p-{ours}", "full")]
        await t.passes(days=31)
        closed = await t.call(provider(ours).token, "GET", f"{path}/contact")
        assert (closed.status, closed.body["type"]) == (403, "urn:wushe:problem:contact-closed")


async def test_charities_providers_and_administrators_serve_people_whose_names_they_never_learn() -> None:
    async with a_need_for_grandma() as (t, cast, need):
        await accepts(cast, cast.person(volunteer_id("li")))
        await t.settle()
        known = await everything_known(cast, need, cast.person(volunteer_id("li")))
        body = {"name": "承接机构", "kind": "social_work"}
        provider = (await cast.made(cast.admin, "/api/organisations", body))["id"]
        other = await cast.need({"id": need["household_id"]}, cast.goods_line(1, category="aids"), note=NOTE)
        asks = {"organisation_id": provider, "answer_by": (t.clock.now() + timedelta(days=1)).isoformat()}
        await t.settle()
        assert (await cast.does(cast.staff, f"/api/needs/{other['id']}/refer", asks)).status == 200
        others = {
            Role.CHARITY: cast.donor,
            Role.ADMINISTRATOR: cast.admin,
            Role.PROVIDER: Person("p", t.token("p", Role.PROVIDER, organisation_id=provider)),
        }
        for role, person in others.items():
            for need_id in (need["id"], other["id"]):
                seen = await all_that_can_be_read(t, person, role, {**known, "need_id": need_id})
                assert secrets_in(seen) == [], role
            assert role is Role.ADMINISTRATOR or any(
                need["id"] in s or other["id"] in s for s in seen.values()
            )
