"""Turns messages into sentences, one line each: who speaks, and what it means."""

from __future__ import annotations

from collections.abc import Callable

from shared.contracts import Event
from wushe.demo.render import facts
from wushe.demo.words import SERVICES, WORDS
from wushe.language import Language


class Narrator:
    """Tells what happens to the records it was asked to follow. `names` are the people, places and goods of the story."""

    def __init__(self, language: Language, write: Callable[[str, str], None]) -> None:
        self.language: Language = language
        self.names: dict[str, str] = {}
        self.told = 0
        self._write = write

    def tell(self, event: Event, subject: str) -> None:
        """One message, one line."""
        self._write(SERVICES[event.topic.service].said(self.language), self.sentence(event, subject))
        self.told += 1

    def sentence(self, event: Event, subject: str) -> str:
        return WORDS[type(event)].said(self.language, **facts(event, subject, self.names, self.language))
