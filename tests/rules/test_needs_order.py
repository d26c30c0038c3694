"""A need's status comes from facts, whatever order they come in, as long as each record speaks in its own order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.needs.domain import hearing, lifecycle, ordering
from services.needs.domain.household import Household, Resident
from services.needs.domain.need import Need
from services.needs.domain.ordering import Moment, Order
from shared.contracts import Event, Message
from shared.contracts import matching as m
from shared.contracts import resources as r
from shared.contracts import volunteers as vol
from shared.contracts.parts import GoodsLine, PeopleLine, SitePolicy
from shared.contracts.vocabulary import Category, GoodsCategory, NeedStatus, Waiting
from tests.services import needs_desk as k
from tests.world import START

POLICY = SitePolicy()
AT = Moment(START, date(2026, 3, 2), POLICY)
HOME = Household(
    id="home",
    site_id="east",
    area=k.VILLAGE,
    address=k.ADDRESS,
    residents=(Resident(id="home~1", name=k.NAME),),
    registered_by="staff",
    created_at=START,
    created_ms=0,
)
Told = tuple[str, Event]


def a_need(seats: int = 1, minimum: int = 1, quantity: int = 0) -> Need:
    people = PeopleLine(id="", seats=seats, minimum=minimum, window=k.WINDOW)
    rice = GoodsLine(id="", category=GoodsCategory.FOOD, quantity=quantity, minimum=quantity, unit="袋")
    order = Order("home", Category.COMFORT, (people, rice) if quantity else (people,))
    return ordering.post(None, ordering.write_order("n", order, HOME, "staff", AT), order.lines, AT).record


def messages(told: Sequence[Told]) -> list[Message]:
    """As they come over the bus: sequences count per record."""
    counts: dict[str, int] = {}
    found = []
    for subject, event in told:
        counts[subject] = counts.get(subject, 0) + 1
        found.append(
            Message(
                f"{subject}-{counts[subject]}",
                event.type(),
                "",
                subject,
                START,
                counts[subject],
                "",
                None,
                event,
            )
        )
    return found


def interleavings(told: Sequence[Message]) -> Iterator[list[Message]]:
    """Every order in which each record's own messages stay in order."""
    queues: dict[str, list[Message]] = {}
    for message in told:
        queues.setdefault(message.subject, []).append(message)
    yield from _woven(list(queues.values()))


def _woven(queues: list[list[Message]]) -> Iterator[list[Message]]:
    if not any(queues):
        yield []
    for n, queue in enumerate(queues):
        if queue:
            rest = [q[1:] if i == n else q for i, q in enumerate(queues)]
            yield from ([queue[0], *after] for after in _woven(rest))


def hear(need: Need, message: Message, now: datetime) -> Need:
    event = message.data
    table: list[tuple[Any, Callable[..., Any]]] = [
        (m.MatchState, hearing.hear_state),
        (m.SeatWon, hearing.hear_won),
        (m.SeatReleased, hearing.hear_released),
        (m.SearchProgressed | m.MatchStalled, hearing.hear_search),
        (vol.CalendarEvent, hearing.hear_task),
        (r.HoldEvent, hearing.hear_hold),
    ]
    decide = next(method for kind, method in table if isinstance(event, kind))
    heard: Need = decide(need, event, message, now, POLICY).record
    return heard


def course(need: Need, told: Sequence[Message], now: datetime) -> Need:
    for message in told:
        need = hear(need, message, now)
        assert need.ended or (need.waiting and need.next_action_at and need.wake_at)
    return need


def check_out(who: str = "li", line_id: str = "p1") -> Told:
    return k.done("n", who, line_id)


STORIES: dict[str, tuple[Need, list[Told], NeedStatus, Waiting | None]] = {
    "served": (
        a_need(quantity=2),
        [
            ("n", k.won()), ("n", k.made(k.taken(), holds=(k.held(),))),
            k.checked_in("n"), check_out(),
            k.issued("n"), k.received("n"),
        ],
        NeedStatus.AWAITING_CONFIRMATION,
        Waiting.CONFIRMATION,
    ),
    "one of two dropped out and another came": (
        a_need(2, 2),
        [
            ("n", k.made(k.taken(), k.taken("wang"))), ("n", k.reopened(k.taken())), ("n", k.made(k.taken(), k.taken("zhao"))),
            k.withdrawn("n", "wang"),
            k.checked_in("n"),
        ],
        NeedStatus.IN_SERVICE,
        Waiting.SERVICE,
    ),
    "the only one dropped out": (
        a_need(),
        [("n", k.won()), ("n", k.made(k.taken())), ("n", k.reopened()), k.withdrawn("n")],
        NeedStatus.MATCHING,
        Waiting.SEARCH,
    ),
    "goods came back": (
        a_need(quantity=2),
        [("n", k.made(k.taken(), holds=(k.held(),))), k.issued("n"), k.returned("n")],
        NeedStatus.MATCHING,
        None,
    ),
    "half of the people are done": (
        a_need(2, 2),
        [("n", k.made(k.taken(), k.taken("wang"))), k.checked_in("n"), check_out(), k.checked_in("n", "wang")],
        NeedStatus.IN_SERVICE,
        Waiting.SERVICE,
    ),
}  # fmt: skip


@pytest.mark.parametrize("story", STORIES)
def test_every_order_of_the_messages_ends_the_same(story: str) -> None:
    need, told, status, waiting = STORIES[story]
    now = START + timedelta(minutes=30)
    ends = {
        (after.status, after.waiting)
        for order in interleavings(messages(told))
        for after in [course(need, order, now)]
    }
    assert len(ends) == 1
    ((found, why),) = ends
    assert found is status
    assert waiting is None or why is waiting


@pytest.mark.parametrize("story", STORIES)
def test_facts_end_the_same_as_records_but_for_times(story: str) -> None:
    """The whole record, not only its status."""
    need, told, _, _ = STORIES[story]
    now = START + timedelta(minutes=30)
    clockless = {"search", "wake_at", "next_action_at", "confirm_by"}
    ends = [course(need, order, now).model_dump(exclude=clockless) for order in interleavings(messages(told))]
    assert all(end == ends[0] for end in ends)


MOMENTS = st.lists(st.integers(0, 60 * 24 * 3), max_size=12)
HEARD = st.lists(
    st.sampled_from(
        [
            ("n", k.won()), ("n", k.won("wang")), ("n", k.made(k.taken())), ("n", k.partly(k.taken())),
            ("n", k.reopened()), ("n", k.released()), ("n", k.stalled(START + timedelta(hours=1))),
            ("n", k.progressed(START + timedelta(minutes=5))), k.checked_in("n"), check_out(), k.withdrawn("n"),
            k.no_show("n", "wang"), k.issued("n"), k.received("n"), k.returned("n"),
        ]
    ),
    max_size=10,
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(told=HEARD, minutes=MOMENTS, quantity=st.sampled_from([0, 2]), minimum=st.integers(0, 2))
def test_whatever_is_heard_a_need_is_finished_or_waits_with_a_reason_and_a_time_ahead(
    told: list[Told], minutes: list[int], quantity: int, minimum: int
) -> None:
    need = a_need(2, minimum, quantity)
    steps: list[tuple[int, Message | None]] = [(at, None) for at in minutes]
    steps += [(60 * n // 2, message) for n, message in enumerate(messages(told))]
    for at, message in sorted(steps, key=lambda step: step[0]):
        now = START + timedelta(minutes=at)
        need = hear(need, message, now) if message else lifecycle.wake(need, now, POLICY).record
        if message is None:
            need = lifecycle.wake(need, now, POLICY).record
            assert need.due_at is None or need.due_at > now, "a wake that leaves the need due would spin"
        if need.ended:
            assert (need.waiting, need.next_action_at, need.due_at) == (None, None, None)
        else:
            assert need.waiting is not None and need.next_action_at is not None and need.due_at is not None


@settings(max_examples=200, deadline=None)
@given(told=HEARD, minimum=st.integers(0, 2))
def test_every_need_comes_to_an_end_or_to_a_coordinator_once_all_windows_are_over(
    told: list[Told], minimum: int
) -> None:
    need = course(a_need(2, minimum), messages(told), START)
    now = START
    for _ in range(200):
        if need.due_at is None:
            break
        now = need.due_at
        need = lifecycle.wake(need, now, POLICY).record
    assert need.ended or need.waiting in (Waiting.COORDINATOR, Waiting.SERVICE)
    assert need.ended or need.pending or need.started


def test_a_wake_before_its_time_does_nothing() -> None:
    need = a_need()
    assert lifecycle.wake(need, START, POLICY).record is need


def test_an_old_word_of_the_match_does_not_undo_a_newer_one() -> None:
    first, second = messages([("n", k.made(k.taken())), ("n", k.reopened())])
    need = hear(a_need(), second, START)
    assert hear(need, first, START) is need


def test_birthdays_decide_who_is_a_child() -> None:
    born = Resident(id="r", name="x", birth_date=date(2008, 3, 2))
    assert not born.minor_on(date(2026, 3, 2)) and born.minor_on(date(2026, 3, 1))
    leap = Resident(id="r", name="x", birth_date=date(2008, 2, 29))
    assert leap.minor_on(date(2026, 2, 28)) and not leap.minor_on(date(2026, 3, 1))
    assert not Resident(id="r", name="x").minor_on(date(2026, 3, 1))
