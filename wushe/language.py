"""Which language the terminal speaks: Chinese or English, by WUSHE_LANGUAGE, else by the locale."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

Language = Literal["zh", "en"]


HERE = ZoneInfo("Asia/Shanghai")
"""The clock on the wall of the town."""


class Words(NamedTuple):
    """One thing to say, in both languages. Braces are filled by `said`."""

    zh: str
    en: str

    def said(self, language: Language, **facts: Any) -> str:
        template = self.zh if language == "zh" else self.en
        return template.format(**facts) if facts else template


def chosen(environment: Mapping[str, str] = os.environ) -> Language:
    """The language this environment asks for; `LANG=C` asks for English."""
    for name in ("WUSHE_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = environment.get(name, "")
        if value:
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


LANGUAGE: Language = chosen()


def say(zh: str, en: str, **facts: Any) -> str:
    """This sentence in the language of the terminal."""
    return Words(zh, en).said(LANGUAGE, **facts)
