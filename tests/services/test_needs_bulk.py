"""Needs in bulk: each line on its own, durable when counted, harmless when sent again."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from services.needs.domain import Need
from shared.contracts.needs import NeedPosted
from shared.http.bodies import BODY_LIMIT
from shared.http.loading import numbered_lines
from shared.ports import Query
from tests.services.needs_desk import Desk, an_order, desk, goods, people


def rows(*orders: dict[str, Any] | bytes) -> bytes:
    return b"\n".join(o if isinstance(o, bytes) else json.dumps(o).encode() for o in orders)


async def load(d: Desk, body: bytes, *, skip: bool = False, who: str = "boss") -> Any:
    path = f"POST /needs/bulk?on_error={'skip' if skip else 'stop'}"
    return await d.ask(who, path, body, content_type="application/x-ndjson")


async def test_many_needs_are_posted_as_if_one_by_one() -> None:
    async with desk() as d:
        home = await d.household()
        orders = [an_order(home, people(), goods(), key=f"row-{n}", note="ཁ་𠮷") for n in range(600)]
        answer = (await load(d, rows(*orders))).json()
        assert (answer["lines"], answer["created"], answer["refused"]) == (600, 600, 0)
        assert len(d.w.said(NeedPosted)) == 600
        need = await d.need(d.w.messages[-1].subject)
        assert (need.status, need.waiting, need.channel, need.note) == ("open", "search", "loaded", "ཁ་𠮷")


async def test_the_same_file_again_creates_nothing_new() -> None:
    async with desk() as d:
        home = await d.household()
        orders = [an_order(home, key=f"row-{n}") for n in range(5)]
        await load(d, rows(*orders[:3]))
        answer = (await load(d, rows(*orders))).json()
        assert (answer["created"], answer["repeated"]) == (2, 3)
        other = orders[0] | {"urgency": "urgent"}
        (flaw,) = (await load(d, rows(other))).json()["errors"]
        assert (flaw["line"], flaw["field"], flaw["code"]) == (1, "/key", "idempotency-key-reused")


async def test_the_same_file_again_creates_nothing_new_though_the_household_was_handed_over() -> None:
    async with desk() as d:
        home = await d.household()
        orders = [an_order(home, key=f"row-{n}") for n in range(3)]
        await load(d, rows(*orders))
        moved = await d.ask("boss", f"PATCH /households/{home}", {"site_id": "west"}, if_match='"1"')
        assert moved.status_code == 200
        answer = (await load(d, rows(*orders))).json()
        assert (answer["created"], answer["repeated"]) == (0, 3)


async def test_a_file_that_was_saved_again_by_another_editor_is_the_same_file() -> None:
    async with desk() as d:
        home = await d.household()
        lines = [json.dumps(an_order(home, key=f"row-{n}")).encode() for n in range(3)]
        assert (await load(d, b"\n".join(lines))).json()["created"] == 3
        for again in (b"\r\n".join([*lines, b""]), b"\xef\xbb\xbf" + b" \n".join(lines)):
            answer = (await load(d, again, skip=True)).json()
            assert (answer["repeated"], answer["refused"]) == (3, 0)


async def test_a_line_that_is_too_long_is_named_and_stops_no_other() -> None:
    async with desk() as d:
        home = await d.household()
        good = [json.dumps(an_order(home, key=f"row-{n}")).encode() for n in range(2)]
        body = b"\n".join((good[0], b'{"note": "' + b"x" * 1_000_000 + b'"}', good[1]))

        answer = (await load(d, body, skip=True)).json()
        assert (answer["lines"], answer["created"]) == (3, 2)
        assert [(flaw["line"], flaw["code"]) for flaw in answer["errors"]] == [(2, "body-too-large")]


async def test_a_line_is_as_long_in_many_pieces_as_in_one() -> None:
    body = b"1\n" + b"x" * 1_000_000 + b"\n\n4"

    async def in_pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(body), 65536):
            yield body[at : at + 65536]

    found = [(number, len(line)) async for number, line in numbered_lines(in_pieces())]
    assert found == [(1, 1), (2, BODY_LIMIT + 1), (4, 1)]


async def test_every_bad_line_is_named_with_its_field_and_the_others_are_saved() -> None:
    async with desk() as d:
        home = await d.household()
        good = an_order(home, key="good")
        body = rows(
            good,
            b"{broken",
            b"",
            an_order(home, goods(0), key="a"),
            an_order("nobody", key="b"),
            an_order(home, people(hours=25), key="c"),
            an_order(home, goods(category="gold"), key="d"),
            an_order(home),
            an_order(home, key="e", note="nul \0"),
            an_order(home, key="f", note="half \ud83d"),
            b'{"lines": [{"kind": "a", "kind": "b"}, x',
            b'{"lines": [{"kind": "a", "kind": "b"}, ' + b"[" * 100_000,
            good | {"key": "last"},
        )
        answer = (await load(d, body, skip=True)).json()
        assert (answer["lines"], answer["created"], answer["refused"]) == (12, 2, 10)
        assert [(e["line"], e["field"]) for e in sorted(answer["errors"], key=lambda e: e["line"])] == [
            (2, None), (4, "/lines/0/quantity"), (5, "/household_id"), (6, "/lines/0/window/end_at"),
            (7, "/lines/0/category"), (8, "/key"), (9, "/note"), (10, "/note"), (11, None), (12, None),
        ]  # fmt: skip
        assert answer["stopped_at"] is None and all(e["zh"] and e["en"] for e in answer["errors"])


async def test_the_same_file_again_goes_on_where_its_lines_name_the_station_that_had_the_household() -> None:
    async with desk() as d:
        home, other = await d.household(), await d.household()
        first = [an_order(home, key=f"row-{n}", site_id="east") for n in range(3)]
        assert (await load(d, rows(*first))).json()["created"] == 3
        moved = await d.ask("boss", f"PATCH /households/{home}", {"site_id": "west"}, if_match='"1"')
        assert moved.status_code == 200
        more = [an_order(other, key=f"more-{n}", site_id="east") for n in range(600)]
        answer = (await load(d, rows(*first, *more))).json()
        assert [answer[name] for name in ("created", "repeated", "refused")] == [600, 3, 0]
        new = an_order(home, key="row-9", site_id="east")
        assert (await load(d, rows(new))).json()["errors"][0]["field"] == "/site_id"


async def test_a_load_that_is_to_stop_reads_no_further_than_the_lines_around_the_first_bad_one() -> None:
    async with desk() as d:
        home = await d.household()
        orders: list[dict[str, Any] | bytes] = [an_order(home, key=f"row-{n}") for n in range(2000)]
        orders[700] = b"not json"
        answer = (await load(d, rows(*orders))).json()
        assert answer["stopped_at"] == 701 and answer["lines"] < 2000
        assert len(await d.w.store.find(Need, Query(limit=3000))) == answer["created"]


async def test_a_load_reaches_no_further_than_its_loader() -> None:
    async with desk() as d:
        home = await d.household()
        for who, status in (("staff", 403), ("scout", 403), ("li", 403), ("charity", 403)):
            assert (await load(d, rows(an_order(home, key="x")), who=who)).status_code == status
        assert (await load(d, rows(an_order(home, key="x")), who="admin")).json()["created"] == 1
        wrong = await d.ask("boss", "POST /needs/bulk", b"{}", content_type="text/csv")
        assert wrong.status_code == 415
        assert (await load(d, b"")).json()["lines"] == 0
