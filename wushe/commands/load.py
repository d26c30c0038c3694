"""`wushe load`: a file of JSON lines through the bulk addresses, in parts, with every row that was refused."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from rich.progress import Progress, TaskID

from shared.errors import WusheError
from shared.http.bodies import BODY_LIMIT
from wushe.client import Account, Refused
from wushe.commands.reaching import signed_in
from wushe.language import LANGUAGE, Words, say
from wushe.serving import run
from wushe.terminal import FOUND, console, plainly, progress

KINDS = ("volunteers", "lots", "needs")
NAMES = {
    "volunteers": Words("志愿者", "volunteers"),
    "lots": Words("捐赠批次", "lots"),
    "needs": Words("需求", "needs"),
}
PART_BYTES = 4 * 1024 * 1024
PART_LINES = 5000
LONGEST = BODY_LIMIT + 2
"""No longer line is ever taken, whatever ends it, so no more of one is read or sent."""


class Part(NamedTuple):
    """Some lines of a file; `before` is how many lines stand ahead of them."""

    before: int
    lines: list[bytes]


class Sum:
    """What came of a load so far."""

    def __init__(self) -> None:
        self.created = 0
        self.repeated = 0
        self.refused = 0

    def add(self, answers: Sequence[dict[str, Any]]) -> None:
        """What one part came to, by the answer to each try: a row that an early try created is known to the later ones,
        and only what the last try refused stays refused."""
        self.created += sum(answer["created"] for answer in answers)
        self.repeated += answers[0]["repeated"]
        self.refused += answers[-1]["refused"]

    def sentence(self) -> str:
        return say(
            "新增 {created}，已有 {repeated}，未通过 {refused}",
            "{created} new, {repeated} known before, {refused} refused",
            created=self.created,
            repeated=self.repeated,
            refused=self.refused,
        )


@plainly
def load_file(
    kind: str, file: Path, url: str | None, data: Path | None, login: str, password_file: Path | None
) -> int:
    return run(load_into(kind, file, url, data, login, password_file))


async def load_into(
    kind: str, file: Path, url: str | None, data: Path | None, login: str, password_file: Path | None
) -> int:
    """Load the file; 1 if any line was refused."""
    total = Sum()
    async with signed_in(url, data, login, password_file) as account:
        with progress() as bar:
            task = bar.add_task(NAMES[kind].said(LANGUAGE), total=count_lines(file))
            await _send_all(account, kind, file, total, bar, task)
    console.print(total.sentence())
    return FOUND if total.refused else 0


async def _send_all(account: Account, kind: str, file: Path, total: Sum, bar: Progress, task: TaskID) -> None:
    """Load part after part. What breaks it off is raised, and where to go on is told."""
    before = 0
    try:
        for part in parts(file):
            before = part.before
            await send(account, kind, part, total, bar, task)
    except WusheError as failure:
        bar.stop()
        if not (isinstance(failure, Refused) and before == 0 and failure.is_final):
            _tell_where_to_go_on(before, total)
        raise


def _tell_where_to_go_on(before: int, total: Sum) -> None:
    console.print(
        say(
            "导入中断：前 {n} 行已处理（{sum}）。请再导入同一文件，已导入的不会重复",
            "It broke off: the first {n} lines are dealt with ({sum}). Load the same file again; nothing is loaded twice",
            n=before,
            sum=total.sentence(),
        )
    )


async def send(
    account: Account, kind: str, part: Part, total: Sum, bar: Progress, task: TaskID, *, tries: int = 1
) -> None:
    """Load one part, and print what is wrong with any line of it. With more tries, what was refused is sent again:
    the news of a place may take a moment to reach the service."""
    answers: list[dict[str, Any]] = []
    for left in reversed(range(tries)):
        answer = (await account.bulk(f"/api/{kind}/bulk?on_error=skip", b"".join(part.lines))).body
        answers.append(answer)
        if not (answer["refused"] and left):
            break
        await asyncio.sleep(1.0)
    total.add(answers)
    told = answers[-1]["errors"]
    for flaw in told:
        _print(flaw, part.before)
    _print_how_many_more(answers[-1]["refused"] - len({flaw["line"] for flaw in told}))
    bar.advance(task, len(part.lines))


def _print(flaw: dict[str, Any], before: int) -> None:
    sentence = say(
        "第 {line} 行{field}：{why}",
        "line {line}{field}: {why}",
        line=before + flaw["line"],
        field=f" {flaw['field']}" if flaw["field"] else "",
        why=flaw[LANGUAGE],
    )
    console.print(sentence, markup=False)


def _print_how_many_more(lines: int) -> None:
    if lines > 0:
        console.print(
            say(
                "另有 {n} 行未通过，未逐一列出：改正以上各行后请再导入一次",
                "{n} more line(s) were refused and are not listed: mend those above and load the file again",
                n=lines,
            )
        )


def parts(file: Path) -> Iterator[Part]:
    """The file in parts that the interface takes."""
    with file.open("rb") as source:
        yield from in_parts(_rows(source))


def _rows(source: BinaryIO) -> Iterator[bytes]:
    """The lines of a file; of one that is too long only the beginning."""
    while piece := source.readline(LONGEST):
        yield piece
        while len(piece) == LONGEST and not piece.endswith(b"\n"):
            piece = source.readline(LONGEST)


def in_parts(rows: Iterable[bytes]) -> Iterator[Part]:
    before, lines, size = 0, list[bytes](), 0
    for row in rows:
        lines.append(row if row.endswith(b"\n") else row + b"\n")
        size += len(row)
        if size >= PART_BYTES or len(lines) >= PART_LINES:
            yield Part(before, lines)
            before, lines, size = before + len(lines), [], 0
    if lines:
        yield Part(before, lines)


def count_lines(file: Path) -> int | None:
    """None for a pipe: what was read of it once cannot be read again."""
    if not file.is_file():
        return None
    with file.open("rb") as source:
        return sum(1 for _ in _rows(source))
