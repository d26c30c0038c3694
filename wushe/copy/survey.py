"""The source, read once from end to end before anything is written: what there is, and whether all of it can move."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.embedded.contents import Contents, Flaw, Kept
from shared.kafka.publisher import partition_of
from shared.kafka.topics import LARGEST_MESSAGE
from shared.mongo.arrivals import copied
from shared.mongo.trial import LARGEST_RECORD
from shared.ports import Delivery, Position
from shared.records import Record
from shared.run.dead_letters import DeadLetter, letter_id
from wushe.copy.layout import Layout
from wushe.copy.sums import Sum, canonical, digest_of
from wushe.copy.telling import Tell
from wushe.system import RECORDS

Shelf = tuple[str, type[Record]]
SHELVES: tuple[Shelf, ...] = tuple((service, kind) for service, kinds in RECORDS.items() for kind in kinds)
"""Every kind of record of every service."""


@dataclass
class Survey:
    """What the source holds, as it will lie on the servers."""

    contents: Contents
    layout: Layout
    sums: dict[Shelf, Sum] = field(default_factory=dict)
    flaws: list[Flaw] = field(default_factory=list)
    offsets: dict[str, dict[Position, int]] = field(default_factory=dict)
    letters: dict[str, dict[str, int]] = field(default_factory=dict)
    """The versions of dead letters by the id that they get, by service."""

    def documents(self, shelf: Shelf) -> Iterator[dict[str, Any]]:
        """Every record of a kind as the document that it becomes; what cannot be read is passed by."""
        for kept in self.contents.records(*shelf):
            moved = self.moved(kept)
            if isinstance(moved, Kept):
                yield copied(*moved)

    def moved(self, kept: Kept | Flaw) -> Kept | Flaw:
        """The same, except that a dead letter tells where its message will lie."""
        if isinstance(kept, Flaw) or not isinstance(letter := kept.held.record, DeadLetter):
            return kept
        place = self.layout.place(letter.topic_name, letter.offset)
        if place is None:
            return Flaw(f"{letter.kind} {letter.id}", f"{letter.topic_name}/{letter.offset}")
        at, offset = place
        delivery = Delivery(at, offset, letter.key, letter.message)
        there = letter.but(
            id=letter_id(letter.group, delivery), partition=at.partition, offset=offset, order=offset
        )
        return kept._replace(held=kept.held._replace(record=there))

    def version(self, shelf: Shelf, id: str) -> int | None:
        """The version that the record of this document has in the source; None if there is no such record."""
        service, kind = shelf
        return (
            self.letters[service].get(id) if kind is DeadLetter else self.contents.version(service, kind, id)
        )


def survey_of(contents: Contents, partitions: Mapping[str, int], tell: Tell) -> Survey:
    """Read everything there is, and note what cannot move."""
    letters = (kept for shelf in SHELVES if shelf[1] is DeadLetter for kept in contents.records(*shelf))
    asked = [
        (kept.held.record.topic_name, kept.held.record.offset)
        for kept in letters
        if isinstance(kept, Kept) and isinstance(kept.held.record, DeadLetter)
    ]
    survey = Survey(contents, Layout(partitions, partition_of, asked))
    survey.flaws += [Flaw(name, "?") for name in contents.strangers()]
    _lay_out_the_log(survey, tell)
    for shelf in SHELVES:
        _count(survey, shelf, tell)
    return survey


def _lay_out_the_log(survey: Survey, tell: Tell) -> None:
    contents, commits = survey.contents, survey.contents.commits()
    for topic in contents.topics:
        advance = tell(topic.name, contents.length(topic))
        marks = {group: read[topic.name] for group, read in commits.items() if topic.name in read}
        log = _fitting(survey, contents.log(topic), advance)
        reached = survey.layout.lay(topic.name, log, marks.values())
        for group, mark in marks.items():
            survey.offsets.setdefault(group, {}).update(reached[mark])


def _fitting(survey: Survey, log: Iterator[Delivery], advance: Any) -> Iterator[Delivery]:
    for delivery in log:
        if len(delivery.key.encode()) + len(delivery.value) > LARGEST_MESSAGE:
            place = f"{delivery.position.topic}/{delivery.offset}"
            survey.flaws.append(Flaw(place, f"{len(delivery.value):,} bytes"))
        advance(1)
        yield delivery


def _count(survey: Survey, shelf: Shelf, tell: Tell) -> None:
    service, kind = shelf
    found = Sum()
    advance = tell(f"{service}.{kind.kind}", survey.contents.count(service, kind))
    for kept in map(survey.moved, survey.contents.records(service, kind)):
        advance(1)
        if isinstance(kept, Flaw):
            survey.flaws.append(kept)
            continue
        written = canonical(copied(*kept))
        if len(written) > LARGEST_RECORD:
            survey.flaws.append(
                Flaw(f"{service}.{kind.kind} {kept.held.record.id}", f"{len(written):,} bytes")
            )
        found.add(digest_of(written))
        if kind is DeadLetter:
            survey.letters.setdefault(service, {})[kept.held.record.id] = kept.held.version
    survey.letters.setdefault(service, {})
    survey.sums[shelf] = found
