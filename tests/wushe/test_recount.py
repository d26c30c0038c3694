"""The recount of a live system: what is under way is no violation, what never agrees is one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, TypeVar

import pytest

from services.matching.domain.match import Match
from services.matching.domain.words import MatchStatus
from services.needs.domain.lead import Lead
from services.needs.domain.need import Need
from services.needs.domain.said import Applicant, Ending
from services.resources.domain.balance import balanced
from services.resources.domain.booking import standing
from services.resources.domain.ledger import LedgerEntry
from services.resources.domain.records import Lot
from services.resources.domain.stock import receive_more
from services.volunteers.domain.calendar import Calendar
from services.volunteers.domain.service_hours import ServiceRecord
from shared.contracts.base import Event
from shared.contracts.matching import HoldRequested
from shared.contracts.needs import NeedCancelled, NeedPosted
from shared.contracts.parts import Earmark, PeopleLine, Window
from shared.contracts.vocabulary import (
    Audience,
    CancelReason,
    Category,
    Closing,
    Field,
    HoldStatus,
    HoursKind,
    NeedStatus,
    Role,
    Skill,
    TargetGroup,
    TaskStatus,
    Urgency,
)
from shared.ports import Clock, Outgoing, Query
from shared.records import Change, Record
from shared.run.dead_letters import discard, letters
from shared.times import milliseconds
from tests.cast import TOWNSHIP, Cast, volunteer_id
from tests.town import Town, town
from tests.world import START
from wushe.check.embedded import evidence_of
from wushe.check.evidence import Evidence, Progress, RecordsUnreadable
from wushe.check.recount import Report, recount
from wushe.commands.check import tell

R = TypeVar("R", bound=Record)
LI = volunteer_id("li")
WINDOW = Window(start_at=START + timedelta(hours=3), end_at=START + timedelta(hours=4))


@asynccontextmanager
async def a_live_town_with_a_lot() -> AsyncIterator[tuple[Town, str, Evidence]]:
    """The town, the id of its one lot, and the evidence of it once everything has arrived."""
    async with town() as t:
        cast = await Cast(t.call, t.token, t.clock.now).arrive()
        await t.settle()
        id = (await cast.lot(100))["id"]
        await t.settle()
        yield t, id, evidence_of(t.engine, t.clock, live=True)


@asynccontextmanager
async def a_lot_ahead_of_its_ledger(looks: int) -> AsyncIterator[tuple[Evidence, Clock]]:
    """A live system in which everything has been published and read; and yet, for so many looks at how far it has come,
    a lot is ahead of its ledger, as one is that changes all the time."""
    async with a_live_town_with_a_lot() as (t, id, calm):
        left = looks

        async def progress() -> Progress:
            nonlocal left
            left -= 1
            received = 100 + max(0, left)
            await t.stores["resources"].change(Lot, id, lambda lot: _with(lot, received))
            return await calm.progress()

        await progress()
        yield replace(calm, progress=progress), t.clock


def _with(lot: Lot | None, received: int) -> Change[Lot]:
    assert lot is not None
    return Change(balanced(lot, received=received))


def _one_more(lot: Lot | None) -> Change[Lot]:
    assert lot is not None
    return receive_more(lot, 1)


async def test_a_record_with_news_under_way_at_every_look_is_no_violation() -> None:
    async with a_lot_ahead_of_its_ledger(looks=8) as (evidence, clock):
        report = await recount(evidence, clock)
        assert report.clean, report.violations


async def test_what_never_agrees_is_a_violation() -> None:
    async with a_lot_ahead_of_its_ledger(looks=1_000_000) as (evidence, clock):
        report = await recount(evidence, clock, seconds=3.0)
        assert [(violation.rule, violation.en) for violation in report.violations] == [
            (3, "the ledger's balance differs")
        ]


async def test_a_lot_that_is_never_level_with_its_ledger_is_none_if_the_ledger_follows() -> None:
    async with a_live_town_with_a_lot() as (t, id, calm):

        async def progress() -> Progress:
            """Everything has arrived, and by the time of the next look the lot has changed once more."""
            await t.settle()
            seen = await calm.progress()
            await t.stores["resources"].change(Lot, id, _one_more)
            return seen

        evidence = replace(calm, progress=progress)
        report = await recount(evidence, t.clock, seconds=5.0)
        assert report.clean, report.violations


async def test_a_lead_whose_time_is_up_without_the_tier_above_having_heard_is_a_violation() -> None:
    async with a_live_town_with_a_lot() as (t, _, calm):
        now = t.clock.now()
        lead = Lead(
            id="lead-1", site_id="s", area="522702001", scout_id="scout", text="…", reported_at=now,
            reported_ms=milliseconds(now), decide_by=now + timedelta(minutes=30),
        )  # fmt: skip
        await t.stores["needs"].change(Lead, lead.id, lambda _: Change(lead))
        assert (await recount(calm, t.clock)).clean
        t.clock.advance(3600)
        report = await recount(calm, t.clock, seconds=1.0)
        assert [(violation.rule, violation.record) for violation in report.violations] == [(4, "lead-1")]


@asynccontextmanager
async def a_need_that_li_takes(*lines: str) -> AsyncIterator[tuple[Town, Cast, str]]:
    """A town in which li has won the seat of a need, with rice held for it if `goods` is among the lines."""
    async with town() as t:
        cast = await Cast(t.call, t.token, t.clock.now).arrive()
        await t.settle()
        li = await cast.volunteer("li")
        await cast.lot(100)
        home = await cast.household()
        await t.settle()
        goods = [cast.goods_line(3)] if "goods" in lines else []
        need = await cast.need(home, cast.people_line(hours=3), *goods)
        await t.settle()
        (asked,) = await cast.invitations(li)
        assert (await cast.does(li, f"/api/invitations/{asked['id']}/accept")).status == 200
        await t.settle()
        yield t, cast, need["id"]


async def found_in(t: Town) -> list[tuple[int, str]]:
    report = await recount(evidence_of(t.engine, t.clock, live=False), t.clock)
    assert not report.unsettled
    return [(violation.rule, violation.en.split(":")[0]) for violation in report.violations]


async def tampered(t: Town, service: str, kind: type[R], id: str, *said: Event, **changes: Any) -> None:
    """A record as it never should be, and whatever it says of it."""

    def decide(record: R | None) -> Change[R]:
        assert record is not None
        return Change(record.but(**changes), *said)

    await t.stores[service].change(kind, id, decide)
    await t.settle()


async def the_only(t: Town, service: str, kind: type[R]) -> R:
    (found,) = await t.stores[service].find(kind, Query())
    return found.record


async def test_a_need_that_became_a_crisis_after_the_public_was_asked_breaks_no_rule() -> None:
    async with town() as t:
        cast = await Cast(t.call, t.token, t.clock.now).arrive()
        await t.settle()
        await cast.volunteer("li")
        need = await cast.need(await cast.household(), cast.people_line(hours=3))
        await t.settle()
        version = (await t.call(cast.staff.token, "GET", f"/api/needs/{need['id']}")).headers["etag"]
        edited = await t.call(
            cast.staff.token,
            "PATCH",
            f"/api/needs/{need['id']}",
            {"urgency": "crisis"},
            headers={"If-Match": version},
        )
        assert edited.status == 200, edited.body
        await t.settle()
        assert await found_in(t) == []


async def test_a_task_that_was_kept_for_a_cancelled_need_is_found() -> None:
    async with a_need_that_li_takes() as (t, cast, need_id):
        assert await found_in(t) == []
        await cast.does(cast.staff, f"/api/needs/{need_id}/cancel", {"reason": "solved"})
        await t.settle()
        assert await found_in(t) == []
        calendar = await the_only(t, "volunteers", Calendar)
        (invitation,) = calendar.invitations.values()
        assert invitation.task is not None
        kept = invitation.but(task=invitation.task.but(status=TaskStatus.TAKEN))
        await tampered(t, "volunteers", Calendar, calendar.id, invitations={kept.id: kept})
        assert await found_in(t) == [(2, f"task {kept.id} is kept for a need that is over")]


async def test_a_service_of_long_ago_has_left_its_calendar_and_breaks_no_rule() -> None:
    async with a_need_that_li_takes("goods") as (t, cast, _):
        li = cast.person(LI)
        (task,) = (await cast.got(li, f"/api/tasks?volunteer_id={li.id}"))["items"]
        await t.passes(hours=3)
        cast.appoint()
        for act in ("check-in", "check-out"):
            assert (await cast.does(cast.person(LI), f"/api/tasks/{task['id']}/{act}")).status == 200
        await t.passes(days=40)
        cast.appoint()
        await cast.need(await cast.household(), cast.people_line(hours=3))
        await t.settle()
        calendar = await the_only(t, "volunteers", Calendar)
        assert task["id"] not in calendar.invitations
        assert await found_in(t) == []


async def test_a_search_that_ended_or_fell_asleep_before_its_need_is_found() -> None:
    async with a_need_that_li_takes("goods") as (t, _, need_id):
        match = await the_only(t, "matching", Match)
        holds = {id: hold.but(ask_at=None) for id, hold in match.holds.items()}
        asleep = {"status": MatchStatus.SEARCHING, "tier_due_at": None, "partial_at": None, "holds": holds}
        await tampered(t, "matching", Match, need_id, **asleep)
        assert await found_in(t) == [(4, "its search has no next time")]
        await tampered(t, "matching", Match, need_id, status=MatchStatus.CLOSED, closing=Closing.LAPSED)
        assert (4, "its search is over, but it is not") in await found_in(t)


async def test_a_need_that_shows_other_goods_than_its_lots_keep_is_found() -> None:
    async with a_need_that_li_takes("goods") as (t, _, need_id):
        need = await the_only(t, "needs", Need)
        (shown,) = need.match.goods
        assert await found_in(t) == []
        less = need.match.model_copy(update={"goods": (shown.model_copy(update={"quantity": 1}),)})
        none = need.match.model_copy(update={"goods": ()})
        await tampered(t, "needs", Need, need_id, match=none)
        assert await found_in(t) == [(3, f"{shown.hold_id} is kept, but not shown")]
        await tampered(t, "needs", Need, need_id, match=less)
        assert sorted(await found_in(t)) == [
            (3, f"{shown.hold_id} is kept, but not shown"),
            (3, f"{shown.hold_id} is shown, but not kept"),
        ]


async def test_goods_that_were_signed_for_long_ago_have_left_their_lot_and_are_known_by_their_cards() -> None:
    async with a_need_that_li_takes("goods") as (t, cast, _):
        ((hold_id, _),) = (await the_only(t, "resources", Lot)).holds.items()
        cast.appoint()
        assert (await cast.does(cast.staff, f"/api/holds/{hold_id}/issue")).status == 200
        signed = {"relation": "resident", "by_phone": True}
        assert (await cast.does(cast.staff, f"/api/holds/{hold_id}/receipt", signed)).status == 200
        await t.passes(days=40)
        assert (await the_only(t, "resources", Lot)).holds == {}
        assert (await the_only(t, "resources", Lot)).issued_filed == 3
        assert (await the_only(t, "needs", Need)).held_goods and await found_in(t) == []
        await t.engine.write(lambda file: file.execute('DELETE FROM "resources.hold_card"'))
        assert await found_in(t) == [(3, "cards of holds that have left it come to 0 handed over, not 3")]


async def test_a_need_that_is_gone_with_its_search_though_it_was_posted_is_found() -> None:
    async with a_need_that_li_takes() as (t, _, need_id):
        await t.engine.write(lambda file: file.execute('DELETE FROM "needs.need"'))
        await t.engine.write(lambda file: file.execute('DELETE FROM "matching.match"'))
        report = await recount(evidence_of(t.engine, t.clock, live=True), t.clock, seconds=1.0)
        gone = [violation.record for violation in report.violations if "was posted" in violation.en]
        assert gone == [need_id]


async def test_a_need_that_is_posted_while_the_recount_goes_on_is_not_gone() -> None:
    async with a_live_town_with_a_lot() as (t, _, calm):
        cast = await Cast(t.call, t.token, t.clock.now).arrive()
        await t.settle()
        home, posted = await cast.household(), list[str]()

        async def progress() -> Progress:
            """By now the records have been read, but not the log."""
            if not posted:
                posted.append((await cast.need(home, cast.people_line()))["id"])
                await t.settle()
            return await calm.progress()

        report = await recount(replace(calm, progress=progress), t.clock, seconds=5.0)
        assert posted and report.clean, report.violations


async def test_a_lot_that_is_gone_though_its_ledger_is_there_is_found() -> None:
    async with a_live_town_with_a_lot() as (t, _, _):
        await t.engine.write(lambda file: file.execute('DELETE FROM "resources.lot"'))
        assert await found_in(t) == [(3, "its ledger is there, but the lot is gone")]


async def test_a_lot_that_offers_more_than_it_has_is_found() -> None:
    async with a_live_town_with_a_lot() as (t, id, _):
        await tampered(t, "resources", Lot, id, available=200)
        assert await found_in(t) == [(3, "200 are said to be free, not 100")]


async def test_a_need_that_is_searched_for_but_gone_is_found() -> None:
    async with a_need_that_li_takes() as (t, _, _):
        await t.engine.write(lambda file: file.execute('DELETE FROM "needs.need"'))
        assert (4, "it is searched for, but it is gone") in await found_in(t)


async def test_a_record_that_cannot_be_read_is_told_where_it_lies_and_not_what_it_says() -> None:
    async with a_need_that_li_takes() as (t, _, _):
        await t.engine.write(
            lambda file: file.execute('UPDATE "needs.need" SET body = \'{"id": 13800138000\'')
        )
        with pytest.raises(RecordsUnreadable) as told:
            await found_in(t)
        assert "needs.need" in str(told.value) and "138" not in str(told.value)


async def test_all_records_that_cannot_be_read_are_named_also_of_kinds_that_no_rule_asks_for() -> None:
    async with town() as t:
        cast = await Cast(t.call, t.token, t.clock.now).arrive()
        await t.settle()
        people = [(await cast.volunteer(name)).id for name in ("li", "wang", "zhao")]
        await t.settle()
        assert await found_in(t) == []
        ((site,),) = t.engine.read('SELECT min(id) FROM "directory.site"')
        garbled = (
            "UPDATE {} SET body = CAST(replace(body, '\"id\"', CAST(x'ff' AS TEXT)) AS TEXT) WHERE id = ?"
        )
        odd = "UPDATE {} SET body = json_set(body, '$.name', json('[1380013800]')) WHERE id IN (?, ?)"
        await t.engine.write(lambda file: file.execute(garbled.format('"directory.site"'), (site,)))
        with pytest.raises(RecordsUnreadable) as told:
            await found_in(t)
        assert told.value.found == [f"directory.site {site} (JSON)"]
        await t.engine.write(lambda file: file.execute(odd.format('"volunteers.volunteer"'), people[1:]))
        with pytest.raises(RecordsUnreadable) as told:
            await found_in(t)
        named = sorted(f"volunteers.volunteer {id} (name)" for id in people[1:])
        assert told.value.found == [f"directory.site {site} (JSON)", *named]
        assert "138" not in str(told.value)


def test_what_nobody_can_tell_yet_is_not_called_clean(capsys: pytest.CaptureFixture[str]) -> None:
    assert tell(Report(unsettled=True)) == 2
    assert "eight" not in capsys.readouterr().out


async def test_a_ledger_that_ever_promised_too_much_is_found() -> None:
    async with a_need_that_li_takes("goods") as (t, _, _):
        lot = await the_only(t, "resources", Lot)
        await tampered(t, "resources", LedgerEntry, f"{lot.id}/2", held=101)
        assert (3, "entry 2 of the ledger promises more than was received") in await found_in(t)


async def test_a_write_off_that_the_ledger_does_not_know_is_found() -> None:
    async with a_need_that_li_takes("goods") as (t, _, _):
        lot = await the_only(t, "resources", Lot)
        await tampered(t, "resources", Lot, lot.id, written_off=7, available=lot.available - 7)
        assert await found_in(t) == [(3, "the ledger's balance differs")]


async def test_a_balance_that_does_not_follow_from_what_happened_is_found() -> None:
    async with a_need_that_li_takes("goods") as (t, _, _):
        lot = await the_only(t, "resources", Lot)
        await tampered(t, "resources", LedgerEntry, f"{lot.id}/2", quantity=5)
        assert await found_in(t) == [(3, "the ledger's quantities come to other balances")]


@pytest.mark.parametrize(
    ("earmark", "found"),
    [
        (Earmark(from_day=date(2026, 3, 3)), ["date"]),
        (Earmark(to_day=date(2026, 3, 1)), ["date"]),
        (Earmark(from_day=date(2026, 3, 2), to_day=date(2026, 3, 2)), []),
        (Earmark(purposes=(Category.CAPACITY,)), ["purpose"]),
        (Earmark(target_groups=(TargetGroup.ORPHAN,)), ["target group"]),
        (Earmark(areas=("522701",)), ["area"]),
    ],
)
async def test_a_gift_that_was_booked_outside_its_conditions_is_found(
    earmark: Earmark, found: list[str]
) -> None:
    async with town() as t:
        cast = await Cast(t.call, t.token, t.clock.now).arrive()
        await t.settle()
        lot = (await cast.lot(100))["id"]
        await cast.need(await cast.household(), cast.goods_line(3), cast.people_line(hours=3))
        await tampered_on_the_way(t, lot, earmark)
        report = await recount(evidence_of(t.engine, t.clock, live=False), t.clock)
        assert [v.en for v in report.violations if v.rule == 5] == [
            f"held against its earmark: {condition}" for condition in found
        ]


async def tampered_on_the_way(t: Town, lot: str, earmark: Earmark) -> None:
    """The hold is placed, and the news of it says what the gift's conditions were at that moment."""
    while True:
        record = await t.stores["resources"].get(Lot, lot)
        assert record is not None
        if record.record.holds:
            break
        assert await t.system.step()
    (hold_id,) = record.record.holds
    hold = record.record.holds[hold_id]
    said = standing(record.record.but(earmark=earmark), hold_id, hold)
    other = f"{lot}~x"
    request = next(m.data for m in await t.log() if isinstance(m.data, HoldRequested))
    await t.stores["matching"].change(
        Match,
        hold.need_id,
        lambda m: Change(m, request.model_copy(update={"hold_id": other})) if m else Change(Match(id="?")),
    )
    await tampered(t, "resources", Lot, lot, said.model_copy(update={"hold_id": other}))


async def test_conditions_that_were_set_later_do_not_count_against_a_hold_that_was_there_before() -> None:
    async with a_need_that_li_takes("goods") as (t, _, _):
        lot = await the_only(t, "resources", Lot)
        ((hold_id, hold),) = lot.holds.items()
        earmarked = lot.but(earmark=Earmark(purposes=(Category.CAPACITY,)))
        again = standing(earmarked, hold_id, hold.but(status=HoldStatus.HELD, expires_at=hold.expires_at))
        await tampered(t, "resources", Lot, lot.id, again, earmark=earmarked.earmark)
        assert [one for one in await found_in(t) if one[0] == 5] == []


async def test_somebody_whose_certificate_nobody_has_seen_is_of_the_public() -> None:
    async with a_need_that_li_takes() as (t, cast, need_id):
        match = await the_only(t, "matching", Match)
        named = match.need.model_copy(update={"audience": Audience.NAMED})
        await tampered(t, "matching", Match, need_id, spec=named)
        mine = {"certificate": "child_director"}
        assert (await cast.does(cast.person(LI), f"/api/volunteers/{LI}/certificates", mine)).status == 200
        await t.settle()
        assert await found_in(t) == [(6, f"{LI} was asked")]
        assert (await cast.does(cast.staff, f"/api/volunteers/{LI}/activate")).status == 200
        await t.settle()
        assert await found_in(t) == []


@pytest.mark.parametrize(
    "leaked", ["请看望罗阿婆，三楼", "金山街道某巷3号", "19911112222", "电话是 19911112222"]
)
async def test_what_is_personal_is_found_inside_other_text_too(leaked: str) -> None:
    async with a_need_that_li_takes() as (t, _, _):
        said = NeedCancelled(site_id=leaked, reason=CancelReason.OTHER)
        need = await the_only(t, "needs", Need)
        await tampered(t, "needs", Need, need.id, said)
        assert (7, "personal data in /site_id") in await found_in(t)


@pytest.mark.parametrize("leaked", ["韦大姐", "儿子在外地，晚上没人"])
async def test_applicants_and_the_clerks_own_words_are_personal_too(leaked: str) -> None:
    async with a_need_that_li_takes() as (t, _, _):
        need = await the_only(t, "needs", Need)
        said = NeedCancelled(site_id=leaked, reason=CancelReason.OTHER)
        about = {"applicant": Applicant(name="韦大姐"), "note": "儿子在外地，晚上没人"}
        await tampered(t, "needs", Need, need.id, said, **about)
        assert (7, "personal data in /site_id") in await found_in(t)


FOR_A_CHILD_OR_IN_A_CRISIS = [
    {"field": Field.CHILDREN},
    {"target_groups": (TargetGroup.LEFT_BEHIND_CHILD,)},
    {"urgency": Urgency.CRISIS},
    {"category": Category.CRISIS_INTERVENTION},
]


MINDING = PeopleLine(id="p1", skills=(Skill.CHILD_MINDING,), seats=1, minimum=1, window=WINDOW)


@pytest.mark.parametrize("changes", [{"minor": True}, {"people": (MINDING,)}, *FOR_A_CHILD_OR_IN_A_CRISIS])
async def test_a_need_for_a_child_or_in_a_crisis_that_is_open_to_the_public_is_found(
    changes: dict[str, Any],
) -> None:
    async with a_need_that_li_takes() as (t, _, need_id):
        await tampered(t, "needs", Need, need_id, **changes)
        assert await found_in(t) == [(6, "it is open to the public")]
        await tampered(t, "needs", Need, need_id, audience=Audience.NAMED)
        assert await found_in(t) == []


@pytest.mark.parametrize("changes", FOR_A_CHILD_OR_IN_A_CRISIS)
async def test_somebody_of_the_public_who_was_asked_for_a_child_or_in_a_crisis_is_found(
    changes: dict[str, Any],
) -> None:
    async with a_need_that_li_takes() as (t, _, need_id):
        match = await the_only(t, "matching", Match)
        await tampered(t, "matching", Match, need_id, spec=match.need.model_copy(update=changes))
        assert await found_in(t) == [(6, f"{LI} was asked")]


@pytest.mark.parametrize("status", [NeedStatus.COMPLETED, NeedStatus.LAPSED])
async def test_goods_that_are_kept_for_a_need_that_is_over_are_found(status: NeedStatus) -> None:
    async with a_need_that_li_takes("goods") as (t, _, need_id):
        lot = await the_only(t, "resources", Lot)
        ((hold_id, _),) = lot.holds.items()
        over = {"ended": Ending(status=status, at=t.clock.now()), "status": status, "wake_at": None}
        await tampered(t, "needs", Need, need_id, **over)
        await tampered(t, "matching", Match, need_id, status=MatchStatus.CLOSED, closing=Closing.COMPLETED)
        assert (3, f"{hold_id} is held for a need that is over") in await found_in(t)


async def test_a_need_that_shows_others_than_those_who_have_its_seats_is_found() -> None:
    async with a_need_that_li_takes() as (t, _, need_id):
        need = await the_only(t, "needs", Need)
        (li,) = need.match.seats
        wang = li.model_copy(update={"invitation_id": f"{volunteer_id('wang')}~x"})
        for shown, found in (
            ((li, wang), [f"{wang.invitation_id} is shown, but has no seat"]),
            ((), [f"{li.invitation_id} has a seat, but is not shown"]),
        ):
            match = need.match.model_copy(update={"seats": shown})
            await tampered(t, "needs", Need, need_id, match=match)
            assert await found_in(t) == [(2, text) for text in found]


@pytest.mark.parametrize("missing", ["a seat", "goods"])
async def test_a_match_that_is_said_to_be_made_and_is_not_whole_is_found(missing: str) -> None:
    async with a_need_that_li_takes("goods") as (t, _, need_id):
        match = await the_only(t, "matching", Match)
        (people,) = match.people.values()
        two = {people_id: people.with_seats(people.numbered, 2) for people_id in match.people}
        await tampered(
            t, "matching", Match, need_id, **({"people": two} if missing == "a seat" else {"holds": {}})
        )
        assert (4, "it is said to be made, but is not whole") in await found_in(t)


@pytest.mark.parametrize(("after", "found"), [(59, True), (60, False)])
async def test_two_services_of_one_person_at_the_same_time_are_found(after: int, found: bool) -> None:
    """One may begin when the other ends, and hours of which nobody knows the time say nothing."""
    async with a_need_that_li_takes() as (t, _, _):
        began = t.clock.now() - timedelta(days=1)

        async def served(id: str, who: str, minutes: int | None) -> None:
            start_at = None if minutes is None else began + timedelta(minutes=minutes)
            record = ServiceRecord(
                id=id, volunteer_id=who, hours_kind=HoursKind.CREDIT, day="2026-03-01", minutes=60,
                started_at=start_at, ended_at=start_at and start_at + timedelta(hours=1), recorded_at=began,
            )  # fmt: skip
            await t.stores["volunteers"].change(ServiceRecord, id, lambda _: Change(record))

        await served("1", LI, 0)
        await served("2", LI, after)
        await served("3", LI, None)
        await served("4", volunteer_id("wang"), 30)
        assert await found_in(t) == ([(1, "services 1 and 2 overlap")] if found else [])


async def test_a_lead_that_waits_for_nobody_though_a_tier_above_has_not_been_told_is_found() -> None:
    async with town() as t:
        cast = await Cast(t.call, t.token, t.clock.now).arrive()
        await t.settle()
        scout = t.token("scout", Role.SCOUT, site_id=cast.station)
        told = {"area": TOWNSHIP, "text": "门没开过", "hints": [], "crisis": True}
        lead = (await t.call(scout, "POST", "/api/leads", told)).body["id"]
        await tampered(t, "needs", Lead, lead, decide_by=None)
        assert await found_in(t) == [(4, f"{cast.main} was never told of it")]
        await tampered(t, "needs", Lead, lead, decide_by=None, hops=1, tier_site_id=cast.main)
        assert await found_in(t) == [(4, f"{cast.center} was never told of it")]
        await tampered(t, "needs", Lead, lead, decide_by=None, hops=2, tier_site_id=cast.center)
        assert await found_in(t) == []


async def test_a_lead_that_was_told_as_far_as_there_was_anybody_open_to_be_told_breaks_no_rule() -> None:
    async with town() as t:
        cast = await Cast(t.call, t.token, t.clock.now).arrive(max_hops=2)
        await is_active(cast, cast.main, False)
        await t.settle()
        scout = t.token("scout", Role.SCOUT, site_id=cast.station)
        told = {"area": TOWNSHIP, "text": "门没开过", "hints": [], "crisis": True}
        assert (await t.call(scout, "POST", "/api/leads", told)).status == 201
        await t.passes(hours=2)
        cast.appoint()
        raised = await the_only(t, "needs", Lead)
        assert (raised.tier_site_id, raised.decide_by) == (cast.center, None)
        assert await found_in(t) == []
        await is_active(cast, cast.main, True)
        await t.settle()
        assert await found_in(t) == [], "it was closed when the lead was reported"


async def is_active(cast: Cast, site_id: str, active: bool) -> None:
    version = (await cast.call(cast.admin.token, "GET", f"/api/sites/{site_id}")).headers["etag"]
    edited = await cast.call(
        cast.admin.token, "PATCH", f"/api/sites/{site_id}", {"active": active}, headers={"If-Match": version}
    )
    assert edited.status == 200, edited.body


async def written_over(t: Town, topic: str, old: str, new: str) -> int:
    """What lies in the log with other bytes; the offset of the first that was changed."""
    log = f'"log {topic}"'
    where = f"FROM {log} WHERE instr(CAST(value AS TEXT), ?)"
    (first,) = t.engine.read(f"SELECT min(offset) {where}", (old,))[0]
    sql = f"UPDATE {log} SET value = CAST(replace(CAST(value AS TEXT), ?, ?) AS BLOB)"
    await t.engine.write(lambda file: file.execute(sql, (old, new)))
    return int(first)


@pytest.mark.parametrize(
    ("new", "why"), [("cn.wushe.need.postee.v1", "type that this version does not know"), ("\\", "not JSON")]
)
async def test_a_message_that_nobody_can_read_and_nobody_has_set_aside_is_found(new: str, why: str) -> None:
    async with a_need_that_li_takes() as (t, _, _):
        assert await found_in(t) == []
        at = await written_over(t, "wushe.needs.need.v1", NeedPosted.type(), new)
        report = await recount(evidence_of(t.engine, t.clock, live=False), t.clock)
        (found,) = [v for v in report.violations if v.rule == 0]
        assert found.record == f"wushe.needs.need.v1/0/{at}" and why in found.en and "死信" in found.zh
        assert tell(report) == 1


async def test_of_many_messages_that_nobody_can_read_the_first_are_named_and_the_rest_counted() -> None:
    async with a_need_that_li_takes() as (t, _, need_id):
        topic = "wushe.needs.need.v1"
        again = Outgoing(
            "need", need_id, 1, topic, need_id, t.engine.read(f'SELECT value FROM "log {topic}"')[0][0]
        )
        await t.bus.publish([again] * 4)
        await t.settle()
        ((count,),) = t.engine.read(f'SELECT count(*) FROM "log {topic}"')
        await written_over(t, topic, "specversion", "specversioN")
        found = [text for rule, text in await found_in(t) if rule == 0]
        assert len(found) == 4 and found[0] == f"{count - 3} more messages like these"


async def test_a_message_that_is_still_to_be_read_or_was_set_aside_is_not_counted_as_lost() -> None:
    async with a_need_that_li_takes() as (t, _, need_id):
        bad = Outgoing("need", need_id, 99, "wushe.needs.need.v1", need_id, b"not json")
        await t.bus.publish([bad])
        assert [one for one in await found_in(t) if one[0] == 0] == []
        await t.settle()
        assert [one for one in await found_in(t) if one[0] == 0] == []
        for store in t.stores.values():
            for letter in await letters(store):
                await discard(store, letter.record.id, "no use")
        assert await found_in(t) == []


async def test_what_only_copies_hear_is_said_anew_by_saving_the_record_again() -> None:
    async with a_need_that_li_takes() as (t, cast, _):
        topic = "wushe.directory.site.v1"
        await written_over(t, topic, "specversion", "specversioN")
        found = [text for rule, text in await found_in(t) if rule == 0]
        assert found
        cast.appoint()
        for site in (await cast.got(cast.admin, "/api/sites"))["items"]:
            path = f"/api/sites/{site['id']}"
            etag = (await t.call(cast.admin.token, "GET", path)).headers["etag"]
            named = {"name": f"{site['name']}（改）"}
            assert (
                await t.call(cast.admin.token, "PATCH", path, named, headers={"If-Match": etag})
            ).status == 200
        await t.settle()
        assert [text for rule, text in await found_in(t) if rule == 0] == []


def test_the_hint_at_dead_letters_leads_to_those_of_the_same_station(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tell(Report(dead_letters=2), where="--data 'm 1'")
    assert "dead-letters list --data 'm 1'" in capsys.readouterr().out
