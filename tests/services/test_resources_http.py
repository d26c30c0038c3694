"""Charity resources as people meet them: listing gifts, handing them over, and being told what is wrong."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from services.resources.domain.records import Lot
from services.resources.service.lots import AT_ONCE
from shared.contracts.directory import OrganisationChanged
from shared.contracts.resources import (
    HoldRefused,
    HoldReleased,
    LotChanged,
    LotIssued,
    LotListed,
    LotReceived,
    LotReturned,
)
from shared.contracts.vocabulary import Closing, GoodsRule, OrganisationKind, ReturnReason
from shared.ports import Query
from tests.services.resources_desk import COUNTY, ELSEWHERE, TOWNSHIP, Desk, a_lot, desk


def code(answer: Any) -> str:
    return str(answer.json()["type"]).rpartition(":")[2]


def pointers(answer: Any) -> list[str]:
    return [error["pointer"] for error in answer.json()["errors"]]


async def test_a_charity_lists_a_lot_and_everything_it_said_comes_back_byte_for_byte() -> None:
    async with desk() as d:
        said = {
            "category": "clothing",
            "unit": "件",
            "quantity": 25,
            "attributes": {"height": "160", "season": "winter"},
            "expires_on": "2027-01-31",
            "area": TOWNSHIP,
            "site_id": "east",
            "earmark": {"target_groups": ["left_behind_child"], "areas": [COUNTY], "from_day": "2026-03-01"},
            "note": "  བོད་ཡིག 𠮷 \n",
        }
        answer = await d.ask("love", "POST /lots", said)
        lot = answer.json()
        assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
        assert answer.headers["location"] == f"/api/lots/{lot['id']}"
        same = {name: lot[name] for name in said if name not in ("quantity", "earmark")}
        assert same == {name: value for name, value in said.items() if name in same}
        assert (lot["received"], lot["available"], lot["charity_id"], lot["open"]) == (25, 25, "love", True)
        assert lot["earmark"]["target_groups"] == ["left_behind_child"]
        assert (await d.ask("love", f"GET /lots/{lot['id']}")).json() == lot
        (listed,) = d.w.said(LotListed)
        assert (listed.state.received, listed.state.attributes["height"]) == (25, "160")


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"unit": None}, "/unit"),
        ({"unit": ""}, "/unit"),
        ({"quantity": 0}, "/quantity"),
        ({"quantity": -1}, "/quantity"),
        ({"quantity": "10"}, "/quantity"),
        ({"quantity": "十"}, "/quantity"),
        ({"quantity": 1.5}, "/quantity"),
        ({"quantity": True}, "/quantity"),
        ({"quantity": 10**13}, "/quantity"),
        ({"category": "cars"}, "/category"),
        ({"expires_on": "2026-03-01"}, "/expires_on"),
        ({"expires_on": "tomorrow"}, "/expires_on"),
        ({"area": "999999"}, "/area"),
        ({"area": "福泉"}, "/area"),
        ({"site_id": "nowhere"}, "/site_id"),
        ({"cell": "87" + "0" * 13}, "/cell"),
        ({"donor_id": "nobody"}, "/donor_id"),
        ({"earmark": {"areas": [TOWNSHIP, "111111"]}}, "/earmark/areas/1"),
        ({"earmark": {"purposes": ["fun"]}}, "/earmark/purposes/0"),
        ({"earmark": {"from_day": "2026-03-02", "to_day": "2026-03-01"}}, "/earmark/to_day"),
        ({"kind": "money"}, "/unit"),
        ({"unit": "fen"}, "/unit"),
        ({"note": "长" * 2001}, "/note"),
        ({"unit": "一点点"}, "/unit"),
        ({"attributes": {"尺码": "L"}}, "/attributes/尺码"),
        ({"attributes": {"size": "L"}}, "/attributes/size"),
        ({"attributes": {"diet": "给罗阿婆"}}, "/attributes/diet"),
        ({"attributes": {"batch": "B04171"}}, "/attributes/batch"),
        ({"attributes": {"a/b~": "c"}}, "/attributes/a~1b~0"),
        ({"received": 5}, "/received"),
    ],
)
async def test_a_lot_that_makes_no_sense_is_refused_by_field_and_nothing_is_kept(
    wrong: dict[str, Any], pointer: str
) -> None:
    async with desk() as d:
        answer = await d.ask("love", "POST /lots", a_lot(**wrong))
        assert (answer.status_code, pointers(answer)) == (422, [pointer])
        assert await d.w.store.find(Lot, Query()) == [] and d.w.messages == []


async def test_a_lot_without_unit_is_refused() -> None:
    async with desk() as d:
        body = a_lot()
        del body["unit"]
        assert pointers(await d.ask("love", "POST /lots", body)) == ["/unit"]


async def test_the_same_request_twice_lists_one_lot_and_another_body_under_its_key_none() -> None:
    async with desk() as d:
        first = await d.ask("love", "POST /lots", a_lot(), key="k")
        again = await d.ask("love", "POST /lots", a_lot(), key="k")
        other = await d.ask("love", "POST /lots", a_lot(quantity=11), key="k")
        assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
        assert (other.status_code, code(other)) == (422, "idempotency-key-reused")
        assert len(d.w.said(LotListed)) == 1


async def test_a_request_repeated_days_later_gets_its_first_answer_even_if_it_would_be_refused_by_then() -> (
    None
):
    async with desk() as d:
        first = await d.ask("love", "POST /lots", a_lot(expires_on="2026-03-03"), key="k")
        await d.w.passes(days=5)
        again = await d.ask("love", "POST /lots", a_lot(expires_on="2026-03-03"), key="k")
        assert (again.status_code, again.json()) == (201, first.json())


async def test_donors_are_seen_by_their_charity_alone() -> None:
    async with desk() as d:
        donor = (
            await d.ask("love", "POST /donors", {"name": "张慷慨", "phone": "138", "code": "R-7"})
        ).json()
        lot_id = await d.lists(donor_id=donor["id"], note="暂存")
        assert (await d.ask("love", f"GET /donors/{donor['id']}")).json() == donor
        assert [x["name"] for x in (await d.ask("love", "GET /donors")).json()["items"]] == ["张慷慨"]
        assert [
            x["id"] for x in (await d.ask("love", f"GET /lots?donor_id={donor['id']}")).json()["items"]
        ] == [lot_id]
        assert (await d.ask("hope", "GET /donors")).json()["items"] == []
        assert (await d.ask("hope", f"GET /donors/{donor['id']}")).status_code == 404
        assert (await d.ask("staff", f"GET /donors/{donor['id']}")).status_code == 403
        assert pointers(await d.ask("hope", "POST /lots", a_lot(donor_id=donor["id"]))) == ["/donor_id"]
        seen = (await d.ask("staff", f"GET /lots/{lot_id}")).json()
        assert (seen["donor_id"], seen["note"]) == (None, None)
        assert (await d.ask("love", f"GET /lots/{lot_id}")).json()["donor_id"] == donor["id"]


async def test_staff_see_all_lots_and_a_charity_its_own() -> None:
    async with desk() as d:
        ours, theirs = await d.lists("love"), await d.lists("hope")

        async def sees(who: str) -> set[str]:
            return {lot["id"] for lot in (await d.ask(who, "GET /lots")).json()["items"]}

        assert await sees("staff") == await sees("boss") == {ours, theirs}
        assert (await sees("love"), await sees("hope")) == ({ours}, {theirs})
        assert (await d.ask("hope", f"GET /lots/{ours}")).status_code == 404
        assert (await d.ask("hope", f"GET /lots/{ours}/ledger")).status_code == 404
        assert (await d.ask("volunteer", "GET /lots")).status_code == 403


@pytest.mark.parametrize(
    "call",
    ["receive", "write-off", "close", "open"],
)
async def test_only_the_charity_that_listed_a_lot_may_change_it(call: str) -> None:
    async with desk() as d:
        lot_id = await d.lists()
        body = {"receive": {"quantity": 1}, "write-off": {"quantity": 1, "reason": "lost"}}.get(call)
        assert (await d.ask("hope", f"POST /lots/{lot_id}/{call}", body)).status_code == 404
        assert (await d.ask("staff", f"POST /lots/{lot_id}/{call}", body)).status_code == 403
        assert (await d.ask("love", f"POST /lots/{lot_id}/{call}", body)).status_code == 200


async def test_lots_are_found_by_what_they_are_what_is_left_and_when_they_expire() -> None:
    async with desk() as d:
        rice = await d.lists(expires_on="2026-03-10")
        oil = await d.lists(quantity=3, expires_on="2026-03-05", site_id="east")
        coats = await d.lists(category="clothing", unit="件")
        await d.ask("love", f"POST /lots/{coats}/close")

        async def found(query: str) -> list[str]:
            return [lot["id"] for lot in (await d.ask("staff", f"GET /lots?{query}")).json()["items"]]

        assert await found("expiring_before=2026-03-11") == [oil, rice]
        assert await found("expiring_before=2026-03-10") == [oil]
        assert await found("category=clothing") == [coats] == await found("open=false")
        assert await found("site_id=east") == [oil] == await found("available_at_most=3")
        assert set(await found("charity_id=love&open=true")) == {rice, oil}
        first = (await d.ask("staff", "GET /lots?limit=2")).json()
        rest = (await d.ask("staff", f"GET /lots?limit=2&cursor={first['next_cursor']}")).json()
        assert [len(first["items"]), len(rest["items"]), rest["next_cursor"]] == [2, 1, None]


async def test_conditions_are_edited_against_the_version_that_was_read_and_count_for_new_holds_only() -> None:
    async with desk() as d:
        lot_id = await d.lists()
        before = await d.holds(lot_id, 2, "need-1")
        tag = (await d.ask("love", f"GET /lots/{lot_id}")).headers["etag"]
        change = {"earmark": {"areas": [ELSEWHERE]}, "expires_on": "2026-12-31", "note": "新"}
        assert (await d.ask("love", f"PATCH /lots/{lot_id}", change)).status_code == 428
        edited = await d.ask("love", f"PATCH /lots/{lot_id}", change, If_Match=tag)
        assert (edited.status_code, edited.json()["expires_on"], edited.json()["note"]) == (
            200,
            "2026-12-31",
            "新",
        )
        stale = await d.ask("love", f"PATCH /lots/{lot_id}", change, If_Match=tag)
        assert (stale.status_code, code(stale)) == (412, "stale")
        assert d.w.said(LotChanged)[-1].state.earmark.areas == (ELSEWHERE,)
        await d.holds(lot_id, 1, "need-2")
        await d.confirms(before)
        assert [m.data.name for m in d.w.messages[-2:]] == ["hold.refused", "hold.confirmed"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"area": None}, "/area"),
        ({"area": "000000"}, "/area"),
        ({"expires_on": "2026-03-01"}, "/expires_on"),
        ({"earmark": {"areas": ["12"], "to_day": "2026-01-01", "from_day": "2026-01-02"}}, "/earmark/to_day"),
        ({"earmark": {"areas": ["99"]}}, "/earmark/areas/0"),
        ({"unit": "箱"}, "/unit"),
    ],
)
async def test_an_edit_that_makes_no_sense_changes_nothing(change: dict[str, Any], pointer: str) -> None:
    async with desk() as d:
        lot_id = await d.lists()
        answer = await d.ask("love", f"PATCH /lots/{lot_id}", change, If_Match='"1"')
        assert (answer.status_code, pointers(answer)) == (422, [pointer])
        assert (await d.ask("love", f"GET /lots/{lot_id}")).headers["etag"] == '"1"'


async def test_more_may_arrive_and_only_what_is_not_promised_may_be_written_off() -> None:
    async with desk() as d:
        lot_id = await d.lists()
        await d.holds(lot_id, 8)
        await d.ask("love", f"POST /lots/{lot_id}/receive", {"quantity": 5})
        too_much = await d.ask("love", f"POST /lots/{lot_id}/write-off", {"quantity": 8, "reason": "expired"})
        assert (too_much.status_code, code(too_much), pointers(too_much)) == (
            409,
            "not-enough-left",
            ["/quantity"],
        )
        assert "另有 8 已预留，须由相关站点先释放" in too_much.json()["title"]
        assert "8 more are held, and the station that holds them must release" in too_much.json()["title_en"]
        body = {"quantity": 7, "reason": "expired"}
        for _ in range(2):
            done = await d.ask("love", f"POST /lots/{lot_id}/write-off", body, key="once")
            assert (done.json()["written_off"], done.json()["available"]) == (7, 0)
        assert (await d.lot(lot_id)).write_offs[0].by == "love"
        nothing_held = await d.lists()
        body = {"quantity": 11, "reason": "lost"}
        refused = await d.ask("love", f"POST /lots/{nothing_held}/write-off", body)
        assert refused.json()["title"] == "可用数量不足：现有 10，需要 11"


async def test_goods_are_issued_signed_for_and_counted_where_they_went() -> None:
    async with desk() as d:
        lot_id = await d.lists()
        hold_id = await d.holds(lot_id, 4)
        early = await d.ask("staff", f"POST /holds/{hold_id}/issue")
        assert (early.status_code, code(early)) == (409, "hold-not-confirmed")
        await d.confirms(hold_id)
        for _ in range(2):
            issued = await d.ask("staff", f"POST /holds/{hold_id}/issue", key="issue")
            assert (issued.status_code, issued.json()["status"]) == (200, "issued")
        signature = {"relation": "family", "signature": "王秀英"}
        received = await d.ask("staff", f"POST /holds/{hold_id}/receipt", signature)
        assert received.json()["receipt"] == {
            "relation": "family",
            "by_phone": False,
            "signed_at": received.json()["closed_at"],
        }
        assert "王秀英" not in received.text
        assert (await d.ask("staff", f"GET /holds/{hold_id}/receipt")).json()["signature"] == "王秀英"
        assert (await d.ask("love", f"GET /holds/{hold_id}/receipt")).status_code == 403
        assert (await d.ask("stranger", f"GET /holds/{hold_id}/receipt")).status_code == 404
        assert len(d.w.said(LotIssued)) == len(d.w.said(LotReceived)) == 1
        outcomes = (await d.ask("love", f"GET /lots/{lot_id}/outcomes")).json()
        reached = [{"area": TOWNSHIP, "category": "social_assistance", "quantity": 4, "times": 1}]
        assert outcomes == {"lot_id": lot_id, "unit": "袋", "reached": reached, "quantity": 4, "times": 1}
        await d.ask("love", f"POST /holds/{hold_id}/return", {"reason": "declined"})
        assert [event.reason for event in d.w.said(LotReturned)] == [ReturnReason.DECLINED]
        assert (await d.ask("love", f"GET /lots/{lot_id}/outcomes")).json()["reached"] == []


async def test_who_signs_once_more_is_told_that_it_was_signed_for_and_when() -> None:
    async with desk() as d:
        hold_id = await d.holds(await d.lists(), 4)
        receipt = {"relation": "family", "signature": "王秀英"}
        early = await d.ask("staff", f"POST /holds/{hold_id}/receipt", receipt)
        assert (early.status_code, code(early)) == (409, "hold-not-issued")
        await d.issues(hold_id)
        assert (await d.ask("staff", f"POST /holds/{hold_id}/receipt", receipt)).status_code == 200
        d.w.clock.advance(3600)
        again = await d.ask("staff", f"POST /holds/{hold_id}/receipt", receipt)
        assert (again.status_code, code(again)) == (409, "already-signed")
        said = again.json()
        assert said["title_en"] == "This was signed for already, on 2026-03-02 at 09:00"
        assert said["title_zh"] == "该预留已于 2026-03-02 09:00 签收"


@pytest.mark.parametrize(
    "body",
    [{"relation": "family"}, {"relation": "family", "signature": "王", "by_phone": True}],
)
async def test_a_receipt_is_either_signed_or_confirmed_by_phone(body: dict[str, Any]) -> None:
    async with desk() as d:
        hold_id = await d.holds(await d.lists(), 4)
        await d.issues(hold_id)
        answer = await d.ask("staff", f"POST /holds/{hold_id}/receipt", body)
        assert (answer.status_code, pointers(answer)) == (422, ["/signature"])


async def test_what_is_past_its_expiry_is_not_handed_over() -> None:
    async with desk() as d:
        hold_id = await d.holds(await d.lists(expires_on="2026-03-03"), 4)
        await d.confirms(hold_id)
        d.w.clock.advance(2 * 86_400)
        answer = await d.ask("staff", f"POST /holds/{hold_id}/issue")
        assert (answer.status_code, code(answer)) == (409, "past-expiry"), "not even before the sweep"


async def test_staff_release_a_hold_but_not_what_was_handed_over() -> None:
    async with desk() as d:
        lot_id = await d.lists()
        first, second = await d.holds(lot_id, 1, "need-1"), await d.holds(lot_id, 2, "need-2")
        assert (await d.ask("love", f"POST /holds/{first}/release", {})).status_code == 403
        untrue = await d.ask("staff", f"POST /holds/{first}/release", {"reason": "no_show"})
        assert (untrue.status_code, untrue.json()["errors"][0]["pointer"]) == (422, "/reason")
        assert (await d.ask("staff", f"POST /holds/{first}/release", {})).json()["reason"] == "by_staff"
        assert [(e.hold_id, e.reason) for e in d.w.said(HoldReleased)] == [(first, Closing.BY_STAFF)]
        assert code(await d.ask("staff", f"POST /holds/{first}/release", {})) == "hold-over"
        await d.confirms(second, "need-2")
        await d.ask("staff", f"POST /holds/{second}/issue")
        assert code(await d.ask("staff", f"POST /holds/{second}/release", {})) == "hold-issued"
        assert (
            code(await d.ask("staff", f"POST /holds/{first}/return", {"reason": "other"}))
            == "hold-not-issued"
        )


async def test_a_hold_belongs_to_the_needs_station_and_to_the_charity() -> None:
    async with desk() as d:
        hold_id = await d.holds(await d.lists(), 4)

        async def sees(who: str) -> tuple[int, list[str]]:
            listed = (await d.ask(who, "GET /holds?need_id=need-1")).json()["items"]
            return (await d.ask(who, f"GET /holds/{hold_id}")).status_code, [hold["id"] for hold in listed]

        for who in ("staff", "boss", "love"):
            assert await sees(who) == (200, [hold_id])
        for who in ("stranger", "hope"):
            assert await sees(who) == (404, [])
        await d.confirms(hold_id)
        assert (await d.ask("stranger", f"POST /holds/{hold_id}/issue")).status_code == 404
        assert (await d.ask("volunteer", f"POST /holds/{hold_id}/issue")).status_code == 403
        assert (await d.ask("love", f"POST /holds/{hold_id}/issue")).status_code == 200
        (shown,) = (await d.ask("staff", "GET /holds?status=issued")).json()["items"]
        assert (shown["id"], shown["area"], shown["unit"]) == (hold_id, TOWNSHIP, "袋")


async def test_a_fund_is_a_lot_in_fen() -> None:
    async with desk() as d:
        body = {"amount_fen": 5_000_00, "area": COUNTY, "earmark": {"purposes": ["social_assistance"]}}
        fund = (await d.ask("love", "POST /funds", body)).json()
        await d.lists()
        need = {"goods": "cash_gift", "unit": "fen"}
        await d.holds(fund["id"], 300_00, **need)
        assert [f["id"] for f in (await d.ask("staff", "GET /funds")).json()["items"]] == [fund["id"]]
        shown = (await d.ask("staff", f"GET /funds/{fund['id']}")).json()
        assert (shown["received_fen"], shown["held_fen"], shown["available_fen"]) == (
            500_000,
            30_000,
            470_000,
        )
        assert (await d.ask("staff", f"GET /lots/{fund['id']}")).json()["unit"] == "fen"
        assert pointers(await d.ask("love", "POST /funds", {**body, "amount_fen": 1.5})) == ["/amount_fen"]
        lot_id = await d.lists()
        assert (await d.ask("love", f"GET /funds/{lot_id}")).status_code == 404


async def load(d: Desk, who: str, *rows: Any) -> dict[str, Any]:
    lines = [row if isinstance(row, bytes) else json.dumps(row, ensure_ascii=False).encode() for row in rows]
    answer = await d.ask(who, "POST /lots/bulk", b"\n".join(lines), Content_Type="application/x-ndjson")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_file_of_lots_is_loaded_and_wrong_lines_are_named() -> None:
    async with desk() as d:
        answer = await load(
            d,
            "love",
            a_lot(key="1"),
            b"",
            a_lot(key="2", quantity=0),
            b"{broken",
            a_lot(key="3", area="99"),
            a_lot(),
            a_lot(key="1", quantity=11),
            a_lot(key="4", charity_id="hope"),
            a_lot(key="5", charity_id="unheard-of"),
            a_lot(key="6", note="\0"),
        )
        assert [answer[n] for n in ("lines", "created", "repeated", "refused")] == [9, 1, 0, 8]
        assert [(e["line"], e["field"], e["code"]) for e in answer["errors"]] == [
            (3, "/quantity", "invalid"),
            (4, None, "broken-json"),
            (5, "/area", "invalid"),
            (6, "/key", "invalid"),
            (7, "/key", "idempotency-key-reused"),
            (8, "/charity_id", "forbidden"),
            (9, "/charity_id", "invalid"),
            (10, "/note", "invalid"),
        ]


async def test_loading_a_file_again_lists_nothing_twice() -> None:
    async with desk() as d:
        rows = [a_lot(key=f"row {n}", charity_id="hope") for n in range(300)]
        first, again = await load(d, "boss", *rows), await load(d, "boss", *rows)
        assert (first["created"], again["created"], again["repeated"]) == (300, 0, 300)
        assert len(d.w.said(LotListed)) == 300


async def test_a_closed_charity_lists_nothing_new_and_what_it_promised_is_still_handed_over() -> None:
    async with desk() as d:
        lot_id, others = await d.lists(), await d.lists("hope")
        hold_id = await d.holds(lot_id, 2)
        await d.confirms(hold_id)
        await d.charity_is(active=False)
        fund = {"amount_fen": 5_00, "area": COUNTY}
        refused = [
            await d.ask("love", "POST /lots", a_lot()),
            await d.ask("love", "POST /funds", fund),
            await d.ask("love", f"POST /lots/{lot_id}/open"),
        ]
        assert [code(answer) for answer in refused] == ["charity-closed"] * 3
        (flaw,) = (await load(d, "boss", a_lot(key="1", charity_id="love")))["errors"]
        assert flaw["code"] == "charity-closed"
        await d.holds(lot_id, 1, "need-2")
        await d.holds(others, 1, "need-3")
        assert [(e.need_id, e.rule, e.state.open) for e in d.w.said(HoldRefused)] == [
            ("need-2", GoodsRule.QUANTITY, False)
        ]
        assert (await d.ask("staff", f"POST /holds/{hold_id}/issue")).json()["status"] == "issued"
        signed = {"relation": "resident", "signature": "罗阿婆"}
        assert (await d.ask("staff", f"POST /holds/{hold_id}/receipt", signed)).json()["status"] == "received"


async def test_with_its_charity_a_lot_is_open_again_unless_it_was_closed_by_hand() -> None:
    async with desk() as d:
        open_, closed, closed_since = [await d.lists() for _ in range(3)]
        await d.ask("love", f"POST /lots/{closed}/close")
        await d.charity_is(active=False)
        assert (await d.ask("staff", "GET /lots?open=true")).json()["items"] == []
        await d.ask("love", f"POST /lots/{closed_since}/close")
        await d.charity_is(active=True)
        listed = (await d.ask("staff", "GET /lots?open=true")).json()["items"]
        assert [lot["id"] for lot in listed] == [open_]
        assert (await d.ask("love", "POST /lots", a_lot())).status_code == 201
        await d.lot(open_)


async def test_a_lot_stays_open_though_the_news_that_its_charity_is_there_again_comes_by_two_ways() -> None:
    async with desk() as d:
        lot_id, kind = await d.lists(), OrganisationKind.CHARITY
        news = [
            OrganisationChanged(organisation_name="爱心", kind=kind, site_id="main", active=active)
            for active in (False, True)
        ]
        d.w.knows(("love", news[0]))
        await d.holds(lot_id, 1, "need-1")
        assert [e.rule for e in d.w.said(HoldRefused)] == [GoodsRule.QUANTITY]
        assert (await d.lot(lot_id)).open
        d.w.knows(("love", news[1]))
        await d.holds(lot_id, 1, "need-2")
        assert len(d.w.said(HoldRefused)) == 1


async def test_old_news_of_a_charity_heard_again_closes_nothing() -> None:
    async with desk() as d:
        kind = OrganisationKind.CHARITY
        closed = OrganisationChanged(organisation_name="爱心", kind=kind, site_id="main", active=False)
        old = d.w.message("love", closed)
        await d.charity_is(active=False)
        await d.charity_is(active=True)
        lot_id = await d.lists()
        await d.w.hears(old)
        assert (await d.lot(lot_id)).open and not d.w.said(LotChanged)


async def test_every_lot_of_a_charity_is_closed_with_it_however_many_there_are() -> None:
    async with desk() as d:
        for _ in range(AT_ONCE + 1):
            await d.lists()
        await d.charity_is(active=False)
        assert len(d.w.said(LotChanged)) == AT_ONCE + 1


async def test_two_issues_at_once_hand_over_once() -> None:
    async with desk() as d:
        lot_id = await d.lists()
        hold_id = await d.holds(lot_id, 4)
        await d.confirms(hold_id)
        calls = [d.ask("staff", f"POST /holds/{hold_id}/issue") for _ in range(10)]
        codes = sorted(answer.status_code for answer in await asyncio.gather(*calls))
        assert codes == [200] + [409] * 9 and (await d.lot(lot_id)).issued == 4
