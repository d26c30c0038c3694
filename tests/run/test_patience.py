"""How long a caller is made to wait for a store that does not answer."""

from __future__ import annotations

import asyncio

import pytest

from shared.embedded.clock import SystemClock
from shared.embedded.ids import SystemIds
from shared.mongo import trouble
from shared.mongo.trouble import FIRST_PAUSE, Doubt, Pauses, again_and_again, answered


class Silent:
    """Something that says nothing for so long, and then that it does not know."""

    def __init__(self, seconds: float) -> None:
        self.asked = 0
        self._seconds = seconds

    async def __call__(self) -> None:
        self.asked += 1
        await asyncio.sleep(self._seconds)
        raise Doubt("no answer")


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trouble, "PATIENCE_SECONDS", 0.1)


async def test_whoever_waited_out_their_patience_in_vain_is_not_made_to_wait_again() -> None:
    silent = Silent(0.15)
    with pytest.raises(Doubt):
        await again_and_again(silent, SystemIds(SystemClock()))
    assert silent.asked == 1


async def test_a_trouble_that_is_told_at_once_is_tried_again_while_patience_lasts() -> None:
    quick = Silent(0.0)
    with pytest.raises(Doubt):
        await again_and_again(quick, SystemIds(SystemClock()))
    assert quick.asked > 2


class Slow:
    """A call of a driver that answers when it is told to, and notes whether it was let finish."""

    def __init__(self) -> None:
        self.told = asyncio.Event()
        self.finished = asyncio.Event()

    async def __call__(self) -> str:
        await self.told.wait()
        self.finished.set()
        return "an answer"


async def test_a_call_that_takes_too_long_is_given_up_but_not_interrupted() -> None:
    slow = Slow()
    with pytest.raises(Doubt, match="did not answer"):
        await answered(slow(), seconds=0.01)
    slow.told.set()
    await asyncio.wait_for(slow.finished.wait(), 30)


async def test_a_call_is_not_interrupted_when_whoever_asked_goes_away() -> None:
    slow = Slow()
    asking = asyncio.create_task(answered(slow()))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    slow.told.set()
    await asyncio.wait_for(slow.finished.wait(), 30)


@pytest.mark.parametrize("error", [RuntimeError("the handler is closed"), asyncio.CancelledError()])
async def test_what_a_driver_says_of_a_connection_that_has_gone_is_a_doubt(error: BaseException) -> None:
    async def broken() -> None:
        raise error

    with pytest.raises(Doubt):
        await answered(broken())


async def test_who_loses_a_race_tries_again_soon_and_who_is_in_doubt_later_and_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A rival that writes on and on leaves short gaps; a server that is away does not come back for being asked."""
    paused: list[float] = []

    async def note(seconds: float) -> None:
        paused.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", note)
    pauses = Pauses(SystemIds(SystemClock()))
    for _ in range(200):
        assert await pauses.another(in_a_race=True)
    assert max(paused) <= FIRST_PAUSE
    for _ in range(20):
        assert await pauses.another()
    assert max(paused) > 10 * FIRST_PAUSE
