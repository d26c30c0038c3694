"""Listening to every message of a system in this process, and telling those that belong to the story."""

from __future__ import annotations

import asyncio

from shared.contracts import REGISTRY, TOPICS, Message
from shared.contracts.needs import HouseholdRegistered
from shared.ports import Bus
from wushe.demo.narrator import Narrator

GATHER_SECONDS = 0.08
"""How long messages are gathered, so that those of different topics can be told in the order they were said."""

QUIET_SECONDS = 0.25


class Tail:
    """A private reader of the whole log, from now on."""

    def __init__(self, bus: Bus, narrator: Narrator) -> None:
        self._bus = bus
        self._narrator = narrator
        self._followed: set[str] = set()
        self._heard = 0

    def follow(self, id: str) -> None:
        self._followed.add(id)

    async def caught_up(self) -> None:
        """Wait until nothing more comes for a moment, or two seconds have passed."""
        for _ in range(8):
            before = self._heard
            await asyncio.sleep(QUIET_SECONDS)
            if self._heard == before:
                return

    async def run(self) -> None:
        """Tell until cancelled."""
        reading = await self._bus.read(TOPICS, group=None)
        try:
            while await reading.lag():
                await reading.fetch(5000, 0.0)
            while True:
                found = await reading.fetch(1, 1.0)
                if found:
                    self._heard += 1
                    await asyncio.sleep(GATHER_SECONDS)
                    found += await reading.fetch(5000, 0.0)
                    self._tell([REGISTRY.decode(delivery.value) for delivery in found])
        finally:
            await reading.close()

    def _tell(self, messages: list[Message]) -> None:
        for message in sorted(messages, key=lambda m: m.id):
            if self._belongs(message):
                self._narrator.tell(message.data, message.subject)

    def _belongs(self, message: Message) -> bool:
        if isinstance(message.data, HouseholdRegistered):
            return False
        return bool({message.subject, getattr(message.data, "need_id", None)} & self._followed)
