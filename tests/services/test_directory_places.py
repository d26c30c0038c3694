"""Areas, sites and organisations: who may add what, and where."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from shared.contracts.directory import OrganisationChanged, SiteChanged, VillageAdded
from shared.contracts.vocabulary import Criterion, Role
from tests.services.town_hall import FUQUAN, JINSHAN, TownHall, a_town_hall


@pytest_asyncio.fixture
async def hall() -> AsyncIterator[TownHall]:
    async with a_town_hall() as hall:
        yield hall


async def a_tree(hall: TownHall) -> dict[str, str]:
    """One site of each tier, Fuquan's, and a station of another county."""
    center = await hall.a_site("center", None, "5227")
    main = await hall.a_site("main_station", center)
    station = await hall.a_site("station", main, JINSHAN)
    other = await hall.a_site("main_station", center, "522701")
    return {"center": center, "main": main, "station": station, "other": other}


async def test_anybody_may_walk_the_area_tree(hall: TownHall) -> None:
    provinces = await hall.ask("GET", "/areas?limit=200", by=None)
    assert [a["code"] for a in provinces.json()["items"]][:2] == ["11", "12"]
    fuquan = (await hall.ask("GET", f"/areas/{FUQUAN}", by=None)).json()
    assert fuquan["name"] == "福泉市"
    assert [a["code"] for a in fuquan["ancestors"]] == ["52", "5227"]
    townships = (await hall.ask("GET", f"/areas?parent={FUQUAN}", by=None)).json()["items"]
    assert len(townships) == 8
    assert {t["level"] for t in townships} == {"township"}


async def test_areas_come_a_page_at_a_time(hall: TownHall) -> None:
    first = (await hall.ask("GET", f"/areas?parent={FUQUAN}&limit=5", by=None)).json()
    cursor = first["next_cursor"]
    rest = (await hall.ask("GET", f"/areas?parent={FUQUAN}&limit=5&cursor={cursor}", by=None)).json()
    assert [len(first["items"]), len(rest["items"]), rest["next_cursor"]] == [5, 3, None]


async def test_an_unknown_area_is_not_found(hall: TownHall) -> None:
    for path in ("/areas/999999", "/areas?parent=999999", "/areas/x"):
        assert (await hall.ask("GET", path, by=None)).status_code == 404


async def test_a_village_is_added_below_its_township_and_everybody_hears_of_it(hall: TownHall) -> None:
    village = {"code": JINSHAN + "001", "name": "金山社区"}
    answer = await hall.ask("POST", "/areas", village)
    assert (answer.status_code, answer.headers["location"]) == (201, f"/api/areas/{village['code']}")
    assert hall.w.said(VillageAdded) == [VillageAdded(area_name="金山社区", parent=JINSHAN)]
    assert (await hall.ask("GET", f"/areas?parent={JINSHAN}", by=None)).json()["items"][0][
        "name"
    ] == "金山社区"
    read = (await hall.ask("GET", f"/areas/{village['code']}", by=None)).json()
    assert [a["code"] for a in read["ancestors"]] == ["52", "5227", FUQUAN, JINSHAN]
    again = await hall.ask("POST", "/areas", village)
    assert (again.status_code, again.json()["type"]) == (409, "urn:wushe:problem:area-exists")


@pytest.mark.parametrize(
    "code", ["522702001", "5227020010011", "52270200100x", "５２２７０２００１００１", "999999999001"]
)
async def test_a_code_that_is_no_village_of_a_known_township_is_refused(hall: TownHall, code: str) -> None:
    answer = await hall.ask("POST", "/areas", {"code": code, "name": "某村"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/code")
    assert hall.w.said(VillageAdded) == []


async def test_a_supervisor_adds_villages_in_the_own_area_only(hall: TownHall) -> None:
    tree = await a_tree(hall)
    await hall.an_account("sup", Role.SUPERVISOR, site_id=tree["main"])
    own = await hall.ask("POST", "/areas", {"code": JINSHAN + "002", "name": "内"}, by="sup")
    outside = await hall.ask("POST", "/areas", {"code": "522701001002", "name": "外"}, by="sup")
    assert (own.status_code, outside.status_code) == (201, 403)


async def test_a_site_hangs_below_the_tier_above(hall: TownHall) -> None:
    tree = await a_tree(hall)
    room = {"name": "社工室", "kind": "room", "area": JINSHAN}
    for parent in (None, tree["main"], tree["center"], "nowhere"):
        answer = await hall.ask("POST", "/sites", room | {"parent_id": parent})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/parent_id")
    opened = await hall.ask("POST", "/sites", room | {"parent_id": tree["station"]})
    assert opened.status_code == 201
    assert hall.w.atlas.is_under(opened.json()["id"], tree["center"])
    second_root = await hall.ask(
        "POST", "/sites", {"name": "x", "kind": "center", "area": "5227", "parent_id": tree["main"]}
    )
    assert second_root.status_code == 422


async def test_a_site_needs_an_area_and_a_zone_that_exist(hall: TownHall) -> None:
    site = {"name": "中心", "kind": "center", "area": "5227"}
    for wrong in (
        {"area": "5299"},
        {"zone": "Asia/Fuquan"},
        {"zone": "../etc/passwd"},
        {"zone": "posixrules"},
        {"zone": ""},
    ):
        answer = await hall.ask("POST", "/sites", site | wrong)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, f"/{next(iter(wrong))}")


async def test_a_station_sets_its_own_policy(hall: TownHall) -> None:
    station = (await a_tree(hall))["station"]
    etag = (await hall.ask("GET", f"/sites/{station}")).headers["etag"]
    order = ["waiting", "fit", "load", "distance", "continuity"]
    policy = {"criteria": order, "wave_seconds": 3, "allow_partial": False}
    edited = await hall.ask("PATCH", f"/sites/{station}", {"policy": policy}, etag=etag)
    assert edited.status_code == 200
    assert edited.json()["policy"]["criteria"] == order
    heard = hall.w.atlas.policy(station)
    assert (heard.criteria[0], heard.wave_seconds, heard.allow_partial) == (Criterion.WAITING, 3, False)
    assert (heard.hold_seconds, heard.urgent_wave_seconds) == (4 * 3600, 180)
    stale = await hall.ask("PATCH", f"/sites/{station}", {"name": "新名"}, etag=etag)
    assert stale.status_code == 412


@pytest.mark.parametrize(
    ("policy", "pointer"),
    [
        ({"criteria": ["fit"]}, "/policy/criteria"),
        ({"criteria": ["fit", "fit", "load", "distance", "continuity"]}, "/policy/criteria"),
        ({"criteria": ["luck"]}, "/policy/criteria/0"),
        ({"wave_seconds": 0}, "/policy/wave_seconds"),
        ({"tier_seconds": -1}, "/policy/tier_seconds"),
        ({"hold_seconds": None}, "/policy/hold_seconds"),
        ({"wave_growth": 0.5}, "/policy/wave_growth"),
        ({"first_wave": 1.5}, "/policy/first_wave"),
        ({"patience": 1}, "/policy/patience"),
    ],
)
async def test_a_policy_that_makes_no_sense_is_refused(
    hall: TownHall, policy: dict[str, Any], pointer: str
) -> None:
    center = await hall.a_site("center", None, "5227")
    answer = await hall.ask("PATCH", f"/sites/{center}", {"policy": policy}, etag='"1"')
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert len(hall.w.said(SiteChanged)) == 1


async def test_an_edit_that_changes_nothing_says_nothing(hall: TownHall) -> None:
    center = await hall.a_site("center", None, "5227", name="中心")
    answer = await hall.ask("PATCH", f"/sites/{center}", {"name": "中心"}, etag='"1"')
    assert (answer.status_code, answer.headers["etag"]) == (200, '"1"')
    assert len(hall.w.said(SiteChanged)) == 1


async def test_a_supervisor_works_in_the_own_subtree_only(hall: TownHall) -> None:
    tree = await a_tree(hall)
    await hall.an_account("sup", Role.SUPERVISOR, site_id=tree["main"])
    new = {"name": "新站", "kind": "station", "area": JINSHAN}
    opened = [
        (await hall.ask("POST", "/sites", new | {"parent_id": tree[parent]}, by="sup")).status_code
        for parent in ("main", "other")
    ]
    edited = [
        (await hall.ask("PATCH", f"/sites/{tree[site]}", {"name": "改"}, by="sup", etag='"1"')).status_code
        for site in ("main", "station", "other", "center")
    ]
    assert opened == [201, 403]
    assert edited == [200, 200, 403, 403]


async def test_sites_are_listed_by_parent_and_kind(hall: TownHall) -> None:
    tree = await a_tree(hall)
    below = (await hall.ask("GET", f"/sites?parent_id={tree['center']}")).json()["items"]
    assert {s["id"] for s in below} == {tree["main"], tree["other"]}
    stations = (await hall.ask("GET", "/sites?kind=station")).json()["items"]
    assert [s["id"] for s in stations] == [tree["station"]]


async def test_the_same_opening_twice_is_one_site(hall: TownHall) -> None:
    site = {"name": "中心", "kind": "center", "area": "5227"}
    first, second = [await hall.ask("POST", "/sites", site, key="same") for _ in range(2)]
    assert first.json() == second.json()
    assert len(hall.w.said(SiteChanged)) == 1


async def test_organisations_of_all_five_parties_are_registered_and_edited(hall: TownHall) -> None:
    tree = await a_tree(hall)
    for kind in ("community", "social_organisation", "social_work", "volunteer_team", "charity"):
        await hall.has("/organisations", {"name": f"{kind}·福泉", "kind": kind, "site_id": tree["main"]})
    charities = (await hall.ask("GET", "/organisations?kind=charity")).json()["items"]
    assert [c["name"] for c in charities] == ["charity·福泉"]
    closed = await hall.ask("PATCH", f"/organisations/{charities[0]['id']}", {"active": False}, etag='"1"')
    assert closed.json()["active"] is False
    assert [o.active for o in hall.w.said(OrganisationChanged)] == [True] * 5 + [False]


async def test_no_persons_number_stands_in_a_name_that_everybody_hears(hall: TownHall) -> None:
    tree = await a_tree(hall)
    number = "王师傅 １３８ ０８５４ ０００１"
    site = {"kind": "room", "parent_id": tree["station"], "area": JINSHAN}
    answers = [
        await hall.ask("POST", "/areas", {"code": JINSHAN + "001", "name": number}),
        await hall.ask("POST", "/sites", site | {"name": number}),
        await hall.ask("POST", "/organisations", {"name": number, "kind": "charity"}),
        await hall.ask("PATCH", f"/sites/{tree['main']}", {"name": number}, etag='"1"'),
    ]
    assert [(a.status_code, [e["pointer"] for e in a.json()["errors"]]) for a in answers] == [
        (422, ["/name"])
    ] * 4


async def test_an_organisation_needs_a_site_that_exists_or_none(hall: TownHall) -> None:
    charity = {"name": "慈善会", "kind": "charity"}
    assert (await hall.ask("POST", "/organisations", charity)).status_code == 201
    lost = await hall.ask("POST", "/organisations", charity | {"site_id": "nowhere"})
    assert (lost.status_code, lost.json()["errors"][0]["pointer"]) == (422, "/site_id")


async def test_a_supervisor_cannot_move_an_organisation_in_or_out_of_the_own_subtree(hall: TownHall) -> None:
    tree = await a_tree(hall)
    await hall.an_account("sup", Role.SUPERVISOR, site_id=tree["main"])
    mine = await hall.has("/organisations", {"name": "a", "kind": "charity", "site_id": tree["station"]})
    theirs = await hall.has("/organisations", {"name": "b", "kind": "charity", "site_id": tree["other"]})
    moves = [
        (mine, tree["main"], 200),
        (mine, tree["other"], 403),
        (mine, None, 403),
        (theirs, tree["main"], 403),
    ]
    for id, to, expected in moves:
        etag = (await hall.ask("GET", f"/organisations/{id}")).headers["etag"]
        moved = await hall.ask("PATCH", f"/organisations/{id}", {"site_id": to}, by="sup", etag=etag)
        assert moved.status_code == expected
