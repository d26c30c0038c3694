"""A whole story full of planted names, phones, addresses and notes; then a look for them everywhere they may not be."""

from __future__ import annotations

import asyncio
import json
import logging
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI
from prometheus_client import generate_latest
from structlog.testing import capture_logs

from shared.contracts import Message
from shared.contracts.base import Event
from shared.contracts.needs import NeedPosted
from shared.contracts.topics import TOPICS
from shared.contracts.vocabulary import Role
from shared.contracts.volunteers import VolunteerChanged
from shared.http.api import make_api
from shared.http.problems import WithoutWords, speak_problems
from shared.ports import Outgoing
from shared.run.dead_letters import DeadLetter, letters
from shared.run.dispatch import Dispatcher
from shared.run.kit import on
from shared.run.letters_http import letters_service
from shared.run.metrics import Metrics
from shared.security.tokens import TokenVerifier
from tests.cast import TOWNSHIP, Cast, Person
from tests.http.canaries import Canaries, Ears
from tests.http.everything import everything
from tests.town import Answer, Town, town

POISONED = "poisoned"
pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Told:
    """What the story left behind."""

    t: Town
    cast: Cast
    planted: Canaries = field(default_factory=Canaries)
    ears: Ears = field(default_factory=Ears)
    lines: list[Any] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)

    async def call(self, token: str | None, method: str, path: str, body: Any = None, **how: Any) -> Answer:
        answer = await self.t.call(token, method, path, body, **how)
        self.ears.heard.append((method, path, answer.status, dict(answer.headers), answer.body))
        return answer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told() -> AsyncIterator[Told]:
    async with town() as t:
        verifier = TokenVerifier(t.mint.public_key, t.clock)
        units = t.system.units
        services = [*(unit.service for unit in units.values()), letters_service(units)]
        api = make_api(services, atlas=t.system.atlas, verifier=verifier, access_log=True)
        t.http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=api), base_url="http://town")
        story = Told(t, Cast(t.call, t.token, t.clock.now))
        story.cast.call = story.call
        with capture_logs() as lines:
            await tell(story)
        story.lines = list(lines)
        yield story


async def tell(s: Told) -> None:
    await s.cast.arrive()
    await s.t.settle()
    await accounts(s)
    volunteers = await people(s)
    await gifts(s)
    home = await file(s)
    await leads(s, home)
    await service(s, home, volunteers)
    await endings(s, home)
    await mistakes(s, home)
    await poison(s, home)
    await looking_round(s)


async def accounts(s: Told) -> None:
    """A telephone number is a login, as often as not."""
    p = s.planted
    password, login = p.text("directory", "密码"), p.phone("directory")
    body = {"login": login, "password": password, "name": p.text("directory", "账号"), "roles": ["scout"]}
    made = await s.cast.made(s.cast.admin, "/api/accounts", {**body, "site_id": s.cast.station})
    await s.call(None, "POST", "/api/session", {"login": login, "password": password})
    await s.call(None, "POST", "/api/session", {"login": login, "password": password + "?"})
    s.t.http.cookies.clear()
    again = await s.call(s.cast.admin.token, "POST", "/api/accounts", {**body, "site_id": s.cast.station})
    assert again.status == 409
    me = s.t.token(made["id"], Role.SCOUT, site_id=s.cast.station)
    changes = {"current": password, "new": p.text("directory", "新密码")}
    changed = await s.call(me, "POST", f"/api/accounts/{made['id']}/password", changes)
    assert changed.status == 200
    await s.t.settle()


async def people(s: Told) -> list[Person]:
    p = s.planted
    found = []
    for name in ("li", "wang"):
        person = await s.cast.volunteer(name, phone=p.phone("volunteers"))
        edit = {"name": p.text("volunteers", "志愿者")}
        path, match = f"/api/volunteers/{person.id}", {"If-Match": '"1"'}
        assert (await s.call(person.token, "PATCH", path, edit, headers=match)).status == 200
        found.append(person)
    bulk = {"key": "1", "name": p.text("volunteers", "批量"), "area": "99", "site_id": s.cast.station}
    await load(s, "/api/volunteers/bulk", bulk)
    team = {"name": p.text("volunteers", "队名"), "site_id": s.cast.station, "leader_id": found[0].id}
    await s.cast.made(s.cast.staff, "/api/teams", team)
    hours = {"day": "2026-03-01", "minutes": 30, "reason": p.text("volunteers", "补录")}
    await s.cast.made(s.cast.staff, f"/api/volunteers/{found[0].id}/hours", hours)
    await s.t.settle()
    return found


async def load(s: Told, path: str, *rows: dict[str, Any]) -> None:
    """A bulk load whose lines are refused: the errors say where, and quote nothing."""
    supervisor = s.cast.supervisor.token
    content = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    headers = {"Authorization": f"Bearer {supervisor}", "Content-Type": "application/x-ndjson"}
    answer = await s.t.http.post(path, content=content, headers=headers)
    assert answer.status_code == 200 and answer.json()["refused"] == len(rows), answer.text
    s.ears.heard.append(("POST", path, 499, dict(answer.headers), answer.json()))


async def gifts(s: Told) -> None:
    p = s.planted
    donor = {
        "name": p.text("resources", "捐赠人"),
        "phone": p.phone("resources"),
        "code": p.text("resources", "票号"),
    }
    given = await s.cast.made(s.cast.donor, "/api/donors", donor)
    lot = await s.cast.lot(20, donor_id=given["id"], note=p.text("resources", "附言"))
    fund = {
        "amount_fen": 5000,
        "area": TOWNSHIP,
        "note": p.text("resources", "善款附言"),
        "donor_id": given["id"],
    }
    await s.cast.made(s.cast.donor, "/api/funds", fund)
    off = {"quantity": 1, "reason": "damaged"}
    assert (await s.cast.does(s.cast.donor, f"/api/lots/{lot['id']}/write-off", off)).status == 200
    await s.t.settle()


async def file(s: Told) -> dict[str, Any]:
    p = s.planted
    resident = {"name": p.text("needs", "住户"), "birth_date": "1944-05-06", "relation": "head"}
    child = {"name": p.text("needs", "小孩"), "birth_date": "2016-05-06", "phone": p.phone("needs")}
    home = await s.cast.household(
        address=p.text("needs", "住址"),
        phone=p.phone("needs"),
        old_address=p.text("needs", "旧址"),
        old_area=TOWNSHIP,
        residents=[{**resident, "phone": p.phone("needs")}, child],
    )
    path = f"/api/households/{home['id']}"
    joins = {"name": p.text("needs", "新成员"), "phone": p.phone("needs")}
    assert (await s.call(s.cast.staff.token, "POST", f"{path}/residents", joins)).status == 201
    moves = {"address": p.text("needs", "新住址"), "move": "moved"}
    edited = await s.call(s.cast.staff.token, "PATCH", path, moves, headers={"If-Match": '"2"'})
    assert edited.status == 200, edited.body
    await s.t.settle()
    return home


async def leads(s: Told, home: dict[str, Any]) -> None:
    p = s.planted
    scout = Person("scout", s.t.token("scout", Role.SCOUT, site_id=s.cast.station))
    for act in ("verify", "dismiss"):
        told = {"area": TOWNSHIP, "text": p.text("needs", "线索"), "crisis": act == "verify"}
        lead = await s.cast.made(scout, "/api/leads", told)
        order = {"household_id": home["id"], "beneficiary_id": home["resident_ids"][0], "category": "comfort"}
        verify = {**order, "note": p.text("needs", "核实"), "lines": [s.cast.people_line(hours=50)]}
        body = verify if act == "verify" else {"outcome": "known"}
        assert (await s.cast.does(s.cast.staff, f"/api/leads/{lead['id']}/{act}", body)).status < 300
    await s.t.settle()


def order(s: Told, home: dict[str, Any]) -> dict[str, Any]:
    """What is said with a need: free text, and people who speak for others."""
    p = s.planted
    applicant = {
        "name": p.text("needs", "申请人"),
        "phone": p.phone("needs"),
        "relation": p.text("needs", "关系"),
    }
    relayer = {"name": p.text("needs", "转述人")}
    return {
        "beneficiary_id": home["resident_ids"][0],
        "note": p.text("needs", "备注"),
        "applicant": applicant,
        "relayer": relayer,
    }


async def service(s: Told, home: dict[str, Any], volunteers: list[Person]) -> None:
    """Posted, won, looked up, served, received, rated."""
    p, cast = s.planted, s.cast
    need = await cast.need(home, cast.people_line(), cast.goods_line(2), **order(s, home))
    await s.t.settle()
    li = volunteers[0]
    (asked,) = [i for i in await cast.invitations(li) if i["need_id"] == need["id"]]
    won = await cast.does(li, f"/api/invitations/{asked['id']}/accept")
    assert won.status == 200, won.body
    await s.t.settle()
    for person in (li, cast.staff):
        assert (await s.call(person.token, "GET", f"/api/needs/{need['id']}/contact")).status == 200
    await s.t.passes(hours=2)
    cast.appoint()
    li = cast.person(li.id)
    for step in ("check-in", "check-out"):
        assert (await cast.does(li, f"/api/tasks/{won.body['id']}/{step}")).status == 200
        await s.t.settle()
    (hold,) = (await cast.got(cast.staff, f"/api/holds?need_id={need['id']}"))["items"]
    signed = {"relation": "neighbour", "signature": p.text("resources", "签收人")}
    assert (await cast.does(cast.staff, f"/api/holds/{hold['id']}/issue")).status == 200
    assert (await cast.does(cast.staff, f"/api/holds/{hold['id']}/receipt", signed)).status == 200
    await s.t.settle()
    rating = {"score": 5, "channel": "phone", "comment": p.text("needs", "评语")}
    assert (await cast.does(cast.staff, f"/api/needs/{need['id']}/rate", rating)).status == 200
    await s.t.settle()


async def endings(s: Told, home: dict[str, Any]) -> None:
    """One need cancelled, one handed on to a body that is known by name only, one lapsed."""
    p, cast = s.planted, s.cast
    one, two, _ = [await cast.need(home, cast.people_line(hours=9), **order(s, home)) for _ in range(3)]
    why = {"reason": "other", "note": p.text("needs", "取消说明")}
    assert (await cast.does(cast.staff, f"/api/needs/{one['id']}/cancel", why)).status == 200
    answer_by = (s.t.clock.now() + timedelta(hours=5)).isoformat()
    refer = {"body": p.text("needs", "外部单位"), "answer_by": answer_by, "note": p.text("needs", "转介说明")}
    assert (await cast.does(cast.staff, f"/api/needs/{two['id']}/refer", refer)).status == 200
    await s.t.settle()
    accepted = await cast.does(cast.staff, f"/api/needs/{two['id']}/referral/accept")
    assert accepted.status == 200
    await s.t.passes(hours=12)
    cast.appoint()


async def mistakes(s: Told, home: dict[str, Any]) -> None:
    """Personal data where it does not belong: refused, and the refusal quotes none of it."""
    cast = s.cast

    def say() -> str:
        return s.planted.text("nobody", "误填")

    body = {"area": TOWNSHIP, "address": "x", "residents": [{"name": "x"}]}
    wrong: list[tuple[str, Any]] = [
        ("/api/households", {**body, "area": say()}),
        ("/api/households", {**body, "target_groups": [say()]}),
        ("/api/households", {**body, "location": {"lat": say(), "lon": 1}}),
        (
            "/api/households",
            {**body, "residents": [{"name": say() * 20, "birth_date": say(), "relation": say()}]},
        ),
        ("/api/needs", {"household_id": say(), "category": "comfort", "lines": [cast.people_line()]}),
        (
            "/api/needs",
            {"household_id": home["id"], "beneficiary_id": say(), "category": "comfort", "lines": []},
        ),
        (
            "/api/needs",
            {"household_id": home["id"], "category": say(), "lines": [{"kind": say()}], "urgency": say()},
        ),
        ("/api/needs", say()),
        ("/api/needs", [say()]),
        ("/api/volunteers", {"name": say(), "area": say(), "zone": say(), "phone": say() * 9}),
        ("/api/teams", {"name": "x", "site_id": say(), "leader_id": say()}),
        ("/api/accounts", {"login": say(), "password": say(), "name": say(), "roles": [say()]}),
        ("/api/accounts", {"login": say() + " ", "password": say(), "name": say(), "roles": ["scout"]}),
    ]
    for path, body in wrong:
        answer = await s.call(cast.staff.token, "POST", path, body)
        assert answer.status in (403, 422), (path, answer.status, answer.body)
    broken = ('{"name": "' + say()).encode()
    headers = {
        "Authorization": f"Bearer {cast.staff.token}",
        "Content-Type": "application/json",
        "Idempotency-Key": "b",
    }
    said = await s.t.http.post("/api/needs", content=broken, headers=headers)
    s.ears.heard.append(("POST", "/api/needs", said.status_code, dict(said.headers), said.json()))


async def poison(s: Told, home: dict[str, Any]) -> None:
    """Handlers that fail and quote what they were busy with, and bytes on the log that are no message."""
    words = s.planted.text("needs", "故障")

    async def quotes(event: Event, message: Message) -> None:
        raise ValueError(f"cannot make sense of {words}")

    for name, event in (("matching", NeedPosted), ("needs", NeedPosted), ("matching", VolunteerChanged)):
        unit = s.t.system.units[name]
        unit.dispatch = Dispatcher(name, [on(event, quotes)], unit.adapters, Metrics())
        unit.loop.dispatch = unit.dispatch
    await awake(s.t, s.cast.need(home, s.cast.people_line(), beneficiary_id=home["resident_ids"][0]))
    garbage = ('{"type": "cn.wushe.need.posted.v1", "data": "' + words + '"}').encode()
    await s.t.bus.publish([Outgoing("need", POISONED, 1, NeedPosted.topic.name, POISONED, garbage)])
    await awake(s.t, s.t.settle())
    for unit in s.t.system.units.values():
        s.letters += [found.record for found in await letters(unit.adapters.store)]
    parked = next(letter for letter in s.letters if letter.reason == "fault")
    for name in ("matching", "needs"):
        desk = f"/api/dead-letters/{name}"
        await awake(s.t, s.call(s.cast.admin.token, "GET", desk))
        await awake(s.t, s.call(s.cast.admin.token, "POST", f"{desk}/{parked.id}/resend"))
    await awake(s.t, s.t.settle())


async def awake(t: Town, work: Coroutine[Any, Any, Any]) -> None:
    """Let this be done, waking at once whoever sleeps."""
    task = asyncio.ensure_future(work)
    while not task.done():
        if (wake := t.clock.next_wake) is not None:
            t.clock.advance_to(wake)
        await asyncio.sleep(0)
    await task


async def looking_round(s: Told) -> None:
    """Every list, one at a time, so that there are cursors."""
    s.cast.appoint()
    lists = {
        s.cast.staff: ("accounts", "households", "leads", "needs", "volunteers", "teams", "tasks", "holds"),
        s.cast.donor: ("donors", "lots", "funds", "holds"),
        s.cast.supervisor: ("sites", "organisations", "needs"),
    }
    for person, names in lists.items():
        for name in names:
            answer = await s.call(person.token, "GET", f"/api/{name}?limit=1")
            assert answer.status == 200, (name, answer.body)


def leaks(told: Told, found: Callable[[], Any]) -> list[tuple[str, str]]:
    return [(where, canary) for where, text in found() for canary in told.planted.found_in(text)]


async def test_the_story_was_told_with_something_to_find(told: Told) -> None:
    assert len(told.planted.owners) > 60
    assert {letter.reason for letter in told.letters} == {"fault", "unreadable"}
    shown = [str(body) for *_, status, _, body in told.ears.heard if status == 200]
    seen = {canary for text in shown for canary in told.planted.found_in(text)}
    assert len(seen) > 15, "who may see it does"
    assert len(list(told.ears.refusals())) > 15


async def test_a_canary_is_found_however_it_is_written() -> None:
    planted = Canaries()
    name = planted.text("needs", "住户")
    whole = json.dumps({"name": name})
    for way in (whole, name, quote(name), b64encode(whole.encode()).decode()):
        assert list(planted.found_in(way)) == [name]
    assert list(planted.found_in(name, but_of="needs")) == []
    assert list(planted.found_in("住户")) == []


async def test_no_message_on_the_log_holds_anything_personal(told: Told) -> None:
    reading = await told.t.bus.read(TOPICS, group=None)
    ours: list[tuple[str, bytes]] = []
    while batch := await reading.fetch(1000, 0.0):
        ours += [(found.position.topic, found.value) for found in batch if found.key != POISONED]
    await reading.close()
    assert len(ours) > 100
    assert leaks(told, lambda: ours) == []


async def test_no_line_of_the_log_file_holds_anything_personal(told: Told) -> None:
    assert {line["event"] for line in told.lines} >= {"request", "dead letter", "fault"}
    assert leaks(told, lambda: [(line["event"], str(line)) for line in told.lines]) == []


async def test_no_metric_holds_anything_personal(told: Told) -> None:
    ours = generate_latest(told.t.system.metrics.registry)
    http = (await told.t.http.get("/metrics")).text
    assert b"wushe_dead_letters_total" in ours and "wushe_http_request_seconds_bucket" in http
    assert leaks(told, lambda: [("ours", ours), ("http", http)]) == []


async def test_no_dead_letter_says_anything_personal(told: Told) -> None:
    said = [
        (letter.id, f"{letter.reason} {letter.detail} {letter.note} {letter.type}") for letter in told.letters
    ]
    faults = [text for _, text in said if text.startswith("fault")]
    assert faults and all("ValueError in poison" in text for text in faults)
    assert leaks(told, lambda: said) == []


async def test_no_refusal_quotes_anything(told: Told) -> None:
    assert leaks(told, told.ears.refusals) == []


async def test_no_address_and_no_header_holds_anything_personal(told: Told) -> None:
    assert leaks(told, lambda: [("address", text) for text in told.ears.addresses()]) == []
    assert leaks(told, lambda: [("header", text) for text in told.ears.headers()]) == []


async def test_what_is_personal_is_stored_by_its_owner_and_nowhere_else(told: Told) -> None:
    """Residents in needs, helpers in volunteers, donors in resources, logins in the directory; passwords nowhere."""
    strayed = []
    for table, rows in everything(told.t).items():
        text = "\n".join(str(cell) for row in rows for cell in row) if "dead_letter" not in table else ""
        strayed += [(table, c) for c in told.planted.found_in(text, but_of=table.partition(".")[0])]
    assert [found for found in strayed if not found[0].startswith("log ")] == []
    tables = {
        table for table, rows in everything(told.t).items() for c in told.planted.owners if c in str(rows)
    }
    assert {name.partition(".")[0] for name in tables} >= {"needs", "volunteers", "resources", "directory"}
    passwords = [c for c in told.planted.owners if "密码" in c]
    assert not any(c in str(everything(told.t)) for c in passwords)


async def test_a_fault_in_a_request_is_noted_by_its_place_and_never_by_its_words(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    app = FastAPI(openapi_url=None)
    speak_problems(app)

    @app.get("/boom")
    async def boom() -> None:
        raise ValueError("罗阿婆 13985450001")

    server = logging.getLogger("uvicorn.error")
    assert any(isinstance(f, WithoutWords) for f in server.filters)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://x") as http:
        with pytest.raises(ValueError, match="罗阿婆") as raised:
            await http.get("/boom")
    server.error("Exception in ASGI application\n", exc_info=raised.value)
    out, err = capfd.readouterr()
    assert "ValueError" in out + err and "罗阿婆" not in out + err + caplog.text
