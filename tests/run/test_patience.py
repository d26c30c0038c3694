"""How long a caller is made to wait for a store that does not answer."""

from __future__ import annotations

import asyncio

import pytest

from shared.embedded.clock import SystemClock
from shared.embedded.ids import SystemIds
from shared.mongo import trouble
from shared.mongo.trouble import Doubt, again_and_again


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
