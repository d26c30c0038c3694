"""Turns messages into sentences, one line each: who speaks, and what it means."""

from __future__ import annotations

import re
from collections.abc import Callable

from shared.contracts import Event
from wushe.demo.render import facts
from wushe.language import Language, Words

SERVICES = {
    "directory": Words("组织", "directory"),
    "needs": Words("需求", "needs"),
    "volunteers": Words("志愿者", "volunteers"),
    "resources": Words("物资", "resources"),
    "matching": Words("匹配", "matching"),
}

_COUNTED = re.compile(r"(\d[\d,.]*) ([\w-]+(?: [\w-]+)?)\((e?s)\)")


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
        found = facts(event, subject, self.names, self.language)
        return counted(Words(event.zh, event.en).said(self.language, **found))


def counted(sentence: str) -> str:
    """ "1 bag(s)" becomes "1 bag", "2 bag(s)" "2 bags"."""
    return _COUNTED.sub(lambda m: f"{m[1]} {m[2]}{'' if m[1] == '1' else m[3]}", sentence)
