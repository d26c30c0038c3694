"""What the loop does with what it cannot apply: the rest flows on, order is kept, nothing is lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

import pytest
from structlog.testing import capture_logs

from shared.contracts import Message
from shared.contracts.needs import NeedCancelled, NeedLapsed
from shared.embedded.bus import SqliteReading
from shared.errors import Outage
from shared.ports import Adapters, Delivery, Position
from shared.run.dead_letters import (
    LetterAhead,
    LetterClosed,
    LetterStatus,
    discard,
    letters,
    resend,
    set_aside,
)
from shared.run.dispatch import Failure
from shared.run.kit import watch
from shared.run.loop import BATCH, RUN_OF_FAULTS, letter_of
from shared.run.private import PrivateReader
from tests.run.toy import Toy, toy


async def test_messages_are_applied_in_order_and_once() -> None:
    async with toy() as t:
        await t.told("a", "b", "a", "a")
        await t.reads()
        assert await t.heard("a") == (1, 2, 3)
        assert await t.heard("b") == (1,)
        assert await t.letters() == []


async def test_a_key_that_is_no_text_does_not_stop_the_reader() -> None:
    """As when a bit of it has changed on the disk."""
    async with toy() as t:
        await t.told("a", "b")
        topic = NeedCancelled.topic.name
        garbled = f"UPDATE \"log {topic}\" SET key = CAST(x'ff61' AS TEXT) WHERE offset = 0"
        await t.engine.write(lambda file: file.execute(garbled))
        t.bus._logs[topic].recent.clear()
        await t.reads()
        assert (await t.heard("b"), [letter.reason for letter in await t.letters()]) == ((1,), ["unreadable"])


async def test_a_message_that_comes_twice_is_absorbed_and_counted() -> None:
    async with toy() as t:
        message = t.message("a")
        await t.bus.publish([message, message])
        await t.bus.publish([message])
        await t.reads()
        assert await t.heard("a") == (1,)
        assert t.store.duplicates_absorbed == 2


@pytest.mark.parametrize(
    "value",
    [
        b"", b"\xff\xfe", b"not json", b"[1]", b'{"type": 3}', b"[" * 100_000, b'{"specversion": "1.0", "type": "com.other"}',
        rb'{"type": "\ud800"}', rb'{"specversion": "1.0", "type": "cn.wushe.need.cancelled.v\ud800"}',
    ],
    ids=["empty", "not-utf8", "not-json", "list", "typeless", "deep", "foreign", "half-a-character", "half-a-version"],
)  # fmt: skip
async def test_bytes_nobody_can_read_are_set_aside_and_block_nobody(value: bytes) -> None:
    async with toy() as t:
        await t.bus.publish([t.message("a", value=value or b" "), t.message("a"), t.message("b")])
        await t.reads()
        assert await t.heard("a") == (2,) and await t.heard("b") == (1,)
        (letter,) = await t.letters()
        assert (letter.status, letter.reason, letter.message) == (
            LetterStatus.ASIDE,
            "unreadable",
            value or b" ",
        )


async def test_a_message_under_the_wrong_key_is_set_aside() -> None:
    async with toy() as t:
        await t.bus.publish([t.message("a")._replace(key="b")])
        await t.reads()
        assert [x.reason for x in await t.letters()] == ["unreadable"]
        assert await t.heard("a") == ()


async def test_an_event_that_nobody_here_hears_is_passed_by() -> None:
    async with toy() as t:
        other = json.loads(t.message("a").value) | {"type": "cn.wushe.need.sung.v1"}
        await t.bus.publish([t.message("a", value=json.dumps(other).encode())])
        await t.reads()
        assert await t.letters() == []


async def test_a_newer_version_is_set_aside_and_later_messages_of_its_record_wait() -> None:
    async with toy() as t:
        newer = json.loads(t.message("a").value) | {"type": "cn.wushe.need.cancelled.v99"}
        await t.bus.publish([t.message("a", value=json.dumps(newer).encode())])
        await t.told("a", "b")
        await t.reads()
        assert await t.heard("a") == () and await t.heard("b") == (1,)
        assert [(x.status, x.reason) for x in await t.letters()] != []
        assert {x.reason for x in await t.letters(LetterStatus.PARKED)} == {"too-new"}
        assert {x.reason for x in await t.letters(LetterStatus.WAITING)} == {"behind"}


async def test_a_fault_is_tried_again_then_parked_and_the_rest_flows_on() -> None:
    async with toy() as t:
        t.broken = {"a"}
        await t.told("a", "b", "a")
        await t.reads()
        assert t.attempts == 5 + 1
        assert await t.heard("b") == (1,)
        (parked,) = await t.letters(LetterStatus.PARKED)
        assert parked.attempts == 5 and parked.detail.startswith("ZeroDivisionError in Toy.hear")
        assert "secret" not in parked.model_dump_json()


async def test_resending_plays_the_letter_and_what_waits_behind_it_in_order() -> None:
    async with toy() as t:
        t.broken = {"a"}
        await t.told("a", "a", "a")
        await t.reads()
        t.broken = set()
        await t.resends()
        await t.told("a")
        await t.reads()
        assert await t.heard("a") == (1, 2, 3, 4)
        assert await t.letters() == []


async def test_a_letter_that_fails_again_is_parked_again() -> None:
    async with toy() as t:
        t.broken = {"a"}
        await t.told("a")
        await t.reads()
        (parked,) = await t.letters()
        await resend(t.store, parked.id, t.clock.now())
        t.clock.advance(1)
        await t.reads()
        (again,) = await t.letters()
        assert again.status is LetterStatus.PARKED and again.attempts > parked.attempts


async def test_a_letter_that_blocked_nobody_blocks_nobody_after_it_was_resent_in_vain() -> None:
    async with toy() as t:
        await t.bus.publish([t.message("a", value=b"not json")])
        await t.reads()
        (aside,) = await t.letters()
        await resend(t.store, aside.id, t.clock.now())
        await t.told("a")
        await t.reads()
        t.clock.advance(20)
        await t.reads()
        assert await t.heard("a") == (2,)
        (again,) = await t.letters()
        assert (again.status, again.attempts) == (LetterStatus.ASIDE, aside.attempts + 1)


async def test_bytes_nobody_can_read_let_others_go_on_even_if_they_had_to_wait_themselves() -> None:
    async with toy() as t:
        t.broken = {"a"}
        await t.bus.publish([t.message("a"), t.message("a", value=b"not json"), t.message("a")])
        await t.reads()
        t.broken = set()
        await t.resends()
        assert await t.heard("a") == (1, 3)
        assert [letter.status for letter in await t.letters()] == [LetterStatus.ASIDE]


async def test_discarding_lets_the_later_ones_go_on() -> None:
    async with toy() as t:
        t.broken = {"a"}
        await t.told("a", "a")
        await t.reads()
        t.broken = set()
        (waiting,) = await t.letters(LetterStatus.WAITING)
        with pytest.raises(LetterAhead):
            await resend(t.store, waiting.id, t.clock.now())
        (parked,) = await t.letters(LetterStatus.PARKED)
        await discard(t.store, parked.id, "sent by mistake")
        t.clock.advance(20)
        await t.reads()
        assert await t.heard("a") == (2,)
        with pytest.raises(LetterClosed):
            await discard(t.store, parked.id, "again")


async def test_many_letters_that_wait_for_a_person_are_not_written_again_all_the_time() -> None:
    async with toy() as t:
        t.broken = {"a"}
        await t.told(*["a"] * 51)
        await t.reads()
        t.broken = set()
        first = {f.record.id: f.version for f in await letters(t.store, (LetterStatus.WAITING,))}
        for _ in range(16):
            t.clock.advance(15)
            await t.reads()
        after = {f.record.id: f.version for f in await letters(t.store, (LetterStatus.WAITING,))}
        assert len(after) == 50
        assert sum(after.values()) - sum(first.values()) < 16 + 50
        (parked,) = await t.letters(LetterStatus.PARKED)
        await discard(t.store, parked.id, "sent by mistake")
        t.clock.advance(15)
        for _ in range(50):
            await t.reads()
            t.clock.advance(0.001)
        assert await t.heard("a") == tuple(range(2, 52))


async def test_a_refusal_is_no_dead_letter() -> None:
    async with toy() as t:
        t.refuses = True
        await t.told("a")
        await t.reads()
        assert await t.letters() == [] and t.attempts == 1


async def test_an_outage_stops_the_reading_and_makes_no_dead_letter() -> None:
    async with toy() as t:
        t.away = True
        await t.told("a", "a")
        with pytest.raises(Outage):
            await t.unit.loop.step(0.0)
        assert await t.letters() == []
        t.away = False
        await t.reads()
        assert await t.heard("a") == (1, 2)


async def stopped(t: Toy) -> None:
    """So many messages in a row could not be applied that a person must look."""
    names = [f"n{i}" for i in range(RUN_OF_FAULTS)]
    t.broken = set(names)
    await t.told(*names)
    await t.reads()


async def test_a_run_of_faults_stops_the_reader_and_says_so() -> None:
    async with toy() as t:
        await stopped(t)
        assert any("in a row" in what for what in await t.unit.missing())
        await t.told("fine")
        assert await t.heard("fine") == ()
        t.unit.loop.resume()
        await t.reads()
        assert await t.heard("fine") == (1,)


async def test_how_much_lies_ahead_is_not_a_number_before_the_service_has_begun_to_read() -> None:
    async with toy() as t:
        await t.told("a")
        with pytest.raises(Outage):
            await t.unit.loop.lag()
        await t.unit.loop.step(0.0)
        assert await t.unit.loop.lag() == 0


async def test_while_a_reader_is_stopped_no_deadline_of_its_service_passes() -> None:
    """What lies unread may say that nobody wants it any more. What a person resends is played all the same."""
    async with toy() as t:
        await stopped(t)
        await t.sets_alarm("a")
        await t.reads()
        assert t.rang == []
        t.broken = set()
        await resend(t.store, (await t.letters())[0].id, t.clock.now())
        t.clock.advance(1)
        await t.reads()
        assert t.rang == ["a"]


async def test_a_deadline_waits_until_what_was_said_while_the_service_was_off_has_been_read() -> None:
    async with toy() as t:
        await t.told(*(f"n{i}" for i in range(2 * BATCH + 5)))
        await t.sets_alarm("a")
        read = []
        while not t.rang:
            read.append(await t.unit.loop.step(0.0))
            await t.told("later")
            await t.unit.sweeper.step()
        assert read == [BATCH, BATCH, 7], "what was said since does not count"


async def test_what_was_said_while_it_did_not_read_is_read_also_if_it_had_not_caught_up_before() -> None:
    async with toy() as t:
        await t.told(*(f"n{i}" for i in range(2 * BATCH)))
        await t.unit.loop.step(0.0)
        t.away = True
        reading = asyncio.create_task(t.unit.loop.run())
        for _ in range(200):
            await asyncio.sleep(0)
        await t.told(*(f"m{i}" for i in range(2 * BATCH)))
        await t.sets_alarm("a")
        reading.cancel()
        t.away = False
        while not t.rang:
            await t.unit.loop.step(0.0)
            await t.unit.sweeper.step()
        assert await t.unit.loop.lag() == 0


async def test_after_an_outage_a_deadline_waits_until_the_service_hears_again() -> None:
    async with toy() as t:
        await t.reads()
        await t.told("a")
        t.away = True
        reading = asyncio.create_task(t.unit.loop.run())
        for _ in range(200):
            await asyncio.sleep(0)
        await t.sets_alarm("a")
        await t.unit.sweeper.step()
        assert t.rang == []
        t.away = False
        for _ in range(200):
            t.clock.advance(1)
            await asyncio.sleep(0)
        assert await t.heard("a") == (1,)
        await t.unit.sweeper.step()
        assert t.rang == ["a"]
        reading.cancel()


async def test_a_stopped_reader_says_why_again_once_an_outage_is_over() -> None:
    async with toy() as t:
        await stopped(t)
        t.unit.loop.trouble = "cannot reach the store or the bus"
        await t.reads()
        assert any("in a row" in what for what in await t.unit.missing())


async def test_what_lies_where_another_letter_lay_before_is_kept_too() -> None:
    """A topic that was lost and made again gives its offsets anew."""
    async with toy() as t:
        for value in (b"before", b"after", b"after"):
            delivery = Delivery(Position(NeedCancelled.topic.name, 0), 7, "a", value)
            failure = Failure("unreadable", "not JSON", LetterStatus.ASIDE)
            await set_aside(t.store, letter_of("group", delivery, failure, t.unit.adapters))
        assert sorted(letter.message for letter in await t.letters()) == [b"after", b"before"]


async def test_once_a_person_has_dealt_with_a_run_of_faults_the_reader_goes_on() -> None:
    async with toy() as t:
        await stopped(t)
        await t.told("fine")
        first, *others = await t.letters()
        for letter in others:
            await discard(t.store, letter.id, "none of these can be saved")
        await t.reads()
        assert await t.heard("fine") == (), "one is still there to be looked at"
        await discard(t.store, first.id, "nor can this one")
        await t.reads()
        assert await t.heard("fine") == (1,)
        assert await t.unit.missing() == []


async def test_after_an_offset_that_could_not_be_told_the_same_messages_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commit, told = SqliteReading.commit, 0

    async def only_the_second_time(reading: SqliteReading, offsets: Mapping[Position, int]) -> None:
        nonlocal told
        told += 1
        if told == 1:
            raise Outage("the bus is away")
        await commit(reading, offsets)

    monkeypatch.setattr(SqliteReading, "commit", only_the_second_time)
    async with toy() as t:
        await t.told("a")
        with pytest.raises(Outage):
            await t.reads()
        await t.reads()
        assert (told, await t.heard("a"), t.store.duplicates_absorbed) == (2, (1,), 1)
        await t.unit.loop.close()
        next_member = await t.bus.read(t.unit.dispatch.topics, group=t.unit.loop.group)
        assert await next_member.lag() == 0


async def test_a_copy_that_cannot_take_one_message_gets_the_others() -> None:
    noted: list[str] = []

    def note(event: NeedCancelled, message: Message) -> None:
        if message.subject == "broken":
            raise KeyError("secret")
        noted.append(message.subject)

    async with toy() as t:
        adapters = Adapters(t.store, t.bus, t.clock, t.ids)
        reader = PrivateReader("copies", [watch(NeedCancelled, note)], adapters)
        await t.told("a", "broken", "b")
        with capture_logs() as logs:
            await reader.step(0.0)
        assert noted == ["a", "b"] and reader.caught_up
        (said,) = [entry for entry in logs if entry["event"] == "not noted"]
        assert said["error"] == "KeyError" and "secret" not in str(said)
        await reader.close()


async def test_a_copy_names_the_first_message_of_no_type_that_anybody_knows_and_no_other() -> None:
    noted: list[str] = []
    async with toy() as t:
        adapters = Adapters(t.store, t.bus, t.clock, t.ids)
        watched = watch(NeedCancelled, lambda event, message: noted.append(message.subject))
        reader = PrivateReader("copies", [watched], adapters)
        lapsed = NeedLapsed(site_id="site-1")
        broken = t.message("secret").value.replace(b"cancelled", b"cancelleD")
        await t.bus.publish([t.message("a", lapsed), t.message("b", value=broken)])
        await t.bus.publish([t.message("c", value=b"not json"), t.message("d")])
        with capture_logs() as logs:
            await reader.step(0.0)
        assert noted == ["d"]
        (said,) = [entry for entry in logs if entry["event"] == "passed by"]
        assert (said["topic"], said["offset"]) == (NeedCancelled.topic.name, 1) and "secret" not in str(said)
        await reader.close()
