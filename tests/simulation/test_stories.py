"""Whatever people do, in whatever order, and however slow the news: when all has been heard, nothing contradicts."""

from __future__ import annotations

import os

import pytest

from services.volunteers.service import invitations
from tests.simulation.agreement import all_agree
from tests.simulation.lives import Lives
from tests.simulation.plenty import Plenty
from tests.simulation.slow import SlowBus, Weather
from tests.town import town

FIRST, COUNT = int(os.environ.get("STORY", "0")), int(os.environ.get("STORIES", "3"))
"""`STORY=100 STORIES=50` plays others, and more of them."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", [Lives, Plenty])
@pytest.mark.parametrize("seed", range(FIRST, FIRST + COUNT))
async def test_whatever_happens_and_however_slow_the_news_everybody_is_of_one_mind_in_the_end(
    seed: int, kind: type[Lives], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invitations, "PATIENCE", 0.0)
    weather = Weather(seed)
    async with town(seed, wrap=lambda bus: SlowBus(bus, weather)) as t:
        weather.now = t.clock.now
        story = kind(t, seed, weather)
        await story.begins()
        for _ in range(2):
            weather.clear = False
            for _ in range(50):
                await story.happens()
            weather.clear = True
            await t.settle()
            await all_agree(story)
        await t.passes(days=4)
        await all_agree(story)
