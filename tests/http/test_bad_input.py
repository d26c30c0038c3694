"""Bad input gets a clear answer in two languages, names the field, and changes nothing; odd but good input is kept."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from random import Random
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
import pytest_asyncio
from pydantic import ValidationError

from shared.contracts.vocabulary import Role
from shared.http import Schema
from shared.http.bodies import BODY_LIMIT
from shared.http.catalogue import Guarded, catalogue
from shared.http.problems import escaped
from shared.security.policy import POLICY
from tests.http.district import Asker, District, Thing, district
from tests.http.everything import differing, everything
from tests.http.expected import NOBODY, TABLE, address
from tests.http.shapes import JUNK, Json, Shapes, spoiled, with_value
from tests.http.wrong import Builder, wrongs

pytestmark = pytest.mark.asyncio(loop_scope="module")

ODD = {
    "full-width digits": "１２３号楼４单元",
    "emoji": "👩‍👩‍👧 🏠",
    "a name with a dot": "阿依古丽·买买提",
    "Tibetan": "བཀྲ་ཤིས་བདེ་ལེགས།",
    "rare characters": "𠮷田𪚥",
    "spaces around": "  罗 阿婆\u3000",
    "marks that combine": "e\u0301 é",
    "a mark of direction": "a\u200f\u202eb",
    "lines": "一\r\n二\n\t三",
    "quotes": "\"'\\</script>",
    "what JSON escapes": "字\u2028\u0001\u007f",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there() -> AsyncIterator[District]:
    async with district() as d:
        yield d


async def send(
    d: District, who: str, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> httpx2.Response:
    """A request as it is: bytes as they are, and headers that are empty left out."""
    d.town.http.cookies.clear()
    names = [a.name for a in d.askers]
    asker = d.asker(who if who in names else f"{who}-a")
    given = {
        "Authorization": f"Bearer {d.token(asker)}",
        "Idempotency-Key": d.town.ids.new(),
        "If-Match": '"1"',
    }
    content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    given |= {"Content-Type": "application/json", **(headers or {})} if content is not None else headers or {}
    sent = [(name.encode(), value.encode("latin-1")) for name, value in given.items() if value]
    return await d.town.http.request(method, path, content=content, headers=sent)


def faults(answer: httpx2.Response, status: int, field: str | None) -> list[str]:
    """What is wrong with a refusal."""
    found = [f"status {answer.status_code}, not {status}"] if answer.status_code != status else []
    if answer.headers.get("content-type") != "application/problem+json":
        return [*found, "not a problem"]
    problem = answer.json()
    if not (problem["title_zh"] and problem["title_en"] and problem["status"] == answer.status_code):
        found.append("no title in one language, or another status")
    pointers = [e["pointer"] for e in problem["errors"]]
    if field is not None and field not in pointers:
        found.append(f"blames {pointers}, not {field}")
    if not all(e["zh"] and e["en"] for e in problem["errors"]):
        found.append("an error without words")
    return found


async def test_whatever_is_wrong_is_named_and_changes_nothing(
    there: District, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = list(wrongs(there))
    bad: list[str] = []
    for case in asked:
        method, _, path = case.route.partition(" ")
        before = everything(there.town)
        answer = await send(there, case.who, method, path, case.body, case.headers)
        found = faults(answer, case.status, case.pointer)
        found += [f"changed {t}" for t in differing(before, everything(there.town))]
        bad += [f"{case}: {', '.join(found)} ({answer.text[:160]})"] if found else []
    with capsys.disabled():
        print(f"\nbad input: {len(asked)} requests, {len(bad)} wrong")
    assert not bad, "\n".join(bad)


async def test_every_text_has_a_limit_and_keeps_to_it(
    there: District, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of every operation that is published, every text: one character too many, and the field is named."""
    bad, tried = [], 0
    before = everything(there.town)
    for name, pointer, text, having in every_text(there):
        limit = text.get("maxLength")
        if limit is None and not {"format", "pattern"} & text.keys():
            bad.append(f"{name} {pointer} has no limit")
        if limit is not None:
            tried += 1
            answer = await everybody_sends(there, name, having("长" * (limit + 1)))
            bad += [f"{name} {pointer}: {fault}" for fault in faults(answer, 422, pointer)]
    with capsys.disabled():
        print(f"\ntexts over their limit: {tried} tried, {len(bad)} wrong")
    assert not bad, "\n".join(bad)
    assert differing(before, everything(there.town)) == []


async def test_a_day_or_a_moment_is_written_and_not_counted_in_seconds(there: District) -> None:
    """Else a birthday of 0 would be one in 1970."""
    bad, tried = [], 0
    before = everything(there.town)
    dated = [each for each in every_text(there) if each[2].get("format") in ("date", "date-time")]
    for name, pointer, _, having in dated:
        for number in (0, "0", 1772419200, "1772419200", 1.5):
            tried += 1
            answer = await everybody_sends(there, name, having(number))
            bad += [f"{name} {pointer} {number!r}: {fault}" for fault in faults(answer, 422, pointer)]
    assert not bad, "\n".join(bad)
    assert tried >= 50
    assert differing(before, everything(there.town)) == []


def every_text(d: District) -> Iterator[tuple[str, str, Json, Callable[[Any], Any]]]:
    """Of every published operation, each text of its body: the operation, the pointer to the text, its schema, and
    what makes a body, whole but for another value there."""
    shapes = Shapes(d.town.system.api.openapi())
    for name, schema in shapes.bodies():
        body = shapes.whole(schema)
        for at, text in shapes.texts(schema):
            yield name, "".join(f"/{escaped(part)}" for part in at), text, partial(with_value, body, at)


async def everybody_sends(
    d: District, name: str, body: Any, headers: dict[str, str] | None = None
) -> httpx2.Response:
    """A request by somebody with all roles, about whatever the route is about. Empty headers are left out."""
    method, _, path = name.partition(" ")
    about = thing(d, name)
    d.town.http.cookies.clear()
    everybody = Asker("all", "everybody", tuple(Role), d.site("a"), d.asker("charity-a").organisation)
    given = {
        "Authorization": f"Bearer {d.token(everybody)}",
        "Idempotency-Key": d.town.ids.new(),
        "If-Match": '"1"',
        "Content-Type": "application/json",
        **(headers or {}),
    }
    sent = {name: value for name, value in given.items() if value}
    content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    return await d.town.http.request(method, address(path, TABLE[name], about), content=content, headers=sent)


def thing(d: District, name: str) -> Thing:
    about = TABLE[name].about
    return d.things[about][0] if about else NOBODY


def fine(d: District, name: str) -> Any:
    """What this route takes when all is well."""
    body = TABLE[name].body
    return body(thing(d, name)) if body else None


KEYLESS = {
    "POST /api/session",
    "POST /api/session/refresh",
    "POST /api/packages/{code}/expand",
    "POST /api/households/search",
}
"""Signing in twice opens two sessions; expanding a package and a search save nothing. A line of a bulk load has its own key."""


async def test_every_create_and_action_needs_a_key_and_every_edit_a_version(there: District) -> None:
    before = everything(there.town)
    bad = []
    for name in (n for n in TABLE if n.startswith("POST") and n not in KEYLESS and not n.endswith("/bulk")):
        answer = await everybody_sends(there, name, fine(there, name), {"Idempotency-Key": ""})
        bad += [f"{name}: {f}" for f in faults(answer, 400, "/header/Idempotency-Key")]
    edits = [n for n in TABLE if n.startswith("PATCH")]
    for name in edits:
        answer = await everybody_sends(there, name, fine(there, name), {"If-Match": ""})
        bad += [f"{name}: {f}" for f in faults(answer, 428, "/header/If-Match")]
        answer = await everybody_sends(there, name, fine(there, name), {"If-Match": '"999"'})
        bad += [f"{name}: {f}" for f in faults(answer, 412, None)]
    assert len(edits) >= 8
    assert not bad, "\n".join(bad)
    assert differing(before, everything(there.town)) == []


async def test_a_parameter_that_no_route_has_is_refused_with_those_that_it_has(there: District) -> None:
    """A list whose filter is mistyped would show everything."""
    bad, tried = [], 0
    for route in catalogue(there.town.system.api):
        if route.method != "GET" or not route.path.startswith("/api/"):
            continue
        operation = there.town.system.api.openapi()["paths"][route.path][route.method.lower()]
        known = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"]
        who = next((a.name for a in there.askers if not a.bad and may(a, route)), "staff")
        path = f"{route.path.replace('{', '').replace('}', '')}?{'&'.join([*(f'{n}=1' for n in known), 'sitid=1'])}"
        answer = await send(there, who, route.method, path)
        found = faults(answer, 422, "/query/sitid")
        errors = [e for e in answer.json()["errors"] if e["pointer"] == "/query/sitid"] if not found else []
        if found or not all(name in e[words] for e in errors for name in known for words in ("zh", "en")):
            bad.append(f"{route.method} {path}: {found} ({answer.text[:160]})")
        if not route.public:
            there.town.http.cookies.clear()
            answer = await there.town.http.request(route.method, path)
            bad += [f"{route.method} {path}: {answer.status_code}"] if answer.status_code != 401 else []
        tried += 1
    assert not bad, "\n".join(bad)
    assert tried > 40
    assert (await there.town.http.get("/healthz?from=watcher")).status_code == 200, "it is nobody's filter"


def may(asker: Asker, route: Guarded) -> bool:
    return route.public or any(role in POLICY[route.action] for role in asker.roles)


async def test_every_body_is_of_the_right_type_whole_and_without_more_than_was_asked(there: District) -> None:
    before = everything(there.town)
    bad = []
    for name, _ in Shapes(there.town.system.api.openapi()).bodies():
        body = fine(there, name) or {}
        text = json.dumps(body).encode()
        more = {**body, "there/is~none": 1}
        tries: list[tuple[Any, dict[str, str], int, str | None]] = [
            (text, {"Content-Type": "text/plain"}, 415, None),
            (text[:-1], {}, 400, None),
            (b'"' + b"x" * (BODY_LIMIT + 1) + b'"', {}, 413, None),
            (more, {}, 422, "/there~1is~0none"),
            ([body], {}, 422, ""),
        ]
        for sent, headers, status, pointer in tries:
            answer = await everybody_sends(there, name, sent, headers)
            bad += [f"{name}: {f}" for f in faults(answer, status, pointer)]
    assert not bad, "\n".join(bad)
    assert differing(before, everything(there.town)) == []


BULK = [name for name in TABLE if name.endswith("/bulk")]


@pytest.mark.parametrize("name", BULK)
async def test_a_bulk_load_names_each_line_that_is_wrong_and_loads_the_others(
    there: District, name: str
) -> None:
    good = fine(there, name).strip()
    wrong = (
        b"{",
        b"[]",
        b'"x"',
        b"\xff",
        good.replace(b"{", b'{"zz": 1, ', 1),
        b'{"key": "\\u0000"}',
        b'{"key": NaN}',
        good.replace(b"{", b'{"key": "another", ', 1),
    )
    lines = [*wrong, good, b"", b"   "]
    headers = {"Content-Type": "application/x-ndjson"}
    answer = await everybody_sends(there, name, b"\n".join(lines), headers)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["created"], told["refused"]) == (1, len(wrong))
    assert {e["line"] for e in told["errors"]} == set(range(1, len(wrong) + 1))
    assert [e["field"] for e in told["errors"] if e["line"] == len(wrong)] == ["/key"]
    assert all(e["zh"] and e["en"] for e in told["errors"])
    again = (await everybody_sends(there, name, good, headers)).json()
    assert (again["created"], again["repeated"]) == (0, 1)


@pytest.mark.parametrize("name", BULK)
async def test_no_line_of_a_bulk_load_brings_the_system_down(there: District, name: str) -> None:
    chance = Random(20260304)
    lines = [json.dumps(spoiled(json.loads(fine(there, name)), chance)).encode() for _ in range(10 * ROUNDS)]
    headers = {"Content-Type": "application/x-ndjson"}
    answer = await everybody_sends(there, name, b"\n".join(lines), headers)
    told = answer.json()
    assert answer.status_code == 200, answer.text
    assert told["created"] + told["repeated"] + told["refused"] == told["lines"]
    assert all(e["zh"] and e["en"] for e in told["errors"])


async def test_the_same_key_with_another_body_is_refused_and_with_the_same_answered_again(
    there: District,
) -> None:
    b = Builder(there)
    key = {"Idempotency-Key": "one-key"}
    first = await send(there, "staff", "POST", "/api/households", b.home(), key)
    before = everything(there.town)
    again = await send(there, "staff", "POST", "/api/households", b.home(), key)
    assert (again.status_code, again.content) == (201, first.content)
    other = await send(there, "staff", "POST", "/api/households", b.home(address="另一处"), key)
    assert faults(other, 422, None) == [] and other.json()["type"].endswith("idempotency-key-reused")
    assert differing(before, everything(there.town)) == []


async def test_a_body_in_chunks_is_held_to_the_limit_too(there: District) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"address": "'
        for _ in range(BODY_LIMIT // 1024 + 1):
            yield b"x" * 1024
        yield b'"}'

    before = everything(there.town)
    token = there.token(there.asker("staff-a"))
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Idempotency-Key": "chunks",
    }
    answer = await there.town.http.post("/api/households", content=chunks(), headers=headers)
    assert faults(answer, 413, None) == []
    assert differing(before, everything(there.town)) == []


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
async def test_odd_text_comes_back_byte_for_byte(there: District, text: str) -> None:
    b = Builder(there)
    for who, path, body, is_there in kept(b, text):
        made = await send(there, who, "POST", path, body)
        assert made.status_code == 201, (path, made.text)
        read = await send(there, who, "GET", made.headers["location"])
        assert read.status_code == 200, read.text
        assert is_there(read.json()), (path, read.text)


def kept(b: Builder, text: str) -> list[tuple[str, str, Any, Callable[[Any], bool]]]:
    """Who writes this text where, and whether it is read there again."""
    lead = {"area": "522702001", "text": text}
    person = b.volunteer(name=text, account_id=b.d.town.ids.new())
    team = {"name": text, "site_id": b.site, "leader_id": b.helper}
    hours = {"day": "2026-03-01", "minutes": 1, "reason": text}
    room = {"name": text, "kind": "room", "area": "522702001", "parent_id": b.site}
    home = b.home(address=text, residents=[{"name": text}])
    fund = {"amount_fen": 1, "area": "522702001", "note": text}
    lot = b.lot(note=text)

    def named(found: Any) -> bool:
        return bool(found["name"] == text)

    return [
        (
            "staff",
            "/api/households",
            home,
            lambda f: (f["address"], f["residents"][0]["name"]) == (text, text),
        ),
        ("scout", "/api/leads", lead, lambda f: "text" not in f),
        ("staff", "/api/leads", lead, lambda f: f["text"] == text),
        ("staff", "/api/needs", b.need(b.people(), note=text), lambda f: f["note"] == text),
        ("staff", "/api/volunteers", person, named),
        ("staff", "/api/teams", team, named),
        (
            "staff",
            f"/api/volunteers/{b.helper}/hours",
            hours,
            lambda f: text in [i["reason"] for i in f["items"]],
        ),
        ("charity", "/api/donors", {"name": text}, named),
        ("charity", "/api/lots", lot, lambda f: f["note"] == text),
        ("charity", "/api/funds", fund, lambda f: f["note"] == text),
        ("administrator", "/api/organisations", {"name": text, "kind": "community"}, named),
        ("administrator", "/api/sites", room, named),
    ]


async def test_no_body_brings_the_system_down(there: District, capsys: pytest.CaptureFixture[str]) -> None:
    """Junk of all kinds to every operation that takes JSON: refused or done, never a fault."""
    shapes = Shapes(there.town.system.api.openapi())
    chance = Random(20260302)
    bad, tried = [], 0
    for name, schema in shapes.bodies():
        good = [shapes.whole(schema), fine(there, name) or {}]
        for _ in range(ROUNDS):
            body = spoiled(chance.choice(good), chance)
            answer = await everybody_sends(there, name, body)
            tried += 1
            if answer.status_code >= 500 or (answer.status_code >= 400 and broken(answer)):
                bad.append(f"{name} {answer.status_code} {json.dumps(body, ensure_ascii=True)[:300]}")
    with capsys.disabled():
        print(f"\njunk: {tried} bodies, {len(bad)} wrong")
    assert not bad, "\n".join(bad)


async def test_no_address_brings_the_system_down(there: District, capsys: pytest.CaptureFixture[str]) -> None:
    shapes = Shapes(there.town.system.api.openapi())
    chance = Random(20260303)
    texts = [str(j) for j in JUNK if isinstance(j, str | int | float)] + [
        "\x00",
        "a~b~c",
        "~",
        "W10",
        "x" * 5000,
    ]
    bad, tried = [], 0
    for path, names in shapes.parameters():
        for _ in range(ROUNDS):
            parts = (junk(chance, texts) if p.startswith("{") else p for p in path.split("/"))
            params = {name: chance.choice(texts) for name in names if chance.random() < 0.5}
            url = httpx2.URL("/".join(parts), params=params)
            answer = await send(
                there, chance.choice(("staff", "administrator", "charity", "volunteer")), "GET", str(url)
            )
            tried += 1
            if answer.status_code >= 500 or (answer.status_code >= 400 and broken(answer)):
                bad.append(f"{answer.status_code} {url!r:.300}")
    with capsys.disabled():
        print(f"\njunk: {tried} addresses, {len(bad)} wrong")
    assert not bad, "\n".join(bad)


def junk(chance: Random, texts: list[str]) -> str:
    return quote(chance.choice(texts), safe="") or "x"


ROUNDS = 20


def broken(answer: httpx2.Response) -> bool:
    """Whether a refusal does not say what is wrong."""
    return bool(faults(answer, answer.status_code, None)) or (
        answer.status_code == 422 and not answer.json()["errors"]
    )


def shapes(kind: type[Schema] = Schema) -> Iterator[type[Schema]]:
    """All that requests and answers are made of."""
    for made in kind.__subclasses__():
        yield made
        yield from shapes(made)


async def test_no_field_that_is_described_as_a_number_takes_yes_for_one() -> None:
    wrong, asked = [], 0
    for shape in shapes():
        for name, field in shape.model_json_schema().get("properties", {}).items():
            kinds = {part.get("type") for part in (field, *field.get("anyOf", ()))}
            if kinds & {"integer", "number"} and "boolean" not in kinds:
                asked += 1
                try:
                    shape.model_validate({name: True})
                except ValidationError as error:
                    if any(e["loc"][0] == name and e["type"] != "missing" for e in error.errors()):
                        continue
                wrong.append(f"{shape.__name__}.{name}")
    assert wrong == []
    assert asked > 100, "the town with all its services was looked at"
