"""What people and programs get wrong, each with the answer that it must get: a status and the field to blame."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from shared.http.bodies import BODY_LIMIT
from tests.cast import volunteer_id
from tests.http.district import District, Thing
from tests.town import START

UNKNOWN_AREA = "522799999"


@dataclass(frozen=True)
class Wrong:
    """One request that must be refused. `pointer` is to the field; None where no field is to blame."""

    what: str
    who: str
    route: str
    body: Any
    pointer: str | None
    status: int = 422
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.what}: {self.route}"


class Builder:
    """Valid bodies of a district, to be spoiled one field at a time."""

    def __init__(self, d: District) -> None:
        self.d = d
        self.house = d.things["household"][0]
        self.helper = d.things["volunteer"][0].id
        self.site = d.site("a")

    def of(self, kind: str) -> Thing:
        return self.d.things[kind][0]

    def at(self, hours: float) -> str:
        return (START + timedelta(hours=hours)).isoformat()

    def need(self, *lines: Any, **facts: Any) -> Any:
        who = {"household_id": self.house.id, "beneficiary_id": self.house.more["resident_id"]}
        return {**who, "category": "comfort", "lines": list(lines), **facts}

    def people(self, start: float = 20, end: float = 21, **facts: Any) -> Any:
        return {
            "kind": "people",
            "seats": 1,
            "window": {"start_at": self.at(start), "end_at": self.at(end)},
            **facts,
        }

    def goods(self, **facts: Any) -> Any:
        return {"kind": "goods", "category": "food", "quantity": 1, "unit": "袋", **facts}

    def home(self, **facts: Any) -> Any:
        return {"area": "522702001", "address": "某巷", "residents": [{"name": "某人"}], **facts}

    def volunteer(self, **facts: Any) -> Any:
        return {"name": "某人", "area": "522702001", "account_id": volunteer_id("somebody new"), **facts}

    def lot(self, *without: str, **facts: Any) -> Any:
        body = {"category": "food", "unit": "袋", "quantity": 3, "area": "522702001", **facts}
        return {name: value for name, value in body.items() if name not in without}


def wrongs(d: District) -> Iterator[Wrong]:
    b = Builder(d)
    for part in (_places, _windows, _numbers, _words, _dates, _people, _requests):
        yield from part(b)


def _places(b: Builder) -> Iterator[Wrong]:
    what, area = "an unknown area", UNKNOWN_AREA
    yield Wrong(what, "staff", "POST /api/households", b.home(area=area), "/area")
    yield Wrong(what, "staff", "POST /api/households", b.home(old_address="x", old_area=area), "/old_area")
    yield Wrong("a county is no home", "staff", "POST /api/households", b.home(area="522702"), "/area")
    yield Wrong(what, "scout", "POST /api/leads", {"area": area, "text": "x"}, "/area")
    yield Wrong(what, "staff", "POST /api/volunteers", b.volunteer(area=area), "/area")
    yield Wrong(what, "charity", "POST /api/lots", b.lot(area=area), "/area")
    yield Wrong(what, "charity", "POST /api/funds", {"amount_fen": 1, "area": area}, "/area")
    yield Wrong(what, "charity", "POST /api/lots", b.lot(earmark={"areas": [area]}), "/earmark/areas/0")
    room = {"name": "室", "kind": "room", "area": area, "parent_id": b.site}
    yield Wrong(what, "administrator", "POST /api/sites", room, "/area")
    yield Wrong(what, "administrator", "POST /api/areas", {"code": f"{area}001", "name": "x"}, "/code")
    yield Wrong("an unknown site", "charity", "POST /api/lots", b.lot(site_id="nowhere"), "/site_id")
    yield Wrong(
        "an unknown time zone", "staff", "POST /api/volunteers", b.volunteer(zone="Mars/Base"), "/zone"
    )
    far = {"lat": 91, "lon": 107}
    yield Wrong(
        "a place off the globe", "staff", "POST /api/households", b.home(location=far), "/location/lat"
    )


def _windows(b: Builder) -> Iterator[Wrong]:
    post = "POST /api/needs"
    window = "/lines/0/window"
    yield Wrong("a window in the past", "staff", post, b.need(b.people(-2, -1)), f"{window}/start_at")
    yield Wrong("a window longer than a day", "staff", post, b.need(b.people(20, 45)), f"{window}/end_at")
    yield Wrong("the end before the start", "staff", post, b.need(b.people(21, 20)), f"{window}/end_at")
    yield Wrong("no time at all", "staff", post, b.need(b.people(20, 20)), f"{window}/end_at")
    yield Wrong("a window after next year", "staff", post, b.need(b.people(9000, 9001)), f"{window}/start_at")
    naive = {"start_at": "2026-03-03T09:00:00", "end_at": b.at(26)}
    yield Wrong("a time without zone", "staff", post, b.need(b.people(window=naive)), f"{window}/start_at")
    yield Wrong(
        "goods needed yesterday", "staff", post, b.need(b.goods(needed_by=b.at(-24))), "/lines/0/needed_by"
    )
    span = [{"start_at": b.at(5), "end_at": b.at(4)}]
    for name in ("free", "busy"):
        body = b.volunteer(**{name: span})
        yield Wrong("the end before the start", "staff", "POST /api/volunteers", body, f"/{name}/0/end_at")
    hours = [{"day": 0, "from": 9, "to": 9}]
    yield Wrong(
        "the end before the start", "staff", "POST /api/volunteers", b.volunteer(hours=hours), "/hours/0/to"
    )
    task = f"POST /api/tasks/{b.of('task').id}/check-in"
    yield Wrong("a start in the future", "staff", task, {"started_at": b.at(90)}, "/started_at")


def _numbers(b: Builder) -> Iterator[Wrong]:
    lot = b.of("lot").id
    numbers: tuple[Any, ...] = (0, -1, 10**30, 1.5, "3", "３", "three", True, None, [], {})
    for number in numbers:
        what = f"a quantity of {number!r}"
        yield Wrong(what, "charity", "POST /api/lots", b.lot(quantity=number), "/quantity")
        fund = {"amount_fen": number, "area": "522702001"}
        yield Wrong(what, "charity", "POST /api/funds", fund, "/amount_fen")
        for act, also in (("receive", {}), ("write-off", {"reason": "damaged"})):
            body = {"quantity": number, **also}
            yield Wrong(what, "charity", f"POST /api/lots/{lot}/{act}", body, "/quantity")
        goods = b.need(b.people(), b.goods(quantity=number))
        yield Wrong(what, "staff", "POST /api/needs", goods, "/lines/1/quantity")
        yield Wrong(what, "staff", "POST /api/needs", b.need(b.people(seats=number)), "/lines/0/seats")
    for token in ("NaN", "Infinity", "-Infinity", "1e999"):
        lot_text = f'{{"category": "food", "unit": "袋", "area": "522702001", "quantity": {token}}}'.encode()
        yield Wrong(f"a quantity of {token}", "charity", "POST /api/lots", lot_text, "/quantity")
        home_text = (
            f'{{"area": "522702001", "address": "x", "location": {{"lat": {token}, "lon": 1}}}}'.encode()
        )
        yield Wrong(f"a latitude of {token}", "staff", "POST /api/households", home_text, "/location/lat")
    yield Wrong(
        "more than is asked", "staff", "POST /api/needs", b.need(b.people(minimum=2)), "/lines/0/minimum"
    )
    rate = f"POST /api/needs/{b.of('need').id}/rate"
    for score in (0, 6, 4.5, "5"):
        yield Wrong("a score that is none", "staff", rate, {"score": score, "channel": "phone"}, "/score")
    hours = f"POST /api/volunteers/{b.helper}/hours"
    for minutes in (0, 1441):
        body = {"day": "2026-03-01", "minutes": minutes, "reason": "x"}
        yield Wrong("minutes of no day", "staff", hours, body, "/minutes")


def _words(b: Builder) -> Iterator[Wrong]:
    yield Wrong(
        "an unknown category", "staff", "POST /api/needs", b.need(b.people(), category="hugs"), "/category"
    )
    goods = b.need(b.goods(category="gold"))
    yield Wrong("an unknown category", "staff", "POST /api/needs", goods, "/lines/0/category")
    yield Wrong("an unknown category", "charity", "POST /api/lots", b.lot(category="gold"), "/category")
    yield Wrong("an unknown kind of line", "staff", "POST /api/needs", b.need({"kind": "wishes"}), "/lines/0")
    yield Wrong("no lines", "staff", "POST /api/needs", b.need(), "/lines")
    yield Wrong("a lot without unit", "charity", "POST /api/lots", b.lot("unit"), "/unit")
    yield Wrong("a lot with an empty unit", "charity", "POST /api/lots", b.lot(unit=""), "/unit")
    yield Wrong("a lot with a blank unit", "charity", "POST /api/lots", b.lot(unit=" \u3000"), "/unit")
    yield Wrong("goods in fen", "charity", "POST /api/lots", b.lot(unit="fen"), "/unit")
    yield Wrong("an empty name", "staff", "POST /api/volunteers", b.volunteer(name=""), "/name")
    yield Wrong("a blank name", "staff", "POST /api/volunteers", b.volunteer(name="\u3000 "), "/name")
    yield Wrong(
        "a blank name",
        "staff",
        "POST /api/households",
        b.home(residents=[{"name": " "}]),
        "/residents/0/name",
    )
    yield Wrong("a blank address", "staff", "POST /api/households", b.home(address=" "), "/address")
    yield Wrong("a blank report", "scout", "POST /api/leads", {"area": "522702001", "text": "\n"}, "/text")
    yield Wrong("a blank name", "charity", "POST /api/donors", {"name": "\t"}, "/name")
    yield Wrong(
        "a field that is none", "staff", "POST /api/needs", b.need(b.people(), audience="public"), "/audience"
    )
    yield Wrong("a phone of letters", "staff", "POST /api/households", b.home(phone="call me"), "/phone")
    for number in (
        "13985450001",
        "找１３９８５４５０００１",
        "52270219440506123X",
        "给龙阿婆的",
        "Aunt Long",
        "🍚",
    ):
        what = "free text where it would travel"
        for name in ("diet", "k"):
            words = {name: number}
            yield Wrong(what, "charity", "POST /api/lots", b.lot(attributes=words), f"/attributes/{name}")
            line = b.need(b.goods(attributes=words), draft=name == "k")
            yield Wrong(what, "staff", "POST /api/needs", line, f"/lines/0/attributes/{name}")
        yield Wrong(
            what, "charity", "POST /api/lots", b.lot(attributes={number: "halal"}), f"/attributes/{number}"
        )
        yield Wrong(what, "staff", "POST /api/needs", b.need(b.goods(unit=number)), "/lines/0/unit")
        yield Wrong(what, "charity", "POST /api/lots", b.lot(unit=number), "/unit")
    yield Wrong(
        "a phone for an id",
        "staff",
        "POST /api/volunteers",
        b.volunteer(account_id="13985450001"),
        "/account_id",
    )
    name = b.volunteer(account_id="wang-xiaoming")
    yield Wrong("a name in pinyin for an id", "staff", "POST /api/volunteers", name, "/account_id")
    team = {"name": "队", "site_id": b.site, "leader_id": b.helper, "organisation_id": "wang-xiaoming"}
    yield Wrong("a name for an organisation", "staff", "POST /api/teams", team, "/organisation_id")
    hours = {"day": "2026-03-01", "minutes": 1, "reason": "x", "need_id": "wang-xiaoming"}
    path = f"POST /api/volunteers/{b.helper}/hours"
    yield Wrong("a name for a need", "staff", path, hours, "/need_id")
    for name, value in (("NUL", "a\u0000b"), ("half a character", "a\ud800b")):
        yield Wrong(name, "staff", "POST /api/households", b.home(address=value), "/address")
        yield Wrong(name, "scout", "POST /api/leads", {"area": "522702001", "text": value}, "/text")
        yield Wrong(name, "staff", "POST /api/needs", b.need(b.people(), note=value), "/note")
        yield Wrong(name, "staff", "POST /api/volunteers", b.volunteer(name=value), "/name")
        yield Wrong(name, "charity", "POST /api/lots", b.lot(attributes={"k": value}), "/attributes/k")
        yield Wrong(name, "charity", "POST /api/lots", b.lot(attributes={value: "v"}), "/attributes")
        yield Wrong(name, "charity", "POST /api/donors", {"name": value}, "/name")


def _dates(b: Builder) -> Iterator[Wrong]:
    yesterday, expired = "2026-03-01", "an expired certificate"
    body = b.volunteer(certificates=[{"certificate": "nurse", "expires_on": yesterday}])
    yield Wrong(expired, "staff", "POST /api/volunteers", body, "/certificates/0/expires_on")
    held = {"certificate": "nurse", "expires_on": yesterday}
    yield Wrong(expired, "staff", f"POST /api/volunteers/{b.helper}/certificates", held, "/expires_on")
    yield Wrong("an expired lot", "charity", "POST /api/lots", b.lot(expires_on=yesterday), "/expires_on")
    dates = {"from_day": "2026-05-02", "to_day": "2026-05-01"}
    yield Wrong(
        "the end before the start", "charity", "POST /api/lots", b.lot(earmark=dates), "/earmark/to_day"
    )
    yield Wrong("no such day", "charity", "POST /api/lots", b.lot(expires_on="2026-02-30"), "/expires_on")
    born = b.home(residents=[{"name": "x", "birth_date": "2026-03-04"}])
    yield Wrong("born tomorrow", "staff", "POST /api/households", born, "/residents/0/birth_date")
    later = {"day": "2026-03-09", "minutes": 30, "reason": "x"}
    yield Wrong("hours of next week", "staff", f"POST /api/volunteers/{b.helper}/hours", later, "/day")
    for hours in (-1, 24 * 400):
        refer = {"body": "x", "answer_by": b.at(hours)}
        path = f"POST /api/needs/{b.d.things['need'][1].id}/refer"
        yield Wrong("an answer at no time", "staff", path, refer, "/answer_by")


def _people(b: Builder) -> Iterator[Wrong]:
    other = b.d.things["household"][1]
    for household in ("nobody", other.id):
        body = b.need(b.people(), household_id=household)
        yield Wrong("a household out of reach", "staff", "POST /api/needs", body, "/household_id")
    body = b.need(b.people(), beneficiary_id=other.more["resident_id"])
    yield Wrong("somebody of another household", "staff", "POST /api/needs", body, "/beneficiary_id")
    team = {"name": "x", "site_id": b.site, "leader_id": "nobody"}
    yield Wrong("a leader nobody knows", "staff", "POST /api/teams", team, "/leader_id")
    donor = b.d.things["donor"][1].id
    yield Wrong("another's donor", "charity", "POST /api/lots", b.lot(donor_id=donor), "/donor_id")
    account = {
        "login": "staff-b",
        "password": "long enough",
        "name": "x",
        "roles": ["scout"],
        "site_id": b.site,
    }
    yield Wrong("a login that is taken", "administrator", "POST /api/accounts", account, "/login", 409)
    short = {**account, "login": "fresh", "password": "short"}
    yield Wrong("a short password", "administrator", "POST /api/accounts", short, "/password")
    nowhere = {**account, "login": "fresh", "site_id": None}
    yield Wrong("a scout of no site", "administrator", "POST /api/accounts", nowhere, "/site_id")
    sign = f"POST /api/holds/{b.of('hold').id}/receipt"
    yield Wrong("nobody signed", "staff", sign, {"relation": "resident"}, "/signature")


def _requests(b: Builder) -> Iterator[Wrong]:
    post, fine = "POST /api/households", b.home()
    for kind in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "",
        "application/json; charset=gbk",
        "text/json",
    ):
        headers = {"Content-Type": kind}
        yield Wrong(f"content type {kind!r}", "staff", post, fine, None, 415, headers)
    yield Wrong("JSON for a bulk load", "supervisor", "POST /api/needs/bulk", fine, None, 415)
    broken = (
        b"{",
        b'{"area": }',
        b"",
        b"\xff\xfe",
        '{"area": "广"}'.encode("gbk"),
        json.dumps(b.home(address="a\0b")).encode("utf-16"),
        b"[" * 100_000,
        b"{'a': 1}",
        b'[{"a": 1, "a": 2}, x',
        b'[{"a": 1, "a": 2}, ' + b"[" * 100_000,
        b'[{"a": 1, "a": 2}, ' + b"9" * 5_000 + b"]",
    )
    for body in broken:
        yield Wrong("broken JSON", "staff", post, body, None, 400 if body else 422)
    for what, text, pointer in (
        ("a field that stands twice", b'{"area": "522702001", "address": "a", "address": "b"}', "/address"),
        ("the same twice", b'{"area": "522702001", "area": "522702001"}', "/area"),
        ("a field twice, written differently", b'{"address": "a", "addr\\u0065ss": "b"}', "/address"),
        (
            "a field twice, deep inside",
            b'{"residents": [{}, {"name": "a", "name": "b"}]}',
            "/residents/1/name",
        ),
    ):
        yield Wrong(what, "staff", post, text, pointer)
    large = b.home(address="x" * BODY_LIMIT)
    yield Wrong("more than a body may have", "staff", post, large, None, 413)
    path = f"/api/households/{b.house.id}"
    edit = {"phone": "123"}
    yield Wrong("a stale If-Match", "staff", f"PATCH {path}", edit, None, 412, {"If-Match": '"99"'})
    yield Wrong("no If-Match", "staff", f"PATCH {path}", edit, "/header/If-Match", 428, {"If-Match": ""})
    yield Wrong("If-Match: *", "staff", f"PATCH {path}", edit, "/header/If-Match", 400, {"If-Match": "*"})
    for key in ("", " ", "ключ".encode().decode("latin-1"), "x" * 201):
        status, what = (400, "an Idempotency-Key that is none")
        yield Wrong(what, "staff", post, fine, "/header/Idempotency-Key", status, {"Idempotency-Key": key})
