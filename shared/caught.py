"""Keeping an error for the one it belongs to."""

from __future__ import annotations

from types import TracebackType
from typing import Self


class Caught:
    """Keeps whatever is raised inside for the one it belongs to, unjudged."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if isinstance(error, Exception):
            self.error = error
            return True
        return False
