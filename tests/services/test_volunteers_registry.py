"""People and teams: registered, activated, edited, certified; seen by themselves and by their station."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.volunteers.domain.registry import VolunteerStatus
from shared.contracts.vocabulary import Certificate
from shared.contracts.volunteers import TeamChanged, VolunteerChanged
from tests.services.volunteers_desk import COUNTY, EAST, WEST, Desk, a_profile, desk

CERTIFICATE = {"certificate": "child_director", "expires_on": "2026-03-02"}


async def test_a_volunteer_registers_and_waits_for_staff() -> None:
    async with desk() as d:
        answer = await d.ask("li", "POST /volunteers", a_profile())
        assert answer.status_code == 201 and answer.headers["location"] == "/api/volunteers/li"
        assert answer.json()["status"] == "pending"
        assert [e.state.active for e in d.w.said(VolunteerChanged)] == [False]
        assert (await d.ask("li", "POST /volunteers/li/activate")).status_code == 403
        assert (await d.ask("staff", "POST /volunteers/li/activate")).json()["status"] == "active"
        assert d.w.said(VolunteerChanged)[-1].state.active


async def test_staff_register_people_with_an_account_or_without_one() -> None:
    async with desk() as d:
        await d.registers("li")
        without = await d.ask("staff", "POST /volunteers", a_profile(), key="paper")
        again = await d.ask("staff", "POST /volunteers", a_profile(), key="paper")
        assert without.json()["status"] == "active" and without.json()["id"] not in ("li", "staff")
        assert again.json() == without.json() and len(d.w.said(VolunteerChanged)) == 2


async def test_nobody_is_registered_twice() -> None:
    async with desk() as d:
        await d.registers("li")
        answer = await d.ask("li", "POST /volunteers", a_profile())
        assert answer.status_code == 409 and answer.json()["type"].endswith("already-registered")


async def test_nobody_registers_somebody_else_or_for_another_station() -> None:
    async with desk() as d:
        other = await d.ask("li", "POST /volunteers", a_profile(account_id="wang"))
        foreign = await d.ask("staff", "POST /volunteers", a_profile(account_id="wang", site_id="west"))
        assert (other.status_code, foreign.status_code) == (403, 403)


async def test_name_and_phone_come_back_byte_for_byte_and_leave_in_no_event() -> None:
    name, phone = "阿·卜杜拉 བཀྲ་ཤིས 𠮷野🙂 ", "１３８-0000 0000"
    async with desk() as d:
        await d.ask("li", "POST /volunteers", a_profile(name=name, phone=phone))
        shown = (await d.ask("li", "GET /volunteers/li")).json()
        assert (shown["name"], shown["phone"]) == (name, phone)
        said = "".join(m.data.model_dump_json() for m in d.w.messages)
        assert name not in said and phone not in said


async def test_only_the_coarse_cell_of_a_home_is_kept() -> None:
    async with desk() as d:
        await d.registers("li", home={"lat": 26.7, "lon": 107.5})
        assert d.w.said(VolunteerChanged)[0].state.cell == "874001201ffffff"
        assert "lat" not in (await d.profile("li")).model_dump_json()
        answer = await d.ask("li", "PATCH /volunteers/li", {"home": None}, if_match='"1"')
        assert answer.json()["cell"] is None


async def test_whoever_has_moved_is_not_asked_around_the_old_home() -> None:
    async with desk() as d:
        await d.registers("li", home={"lat": 26.7, "lon": 107.5})
        coarser = await d.ask("li", "PATCH /volunteers/li", {"area": COUNTY}, if_match='"1"')
        assert coarser.json()["cell"] == "874001201ffffff"
        finer = await d.ask("li", "PATCH /volunteers/li", {"area": EAST}, if_match='"2"')
        assert finer.json()["cell"] == "874001201ffffff"
        moved = await d.ask("li", "PATCH /volunteers/li", {"area": WEST}, if_match='"3"')
        assert (moved.json()["area"], moved.json()["cell"]) == (WEST, None)


async def test_hours_are_given_as_slots_or_as_ranges() -> None:
    async with desk() as d:
        await d.registers("li", hours=[167, {"day": 0, "from": 9, "to": 12}, 10])
        assert d.w.said(VolunteerChanged)[0].state.hours == (9, 10, 11, 167)


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"area": "999999"}, "/area"),
        ({"area": "52270"}, "/area"),
        ({"site_id": "nowhere"}, "/site_id"),
        ({"zone": "Asia/Atlantis"}, "/zone"),
        ({"zone": "../etc/passwd"}, "/zone"),
        ({"zone": "localtime"}, "/zone"),
        ({"hours": [168]}, "/hours/0"),
        ({"hours": [{"day": 0, "from": 12, "to": 12}]}, "/hours/0/to"),
        ({"hours": [{"day": 7, "from": 1, "to": 2}]}, "/hours/0/day"),
        ({"name": ""}, "/name"),
        ({"name": "x" * 61}, "/name"),
        ({"skills": ["flying"]}, "/skills/0"),
        ({"modes": []}, "/modes"),
        ({"weekly_cap_minutes": -1}, "/weekly_cap_minutes"),
        ({"home": {"lat": 91, "lon": 0}}, "/home/lat"),
        (
            {"free": [{"start_at": "2026-03-02T09:00:00Z", "end_at": "2026-03-02T09:00:00Z"}]},
            "/free/0/end_at",
        ),
        (
            {"busy": [{"start_at": "2026-03-02T09:00:00", "end_at": "2026-03-02T10:00:00Z"}]},
            "/busy/0/start_at",
        ),
        ({"certificates": [{**CERTIFICATE, "expires_on": "2026-03-01"}]}, "/certificates/0/expires_on"),
        ({"certificates": [CERTIFICATE, CERTIFICATE]}, "/certificates/1/certificate"),
        ({"status": "active"}, "/status"),
        ({"account_id": "a b"}, "/account_id"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_its_field_and_changes_nothing(
    wrong: dict[str, Any], pointer: str
) -> None:
    async with desk() as d:
        answer = await d.ask("li", "POST /volunteers", a_profile(**wrong))
        assert answer.status_code == 422, answer.text
        assert pointer in [e["pointer"] for e in answer.json()["errors"]]
        assert not d.w.messages


async def test_an_expired_certificate_is_refused_and_one_good_until_today_is_not() -> None:
    async with desk() as d:
        await d.registers("li")
        old = {**CERTIFICATE, "expires_on": "2026-03-01"}
        refused = await d.ask("staff", "POST /volunteers/li/certificates", old)
        assert refused.status_code == 422 and refused.json()["type"].endswith("certificate-expired")
        assert refused.json()["errors"][0]["pointer"] == "/expires_on"
        assert (await d.ask("staff", "POST /volunteers/li/certificates", CERTIFICATE)).status_code == 200
        (held,) = d.w.said(VolunteerChanged)[-1].state.certificates
        assert held.certificate is Certificate.CHILD_DIRECTOR


async def test_a_certificate_that_staff_take_off_the_file_counts_no_more() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.ask("staff", "POST /volunteers/li/certificates", CERTIFICATE)
        assert len(d.w.said(VolunteerChanged)[-1].state.certificates) == 1
        gone = {"certificate": "child_director"}
        path = "POST /volunteers/li/certificates/withdraw"
        assert (await d.ask("li", path, gone)).status_code == 403
        left = await d.ask("staff", path, gone)
        assert (left.status_code, left.json()["certificates"]) == (200, [])
        assert d.w.said(VolunteerChanged)[-1].state.certificates == ()
        said = len(d.w.said(VolunteerChanged))
        assert (await d.ask("staff", path, gone)).status_code == 200
        assert len(d.w.said(VolunteerChanged)) == said, "it is not there twice"


async def test_a_certificate_entered_by_the_person_counts_only_when_staff_have_seen_it() -> None:
    """Otherwise anybody could make themselves one of the named people for a child."""
    async with desk() as d:
        await d.ask("li", "POST /volunteers", a_profile(certificates=[CERTIFICATE]))
        assert d.w.said(VolunteerChanged)[-1].state.certificates == ()
        await d.ask("staff", "POST /volunteers/li/activate")
        assert len(d.w.said(VolunteerChanged)[-1].state.certificates) == 1
        nurse = {"certificate": "nurse"}
        shown = await d.ask("li", "POST /volunteers/li/certificates", nurse)
        assert [c["verified"] for c in shown.json()["certificates"]] == [True, False]
        assert len(d.w.said(VolunteerChanged)[-1].state.certificates) == 1
        await d.ask("staff", "POST /volunteers/li/certificates", nurse)
        assert len(d.w.said(VolunteerChanged)[-1].state.certificates) == 2


async def test_a_certificate_counts_on_while_its_renewal_waits_for_staff() -> None:
    async with desk() as d:
        await d.ask("li", "POST /volunteers", a_profile(certificates=[CERTIFICATE]))
        await d.ask("staff", "POST /volunteers/li/activate")
        renewed = {**CERTIFICATE, "expires_on": "2029-03-02"}
        for _ in range(2):
            handed_in = await d.ask("li", "POST /volunteers/li/certificates", renewed)
        assert [c["verified"] for c in handed_in.json()["certificates"]] == [True, False]
        (held,) = d.w.said(VolunteerChanged)[-1].state.certificates
        assert str(held.expires_on) == CERTIFICATE["expires_on"]
        await d.ask("staff", "POST /volunteers/li/activate")
        (held,) = d.w.said(VolunteerChanged)[-1].state.certificates
        assert str(held.expires_on) == renewed["expires_on"]


async def test_an_edit_names_the_version_it_edits_and_changes_only_what_it_names() -> None:
    async with desk() as d:
        await d.registers("li")
        read = await d.ask("li", "GET /volunteers/li")
        tag = read.headers["etag"]
        body = {"skills": ["errands", "errands", "haircut"], "quiet_from": 1260, "zone": "Asia/Urumqi"}
        edited = await d.ask("li", "PATCH /volunteers/li", body, if_match=tag)
        assert edited.json()["skills"] == ["errands", "haircut"]
        assert edited.json()["name"] == "罗小梅" and edited.json()["zone"] == "Asia/Urumqi"
        assert (await d.ask("li", "PATCH /volunteers/li", {}, if_match=tag)).status_code == 412
        assert (await d.ask("li", "PATCH /volunteers/li", {})).status_code == 428


async def test_windows_that_are_over_are_forgotten_at_the_next_edit() -> None:
    async with desk() as d:
        over = {"start_at": "2026-03-01T01:00:00Z", "end_at": "2026-03-02T01:00:00Z"}
        ahead = {"start_at": "2026-03-01T01:00:00Z", "end_at": "2026-03-02T01:00:01Z"}
        await d.registers("li", busy=[over, ahead])
        edited = await d.ask("li", "PATCH /volunteers/li", {"reach_km": 5}, if_match='"1"')
        assert edited.json()["busy"] == [ahead]


async def test_a_block_can_be_lifted() -> None:
    async with desk() as d:
        await d.registers("li")
        until = {"until": "2026-04-01T08:00:00+08:00"}
        blocked = await d.ask("li", "POST /volunteers/li/block", until)
        assert blocked.json()["blocked_until"] == "2026-04-01T00:00:00Z"
        lifted = await d.ask("li", "POST /volunteers/li/block", {"until": None})
        assert lifted.json()["blocked_until"] is None


async def test_volunteers_see_themselves_and_staff_see_their_site() -> None:
    async with desk() as d:
        await d.registers("li", "wang")
        seen = {}
        for who in ("li", "staff", "boss", "stranger"):
            seen[who] = [p["id"] for p in (await d.ask(who, "GET /volunteers")).json()["items"]]
        assert seen == {"li": ["li"], "staff": ["li", "wang"], "boss": ["li", "wang"], "stranger": []}
        assert (await d.ask("li", "GET /volunteers/wang")).status_code == 404
        assert (await d.ask("stranger", "GET /volunteers/li")).status_code == 404
        assert (await d.ask("charity", "GET /volunteers")).status_code == 403
        assert (await d.ask("stranger", "GET /volunteers?site_id=east")).json()["items"] == []
        active = await d.ask("staff", "GET /volunteers?status=inactive")
        assert active.json()["items"] == []


@pytest.mark.parametrize(
    "call",
    [
        "PATCH /volunteers/li",
        "POST /volunteers/li/activate",
        "POST /volunteers/li/deactivate",
        "POST /volunteers/li/certificates",
        "POST /volunteers/li/block",
        "GET /volunteers/li/calendar",
    ],
)
async def test_another_station_cannot_tell_that_a_person_exists(call: str) -> None:
    bodies = {"certificates": CERTIFICATE, "block": {"until": None}, "li": {}}
    async with desk() as d:
        await d.registers("li")
        body = bodies.get(call.rsplit("/", 1)[1])
        there = await d.ask("stranger", call, body, if_match='"1"')
        nowhere = await d.ask("stranger", call.replace("/li", "/nobody"), body, if_match='"1"')
        assert there.status_code == nowhere.status_code == 404 and there.json() == nowhere.json()


async def test_a_calendar_shows_what_is_held_and_how_full_the_week_is() -> None:
    async with desk() as d:
        await d.registers("li")
        empty = (await d.ask("li", "GET /volunteers/li/calendar")).json()
        assert empty["tasks"] == [] and empty["invitations"] == []
        await d.takes("li", "need-1")
        shown = (await d.ask("staff", "GET /volunteers/li/calendar")).json()
        assert [t["id"] for t in shown["tasks"]] == ["li~need-1"]
        assert shown["minutes_by_week"] == {"2026-W10": 120}


def lines(*rows: dict[str, Any] | bytes) -> bytes:
    return b"\n".join(r if isinstance(r, bytes) else json.dumps(r, ensure_ascii=False).encode() for r in rows)


async def loads(d: Desk, *rows: dict[str, Any] | bytes, who: str = "boss") -> Any:
    return await d.ask(who, "POST /volunteers/bulk", lines(*rows), Content_Type="application/x-ndjson")


async def test_many_people_are_loaded_at_once_and_loading_them_again_is_harmless() -> None:
    async with desk() as d:
        rows = [a_profile(key=f"row-{n}") for n in range(300)]
        first = (await loads(d, *rows)).json()
        again = (await loads(d, *rows)).json()
        assert (first["lines"], first["created"], first["repeated"]) == (300, 300, 0)
        assert (again["created"], again["repeated"]) == (0, 300)
        assert all(e.state.active for e in d.w.said(VolunteerChanged))


async def test_a_wrong_line_is_named_and_does_not_stop_the_others() -> None:
    async with desk() as d:
        answer = await loads(
            d,
            a_profile(key="1"),
            b"",
            b"{broken",
            a_profile(key="2", area="999999"),
            a_profile(),
            a_profile(key="3", name=""),
        )
        said = answer.json()
        assert (said["created"], said["refused"]) == (1, 4)
        assert [(e["line"], e["field"]) for e in said["errors"]] == [
            (3, None),
            (4, "/area"),
            (5, "/key"),
            (6, "/name"),
        ]


async def test_only_those_above_load_people_and_only_below_themselves() -> None:
    async with desk() as d:
        assert (await loads(d, a_profile(key="1"), who="staff")).status_code == 403
        outside = (await loads(d, a_profile(key="1", site_id="moon"))).json()
        assert outside["refused"] == 1 and outside["errors"][0]["field"] == "/site_id"


async def test_nobody_registers_at_or_moves_to_a_station_that_has_closed_and_who_is_there_stays() -> None:
    async with desk() as d:
        await d.registers("li")
        await d.ask("wang", "POST /volunteers", a_profile(), key="once")
        await loads(d, a_profile(key="1", site_id="east"))
        d.closes("east")
        said = len(d.w.said(VolunteerChanged))
        again = await d.ask("wang", "POST /volunteers", a_profile(), key="once")
        assert (again.status_code, again.json()["id"]) == (201, "wang"), "what was done is said again"
        assert (await loads(d, a_profile(key="1", site_id="east"))).json()["repeated"] == 1
        loaded = (
            await loads(d, a_profile(key="2", site_id="east"), a_profile(key="3", site_id="west"))
        ).json()
        assert (loaded["created"], [e["field"] for e in loaded["errors"]]) == (1, ["/site_id"])
        fresh = await d.ask("zhao", "POST /volunteers", a_profile())
        moves = await d.ask("li", "PATCH /volunteers/li", {"site_id": "west"}, if_match='"1"')
        back = await d.ask("li", "PATCH /volunteers/li", {"site_id": "east"}, if_match='"2"')
        stays = await d.ask(
            "wang", "PATCH /volunteers/wang", {"site_id": "east", "reach_km": 7}, if_match='"1"'
        )
        assert (moves.status_code, stays.json()["reach_km"]) == (200, 7)
        for refused in (fresh, back):
            assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/site_id")
        assert len(d.w.said(VolunteerChanged)) == said + 3


def a_team(**changes: Any) -> dict[str, Any]:
    return {"name": "夕阳红", "site_id": "east", "leader_id": "li", "member_ids": ["wang"], **changes}


async def test_a_team_is_founded_with_its_leader_in_it_and_its_members_know() -> None:
    async with desk() as d:
        await d.registers("li", "wang")
        answer = await d.ask("staff", "POST /teams", a_team(), key="same")
        again = await d.ask("staff", "POST /teams", a_team(), key="same")
        assert answer.status_code == 201 and answer.json() == again.json()
        assert [e.member_ids for e in d.w.said(TeamChanged)] == [("li", "wang")]
        assert (await d.profile("wang")).team_ids == (answer.json()["id"],)


async def test_members_who_leave_and_teams_that_close_show_on_the_profiles() -> None:
    async with desk() as d:
        await d.registers("li", "wang", "zhao")
        id = (await d.ask("staff", "POST /teams", a_team())).json()["id"]
        edited = await d.ask("staff", f"PATCH /teams/{id}", {"member_ids": ["zhao"]}, if_match='"1"')
        assert edited.json()["member_ids"] == ["li", "zhao"]
        assert (await d.profile("wang")).team_ids == () and (await d.profile("zhao")).team_ids == (id,)
        tag = edited.headers["etag"]
        await d.ask("staff", f"PATCH /teams/{id}", {"active": False}, if_match=tag)
        assert (await d.profile("li")).team_ids == () and (await d.profile("zhao")).team_ids == ()


async def test_a_team_takes_only_registered_people_of_a_site_in_reach() -> None:
    async with desk() as d:
        await d.registers("li")
        unknown = await d.ask("staff", "POST /teams", a_team())
        assert unknown.status_code == 422 and unknown.json()["errors"][0]["pointer"] == "/member_ids/0"
        foreign = await d.ask("stranger", "POST /teams", a_team(member_ids=[]))
        assert foreign.status_code == 403


async def test_teams_are_seen_by_their_station_and_by_volunteers() -> None:
    async with desk() as d:
        await d.registers("li", "wang")
        id = (await d.ask("staff", "POST /teams", a_team())).json()["id"]
        for who, count in (("li", 1), ("staff", 1), ("boss", 1), ("stranger", 0)):
            assert len((await d.ask(who, "GET /teams?site_id=east")).json()["items"]) == count
        assert (await d.ask("li", f"GET /teams/{id}")).status_code == 200
        assert (await d.ask("stranger", f"GET /teams/{id}")).status_code == 404
        assert (await d.ask("li", f"PATCH /teams/{id}", {}, if_match='"1"')).status_code == 403


async def test_a_person_who_moves_to_another_station_is_seen_there() -> None:
    async with desk() as d:
        await d.registers("li")
        moved = {"site_id": "west", "area": WEST}
        await d.ask("li", "PATCH /volunteers/li", moved, if_match='"1"')
        assert (await d.ask("stranger", "GET /volunteers/li")).status_code == 200
        assert (await d.ask("staff", "GET /volunteers/li")).status_code == 404
        assert (await d.profile("li")).status is VolunteerStatus.ACTIVE
        assert EAST != WEST
