"""Charity resources as matching meets them: stock is held, confirmed, given back, and never promised twice."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from services.resources.domain.filing import HoldCard
from services.resources.domain.ledger import LedgerEntry
from services.resources.domain.records import Lot
from shared.contracts.resources import (
    HoldConfirmed,
    HoldExpired,
    HoldPlaced,
    HoldRefused,
    HoldReleased,
    LotIssued,
    LotListed,
    LotReceived,
    LotReturned,
)
from shared.contracts.vocabulary import Category, Closing, GoodsCategory, GoodsRule, HoldStatus, TargetGroup
from shared.ports import Query
from shared.records import Change
from tests.services.resources_desk import (
    ELSEWHERE,
    TOWNSHIP,
    a_confirmation,
    a_release,
    a_request,
    desk,
)
from tests.world import START

EARMARK = {
    "purposes": ["social_assistance"],
    "target_groups": ["elder_alone", "disabled"],
    "areas": [TOWNSHIP],
    "from_day": "2026-03-01",
    "to_day": "2026-03-02",
}


async def test_a_hold_keeps_stock_from_others_and_says_until_when() -> None:
    async with desk() as d:
        lot_id = await d.lists()
        hold_id = await d.holds(lot_id, 4)
        (placed,) = d.w.said(HoldPlaced)
        assert (placed.hold_id, placed.quantity, placed.need_id) == (hold_id, 4, "need-1")
        assert (placed.state.held, placed.state.available) == (4, 6)
        assert (await d.lot(lot_id)).available == 6


async def test_more_than_is_left_is_refused() -> None:
    async with desk() as d:
        lot_id = await d.lists(quantity=5)
        await d.holds(lot_id, 3, "need-1")
        await d.holds(lot_id, 3, "need-2")
        (refused,) = d.w.said(HoldRefused)
        assert (refused.need_id, refused.rule, refused.state.held) == ("need-2", GoodsRule.QUANTITY, 3)


async def test_two_hundred_needs_at_once_never_take_more_than_there_is() -> None:
    async with desk() as d:
        lot_id = await d.lists(quantity=120)
        asked = [d.w.message(f"need-{n}", a_request(lot_id, 1 + n % 3, f"need-{n}")) for n in range(200)]
        await d.hears_at_once(*asked)
        lot = await d.lot(lot_id)
        placed, refused = d.w.said(HoldPlaced), d.w.said(HoldRefused)
        assert len(placed) + len(refused) == 200
        assert all(e.state.held + e.state.issued <= e.state.received for e in (*placed, *refused))
        assert lot.held == sum(e.quantity for e in placed) and 118 <= lot.held <= 120


@pytest.mark.parametrize(
    ("earmark", "need", "rule"),
    [
        (EARMARK, {}, None),
        ({}, {"goods": GoodsCategory.CLOTHING}, GoodsRule.CATEGORY),
        ({}, {"unit": "箱"}, GoodsRule.UNIT),
        (EARMARK, {"category": Category.COMFORT}, GoodsRule.EARMARK_PURPOSE),
        (EARMARK, {"target_groups": (TargetGroup.ORPHAN,)}, GoodsRule.EARMARK_GROUP),
        (EARMARK, {"target_groups": ()}, GoodsRule.EARMARK_GROUP),
        (EARMARK, {"area": f"{ELSEWHERE}001"}, GoodsRule.EARMARK_AREA),
        ({**EARMARK, "areas": [ELSEWHERE, "522702"]}, {}, None),
        ({**EARMARK, "to_day": "2026-03-01"}, {}, GoodsRule.EARMARK_DATE),
        ({**EARMARK, "from_day": "2026-03-03", "to_day": None}, {}, GoodsRule.EARMARK_DATE),
        (EARMARK, {"quantity": 11}, GoodsRule.QUANTITY),
        ({}, {"quantity": 0}, GoodsRule.QUANTITY),
    ],
)
async def test_a_gift_is_never_booked_outside_its_conditions_and_the_refusal_names_the_first_that_fails(
    earmark: dict[str, Any], need: dict[str, Any], rule: GoodsRule | None
) -> None:
    async with desk() as d:
        lot_id = await d.lists(earmark=earmark)
        await d.w.hears(("need-1", a_request(lot_id, **need)))
        assert [e.rule for e in d.w.said(HoldRefused)] == ([] if rule is None else [rule])
        assert len(d.w.said(HoldPlaced)) == (rule is None)


async def test_the_dates_of_a_gift_go_by_the_day_at_the_site() -> None:
    async with desk() as d:
        lot_id = await d.lists(earmark={"to_day": "2026-03-02"}, expires_on="2026-03-02")
        d.w.clock.advance_to(START.replace(hour=15, minute=59))
        await d.holds(lot_id, 1, "need-1")
        d.w.clock.advance_to(START.replace(hour=16))
        await d.holds(lot_id, 1, "need-2")
        assert [e.need_id for e in d.w.said(HoldPlaced)] == ["need-1"]
        assert [(e.need_id, e.rule) for e in d.w.said(HoldRefused)] == [("need-2", GoodsRule.EXPIRED)]


async def test_a_lot_that_nobody_listed_refuses_and_is_shown_nowhere() -> None:
    async with desk() as d:
        await d.holds("ghost", 1)
        (refused,) = d.w.said(HoldRefused)
        assert (refused.rule, refused.state.received, refused.state.open) == (GoodsRule.QUANTITY, 0, False)
        assert (await d.ask("staff", "GET /lots/ghost")).status_code == 404
        assert (await d.ask("staff", "GET /lots")).json()["items"] == []


async def test_a_closed_lot_takes_no_new_holds_and_keeps_its_old_ones() -> None:
    async with desk() as d:
        lot_id = await d.lists()
        first = await d.holds(lot_id, 1, "need-1")
        await d.ask("love", f"POST /lots/{lot_id}/close")
        await d.holds(lot_id, 1, "need-2")
        await d.confirms(first)
        assert [e.need_id for e in d.w.said(HoldRefused)] == ["need-2"]
        assert [e.need_id for e in d.w.said(HoldConfirmed)] == ["need-1"]


async def test_a_request_asked_again_changes_nothing_and_hears_how_the_hold_stands() -> None:
    async with desk() as d:
        lot_id = await d.lists()

        async def again() -> str:
            before, said = await d.lot(lot_id), len(d.w.messages)
            await d.holds(lot_id, 2)
            assert await d.lot(lot_id) == before
            (answer,) = d.w.messages[said:]
            return answer.data.name

        hold_id = await d.holds(lot_id, 2)
        assert await again() == "hold.placed"
        await d.confirms(hold_id)
        assert await again() == "hold.confirmed"
        await d.issues(hold_id)
        assert await again() == "lot.issued"
        await d.ask("staff", f"POST /holds/{hold_id}/receipt", {"relation": "resident", "signature": "王"})
        assert await again() == "lot.received"
        await d.ask("staff", f"POST /holds/{hold_id}/return", {"reason": "unsuitable"})
        assert await again() == "lot.returned"


@pytest.mark.parametrize("confirmed", [False, True])
async def test_a_hold_asked_for_again_with_less_gives_the_rest_back_and_keeps_its_promise(
    confirmed: bool,
) -> None:
    async with desk() as d:
        lot_id = await d.lists()
        hold_id = await d.holds(lot_id, 10)
        if confirmed:
            await d.confirms(hold_id)
        await d.ask("love", f"POST /lots/{lot_id}/close")
        await d.holds(lot_id, 6)
        lot = await d.lot(lot_id)
        assert (lot.held, lot.available, lot.holds[hold_id].quantity) == (6, 4, 6)
        assert (await d.ask("staff", f"GET /holds/{hold_id}")).json()["quantity"] == 6
        await d.holds(lot_id, 8)
        assert (await d.lot(lot_id)).held == 6, "it never grows again"
        await d.issues(hold_id)
        await d.holds(lot_id, 2)
        assert (await d.lot(lot_id)).issued == 6, "what was handed over is handed over"


async def test_a_refusal_asked_again_is_the_same_even_when_there_is_stock_by_then() -> None:
    async with desk() as d:
        lot_id = await d.lists(quantity=1)
        await d.holds(lot_id, 2)
        await d.ask("love", f"POST /lots/{lot_id}/receive", {"quantity": 10})
        await d.holds(lot_id, 2)
        assert [e.rule for e in d.w.said(HoldRefused)] == [GoodsRule.QUANTITY] * 2
        assert d.w.said(HoldPlaced) == []


async def test_the_same_message_twice_acts_and_speaks_once() -> None:
    async with desk() as d:
        lot_id = await d.lists()
        message = d.w.message("need-1", a_request(lot_id, 2))
        await d.w.hears(message, message)
        assert len(d.w.said(HoldPlaced)) == 1 and (await d.lot(lot_id)).held == 2


async def test_an_unconfirmed_hold_lapses_at_its_deadline() -> None:
    async with desk() as d:
        lot_id = await d.lists()
        await d.holds(lot_id, 4)
        await d.w.passes(hours=3, minutes=59)
        assert d.w.said(HoldExpired) == []
        await d.w.passes(minutes=2)
        assert [(e.quantity, e.state.held) for e in d.w.said(HoldExpired)] == [(4, 0)]
        assert (await d.lot(lot_id)).available == 10


async def test_a_confirmed_hold_never_lapses_but_is_shown_as_overdue() -> None:
    async with desk() as d:
        hold_id = await d.holds(await d.lists(), 4)
        await d.confirms(hold_id)
        assert (await d.ask("staff", "GET /holds?overdue=true")).json()["items"] == []
        await d.w.passes(days=4)
        assert d.w.said(HoldExpired) == []
        (shown,) = (await d.ask("staff", "GET /holds?overdue=true")).json()["items"]
        assert (shown["id"], shown["overdue"], shown["status"]) == (hold_id, True, "confirmed")
        assert (await d.ask("staff", f"POST /holds/{hold_id}/issue")).status_code == 200


async def test_what_is_kept_goes_back_when_the_last_good_day_is_over_where_the_need_is() -> None:
    async with desk() as d:
        lot_id = await d.lists(expires_on="2026-03-05")
        late = START + timedelta(days=30)
        confirmed, held, handed_over = [
            await d.holds(lot_id, n, f"need-{n}", expires_at=late) for n in (1, 2, 3)
        ]
        await d.confirms(confirmed, "need-1")
        await d.confirms(handed_over, "need-3")
        await d.ask("staff", f"POST /holds/{handed_over}/issue")
        midnight = START.replace(day=5, hour=16)
        await d.w.passes(seconds=(midnight - START).total_seconds() - 1)
        assert (await d.lot(lot_id)).held == 3
        await d.w.passes(seconds=2)
        assert [(e.hold_id, e.reason) for e in d.w.said(HoldReleased)] == [(confirmed, Closing.EXPIRED)]
        assert [e.hold_id for e in d.w.said(HoldExpired)] == [held]
        lot = await d.lot(lot_id)
        assert (lot.held, lot.issued) == (0, 3)
        assert lot.due_at is None or lot.due_at > d.w.clock.now()


@pytest.mark.parametrize(
    ("expires_on", "until"),
    [
        ("2026-03-03", START.replace(day=3, hour=16)),
        ("2026-03-09", START + timedelta(days=3)),
        (None, START + timedelta(days=3)),
    ],
)
async def test_nobody_is_told_to_fetch_goods_after_their_last_good_day(
    expires_on: str | None, until: datetime
) -> None:
    async with desk() as d:
        hold_id = await d.holds(await d.lists(expires_on=expires_on), 4)
        await d.confirms(hold_id)
        assert [e.pick_up_by for e in d.w.said(HoldConfirmed)] == [until]
        read = (await d.ask("staff", f"GET /holds/{hold_id}")).json()["pick_up_by"]
        assert datetime.fromisoformat(read) == until


async def test_a_shorter_expiry_counts_for_what_is_kept_already() -> None:
    async with desk() as d:
        lot_id = await d.lists(expires_on="2026-06-01")
        hold_id = await d.holds(lot_id, 4)
        await d.confirms(hold_id)
        version = (await d.ask("love", f"GET /lots/{lot_id}")).headers["etag"]
        edited = await d.ask("love", f"PATCH /lots/{lot_id}", {"expires_on": "2026-03-04"}, If_Match=version)
        assert edited.status_code == 200, edited.text
        await d.w.passes(days=3)
        assert [e.hold_id for e in d.w.said(HoldReleased)] == [hold_id]


@pytest.mark.parametrize("placed_by", ["this version", "an earlier one"])
async def test_who_fetches_goods_is_told_when_their_expiry_is_corrected(placed_by: str) -> None:
    """Until the end of the last good day if that is sooner than was agreed, and no later than was agreed."""
    async with desk() as d:
        lot_id = await d.lists(expires_on="2026-06-01")
        hold_id = await d.holds(lot_id, 4)
        other = await d.holds(lot_id, 1, "need-2")
        await d.confirms(hold_id)
        if placed_by == "an earlier one":
            lot = await d.lot(lot_id)
            holds = {id: hold.but(wanted_by=None) for id, hold in lot.holds.items()}
            await d.w.store.change(Lot, lot_id, lambda _: Change(lot.but(holds=holds)))
        agreed, cut_short = START + timedelta(days=3), START.replace(day=3, hour=16)
        for expires_on in ("2026-03-03", "2026-03-03", "2026-12-31", None):
            version = (await d.ask("love", f"GET /lots/{lot_id}")).headers["etag"]
            edited = await d.ask(
                "love", f"PATCH /lots/{lot_id}", {"expires_on": expires_on, "note": "新"}, If_Match=version
            )
            assert edited.status_code == 200, edited.text
        said = [(e.hold_id, e.pick_up_by, e.state.expires_on) for e in d.w.said(HoldConfirmed)]
        assert said[1:] == [(hold_id, cut_short, date(2026, 3, 3)), (hold_id, agreed, date(2026, 12, 31))]
        assert (await d.lot(lot_id)).holds[other].pick_up_by is None


async def test_goods_that_were_handed_over_are_not_told_to_be_fetched_when_their_expiry_is_corrected() -> (
    None
):
    async with desk() as d:
        lot_id = await d.lists(expires_on="2026-06-01")
        hold_id = await d.holds(lot_id, 4)
        await d.issues(hold_id)
        version = (await d.ask("love", f"GET /lots/{lot_id}")).headers["etag"]
        await d.ask("love", f"PATCH /lots/{lot_id}", {"expires_on": "2026-03-03"}, If_Match=version)
        assert len(d.w.said(HoldConfirmed)) == 1


async def test_a_confirmation_that_comes_after_the_expiry_hears_of_the_expiry_again() -> None:
    async with desk() as d:
        lot_id = await d.lists()
        hold_id = await d.holds(lot_id, 4)
        await d.w.passes(hours=5)
        await d.confirms(hold_id)
        assert len(d.w.said(HoldExpired)) == 2 and d.w.said(HoldConfirmed) == []
        assert (await d.lot(lot_id)).held == 0


@pytest.mark.parametrize(
    ("good_on", "kept"), [(date(2026, 3, 5), True), (date(2026, 3, 6), False), (None, True)]
)
async def test_goods_that_could_not_be_handed_over_on_the_day_are_not_confirmed(
    good_on: date | None, kept: bool
) -> None:
    async with desk() as d:
        lot_id = await d.lists(expires_on="2026-03-05")
        hold_id = await d.holds(lot_id, 4)
        await d.confirms(hold_id, good_on=good_on)
        assert [e.hold_id for e in d.w.said(HoldConfirmed)] == [hold_id] * kept
        assert [e.hold_id for e in d.w.said(HoldExpired)] == [hold_id] * (not kept)
        assert (await d.lot(lot_id)).held == 4 * kept


async def test_a_confirmation_that_comes_before_the_sweep_saves_the_hold() -> None:
    async with desk() as d:
        lot_id = await d.lists()
        hold_id = await d.holds(lot_id, 4)
        d.w.clock.advance(5 * 3600)
        await d.confirms(hold_id)
        assert len(d.w.said(HoldConfirmed)) == 1 and d.w.said(HoldExpired) == []
        assert (await d.lot(lot_id)).held == 4


@pytest.mark.parametrize("sweep_first", [True, False])
async def test_expiry_and_confirmation_at_once_end_in_exactly_one_of_them(sweep_first: bool) -> None:
    async with desk() as d:
        lot_id = await d.lists()
        hold_id = await d.holds(lot_id, 4)
        d.w.clock.advance(5 * 3600)
        (sweep,) = d.w.service.sweeps
        both = [sweep.wake(lot_id), d.hears_at_once(d.w.message("need-1", a_confirmation(hold_id)))]
        await asyncio.gather(*(both if sweep_first else reversed(both)))
        await d.w.settle()
        lot = await d.lot(lot_id)
        if lot.holds[hold_id].status is HoldStatus.CONFIRMED:
            assert lot.held == 4 and d.w.said(HoldExpired) == [] and len(d.w.said(HoldConfirmed)) == 1
        else:
            assert lot.held == 0 and d.w.said(HoldConfirmed) == []
            assert {e.hold_id for e in d.w.said(HoldExpired)} == {hold_id}


async def test_a_release_gives_the_stock_back_whether_confirmed_or_not() -> None:
    async with desk() as d:
        lot_id = await d.lists()
        first, second = await d.holds(lot_id, 4, "need-1"), await d.holds(lot_id, 5, "need-2")
        await d.confirms(second, "need-2")
        await d.w.hears(("need-1", a_release(first)), ("need-2", a_release(second, Closing.LAPSED)))
        assert [(e.hold_id, e.reason) for e in d.w.said(HoldReleased)] == [
            (first, Closing.CANCELLED),
            (second, Closing.LAPSED),
        ]
        assert (await d.lot(lot_id)).available == 10


async def test_a_release_that_comes_before_its_request_keeps_it_from_ever_being_placed() -> None:
    async with desk() as d:
        lot_id = await d.lists()
        request = a_request(lot_id, 4)
        await d.w.hears(("need-1", a_release(request.hold_id)), ("need-1", request))
        assert d.w.said(HoldPlaced) == []
        assert [e.hold_id for e in d.w.said(HoldReleased)] == [request.hold_id] * 2
        assert (await d.lot(lot_id)).available == 10
        assert (await d.ask("staff", f"GET /holds/{request.hold_id}")).status_code == 404


async def test_a_hold_that_was_never_asked_for_cannot_be_confirmed() -> None:
    async with desk() as d:
        lot_id = await d.lists()
        await d.confirms(f"{lot_id}~unknown")
        assert [e.quantity for e in d.w.said(HoldExpired)] == [0]
        await d.lot(lot_id)


async def test_issued_goods_stay_issued_when_the_need_ends_until_they_are_returned() -> None:
    async with desk() as d:
        lot_id = await d.lists()
        hold_id = await d.holds(lot_id, 4)
        await d.issues(hold_id)
        await d.w.hears(("need-1", a_release(hold_id)))
        assert d.w.said(HoldReleased) == [] and (await d.lot(lot_id)).issued == 4
        await d.ask("staff", f"POST /holds/{hold_id}/return", {"reason": "declined"})
        assert [e.state.available for e in d.w.said(LotReturned)] == [10]
        assert (await d.lot(lot_id)).issued == 0


async def test_every_event_is_one_entry_of_the_ledger() -> None:
    async with desk() as d:
        lot_id = await d.lists()
        hold_id = await d.holds(lot_id, 4)
        await d.issues(hold_id)
        await d.ask("staff", f"POST /holds/{hold_id}/receipt", {"relation": "family", "by_phone": True})
        await d.ask("love", f"POST /lots/{lot_id}/write-off", {"quantity": 2, "reason": "damaged"})
        entries = (await d.ask("love", f"GET /lots/{lot_id}/ledger")).json()["items"]
        names = [
            "lot.listed",
            "hold.placed",
            "hold.confirmed",
            "lot.issued",
            "lot.received",
            "lot.written_off",
        ]
        assert [e["event"] for e in entries] == names
        assert [e["sequence"] for e in entries] == [1, 2, 3, 4, 5, 6]
        assert [(e["held"], e["issued"]) for e in entries][1:5] == [(4, 0), (4, 0), (0, 4), (0, 4)]
        await d.lot(lot_id)


async def test_replaying_everything_changes_no_record() -> None:
    async with desk() as d:
        lot_id = await d.lists()
        told = [d.w.message(f"need-{n}", a_request(lot_id, 4, f"need-{n}")) for n in range(4)]
        told.append(d.w.message("need-0", a_confirmation(f"{lot_id}~need-0")))
        await d.w.hears(*told)

        async def snapshot() -> list[tuple[str, int]]:
            kinds = (Lot, LedgerEntry, HoldCard)
            return [
                (found.record.model_dump_json(), found.version)
                for kind in kinds
                for found in await d.w.store.find(kind, Query(limit=1000))
            ]

        before, said = await snapshot(), list(d.w.messages)
        await d.w.hears(*told, *said, *reversed(said))
        assert await snapshot() == before and d.w.messages == said


async def test_closed_holds_leave_the_lot_after_a_month_and_can_still_be_read() -> None:
    async with desk() as d:
        lot_id = await d.lists()
        gone, kept = await d.holds(lot_id, 4, "need-1"), await d.holds(lot_id, 1, "need-2")
        await d.confirms(kept, "need-2")
        await d.issues(gone)
        await d.ask("staff", f"POST /holds/{gone}/receipt", {"relation": "resident", "signature": "王秀英"})
        await d.w.passes(days=31)
        lot = await d.lot(lot_id)
        assert list(lot.holds) == [kept] and (lot.issued, lot.held) == (4, 1)
        assert (await d.ask("staff", f"GET /holds/{gone}")).json()["status"] == "received"
        assert (await d.ask("staff", f"GET /holds/{gone}/receipt")).json()["signature"] == "王秀英"


async def test_goods_can_come_back_even_after_their_hold_was_filed_but_only_once() -> None:
    async with desk() as d:
        lot_id = await d.lists()
        hold_id = await d.holds(lot_id, 4)
        await d.issues(hold_id)
        await d.ask("staff", f"POST /holds/{hold_id}/receipt", {"relation": "resident", "by_phone": True})
        await d.w.passes(days=31)
        back = await d.ask("staff", f"POST /holds/{hold_id}/return", {"reason": "unsuitable"})
        assert (back.status_code, back.json()["returned"]) == (200, "unsuitable")
        assert (await d.lot(lot_id)).available == 10
        again = await d.ask("staff", f"POST /holds/{hold_id}/return", {"reason": "unsuitable"})
        assert again.json()["type"].endswith("hold-not-issued")
        await d.w.passes(days=31)
        assert (await d.lot(lot_id)).holds == {}
        again = await d.ask("staff", f"POST /holds/{hold_id}/return", {"reason": "unsuitable"})
        assert again.json()["type"].endswith("hold-not-issued")
        assert (await d.lot(lot_id)).available == 10


async def test_a_hold_that_was_filed_is_refused_by_how_it_stands() -> None:
    async with desk() as d:
        lot_id = await d.lists()
        signed, released = await d.holds(lot_id, 4, "need-1"), await d.holds(lot_id, 1, "need-2")
        await d.issues(signed)
        receipt = {"relation": "resident", "by_phone": True}
        await d.ask("staff", f"POST /holds/{signed}/receipt", receipt)
        await d.ask("staff", f"POST /holds/{released}/release", {})
        acts: dict[str, Any] = {"issue": None, "receipt": receipt, "release": {}}

        async def answers(hold_id: str) -> list[tuple[int, str]]:
            given = [await d.ask("staff", f"POST /holds/{hold_id}/{act}", acts[act]) for act in acts]
            return [(one.status_code, one.json()["type"].rpartition(":")[2]) for one in given]

        before = [await answers(signed), await answers(released)]
        await d.w.passes(days=31)
        assert (await d.lot(lot_id)).holds == {}
        assert [await answers(signed), await answers(released)] == before
        assert before[0] == [(409, "hold-not-confirmed"), (409, "already-signed"), (409, "hold-issued")]
        assert before[1] == [(409, "hold-not-confirmed"), (409, "hold-not-issued"), (409, "hold-over")]


async def test_no_event_carries_the_donor_the_note_or_the_signature() -> None:
    async with desk() as d:
        donor = await d.ask("love", "POST /donors", {"name": "张慷慨", "phone": "13800138000"})
        lot_id = await d.lists(donor_id=donor.json()["id"], note="放在李阿姨家")
        hold_id = await d.holds(lot_id, 1)
        await d.issues(hold_id)
        await d.ask(
            "staff", f"POST /holds/{hold_id}/receipt", {"relation": "neighbour", "signature": "赵邻居"}
        )
        assert len(d.w.said(LotListed)) == len(d.w.said(LotIssued)) == len(d.w.said(LotReceived)) == 1
        said = "".join(m.data.model_dump_json() for m in d.w.messages)
        for secret in ("张慷慨", "13800138000", "李阿姨", "赵邻居", donor.json()["id"]):
            assert secret not in said


async def test_a_lot_with_three_hundred_open_holds_files_nothing_early() -> None:
    async with desk() as d:
        lot_id = await d.lists(quantity=1000, expires_on=str(date(2027, 1, 1)))
        far = START + timedelta(days=60)
        asked = [d.w.message(f"n{n}", a_request(lot_id, 1, f"n{n}", expires_at=far)) for n in range(300)]
        await d.hears_at_once(*asked)
        await d.w.passes(days=40)
        assert len((await d.lot(lot_id)).holds) == 300
