"""Asking, repeating, editing, paging, and being seen."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from fastapi import APIRouter
from httpx2 import Response
from structlog.testing import capture_logs

from shared.contracts.base import Message
from shared.contracts.directory import AccountChanged
from shared.contracts.vocabulary import GoodsRule, NeedStatus, Role, Rule, Waiting
from shared.http.api import make_api
from shared.http.catalogue import Unguarded, catalogue
from shared.run.kit import Service
from shared.security.tokens import TokenVerifier
from tests.http.toy import Toy, a_toy


@pytest_asyncio.fixture
async def toy() -> AsyncIterator[Toy]:
    async with a_toy() as toy:
        yield toy


async def post(toy: Toy, key: str, text: str = "a", rank: int = 1) -> Response:
    return await toy.http.post("/api/notes", json={"text": text, "rank": rank}, headers=toy.staff(key))


async def test_without_a_token_one_is_asked_to_sign_in(toy: Toy) -> None:
    for method, address in (("GET", "/api/notes"), ("POST", "/api/notes"), ("PATCH", "/api/notes/1")):
        body = {"text": "a"} if method != "GET" else None
        answer = await toy.http.request(method, address, json=body)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="wushe"')


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "Basic x", "é"])
async def test_a_token_that_is_none_is_refused(toy: Toy, token: str) -> None:
    headers = {b"Authorization": f"Bearer {token}".encode("latin-1")}
    assert (await toy.http.get("/api/notes", headers=headers)).status_code == 401


async def test_a_token_lasts_ten_minutes(toy: Toy) -> None:
    headers = toy.staff()
    toy.clock.advance(599)
    assert (await toy.http.get("/api/notes", headers=headers)).status_code == 200
    toy.clock.advance(1)
    assert (await toy.http.get("/api/notes", headers=headers)).status_code == 401


async def test_a_token_dies_when_the_account_changes(toy: Toy) -> None:
    headers = toy.staff()
    assert (await toy.http.get("/api/notes", headers=headers)).status_code == 200
    moved = AccountChanged(roles=(Role.STAFF,), valid_from=toy.clock.now() + timedelta(seconds=1))
    toy.atlas.note_account(moved, _message(moved, "wang"))
    assert (await toy.http.get("/api/notes", headers=headers)).status_code == 401
    toy.clock.advance(1)
    assert (await toy.http.get("/api/notes", headers=toy.staff())).status_code == 200


async def test_an_account_that_was_closed_stays_closed_when_older_news_of_it_comes_again(toy: Toy) -> None:
    """As when a process that stood still for a moment publishes what another has published meanwhile."""
    headers = toy.staff()
    opened = AccountChanged(roles=(Role.STAFF,), valid_from=toy.clock.now())
    closed = opened.model_copy(update={"active": False})
    for event, sequence in ((opened, 1), (closed, 2), (opened, 1)):
        toy.atlas.note_account(event, _message(event, "wang")._replace(sequence=sequence))
    assert (await toy.http.get("/api/notes", headers=headers)).status_code == 401


async def test_a_role_without_the_right_is_turned_away(toy: Toy) -> None:
    headers = {"Authorization": f"Bearer {toy.token(Role.SCOUT)}"}
    assert (await toy.http.get("/api/notes", headers=headers)).status_code == 403


async def test_what_is_out_of_reach_is_not_found(toy: Toy) -> None:
    made = await post(toy, "k1")
    elsewhere = {"Authorization": f"Bearer {toy.token(Role.STAFF, site='weng-an')}"}
    assert (await toy.http.get(made.headers["location"], headers=elsewhere)).status_code == 404


async def test_a_browser_shows_that_its_own_page_asked(toy: Toy) -> None:
    toy.http.cookies.set("wushe_access", toy.token(Role.STAFF))
    note, key = {"text": "a"}, {"Idempotency-Key": "k"}
    assert (await toy.http.get("/api/notes")).status_code == 200
    foreign = await toy.http.post("/api/notes", json=note, headers=key | {"Origin": "http://evil.test"})
    assert (foreign.status_code, foreign.json()["type"]) == (403, "urn:wushe:problem:foreign-page")
    nowhere = await toy.http.post("/api/notes", json={"text": "x"}, headers={"Origin": "http://[", **key})
    assert (nowhere.status_code, nowhere.json()["type"]) == (403, "urn:wushe:problem:foreign-page")
    assert (await toy.http.post("/api/notes", json=note, headers=key)).status_code == 403
    own = await toy.http.post("/api/notes", json=note, headers=key | {"Origin": "http://wushe.test"})
    assert own.status_code == 201
    said = await toy.http.post("/api/notes", json=note, headers=key | {"X-Requested-With": "wushe"})
    assert said.status_code == 201


async def test_the_same_request_twice_makes_one_thing_and_gives_one_answer(toy: Toy) -> None:
    first, second = await post(toy, "k1"), await post(toy, "k1")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert first.headers["location"] == second.headers["location"] == f"/api/notes/{first.json()['id']}"
    assert len((await toy.http.get("/api/notes", headers=toy.staff())).json()["items"]) == 1


async def test_another_key_or_another_account_makes_another_thing(toy: Toy) -> None:
    li = {"Authorization": f"Bearer {toy.token(Role.STAFF, account='li')}", "Idempotency-Key": "k1"}
    ids = {(await post(toy, "k1")).json()["id"], (await post(toy, "k2")).json()["id"]}
    ids.add((await toy.http.post("/api/notes", json={"text": "a", "rank": 1}, headers=li)).json()["id"])
    assert len(ids) == 3


async def test_a_key_is_good_for_one_body_only(toy: Toy) -> None:
    await post(toy, "k1", text="a")
    answer = await post(toy, "k1", text="b")
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:wushe:problem:idempotency-key-reused")


@pytest.mark.parametrize("key", [None, "", "a b", "x" * 201, "键"])
async def test_a_change_needs_a_key_that_can_be_used(toy: Toy, key: str | None) -> None:
    headers = {b"Authorization": f"Bearer {toy.token(Role.STAFF)}".encode()}
    if key is not None:
        headers[b"Idempotency-Key"] = key.encode()
    answer = await toy.http.post("/api/notes", json={"text": "a"}, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/header/Idempotency-Key")


async def test_an_action_without_a_body_is_repeated_safely(toy: Toy) -> None:
    note = (await post(toy, "k1")).headers["location"]
    for _ in range(2):
        grown = await toy.http.post(f"{note}/grow", headers=toy.staff("g1"))
        assert (grown.status_code, grown.json()["rank"]) == (200, 2)


async def test_an_edit_names_the_version_it_edits(toy: Toy) -> None:
    note = (await post(toy, "k1")).headers["location"]
    etag = (await toy.http.get(note, headers=toy.staff())).headers["etag"]
    without = await toy.http.patch(note, json={"text": "b"}, headers=toy.staff())
    garbled = await toy.http.patch(note, json={"text": "b"}, headers=toy.staff(**{"If-Match": "*"}))
    edited = await toy.http.patch(note, json={"text": "b"}, headers=toy.staff(**{"If-Match": etag}))
    stale = await toy.http.patch(note, json={"text": "c"}, headers=toy.staff(**{"If-Match": etag}))
    found = [a.status_code for a in (without, garbled, edited, stale)]
    assert found == [428, 400, 200, 412]
    assert edited.headers["etag"] == '"2"'


async def test_an_answer_given_again_names_no_version_that_it_does_not_show(toy: Toy) -> None:
    first = await post(toy, "k1", text="mine")
    note, etag = first.headers["location"], first.headers["etag"]
    edit = {"text": "a colleague's"}
    await toy.http.patch(note, json=edit, headers=toy.staff(**{"If-Match": etag}))
    again = await post(toy, "k1", text="mine")
    assert (again.json(), again.headers["location"]) == (first.json(), note)
    assert "etag" not in again.headers, "who edits what they see here would undo what they do not see"


async def test_two_keys_or_two_versions_in_one_request_are_one_too_many(toy: Toy) -> None:
    made = await post(toy, "first")
    headers = [*toy.staff("first").items(), ("Idempotency-Key", "second")]
    twice = await toy.http.post("/api/notes", json={"text": "a", "rank": 1}, headers=headers)
    assert (twice.status_code, twice.json()["errors"][0]["pointer"]) == (400, "/header/Idempotency-Key")
    headers = [*toy.staff().items(), ("If-Match", made.headers["etag"]), ("If-Match", '"9"')]
    edit = await toy.http.patch(made.headers["location"], json={"text": "b"}, headers=headers)
    assert (edit.status_code, edit.json()["errors"][0]["pointer"]) == (400, "/header/If-Match")


async def test_pages_follow_each_other_without_gap_or_repetition(toy: Toy) -> None:
    for n in range(5):
        await post(toy, f"k{n}", rank=1 + n // 2)
    seen: list[tuple[int, str]] = []
    cursor = None
    for _ in range(3):
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await toy.http.get("/api/notes", params=query, headers=toy.staff())).json()
        seen += [(item["rank"], item["id"]) for item in page["items"]]
        cursor = page["next_cursor"]
    assert len(seen) == 5
    assert cursor is None
    assert seen == sorted(seen)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "cursor=!!", "cursor=W10", "cursor=eyJhIjoxfQ", "cursor=é"]
)
async def test_a_broken_cursor_or_limit_is_refused_by_name(toy: Toy, query: str) -> None:
    answer = await toy.http.get(f"/api/notes?{query}", headers=toy.staff())
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/query/" + query.partition("=")[0]


@pytest.mark.parametrize(
    "parts", ['["rank",false,1]', '["id",false,1,"a"]', r'["rank",false,"\ud800","a"]', r'["rank",false,1,"\ud800"]',
              '["rank",false,99999999999999999999,"a"]', '["rank",false,1.5,"a"]', '["rank",false,1,{}]', "[" * 700]
)  # fmt: skip
async def test_a_cursor_that_somebody_made_up_is_refused(toy: Toy, parts: str) -> None:
    cursor = urlsafe_b64encode(parts.encode()).decode()
    assert (await toy.http.get(f"/api/notes?cursor={cursor}", headers=toy.staff())).status_code == 422


async def test_answers_are_not_stored_by_anybody(toy: Toy) -> None:
    for address in ("/api/notes", "/api/notes/fail/refused", "/api/nowhere"):
        assert (await toy.http.get(address, headers=toy.staff())).headers["cache-control"] == "no-store"


async def test_the_log_and_the_figures_know_routes_and_no_addresses(toy: Toy) -> None:
    with capture_logs() as lines:
        await toy.http.get("/api/notes/zhang-san", headers=toy.staff())
        await toy.http.get("/zhang-san?phone=13800000000")
    access = [line for line in lines if line["event"] == "request"]
    assert [(a["method"], a["route"], a["status"]) for a in access] == [
        ("GET", "/api/notes/{id}", 404),
        ("GET", "(no route)", 404),
    ]
    figures = (await toy.http.get("/metrics")).text
    assert (
        'wushe_http_request_seconds_count{method="GET",route="/api/notes/{id}",status="404"} 1.0' in figures
    )
    for text in (json.dumps(lines, default=str), figures):
        assert "zhang" not in text
        assert "1380" not in text


async def test_health_is_public_and_readiness_says_what_is_missing(toy: Toy) -> None:
    assert (await toy.http.get("/healthz")).json() == {"status": "alive"}
    assert (await toy.http.get("/readyz")).json() == {"ready": True, "missing": {}}
    toy.ready = "the bus cannot be reached"
    answer = await toy.http.get("/readyz")
    assert (answer.status_code, answer.json()["missing"]) == (503, {"toy": "the bus cannot be reached"})


async def test_the_interface_documents_itself(toy: Toy) -> None:
    paths = (await toy.http.get("/openapi.json")).json()["paths"]
    assert {"/api/notes", "/api/notes/{id}", "/healthz", "/readyz", "/metrics"} <= paths.keys()
    page = (await toy.http.get("/docs")).text
    assert "Write a note" in page
    assert "社区工作者" in page
    assert not any(loaded in page for loaded in ("src=", "@import", "<link")), (
        "it loads nothing from anywhere"
    )


async def test_the_interface_is_described_as_it_is(toy: Toy) -> None:
    described = (await toy.http.get("/openapi.json")).json()
    posting, loading = (described["paths"][path]["post"] for path in ("/api/notes", "/api/notes/load"))
    (key,) = (p for p in posting["parameters"] if p["name"] == "Idempotency-Key")
    assert (key["required"], "422" in posting["responses"]) == (True, False)
    assert list(posting["responses"]["default"]["content"]) == ["application/problem+json"]
    refused = await toy.http.post("/api/notes", json={})
    assert refused.json().keys() == set(described["components"]["schemas"]["Problem"]["required"])
    assert "application/x-ndjson" in loading["requestBody"]["content"]
    assert posting["security"] == [{"token": []}, {"cookie": []}]
    assert "security" not in described["paths"]["/healthz"]["get"]
    assert "Idempotency-Key</code> (optional)" not in (await toy.http.get("/docs")).text


async def test_every_code_says_what_it_is_called(toy: Toy) -> None:
    """Also the rules of a diagnosis, which stand as text."""
    schemas = (await toy.http.get("/openapi.json")).json()["components"]["schemas"]
    for term in (NeedStatus, Rule, GoodsRule, Waiting):
        assert schemas[term.__name__]["enum"] == [*term]
        assert schemas[term.__name__]["x-labels"] == {t.value: {"zh": t.zh, "en": t.en} for t in term}


async def test_a_route_that_names_no_action_is_never_served(toy: Toy) -> None:
    router = APIRouter()

    @router.get("/open", operation_id="open")
    async def forgotten() -> None: ...

    with pytest.raises(Unguarded):
        make_api(
            [Service("toy", (), router)],
            atlas=toy.atlas,
            verifier=TokenVerifier(toy.mint.public_key, toy.clock),
        )
    guarded = {(row.method, row.path): row for row in catalogue(toy.api)}
    assert guarded["PATCH", "/api/notes/{id}"].action == "need.edit"
    assert guarded["GET", "/healthz"].public


def _message(event: AccountChanged, subject: str) -> Message:
    return Message("m1", event.type(), "/wushe/directory", subject, event.valid_from, 1, "m1", None, event)
