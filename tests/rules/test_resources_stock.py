"""The rule that may never break, tried with every order of requests, repeats and timers that chance comes up with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.resources.domain.balance import OverCommitted, balanced, faults
from services.resources.domain.booking import REFUSALS_KEPT, confirm, place, release
from services.resources.domain.filing import AT_ONCE, ripe, turn
from services.resources.domain.handover import issue, release_by_staff, sign, take_back
from services.resources.domain.ledger import Balances, LedgerEntry, enter, recount, running
from services.resources.domain.records import (
    CROWD,
    Hold,
    Lot,
    Receipt,
    SignedBy,
    WriteOffReason,
)
from services.resources.domain.stock import list_lot, receive_more, set_open, write_off
from shared.contracts.base import Message
from shared.contracts.matching import HoldConfirmationRequested, HoldReleaseRequested, HoldRequested
from shared.contracts.resources import HoldRefused, LotEvent
from shared.contracts.vocabulary import Category, Closing, GoodsCategory, HoldStatus, LotKind, ReturnReason
from shared.errors import Refusal
from shared.records import Change

START = datetime.fromisoformat("2026-03-02T01:00:00+00:00")
TODAY = date(2026, 3, 2)
HOLDS = st.integers(0, 9).map(lambda n: f"lot~{n}")


def a_lot(received: int = 20) -> Lot:
    return Lot(
        id="lot",
        charity_id="love",
        gift=LotKind.GOODS,
        category=GoodsCategory.FOOD,
        unit="袋",
        received=received,
        available=received,
        area="522702",
    )


def a_request(
    hold_id: str, quantity: int = 1, expires_at: datetime = START + timedelta(hours=4)
) -> HoldRequested:
    return HoldRequested(
        hold_id=hold_id,
        lot_id="lot",
        line_id="g1",
        site_id="east",
        area="522702102",
        household_id="household-1",
        category=Category.COMFORT,
        goods=GoodsCategory.FOOD,
        unit="袋",
        quantity=quantity,
        expires_at=expires_at,
    )


def a_message(event: LotEvent, sequence: int) -> Message:
    return Message(f"m{sequence}", event.type(), "/wushe/resources", "lot", START, sequence, "c", None, event)


class AnyOrder(RuleBasedStateMachine):
    """One lot, its events and its ledger."""

    def __init__(self) -> None:
        super().__init__()
        self.lot = a_lot()
        self.now = START
        self.ledger: list[LedgerEntry] = []
        self.cards: dict[str, Hold] = {}

    @initialize(received=st.integers(1, 30), good_days=st.none() | st.integers(0, 40))
    def list_it(self, received: int, good_days: int | None) -> None:
        expires_day = None if good_days is None else TODAY.toordinal() + good_days
        self.takes(list_lot(None, a_lot(received).but(expires_day=expires_day)))

    @property
    def today(self) -> date:
        return self.now.astimezone(ZoneInfo("Asia/Shanghai")).date()

    def takes(self, change: Change[Lot]) -> None:
        """What the store does with a change: the record replaced, every event one entry of the ledger."""
        for event in change.events:
            assert isinstance(event, LotEvent)
            state = event.state
            assert state.held >= 0 and state.issued >= 0 and state.written_off >= 0
            assert state.held + state.issued + state.written_off <= state.received
            entry = enter(None, event, a_message(event, len(self.ledger) + 1)).record
            self.ledger.append(entry)
        self.lot = change.record

    @rule(hold_id=HOLDS, quantity=st.integers(-1, 12))
    def asks(self, hold_id: str, quantity: int) -> None:
        request = a_request(hold_id, quantity, self.now + timedelta(hours=4))
        self.takes(
            place(self.lot, request, "n", self.cards.get(hold_id), self.now, self.today, "Asia/Shanghai")
        )

    @rule(hold_id=HOLDS)
    def confirms(self, hold_id: str) -> None:
        request = HoldConfirmationRequested(
            hold_id=hold_id, lot_id="lot", line_id="g1", pick_up_by=self.now + timedelta(days=3)
        )
        self.takes(confirm(self.lot, request, "n", self.cards.get(hold_id), self.now))

    @rule(hold_id=HOLDS)
    def releases(self, hold_id: str) -> None:
        request = HoldReleaseRequested(hold_id=hold_id, lot_id="lot", line_id="g1", reason=Closing.CANCELLED)
        self.takes(release(self.lot, request, "n", self.cards.get(hold_id), self.now))

    @rule(hold_id=HOLDS)
    def issues(self, hold_id: str) -> None:
        self.tries(lambda: issue(self.lot, hold_id, "li", self.now, self.today, self.cards.get(hold_id)))

    @rule(hold_id=HOLDS)
    def signs(self, hold_id: str) -> None:
        receipt = Receipt(relation=SignedBy.RESIDENT, by_phone=True, signed_at=self.now, taken_by="li")
        self.tries(lambda: sign(self.lot, hold_id, receipt, self.cards.get(hold_id)))

    @rule(hold_id=HOLDS)
    def releases_by_staff(self, hold_id: str) -> None:
        card = self.cards.get(hold_id)
        self.tries(lambda: release_by_staff(self.lot, hold_id, Closing.BY_STAFF, self.now, card))

    @rule(hold_id=HOLDS)
    def takes_back(self, hold_id: str) -> None:
        seen = self.lot.holds.get(hold_id) or self.cards.get(hold_id)
        if seen is not None:
            self.tries(lambda: take_back(self.lot, hold_id, seen, ReturnReason.OTHER, self.now))

    @rule(quantity=st.integers(1, 12))
    def writes_off(self, quantity: int) -> None:
        self.tries(lambda: write_off(self.lot, quantity, WriteOffReason.LOST, "li", self.now))

    @rule(added=st.integers(1, 12))
    def receives(self, added: int) -> None:
        self.takes(receive_more(self.lot, added))

    @rule(open=st.booleans())
    def opens(self, open: bool) -> None:
        self.takes(set_open(self.lot, open))

    @rule(hours=st.sampled_from([1, 5, 24 * 31]))
    def passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @precondition(lambda self: self.lot.due_at is not None and self.lot.due_at <= self.now)
    @rule()
    def wakes(self) -> None:
        filed = ripe(self.lot, self.now)
        self.cards.update(filed)
        self.takes(turn(self.lot, filed, self.now))
        assert self.lot.due_at is None or self.lot.due_at > self.now, "it would be woken for ever"
        assert not (self.lot.held and self.lot.past_expiry(self.today)), "it could not be handed over"

    def tries(self, act: Callable[[], Change[Lot]]) -> None:
        before = self.lot
        try:
            self.takes(act())
        except Refusal:
            assert self.lot is before

    @invariant()
    def everything_adds_up(self) -> None:
        assert faults(self.lot) == []

    @invariant()
    def the_ledger_recounts_to_the_same(self) -> None:
        lot = self.lot
        assert recount(self.ledger) in (
            Balances(lot.received, lot.held, lot.issued, lot.written_off),
            Balances(),
        )
        written = [Balances(e.received, e.held, e.issued, e.written_off) for e in self.ledger]
        assert list(running(self.ledger)) == written


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=100, stateful_step_count=35, deadline=None)


def test_a_change_that_promises_too_much_is_a_fault_and_not_a_refusal() -> None:
    with pytest.raises(OverCommitted):
        balanced(a_lot(5), held=6)


def test_a_stored_lot_that_does_not_add_up_says_how() -> None:
    assert faults(a_lot(5).but(held=6)) == [
        "held is 6, the holds add up to 0",
        "available is 5, which does not follow from {'received': 5, 'held': 6, 'issued': 0, 'written_off': 0}",
    ]


def test_a_lot_of_very_many_vouchers_stays_small() -> None:
    lot, now, largest = a_lot(100_000), START, 0
    for n in range(1200):
        now += timedelta(minutes=1)
        lot = place(lot, a_request(f"lot~{n}"), "n", None, now, TODAY).record
        lot = release_by_staff(lot, f"lot~{n}", Closing.BY_STAFF, now).record
        if lot.due_at is not None and lot.due_at <= now:
            lot = turn(lot, ripe(lot, now), now).record
        largest = max(largest, len(lot.holds))
    assert largest <= CROWD + AT_ONCE and faults(lot) == []


def test_a_lot_remembers_only_its_newest_refusals() -> None:
    lot = a_lot(1)
    for n in range(REFUSALS_KEPT + 10):
        change = place(lot, a_request(f"lot~{n}", 2), "n", None, START, TODAY)
        assert isinstance(change.events[0], HoldRefused)
        lot = change.record
    assert len(lot.refusals) == REFUSALS_KEPT and "lot~0" not in lot.refusals


def test_a_hold_that_changed_after_it_was_copied_is_not_filed() -> None:
    lot = place(a_lot(), a_request("lot~1"), "n", None, START, TODAY).record
    lot = release_by_staff(lot, "lot~1", Closing.BY_STAFF, START).record
    late = START + timedelta(days=31)
    filed = ripe(lot, late)
    changed = lot.but(holds={"lot~1": filed["lot~1"].but(status=HoldStatus.EXPIRED)})
    assert list(filed) == ["lot~1"]
    assert turn(lot, filed, late).record.holds == {} and list(turn(changed, filed, late).record.holds) == [
        "lot~1"
    ]
