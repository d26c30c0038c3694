"""What the interface says when it says no."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, Literal

import pytest
import pytest_asyncio
from pydantic import TypeAdapter, ValidationError
from structlog.testing import capture_logs

from services.volunteers.schemas.parts import Id
from shared.contracts.vocabulary import Role
from shared.http.bodies import BODY_LIMIT
from shared.http.words import words_for
from tests.http.toy import Toy, a_toy

JSON = {"Content-Type": "application/json"}


@pytest_asyncio.fixture
async def toy() -> AsyncIterator[Toy]:
    async with a_toy() as toy:
        yield toy


async def test_a_refusal_says_what_is_wrong_in_both_languages_and_where(toy: Toy) -> None:
    answer = await toy.http.get("/api/notes/fail/refused", headers={"Accept-Language": "en-GB,zh;q=0.5"})
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-language"] == "en"
    assert answer.json() == {
        "type": "urn:wushe:problem:note-full",
        "title": "The note is full",
        "title_zh": "写满了",
        "title_en": "The note is full",
        "status": 409,
        "errors": [{"pointer": "/text", "zh": "写满了", "en": "The note is full"}],
    }


async def test_chinese_is_what_a_client_hears_that_asks_for_nothing(toy: Toy) -> None:
    assert (await toy.http.get("/api/notes/fail/refused")).json()["title"] == "写满了"
    french = await toy.http.get("/api/notes/fail/refused", headers={"Accept-Language": "fr, *;q=x"})
    assert french.json()["title"] == "写满了"


async def test_every_wrong_field_is_named_with_the_way_out_and_nothing_is_quoted(toy: Toy) -> None:
    sent = {"text": "secret" * 20, "rank": 0, "weight": "secret", "tags": {"a/b": 1}, "colour": "red"}
    answer = await toy.http.post("/api/notes", json=sent, headers=toy.staff())
    assert answer.status_code == 422
    found = {e["pointer"]: e["en"] for e in answer.json()["errors"]}
    assert found == {
        "/text": "must have at most 60 characters; make it shorter",
        "/rank": "must be 1 or more",
        "/weight": "must be a number",
        "/tags/a~1b": "must be text",
        "/colour": "there is no such field; leave it out",
    }
    assert "secret" not in answer.text


async def test_a_pointer_leads_into_what_was_sent_and_knows_no_alternatives(toy: Toy) -> None:
    drawings = [{"kind": "circle", "radius": 0}, {"kind": "square"}, {"kind": "star"}, {}, "x"]
    drawings += [{"kind": "circle", "radius": 1, "circle": 3}, {"kind": "square", "square": {}}]
    answer = await toy.http.post("/api/notes", json={"text": "a", "drawings": drawings}, headers=toy.staff())
    assert {e["pointer"]: e["en"] for e in answer.json()["errors"]} == {
        "/drawings/0/radius": "must be 1 or more",
        "/drawings/1/side": "must be filled in",
        "/drawings/2": "its kind must be one of 'circle', 'square'",
        "/drawings/3": "must say its kind ('kind')",
        "/drawings/4": "must be a JSON object {…}",
        "/drawings/5/circle": "there is no such field; leave it out",
        "/drawings/6/side": "must be filled in",
        "/drawings/6/square": "there is no such field; leave it out",
    }


@pytest.mark.parametrize("number", ["rank", "weight"])
async def test_yes_is_no_number(toy: Toy, number: str) -> None:
    tried = ((True, 422), (False, 422), (2, 201), ("2", 201), (2.0, 201))
    for n, (value, status) in enumerate(tried):
        answer = await toy.http.post(
            "/api/notes",
            json={"text": "a", number: value},
            headers=toy.staff(f"{number}-{n}"),
        )
        assert answer.status_code == status, (number, value)
        if status == 422:
            assert [e["pointer"] for e in answer.json()["errors"]] == [f"/{number}"]
            assert "number" in answer.json()["errors"][0]["en"]


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("en", "en"), ("en ; q=0.9", "en"), ("en ; q=0.9 , zh ; q = 0.5", "en"), ("EN;Q=1", "en"), ("zh;q=0.9, en;q=0.8", "zh"),
        ("en;q=0", "zh"), ("en-GB;q=0.9, zh;q=0.8", "en"), ("*", "zh"), ("zh-Hans-CN, en", "zh"),
    ],
)  # fmt: skip
async def test_the_title_is_in_the_language_that_is_ranked_higher(
    toy: Toy, accepted: str, language: str
) -> None:
    answer = await toy.http.get("/api/notes/fail/refused", headers={"Accept-Language": accepted})
    assert answer.headers["content-language"] == language


@pytest.mark.parametrize(
    ("body", "status", "pointers"),
    [
        (rb'{"text": "a\u0000b"}', 422, ["/text"]),
        (rb'{"text": "half \ud83d"}', 422, ["/text"]),
        (rb'{"text": "a", "tags": {"x": "\u0000"}}', 422, ["/tags/x"]),
        (rb'{"text": "a", "tags": {"\udc00": "x"}}', 422, ["/tags"]),
        (b'{"text": "a", "weight": NaN}', 422, ["/weight"]),
        (b'{"text": "a", "weight": -Infinity}', 422, ["/weight"]),
        (b'{"text": "a", "weight": 1e999}', 422, ["/weight"]),
        (b'{"text": " "}', 422, ["/text"]),
        (b'{"text": "a"', 400, []),
        (b"", 422, [""]),
        (b"[]", 422, [""]),
        (b"\xff\xfe", 400, []),
        ('{"text": "名"}'.encode("gb18030"), 400, []),
        (b"[" * 100_000, 400, []),
        (b'{"text": "\\ud83d", "x": ' + b"[" * 90_000, 400, []),
        (b'{"text": "a", "rank": ' + b"9" * 5000 + b"}", 400, []),
    ],
)
async def test_what_no_record_can_hold_is_refused(
    toy: Toy, body: bytes, status: int, pointers: list[str]
) -> None:
    answer = await toy.http.post("/api/notes", content=body, headers=toy.staff(**JSON))
    assert (answer.status_code, [e["pointer"] for e in answer.json()["errors"]]) == (status, pointers)


@pytest.mark.parametrize(
    "text",
    ["１２３ 全角", "👩‍👩‍👧", "阿依古丽·买买提", "བཀྲ་ཤིས་", "𠮷田", "  两边空格 ", r"a literal \u0000", "NaN"],
)
async def test_text_comes_back_byte_for_byte(toy: Toy, text: str) -> None:
    answer = await toy.http.post("/api/notes", json={"text": text}, headers=toy.staff())
    assert answer.status_code == 201
    assert answer.json()["text"] == text


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=gbk",
        "multipart/form-data",
        "?",
    ],
)
async def test_only_json_in_utf8_is_taken(toy: Toy, content_type: str) -> None:
    answer = await toy.http.post(
        "/api/notes", content=b'{"text": "a"}', headers=toy.staff(**{"Content-Type": content_type})
    )
    assert answer.status_code == 415
    plain = await toy.http.post("/api/notes", content=b'{"text": "a"}', headers=toy.staff())
    assert plain.status_code == 415
    for charset in ("UTF-8", "utf8", '"utf-8"'):
        named = {"Content-Type": f"application/json; charset={charset}"}
        answer = await toy.http.post("/api/notes", content=b'{"text": "a"}', headers=toy.staff(**named))
        assert answer.status_code == 201


async def test_a_body_over_a_mebibyte_is_refused_whether_its_length_was_declared_or_not(toy: Toy) -> None:
    async def in_chunks() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b" " * 100_000

    declared = await toy.http.post("/api/notes", content=b" " * (BODY_LIMIT + 1), headers=toy.staff(**JSON))
    chunked = await toy.http.post("/api/notes", content=in_chunks(), headers=toy.staff(**JSON))
    assert (declared.status_code, chunked.status_code) == (413, 413)
    assert chunked.json()["type"] == "urn:wushe:problem:body-too-large"
    just_fits = b'{"text": "a"}' + b" " * (BODY_LIMIT - 13)
    assert (
        await toy.http.post("/api/notes", content=just_fits, headers=toy.staff(**JSON))
    ).status_code == 201


async def test_a_bulk_route_takes_more_as_json_lines_and_only_from_those_who_may(toy: Toy) -> None:
    lines = b'{"text": "\xe5\x90\x8d"}\n' * 100_000
    supervisor = {
        "Authorization": f"Bearer {toy.token(Role.SUPERVISOR)}",
        "Content-Type": "application/x-ndjson",
    }
    assert (await toy.http.post("/api/notes/load", content=lines, headers=supervisor)).text == "100000"
    staff = toy.staff(**{"Content-Type": "application/x-ndjson"})
    assert (await toy.http.post("/api/notes/load", content=lines, headers=staff)).status_code == 403
    broken = await toy.http.post("/api/notes/load", content=b'{"text": \n', headers=supervisor)
    assert broken.status_code == 400
    as_json = await toy.http.post("/api/notes/load", json={}, headers=supervisor | JSON)
    assert as_json.status_code == 415
    assert "application/x-ndjson" in as_json.json()["title_zh"] and "x-ndjson" in as_json.json()["title_en"]


async def test_an_outage_asks_for_patience_and_says_nothing_of_the_inside(toy: Toy) -> None:
    answer = await toy.http.get("/api/notes/fail/outage")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "disk" not in answer.text


@pytest.mark.parametrize("how", ["fault", "shape"])
async def test_a_fault_of_ours_is_a_problem_too_and_says_nothing_of_the_inside(toy: Toy, how: str) -> None:
    with capture_logs() as lines:
        answer = await toy.http.get(f"/api/notes/fail/{how}")
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:wushe:problem:fault")
    assert {line["event"] for line in lines} == {"fault", "request"}
    assert "secret" not in answer.text + str(lines)


async def test_a_stored_record_that_cannot_be_read_is_named_in_the_log_and_in_no_answer(toy: Toy) -> None:
    with capture_logs() as lines:
        answer = await toy.http.get("/api/notes/fail/illegible")
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:wushe:problem:fault")
    (said,) = [line for line in lines if line["event"] != "request"]
    assert (said["log_level"], said["record"], said["id"]) == ("error", "toy.note", "note-7")
    assert "note-7" not in answer.text


async def test_an_unknown_address_and_an_unknown_method_are_problems_too(toy: Toy) -> None:
    nowhere = await toy.http.get("/api/nowhere")
    assert (nowhere.status_code, nowhere.json()["type"]) == (404, "urn:wushe:problem:unknown-address")
    for address, allowed in (
        ("/api/notes/1", "GET, PATCH"),
        ("/api/notes", "GET, POST"),
        ("/healthz", "GET"),
    ):
        deleted = await toy.http.delete(address)
        assert (deleted.status_code, deleted.json()["type"]) == (405, "urn:wushe:problem:method-not-allowed")
        assert deleted.headers["allow"] == allowed


@pytest.mark.parametrize("address", ["/api/notes/a%00b", "/api/notes?cursor=%00"])
async def test_nul_in_an_address_is_refused(toy: Toy, address: str) -> None:
    assert (await toy.http.get(address, headers=toy.staff())).status_code == 422


async def test_a_large_body_full_of_mistakes_is_refused_briefly(toy: Toy) -> None:
    many = ",".join(f'"k{n}":0' for n in range(10_000))
    once = await toy.http.post("/api/notes", content=f'{{{many},"k1":1}}', headers=toy.staff() | JSON)
    assert [e["pointer"] for e in once.json()["errors"]] == ["/k1"]
    for body in (f"{{{many},{many}}}", json.dumps(["\0"] * 25_000)):
        answer = await toy.http.post("/api/notes", content=body, headers=toy.staff() | JSON)
        assert (answer.status_code, len(answer.json()["errors"])) == (422, 100)


@pytest.mark.parametrize(
    ("kind", "sent", "zh", "en"),
    [
        (Literal["a", "b", "c"], "x", "不在可选值之内：'a'、'b'、'c'", "must be one of 'a', 'b' or 'c'"),
        (Id, "a b", "只能用字母、数字、点、下划线和短横", "has letters, digits, dots, underscores and hyphens only"),
    ],
)  # fmt: skip
def test_what_may_be_chosen_or_written_is_said_as_people_say_it(
    kind: Any, sent: str, zh: str, en: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(kind).validate_python(sent)
    (error,) = refused.value.errors()
    assert words_for(error["type"], error["ctx"]) == (zh, en)
