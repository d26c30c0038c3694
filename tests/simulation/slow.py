"""A bus on which news may take its time: every record's own words stay in order, those of others overtake them, and
everything comes at least twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from shared.ports import Bus, Delivery, Reading
from tests.simulation.shuffled import ShuffledBus, ShuffledReading
from tests.world import START


class Weather:
    """Whether news is slow, and how slow; the same for all readers of one story."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.clear = True
        self.now: Callable[[], datetime] = lambda: START

    def delay(self) -> timedelta:
        return timedelta(seconds=self.random.choice([0, 0, 0, 2, 20, 200]))


class SlowBus(ShuffledBus):
    """Over a real bus."""

    def __init__(self, inner: Bus, weather: Weather) -> None:
        super().__init__(inner, weather.random.randrange(10**9))
        self._weather = weather

    def shuffling(self, reading: Reading) -> Reading:
        return SlowReading(reading, self._weather)


class SlowReading(ShuffledReading):
    """One reader of it: what one record says may be held up for a while, and all that it says after it."""

    def __init__(self, inner: Reading, weather: Weather) -> None:
        super().__init__(inner, weather.random, 1)
        self._weather = weather
        self._arrives: dict[str, tuple[int, datetime]] = {}

    def ready(self, key: str, first: Delivery) -> bool:
        if self._weather.clear:
            return True
        now, arrives = self._weather.now(), self._arrives.get(key)
        if arrives is None or arrives[0] != first.offset:
            arrives = self._arrives[key] = first.offset, now + self._weather.delay()
        return now >= arrives[1]
