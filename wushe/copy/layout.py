"""Where each message of the embedded log comes to lie on Kafka: known before anything is sent.

The embedded log has one order for all keys of a topic; Kafka has partitions, and a key has its own. What goes to a
partition keeps its order, so a place in the one is a place in the other, and a group that had read up to some offset
here has read a certain number of messages of each partition there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from shared.ports import Delivery, Position
from wushe.copy.sums import DIGEST_BYTES, Sum, digest_of

Place = tuple[Position, int]


class Chains:
    """The digests of the messages of each partition, in order: enough to tell whether a log is the same."""

    def __init__(self, partitions: Mapping[str, int]) -> None:
        self._digests = {Position(t, n): bytearray() for t, count in partitions.items() for n in range(count)}

    def add(self, at: Position, key: str, value: bytes) -> None:
        self._digests[at] += digest_of(key.encode(), value)

    def length(self, at: Position) -> int:
        return len(self._digests[at]) // DIGEST_BYTES

    def unlike(self, other: Chains) -> list[Position]:
        """The partitions that hold anything but what the other's begins with."""
        return [at for at, mine in self._digests.items() if not other._digests[at].startswith(mine)]

    def sum_of(self, topic: str) -> Sum:
        """How many messages a topic has, and the sum over its partitions, each in its order."""
        found = Sum()
        for at, mine in self._digests.items():
            if at.topic == topic:
                found.add(digest_of(at.partition.to_bytes(4), bytes(mine)))
        found.count = sum(self.length(at) for at in self._digests if at.topic == topic)
        return found


class Layout:
    """Lays the log out. `asked` are the embedded offsets, by topic, whose place will be asked for."""

    def __init__(
        self,
        partitions: Mapping[str, int],
        partition_of: Callable[[str, int], int],
        asked: Iterable[tuple[str, int]] = (),
    ) -> None:
        self.chains = Chains(partitions)
        self._partitions = partitions
        self._partition_of = partition_of
        self._asked = set(asked)
        self._places: dict[tuple[str, int], Place] = {}

    def position(self, topic: str, key: str) -> Position:
        return Position(topic, self._partition_of(key, self._partitions[topic]))

    def lay(
        self, topic: str, deliveries: Iterable[Delivery], marks: Iterable[int]
    ) -> dict[int, dict[Position, int]]:
        """Lay out a whole topic. For each mark, an embedded offset: how many messages below it each partition has."""
        counts = {Position(topic, n): 0 for n in range(self._partitions[topic])}
        waiting: Sequence[int] = sorted(set(marks))
        reached: dict[int, dict[Position, int]] = {}
        for delivery in deliveries:
            while waiting and delivery.offset >= waiting[0]:
                reached[waiting[0]], waiting = dict(counts), waiting[1:]
            at = self.position(topic, delivery.key)
            if (topic, delivery.offset) in self._asked:
                self._places[topic, delivery.offset] = (at, counts[at])
            self.chains.add(at, delivery.key, delivery.value)
            counts[at] += 1
        return reached | {mark: dict(counts) for mark in waiting}

    def place(self, topic: str, offset: int) -> Place | None:
        """Where the message that was asked for comes to lie; None if there is no such message."""
        return self._places.get((topic, offset))
