"""The log has to be readable: what nobody can read, and nobody has set aside, is missing from whatever follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from shared.contracts import REGISTRY, Message
from shared.errors import TooNew, Unreadable
from shared.ports import Delivery, Position
from shared.run.dead_letters import DeadLetter
from wushe.check.evidence import Evidence, Progress
from wushe.check.violation import Violation

NAMED = 3
"""So many messages of a topic are named; the rest are counted."""


class Unread:
    """What of the log could not be read, and why, in words that quote nothing of it."""

    def __init__(self) -> None:
        self._found: list[tuple[Delivery, str, str]] = []
        self._said_since: dict[tuple[str, str], bool] = {}

    def read(self, delivery: Delivery) -> Message | None:
        """The message, or None for one that is noted here."""
        source = (delivery.position.topic, delivery.key)
        try:
            message = REGISTRY.decode(delivery.value)
        except Unreadable as no:
            self._found.append((delivery, f"it cannot be read: {no.reason}", f"读不懂（{no.reason}）"))
        except TooNew:
            unknown = "it is of a type that this version does not know"
            self._found.append((delivery, unknown, "属于本版本不认识的类型"))
        else:
            if source in self._said_since:
                self._said_since[source] = True
            return message
        self._said_since[source] = False
        return None

    async def violations(self, evidence: Evidence) -> list[Violation]:
        """Those that every service which hears their topic has passed, and of which no dead letter was ever kept. The rest
        are under way, or wait for a person already. Where no service hears a topic, only copies do: a later message of the
        same record (it was saved again) says all that the lost one did."""
        if not self._found:
            return []
        progress = await evidence.progress()
        kept: set[Delivery] = set()
        for service in evidence.stores:
            kept.update([letter.delivery async for letter in evidence.records(service, DeadLetter)])
        lost = [f for f in self._found if _is_past(f[0], progress) and f[0] not in kept]
        return list(_told(f for f in lost if _is_heard(f[0], progress) or not self._is_said_since(f[0])))

    def _is_said_since(self, delivery: Delivery) -> bool:
        return self._said_since[delivery.position.topic, delivery.key]


def _told(found: Iterable[tuple[Delivery, str, str]]) -> Iterator[Violation]:
    for at, group in groupby(found, key=lambda one: one[0].position):
        here = list(group)
        for delivery, en, zh in here[:NAMED]:
            en, zh = f"{en}, and no dead letter keeps it", f"消息{zh}，也没有死信保留它"
            yield Violation(0, f"{_place(at)}/{delivery.offset}", en, zh)
        if (more := len(here) - NAMED) > 0:
            yield Violation(0, _place(at), f"{more} more messages like these", f"另有{more}条这样的消息")


def _is_past(delivery: Delivery, progress: Progress) -> bool:
    return all(delivery.offset < read for read in _readers(delivery, progress))


def _is_heard(delivery: Delivery, progress: Progress) -> bool:
    return bool(_readers(delivery, progress))


def _readers(delivery: Delivery, progress: Progress) -> list[int]:
    """How far each service has read that hears this part of the log."""
    names = (delivery.position.topic, _place(delivery.position))  # of one machine, and of a cluster
    return [read for (_, name), read in progress.read.items() if name in names]


def _place(at: Position) -> str:
    return f"{at.topic}/{at.partition}"
