"""What cannot be applied is set aside with its reason; the rest flows on; a person lists, shows, resends, discards."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.contracts import encode
from shared.contracts.needs import NeedCancelled
from shared.contracts.topics import NEED
from shared.contracts.vocabulary import CancelReason
from shared.ports import Outgoing
from tests.cast import Cast
from tests.cluster.asking import wushe
from tests.cluster.faults.ground import Ground
from tests.cluster.faults.recovery import seconds_to_zero_lag

pytestmark = [pytest.mark.cluster, pytest.mark.cluster_faults, pytest.mark.timeout(900)]

READERS = ("matching", "needs")
"""Who reads what is said about needs."""


async def test_what_cannot_be_applied_waits_for_a_person_and_the_rest_flows_on(ground: Ground) -> None:
    async with ground.crowd() as crowd, ground.line() as line:
        crowd.speaks_over(line)
        cast = crowd.cast
        home = await cast.household()
        over = await cast.need(home, cast.people_line())
        await cast.does(cast.staff, f"/api/needs/{over['id']}/cancel", {"reason": "solved"})
        await seconds_to_zero_lag(ground.evidence, time.monotonic())  # else good news waits behind bad
        await ground.evidence.bus.publish(_bad_news(over["id"]))
        letters = await _letters(ground, cast, 5 * len(READERS))
        assert {(letter["reason"], letter["detail"]) for letter in letters} == {
            ("unreadable", "not JSON"),
            ("unreadable", "it is larger than any event of ours"),
            ("too-new", "no reader here for cn.wushe.need.cancelled.v9"),
            ("unreadable", "it lies under the wrong key or in the wrong topic"),
            ("behind", "waits behind another"),
        }
        posted = await cast.need(home, cast.people_line())
        assert (await line.call(cast.staff.token, "GET", f"/api/matches/{posted['id']}")).status == 200
        await _a_person_deals_with_them(ground, cast, letters)
        crowd.promises.needs |= {over["id"], posted["id"]}
        await ground.holds_to(crowd)
        ground.told.facts["6 dead letters"] = (
            f"{len(letters)} letters with their reasons in {len(READERS)} groups; the rest flowed on; "
            "listed, shown, resent, discarded"
        )


async def _a_person_deals_with_them(ground: Ground, cast: Cast, letters: list[dict[str, Any]]) -> None:
    """From the command line, and the rest of them over HTTP."""
    listed = await _told(ground, "list")
    assert all(letter["id"] in listed for letter in letters)
    first, *others = (letter for letter in letters if letter["reason"] == "too-new")
    place = first["service"], first["id"]
    assert "need.cancelled.v9" in await _told(ground, "show", *place)
    await _told(ground, "resend", *place)
    await _until_tried(cast, *place)
    await _told(ground, "discard", *place, "--reason", "sent by a test")
    for letter in (*others, *(one for one in letters if one["reason"] == "unreadable")):
        at = f"/api/dead-letters/{letter['service']}/{letter['id']}/discard"
        assert (await cast.does(cast.admin, at, {"reason": "sent by a test"})).status == 200
    assert await _letters(ground, cast, 0) == []
    for letter in (one for one in letters if one["reason"] == "behind"):
        played = await cast.got(cast.admin, f"/api/dead-letters/{letter['service']}/{letter['id']}")
        assert played["status"] == "resent", played


async def _told(ground: Ground, *command: str) -> str:
    done = await asyncio.to_thread(
        wushe, ground.cluster, "dead-letters", *command, "--url", ground.cluster.url
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def _letters(ground: Ground, cast: Cast, count: int) -> list[dict[str, Any]]:
    """All letters, once there are so many."""
    until = time.monotonic() + 60
    while len(found := await ground.letters(cast)) != count:
        assert time.monotonic() < until, [(letter["service"], letter["detail"]) for letter in found]
        await asyncio.sleep(0.2)
    return found


async def _until_tried(cast: Cast, service: str, id: str) -> None:
    until = time.monotonic() + 60
    while (letter := await cast.got(cast.admin, f"/api/dead-letters/{service}/{id}"))["attempts"] < 2:
        assert time.monotonic() < until, letter
        await asyncio.sleep(0.2)


def _bad_news(need: str) -> list[Outgoing]:
    """Unreadable, too large, of an unknown version with a good one behind it, and under the wrong key."""
    good = [_cancelled(need, 1000 + n) for n in range(2)]
    newer = good[0].replace(b"cn.wushe.need.cancelled.v1", b"cn.wushe.need.cancelled.v9")
    large = b'{"specversion": "1.0", "type": "cn.wushe.need.cancelled.v1", "pad": "' + b"x" * 950_000 + b'"}'
    said = [
        ("unreadable", b"\xff\xfe no JSON"), ("large", large), (need, newer), (need, good[1]), ("wrong", good[0]),
    ]  # fmt: skip
    return [Outgoing("need", key, 0, NEED.name, key, value) for key, value in said]


def _cancelled(need: str, sequence: int) -> bytes:
    event = NeedCancelled(site_id="s", reason=CancelReason.SOLVED)
    return encode(
        event, id=f"bad-{need}-{sequence}", subject=need, time=datetime.now(UTC), sequence=sequence,
        cause=None, trace=None,
    )  # fmt: skip
