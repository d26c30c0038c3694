"""The terminal: one console, sentences instead of tracebacks, and exit codes.

0 all is well · 1 problems were found, and are listed · 2 it could not be done as asked.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from functools import wraps
from io import TextIOWrapper
from pathlib import Path
from shutil import which
from typing import NoReturn, ParamSpec, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from shared.embedded.opening import InUse, NewerData
from shared.errors import Illegible, Outage, Refusal, WusheError
from shared.security.tokens import NoKey
from wushe.language import LANGUAGE, Words, say

P = ParamSpec("P")
T = TypeVar("T")

FOUND = 1
CANNOT = 2

for _stream in (sys.stdout, sys.stderr):
    if isinstance(_stream, TextIOWrapper):
        _stream.reconfigure(errors="replace")  # a name that this terminal cannot show must not end the system

_WHY = {
    errno.ENOENT: Words("不存在", "does not exist"),
    errno.EACCES: Words("没有权限，请检查它属于谁", "may not be opened or written: see to whom it belongs"),
    errno.EPERM: Words("没有权限，请检查它属于谁", "may not be opened or written: see to whom it belongs"),
    errno.EROFS: Words(
        "所在磁盘只读，请换一个位置", "lies on a disk that cannot be written: choose another place"
    ),
    errno.ENOSPC: Words("磁盘已满，请先腾出空间", "lies on a full disk: make room first"),
    errno.ENOTDIR: Words("应是目录，却是文件", "is a file where a directory is needed"),
    errno.EISDIR: Words("应是文件，却是目录", "is a directory where a file is needed"),
    errno.EEXIST: Words("已经存在", "is there already"),
}


class Terminal(Console):
    """A console that nobody need read to the end: the work goes on, and its exit code says what came of it."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


console = Terminal(highlight=False, soft_wrap=True)
errors = Terminal(stderr=True, highlight=False, soft_wrap=True)


def program() -> str:
    """What to type for this program here: its name, or the way to it where the shell would not find it by name."""
    called = Path(sys.argv[0])
    if which("wushe") or called.name != "wushe" or not called.is_file():
        return "wushe"
    return os.path.relpath(called)


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
        except NoKey as bad:
            give_up(say("{path} 不是可用的密钥（Ed25519，PEM）", "{path} holds no usable key (Ed25519, PEM)", path=bad.path))  # fmt: skip
        except Refusal as no:
            give_up(no.words(LANGUAGE))
        except Outage as away:
            give_up(say("暂时无法进行：{why}", "it cannot be done just now: {why}", why=away))
        except NewerData as newer:
            give_up(
                say(
                    "{path} 已由更新版本的程序写过，本版本不会打开它：请使用新版本，或恢复升级前的备份",
                    "{path} was written to by a newer version of this program, and this one does not open it: use the "
                    "newer one, or restore the backup that was made before",
                    path=newer.path,
                )
            )
        except Illegible as no:
            give_up(illegible(no))
        except WusheError as failure:
            give_up(str(failure))
        except OSError as failure:
            give_up(why(failure))
        except KeyboardInterrupt:
            give_up(say("已中断", "interrupted"), 130)

    return told


def why(failure: OSError) -> str:
    """What the system said no to, in words, and what about."""
    words = _WHY.get(failure.errno or 0)
    if failure.errno == errno.ENOSPC and failure.filename is None:
        return say("磁盘已满，请先腾出空间", "the disk is full: make room first")
    if words is None or failure.filename is None:
        return str(failure)
    return f"{failure.filename} {words.said(LANGUAGE)}"


def illegible(no: Illegible) -> str:
    return say(
        "记录 {where} {id} 读不懂（{fields}）：数据已损坏，或属于另一版本的软件",
        "the record {where} {id} cannot be read ({fields}): it is damaged, or of another version of this program",
        where=no.where,
        id=no.id,
        fields=no.fields,
    )


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
