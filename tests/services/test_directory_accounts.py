"""Accounts: who may open one for whom, and what a change of rights does."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.directory.domain.accounts import Account
from shared.contracts.directory import AccountChanged
from shared.contracts.vocabulary import Role
from tests.services.town_hall import JINSHAN, PASSWORD, TownHall, a_town_hall, an_account


@pytest_asyncio.fixture
async def hall() -> AsyncIterator[TownHall]:
    async with a_town_hall() as hall:
        yield hall


@pytest_asyncio.fixture
async def tree(hall: TownHall) -> dict[str, str]:
    """Two main stations with a station each; staff, a supervisor at the first; two charities."""
    center = await hall.a_site("center", None, "5227")
    main = await hall.a_site("main_station", center)
    places = {"center": center, "main": main, "station": await hall.a_site("station", main)}
    places["other"] = await hall.a_site("main_station", center)
    for name in ("main", "other"):
        charity = {"name": "慈善会", "kind": "charity", "site_id": places[name]}
        places[f"{name} charity"] = await hall.has("/organisations", charity)
    team = {"name": "服务队", "kind": "social_organisation", "site_id": main}
    places["team"] = await hall.has("/organisations", team)
    await hall.an_account("staff", Role.STAFF, site_id=places["station"])
    await hall.an_account("sup", Role.SUPERVISOR, site_id=main)
    return places


async def test_an_account_is_said_without_login_or_name(hall: TownHall, tree: dict[str, str]) -> None:
    id = await hall.an_account("13800001111", Role.VOLUNTEER, site_id=tree["station"])
    said = [m for m in hall.w.messages if m.subject == id]
    assert [m.data for m in said] == [
        AccountChanged(roles=(Role.VOLUNTEER,), site_id=tree["station"], valid_from=hall.w.clock.now())
    ]
    assert "1380000" not in id + said[0].data.model_dump_json()


@pytest.mark.parametrize("twin", ["wang", "WANG", "ｗａｎｇ", "Ｗａｎｇ", "waﬀle"])
async def test_one_login_is_one_account_however_it_is_typed(
    hall: TownHall, tree: dict[str, str], twin: str
) -> None:
    original = "waffle" if twin == "waﬀle" else "Wang"
    id = await hall.an_account(original, Role.STAFF, site_id=tree["main"])
    again = await hall.ask("POST", "/accounts", an_account(twin, Role.STAFF, site_id=tree["main"]))
    assert (again.status_code, again.json()["type"]) == (409, "urn:wushe:problem:login-taken")
    assert (await hall.ask("GET", f"/accounts/{id}")).json()["login"] == original
    assert (await hall.sign_in(twin)).status_code == 200


async def test_the_same_opening_twice_is_one_account_and_another_body_is_refused(
    hall: TownHall, tree: dict[str, str]
) -> None:
    new = an_account("wang", Role.STAFF, site_id=tree["main"])
    first, second = [await hall.ask("POST", "/accounts", new, key="same") for _ in range(2)]
    assert (first.status_code, second.status_code, first.json()) == (201, 201, second.json())
    other = await hall.ask("POST", "/accounts", new | {"password": "another one"}, key="same")
    assert other.json()["type"] == "urn:wushe:problem:idempotency-key-reused"
    assert PASSWORD not in first.text


async def test_a_place_that_has_closed_since_says_again_what_it_said(
    hall: TownHall, tree: dict[str, str]
) -> None:
    new = an_account("wang", Role.VOLUNTEER, site_id=tree["station"])
    room = {"name": "室", "kind": "room", "parent_id": tree["station"], "area": JINSHAN}
    asked = {"/accounts": new, "/sites": room}
    first = [await hall.ask("POST", path, body, key="same") for path, body in asked.items()]
    await hall.ask("PATCH", f"/sites/{tree['station']}", {"active": False}, etag='"1"')
    again = [await hall.ask("POST", path, body, key="same") for path, body in asked.items()]
    assert [a.status_code for a in first + again] == [201] * 4, [a.text for a in again]
    assert [a.json() for a in again] == [a.json() for a in first]
    fresh = [
        await hall.ask("POST", "/accounts", new | {"login": "li"}),
        await hall.ask("POST", "/sites", room),
    ]
    assert [a.json()["errors"][0]["pointer"] for a in fresh] == ["/site_id", "/parent_id"]


async def test_what_is_stored_of_a_password_is_its_argon2id_hash_only(
    hall: TownHall, tree: dict[str, str]
) -> None:
    id = await hall.an_account("wang", Role.STAFF, site_id=tree["main"])
    account = await hall.w.store.get(Account, id)
    assert account is not None
    assert account.record.password_hash.startswith("$argon2id$")
    everything = "".join(map(str, hall.w.engine.read('SELECT * FROM "directory.account"')))
    assert PASSWORD not in everything


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"login": "a b"}, "/login"),
        ({"login": "a\u200bb"}, "/login"),
        ({"login": "a\u0007"}, "/login"),
        ({"login": "a\u2028"}, "/login"),
        ({"login": ""}, "/login"),
        ({"login": "x" * 61}, "/login"),
        ({"password": "short"}, "/password"),
        ({"password": "x" * 201}, "/password"),
        ({"password": " " * 12}, "/password"),
        ({"password": "two lines\nof words"}, "/password"),
        ({"password": "WANG-XIAO-MEI"}, "/password"),
        ({"name": "  "}, "/name"),
        ({"roles": []}, "/roles"),
        ({"roles": ["king"]}, "/roles/0"),
        ({"site_id": None}, "/site_id"),
        ({"site_id": "nowhere"}, "/site_id"),
        ({"organisation_id": "nowhere"}, "/organisation_id"),
        ({"roles": ["charity"]}, "/organisation_id"),
        ({"roles": ["provider"]}, "/organisation_id"),
        ({"id": "mine"}, "/id"),
    ],
)
async def test_an_account_that_makes_no_sense_is_refused_by_field(
    hall: TownHall, tree: dict[str, str], change: dict[str, object], pointer: str
) -> None:
    new = an_account("wang-xiao-mei", Role.STAFF, site_id=tree["main"]) | change
    answer = await hall.ask("POST", "/accounts", new)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert str(new["password"]) not in answer.text


async def test_a_login_and_a_name_come_back_as_they_were_typed(hall: TownHall, tree: dict[str, str]) -> None:
    new = an_account("Ｗáng༄𠮷", Role.STAFF, site_id=tree["main"]) | {"name": "阿依古丽·买买提 👩"}
    answer = (await hall.ask("POST", "/accounts", new)).json()
    assert (answer["login"], answer["name"]) == ("Ｗáng༄𠮷", "阿依古丽·买买提 👩")


async def test_a_charitys_account_needs_a_charity_and_a_providers_another_body(
    hall: TownHall, tree: dict[str, str]
) -> None:
    for role, body, expected in (
        (Role.CHARITY, "main charity", 201),
        (Role.CHARITY, "team", 422),
        (Role.PROVIDER, "team", 201),
        (Role.PROVIDER, "main charity", 422),
    ):
        new = an_account(f"{role}-{body.replace(' ', '')}", role, organisation_id=tree[body])
        assert (await hall.ask("POST", "/accounts", new)).status_code == expected


@pytest.mark.parametrize(
    ("by", "role", "site", "expected"),
    [
        ("staff", Role.VOLUNTEER, "station", 201),
        ("staff", Role.SCOUT, "station", 201),
        ("staff", Role.VOLUNTEER, "main", 403),
        ("staff", Role.STAFF, "station", 403),
        ("staff", Role.SUPERVISOR, "station", 403),
        ("staff", Role.ADMINISTRATOR, "station", 403),
        ("sup", Role.STAFF, "station", 201),
        ("sup", Role.SOCIAL_WORKER, "main", 201),
        ("sup", Role.STAFF, "other", 403),
        ("sup", Role.STAFF, "center", 403),
        ("sup", Role.SUPERVISOR, "station", 403),
        ("sup", Role.ADMINISTRATOR, "station", 403),
        ("admin", Role.SUPERVISOR, "other", 201),
        ("admin", Role.ADMINISTRATOR, "other", 201),
    ],
)
async def test_everybody_gives_only_what_is_theirs_to_give(
    hall: TownHall, tree: dict[str, str], by: str, role: Role, site: str, expected: int
) -> None:
    answer = await hall.ask("POST", "/accounts", an_account("new", role, site_id=tree[site]), by=by)
    assert answer.status_code == expected, answer.text


async def test_a_supervisor_cannot_reach_anothers_charity_through_an_account(
    hall: TownHall, tree: dict[str, str]
) -> None:
    for body, expected in (("main charity", 201), ("other charity", 403)):
        new = an_account(f"gives{expected}", Role.CHARITY, site_id=tree["main"], organisation_id=tree[body])
        assert (await hall.ask("POST", "/accounts", new, by="sup")).status_code == expected


async def test_accounts_are_seen_within_reach_only(hall: TownHall, tree: dict[str, str]) -> None:
    mine = await hall.an_account("v1", Role.VOLUNTEER, site_id=tree["station"])
    far = await hall.an_account("v2", Role.VOLUNTEER, site_id=tree["other"])
    for by, seen in (("staff", 200), ("sup", 200), ("admin", 200), ("v1", 200), ("v2", 404)):
        assert (await hall.ask("GET", f"/accounts/{mine}", by=by)).status_code == seen
    assert (await hall.ask("GET", f"/accounts/{far}", by="staff")).status_code == 404
    listed = {
        by: {a["login"] for a in (await hall.ask("GET", "/accounts", by=by)).json()["items"]}
        for by in ("staff", "sup", "v1")
    }
    assert listed == {"staff": {"staff", "v1"}, "sup": {"staff", "sup", "v1"}, "v1": {"v1"}}


async def test_a_social_worker_sees_the_accounts_of_the_station_as_staff_do_and_manages_none(
    hall: TownHall, tree: dict[str, str]
) -> None:
    """Whoever verifies a scout's report, or sees who looked at a contact, has to know whom to ask."""
    await hall.an_account("worker", Role.SOCIAL_WORKER, site_id=tree["station"])
    scout = await hall.an_account("scout", Role.SCOUT, site_id=tree["station"])
    far = await hall.an_account("v2", Role.VOLUNTEER, site_id=tree["other"])
    asked = [(await hall.ask("GET", f"/accounts/{id}", by="worker")).status_code for id in (scout, far)]
    assert asked == [200, 404]
    listed = (await hall.ask("GET", "/accounts", by="worker")).json()["items"]
    assert {a["login"] for a in listed} == {"staff", "worker", "scout"}
    new = an_account("new", Role.VOLUNTEER, site_id=tree["station"])
    assert (await hall.ask("POST", "/accounts", new, by="worker")).status_code == 403
    assert (await hall.ask("POST", f"/accounts/{scout}/disable", by="worker")).status_code == 403


async def test_new_roles_void_the_tokens_of_before_at_once(hall: TownHall, tree: dict[str, str]) -> None:
    id = await hall.an_account("wang", Role.STAFF, site_id=tree["station"])
    token = await hall.token("wang")
    hall.w.clock.advance(5)
    edited = await hall.ask("PATCH", f"/accounts/{id}", {"roles": ["social_worker"]}, by="sup", etag='"1"')
    assert edited.status_code == 200
    assert (await hall.ask("GET", "/session", token=token)).status_code == 401
    fresh = await hall.ask("GET", "/session", by="wang")
    assert fresh.json()["account"]["roles"] == ["social_worker"]


async def test_a_new_name_leaves_tokens_alone(hall: TownHall, tree: dict[str, str]) -> None:
    id = await hall.an_account("wang", Role.STAFF, site_id=tree["station"])
    token = await hall.token("wang")
    hall.w.clock.advance(5)
    await hall.ask("PATCH", f"/accounts/{id}", {"name": "王六"}, etag='"1"')
    assert (await hall.ask("GET", "/session", token=token)).json()["account"]["name"] == "王六"


@pytest.mark.parametrize(
    "edit", [{"roles": ["supervisor"]}, {"roles": ["administrator"]}, {"site_id": "other"}, {"site_id": None}]
)
async def test_a_supervisor_cannot_lift_or_move_anybody_out_of_reach(
    hall: TownHall, tree: dict[str, str], edit: dict[str, object]
) -> None:
    id = await hall.an_account("wang", Role.STAFF, site_id=tree["station"])
    body = {k: tree.get(v, v) if isinstance(v, str) else v for k, v in edit.items()}
    answer = await hall.ask("PATCH", f"/accounts/{id}", body, by="sup", etag='"1"')
    assert answer.status_code in {403, 404}
    assert (await hall.ask("GET", f"/accounts/{id}")).json()["roles"] == ["staff"]


async def test_an_account_with_more_rights_is_not_a_supervisors_to_disable(
    hall: TownHall, tree: dict[str, str]
) -> None:
    peer = await hall.an_account("peer", Role.SUPERVISOR, site_id=tree["station"])
    assert (await hall.ask("POST", f"/accounts/{peer}/disable", by="sup")).status_code == 403
    far = await hall.an_account("far", Role.STAFF, site_id=tree["other"])
    assert (await hall.ask("POST", f"/accounts/{far}/disable", by="sup")).status_code == 404


async def test_nobody_changes_their_own_rights(hall: TownHall) -> None:
    me = (await hall.ask("GET", "/session")).json()["account"]["id"]
    disabled = await hall.ask("POST", f"/accounts/{me}/disable")
    assert (disabled.status_code, disabled.json()["type"]) == (409, "urn:wushe:problem:own-rights")
    renamed = await hall.ask("PATCH", f"/accounts/{me}", {"name": "新名"}, etag='"1"')
    assert renamed.status_code == 200


async def test_a_disabled_account_is_out_at_once_and_back_when_enabled(
    hall: TownHall, tree: dict[str, str]
) -> None:
    id = await hall.an_account("wang", Role.STAFF, site_id=tree["station"])
    token = await hall.token("wang")
    opened = await hall.sign_in("wang")
    hall.w.clock.advance(5)
    disabled = await hall.ask("POST", f"/accounts/{id}/disable", by="sup")
    assert (disabled.status_code, disabled.json()["active"]) == (200, False)
    assert (await hall.ask("GET", "/session", token=token)).status_code == 401
    refreshed = await hall.http.post(
        "/api/session/refresh", json={"refresh_token": opened.json()["refresh_token"]}
    )
    assert refreshed.status_code == 401
    assert (await hall.sign_in("wang")).status_code == 401
    await hall.ask("POST", f"/accounts/{id}/enable", by="sup")
    assert (await hall.sign_in("wang")).status_code == 200


async def test_a_new_password_ends_every_session(hall: TownHall, tree: dict[str, str]) -> None:
    id = await hall.an_account("wang", Role.VOLUNTEER, site_id=tree["station"])
    token, opened = await hall.token("wang"), (await hall.sign_in("wang")).json()
    hall.w.clock.advance(5)
    change, path = {"current": PASSWORD, "new": "another horse"}, f"/accounts/{id}/password"
    changed = await hall.ask("POST", path, change, token=token, key="p")
    again = await hall.ask("POST", path, change, token=await hall.token("wang", "another horse"), key="p")
    assert (changed.status_code, again.status_code, again.json()) == (200, 200, changed.json())
    assert (await hall.ask("GET", "/session", token=token)).status_code == 401
    refreshed = await hall.http.post("/api/session/refresh", json={"refresh_token": opened["refresh_token"]})
    assert refreshed.status_code == 401
    assert (await hall.sign_in("wang")).status_code == 401


async def test_ones_own_password_needs_the_present_one(hall: TownHall, tree: dict[str, str]) -> None:
    id = await hall.an_account("wang", Role.VOLUNTEER, site_id=tree["station"])
    for body in ({"new": "another horse"}, {"current": "wrong one", "new": "another horse"}):
        answer = await hall.ask("POST", f"/accounts/{id}/password", body, by="wang")
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (403, "/current")
    weak = await hall.ask("POST", f"/accounts/{id}/password", {"current": PASSWORD, "new": "x"}, by="wang")
    assert (weak.status_code, weak.json()["errors"][0]["pointer"]) == (422, "/new")


async def test_a_stolen_token_does_not_help_to_guess_the_password(
    hall: TownHall, tree: dict[str, str]
) -> None:
    id = await hall.an_account("wang", Role.VOLUNTEER, site_id=tree["station"])
    token = await hall.token("wang")
    guesses = [{"current": f"guess number {n}", "new": "another horse"} for n in range(6)]
    found = [
        (await hall.ask("POST", f"/accounts/{id}/password", g, token=token)).status_code for g in guesses
    ]
    assert found == [403] * 5 + [429]


async def test_strangers_who_guess_keep_nobody_from_a_new_password(
    hall: TownHall, tree: dict[str, str]
) -> None:
    id = await hall.an_account("wang", Role.VOLUNTEER, site_id=tree["station"])
    token = await hall.token("wang")
    async with hall.client("203.0.113.9") as afar:
        guesses = [(await hall.sign_in("wang", f"guess {n}", afar)).status_code for n in range(6)]
    assert guesses == [401] * 5 + [429]
    change = {"current": PASSWORD, "new": "another horse"}
    assert (await hall.ask("POST", f"/accounts/{id}/password", change, token=token)).status_code == 200


async def test_a_change_of_password_that_is_sent_again_is_no_guess(
    hall: TownHall, tree: dict[str, str]
) -> None:
    id = await hall.an_account("wang", Role.VOLUNTEER, site_id=tree["station"])
    change, path = {"current": PASSWORD, "new": "another horse"}, f"/accounts/{id}/password"
    first = await hall.ask("POST", path, change, by="wang", key="p")
    token = await hall.token("wang", "another horse")
    for _ in range(7):
        again = await hall.ask("POST", path, change, token=token, key="p")
        assert (again.status_code, again.json()) == (200, first.json())
    other = [
        await hall.ask("POST", path, change | {"current": f"guess {n}"}, token=token, key="p")
        for n in range(6)
    ]
    assert [answer.status_code for answer in other] == [422] * 5 + [429], (
        "another request under its key is a guess"
    )


async def test_an_administrator_sets_anothers_password_and_nobody_else_does(
    hall: TownHall, tree: dict[str, str]
) -> None:
    id = await hall.an_account("wang", Role.VOLUNTEER, site_id=tree["station"])
    for by, expected in (("staff", 404), ("sup", 404), ("admin", 200)):
        answer = await hall.ask("POST", f"/accounts/{id}/password", {"new": "another horse"}, by=by)
        assert answer.status_code == expected
    assert (await hall.sign_in("wang", "another horse")).status_code == 200
