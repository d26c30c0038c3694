"""Ids as a port: UUIDv7 from the clock and the machine's randomness, or from a seed."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from random import Random

from shared.ports import Clock
from shared.times import milliseconds

_RANDOM_BITS = 74
_RANDOM_LIMIT = 1 << _RANDOM_BITS


def uuid7(ms: int, chance: int) -> str:
    """The UUIDv7 (RFC 9562) of this millisecond with these 74 random bits, in text form."""
    high, low = chance >> 62, chance & 0x3FFF_FFFF_FFFF_FFFF
    text = f"{ms << 80 | 0x7 << 76 | high << 64 | 0x2 << 62 | low:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class _Ids(ABC):
    """Ids that rise strictly within one mint, even within one millisecond or when the clock goes back."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ms = 0
        self._chance = 0

    def new(self) -> str:
        ms = milliseconds(self._clock.now())
        if ms > self._ms:
            self._ms, self._chance = ms, self._bits(_RANDOM_BITS - 1)
        else:
            self._chance += 1 + self._bits(32)
            if self._chance >= _RANDOM_LIMIT:
                self._ms, self._chance = self._ms + 1, self._bits(_RANDOM_BITS - 1)
        return uuid7(self._ms, self._chance)

    @abstractmethod
    def _bits(self, bits: int) -> int:
        """So many random bits."""


class SystemIds(_Ids):
    """UUIDv7 from this clock and the randomness of the operating system."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._jitter = Random()

    def random(self) -> float:
        return self._jitter.random()

    def _bits(self, bits: int) -> int:
        return int.from_bytes(os.urandom((bits + 7) // 8), "big") & ((1 << bits) - 1)


class SeededIds(_Ids):
    """The same ids in the same order for the same seed and the same clock."""

    def __init__(self, seed: int, clock: Clock) -> None:
        super().__init__(clock)
        self._random = Random(seed)

    def random(self) -> float:
        return self._random.random()

    def _bits(self, bits: int) -> int:
        return self._random.getrandbits(bits)
