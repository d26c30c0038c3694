"""What must be true at the end, each said in one sentence and looked up over HTTP."""

from __future__ import annotations

from collections.abc import Callable

from wushe.language import Language, Words


class Facts:
    """Facts as they are found, and whether all of them hold."""

    def __init__(self, language: Language, write: Callable[[bool, str], None]) -> None:
        self._language: Language = language
        self._write = write
        self.failed: list[str] = []
        self.held = 0

    def note(self, holds: bool, zh: str, en: str, **seen: object) -> None:
        """One fact; what was seen is shown if it does not hold."""
        sentence = Words(zh, en).said(self._language)
        if holds:
            self.held += 1
        else:
            sentence += f"  [{', '.join(f'{name}={value}' for name, value in seen.items())}]"
            self.failed.append(sentence)
        self._write(holds, sentence)
