"""Every live route, asked by everybody about their own and others' things: the answers follow the one policy table."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from shared.http.catalogue import Guarded, Unguarded, catalogue
from shared.http.signposts import Signpost
from tests.http.district import Asker, District, Thing, district
from tests.http.everything import differing, everything
from tests.http.expected import NOBODY, TABLE, Row, Verdict, address, expected, in_reach

pytestmark = pytest.mark.asyncio(loop_scope="module")

DONE_OR_TOO_LATE = {200, 201, 202, 204, 409}
"""What an answer may be where rights are not wanting: an earlier act of the same walk may have spent the thing."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there() -> AsyncIterator[District]:
    async with district() as d:
        yield d


@dataclass(frozen=True)
class Cell:
    """One question: this asker, at this route, about this thing."""

    route: Guarded
    row: Row
    asker: Asker
    thing: Thing
    verdict: Verdict

    def __str__(self) -> str:
        about = (
            f" about {self.thing.id} of {self.thing.site or self.thing.organisation}" if self.thing.id else ""
        )
        return f"{self.asker.name}: {self.route.method} {self.route.path}{about}"


def cells(d: District) -> Iterator[Cell]:
    """All of them: in the order of TABLE, which spoils nothing for a later question. Where the thing makes no
    difference, two are asked about: one's own and one outside."""
    live = {f"{route.method} {route.path}": route for route in catalogue(d.town.system.api)}
    here = [a for a in d.askers if not a.name.endswith(("-b", "-c")) or len(a.roles) > 1]
    for name, row in TABLE.items():
        things = d.things[row.about] if row.about else [NOBODY]
        for asker in here:
            for thing in things:
                verdict = expected(live[name], row, asker, thing, d.parents)
                if verdict not in (Verdict.FORBIDDEN, Verdict.NOT_SIGNED_IN) or thing in (
                    things[0],
                    things[-1],
                ):
                    yield Cell(live[name], row, asker, thing, verdict)


async def ask(d: District, cell: Cell, match: str = '"1"') -> httpx2.Response:
    route, row = cell.route, cell.row
    d.town.http.cookies.clear()
    headers = {"Idempotency-Key": f"cell-{d.town.ids.new()}", "If-Match": match}
    if token := d.token(cell.asker):
        headers["Authorization"] = f"Bearer {token}"
    content = row.body(cell.thing) if row.body else None
    if isinstance(content, bytes):
        headers["Content-Type"] = "application/x-ndjson"
    elif content is not None:
        headers["Content-Type"], content = "application/json", json.dumps(content).encode()
    url = address(route.path, row, cell.thing)
    asking = asyncio.ensure_future(d.town.http.request(route.method, url, content=content, headers=headers))
    waits = route.operation == "accept_invitation" and cell.verdict is Verdict.WITHIN
    answer: httpx2.Response = await (d.town.meanwhile(asking) if waits else asking)
    return answer


async def version(d: District, cell: Cell) -> str:
    """The ETag of the thing, as the same asker reads it."""
    token = d.token(cell.asker)
    path = address(cell.route.path, cell.row, cell.thing).partition("/residents")[0]
    read = await d.town.http.get(path, headers={"Authorization": f"Bearer {token}"})
    return read.headers.get("etag", '"1"')


async def test_every_live_route_stands_in_the_table_and_nothing_else(there: District) -> None:
    live = {f"{route.method} {route.path}" for route in catalogue(there.town.system.api)}
    assert sorted(live - TABLE.keys()) == [], "these routes have no row in tests/http/expected.py"
    assert sorted(TABLE.keys() - live) == [], "these rows have no route"


async def test_nothing_is_served_past_the_policy_table(there: District) -> None:
    """All but the interface's own description is a route with exactly one action."""
    served = iter_route_contexts(there.town.system.api.routes)
    others = [c.path for c in served if not isinstance(c.original_route, APIRoute | Signpost)]
    assert others == ["/openapi.json"]


async def test_a_route_without_an_action_is_not_served() -> None:
    app = FastAPI(openapi_url=None)

    @app.get("/open")
    async def unguarded() -> None:
        return None

    with pytest.raises(Unguarded):
        catalogue(app)


async def test_a_list_shows_all_that_is_in_reach_and_nothing_else(there: District) -> None:
    wrong = []
    for route, row, asker in listings(there):
        things = there.things[row.lists or ""]
        allowed = in_reach(route.action, asker, things, there.parents)
        shown = await listed(there, asker, route.path)
        if not shown <= allowed or (row.whole and shown != allowed):
            wrong.append(f"{asker.name}: {route.path} shows {shown - allowed}, hides {allowed - shown}")
    assert wrong == []


async def test_no_filter_widens_a_list(there: District) -> None:
    wrong = []
    for route, row, asker in listings(there):
        allowed = in_reach(route.action, asker, there.things[row.lists or ""], there.parents)
        for filter in filters(there, route):
            shown = await listed(there, asker, f"{route.path}?{filter}")
            if not shown <= allowed:
                wrong.append(f"{asker.name}: {route.path}?{filter} shows {shown - allowed}")
    assert wrong == []


def listings(d: District) -> Iterator[tuple[Guarded, Row, Asker]]:
    """Every list, with everybody whose role may ask for it."""
    for route in catalogue(d.town.system.api):
        row = TABLE[f"{route.method} {route.path}"]
        for asker in d.askers if row.lists else ():
            if expected(route, row, asker, NOBODY, d.parents) is Verdict.WITHIN:
                yield route, row, asker


def filters(d: District, route: Guarded) -> Iterator[str]:
    """Every filter of this list that names something, naming each of these things."""
    kinds = {"site_id": "station", "household_id": "household", "volunteer_id": "volunteer", "need_id": "need",
             "lot_id": "lot", "charity_id": "charity", "donor_id": "donor", "organisation_id": "organisation",
             "parent_id": "site"}  # fmt: skip
    operation = d.town.system.api.openapi()["paths"][route.path]["get"]
    for name in (p["name"] for p in operation.get("parameters", ()) if p["name"] in kinds):
        yield from (f"{name}={thing.id}" for thing in d.things[kinds[name]])


async def listed(d: District, asker: Asker, path: str) -> set[str]:
    """The ids on all pages of a list. Pages are small here, so that there are several."""
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        params = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        headers = {"Authorization": f"Bearer {d.token(asker)}"}
        answer = await d.town.http.get(path, params=httpx2.URL(path).params.merge(params), headers=headers)
        if answer.status_code in (403, 404):
            return set()
        assert answer.status_code == 200, f"{path}: {answer.text}"
        page = answer.json()
        found += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert len(found) == len(set(found)), f"{path} shows something twice"
    return set(found)


async def test_everybody_may_do_exactly_what_the_policy_table_says(
    there: District, capsys: pytest.CaptureFixture[str]
) -> None:
    """First all that is refused, which must change nothing; then looking; then doing."""
    asked = list(cells(there))
    before = everything(there.town)
    refused = [c for c in asked if c.verdict not in (Verdict.WITHIN, Verdict.PUBLIC)]
    wrong = [w for c in refused if (w := unlike(c, await ask(there, c)))]
    assert differing(before, everything(there.town)) == [], "a refused request changed something"

    granted = [c for c in asked if c not in refused]
    granted.sort(key=lambda c: c.route.method != "GET")
    worked: set[str] = set()
    for cell in granted:
        match = await version(there, cell) if cell.route.method == "PATCH" else '"1"'
        answer = await ask(there, cell, match)
        if answer.status_code < 300:
            worked.add(cell.route.operation)
        if found := unlike(cell, answer):
            wrong.append(found)
    counts = Counter(c.verdict.value for c in asked)
    with capsys.disabled():
        print(
            f"\nroles: {len(asked)} cells of {len(TABLE)} routes asked;", dict(counts), f"{len(wrong)} wrong"
        )
    assert not wrong, "\n".join(wrong)
    assert sorted({c.route.operation for c in asked} - worked) == SPENT


def unlike(cell: Cell, answer: httpx2.Response) -> str | None:
    """What is wrong with this answer, if anything."""
    status, row = answer.status_code, cell.row
    problem: Any = answer.json() if "problem" in answer.headers.get("content-type", "") else {}
    match cell.verdict:
        case Verdict.PUBLIC:
            fine = status != 403 and problem.get("type") not in NO_ACCOUNT
        case Verdict.NOT_SIGNED_IN:
            fine = status == 401
        case Verdict.FORBIDDEN:
            fine = status == 403
        case Verdict.OUT_OF_REACH if row.refused == 200:
            fine = status == 200 and (answer.json()["created"], answer.json()["refused"]) == (0, 1)
        case Verdict.OUT_OF_REACH:
            fine = status == row.refused and (status != 404 or problem["type"] == NO_SUCH_THING)
        case Verdict.WITHIN:
            fine = status in DONE_OR_TOO_LATE and not (row.refused == 200 and answer.json()["refused"])
    return None if fine and status < 500 else f"{cell}: {cell.verdict}, but {status} {answer.text[:200]}"


SPENT = [
    "accept_referral", "decline_invitation", "dismiss_lead", "issue_hold", "note_attempt", "note_no_show", "rate_need",
    "refresh_session", "release_hold", "sign_receipt", "submit_need", "undo_check_in",
    "withdraw_from_task",
]  # fmt: skip
"""What is never really done in this walk, because something before it spends what it needs."""

NO_SUCH_THING = "urn:wushe:problem:not-found"
NO_ACCOUNT = {"urn:wushe:problem:not-signed-in", "urn:wushe:problem:token-refused"}
