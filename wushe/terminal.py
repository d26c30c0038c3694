"""The terminal: one console, sentences instead of tracebacks, and exit codes.

0 all is well · 1 problems were found, and are listed · 2 it could not be done as asked.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import NoReturn, ParamSpec, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from shared.embedded.engine import InUse
from shared.errors import WusheError
from wushe.language import say

P = ParamSpec("P")
T = TypeVar("T")

FOUND = 1
CANNOT = 2

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


def give_up(sentence: str, code: int = CANNOT) -> NoReturn:
    """End with one sentence."""
    errors.print(sentence, style="red", markup=False)
    sys.exit(code)


def plainly(command: Callable[P, T]) -> Callable[P, T]:
    """A command whose foreseeable failures are one sentence each, and exit 2."""

    @wraps(command)
    def told(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except InUse as taken:
            give_up(in_use(taken))
        except (WusheError, OSError) as failure:
            give_up(str(failure))
        except KeyboardInterrupt:
            give_up(say("已中断", "interrupted"), 130)

    return told


def in_use(taken: InUse) -> str:
    return say(
        "数据目录 {directory} 正被另一个进程使用{pid}：请先停掉它，或用 --data 指定别的目录",
        "the data directory {directory} is in use by another process{pid}: stop it, or choose another with --data",
        directory=taken.directory,
        pid=f" (pid {taken.holder})" if taken.holder else "",
    )


def progress() -> Progress:
    """A bar for long work."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=errors,
    )
