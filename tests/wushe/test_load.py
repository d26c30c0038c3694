"""Bulk loads: a file is sent in parts, and a bad row is named by its line in the file."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest

from wushe.client import Account, Answer, Refused, Unreachable
from wushe.commands import load
from wushe.commands.load import LONGEST, Part, Sum, count_lines, in_parts, load_file, parts, send
from wushe.sample.staff import ADMINISTRATOR, PASSWORD
from wushe.terminal import progress


def test_a_file_is_cut_into_parts_that_know_where_they_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "PART_LINES", 2)
    assert list(in_parts([b"1\n", b"2\n", b"3"])) == [Part(0, [b"1\n", b"2\n"]), Part(2, [b"3\n"])]


def test_an_empty_file_has_no_parts(tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").touch()
    assert list(parts(tmp_path / "none.jsonl")) == []


def test_of_a_line_that_is_too_long_only_the_beginning_is_read_and_sent(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b"1\n" + b"x" * (3 * LONGEST) + b"\n" + b"x" * LONGEST + b"\n2")
    (part,) = parts(file)
    assert part.lines == [b"1\n", b"x" * LONGEST + b"\n", b"x" * LONGEST + b"\n", b"2\n"]
    assert count_lines(file) == 4


def test_the_lines_of_a_pipe_are_not_counted_since_they_can_be_read_only_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert count_lines(tmp_path / "pipe") is None


async def test_it_is_said_how_many_more_lines_were_refused_than_are_listed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    flaw = {"line": 1, "field": "/name", "code": "invalid", "zh": "必填", "en": "must be filled in"}

    class Refusing:
        async def bulk(self, path: str, lines: bytes) -> Answer:
            told = {"created": 0, "repeated": 0, "refused": 3000, "errors": [flaw, flaw]}
            return Answer(200, told, None)

    with progress() as bar:
        task = bar.add_task("volunteers", total=1)
        await send(cast(Account, Refusing()), "volunteers", Part(0, [b"{}\n"]), Sum(), bar, task)
    assert "2999" in capsys.readouterr().out


async def test_a_load_that_breaks_off_says_how_far_it_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("{}\n" * 5, encoding="utf-8")
    monkeypatch.setattr(load, "PART_LINES", 2)

    class Leaving:
        left = 2

        async def bulk(self, path: str, lines: bytes) -> Answer:
            self.left -= 1
            if self.left < 0:
                raise Unreachable("http://127.0.0.1:1")
            return Answer(200, {"created": 2, "repeated": 0, "refused": 0, "errors": []}, None)

    @asynccontextmanager
    async def signed_in(*_: object) -> AsyncIterator[Account]:
        yield cast(Account, Leaving())

    monkeypatch.setattr(load, "signed_in", signed_in)
    with pytest.raises(Unreachable):
        await load.load_into("volunteers", file, None, None, ADMINISTRATOR, None)
    said = capsys.readouterr().out
    assert "first 4 lines" in said and "4 new" in said


async def test_who_may_not_load_is_not_told_to_load_the_same_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("{}\n", encoding="utf-8")

    class Forbidding:
        async def bulk(self, path: str, lines: bytes) -> Answer:
            raise Refused(403, {"type": "forbidden"})

    @asynccontextmanager
    async def signed_in(*_: object) -> AsyncIterator[Account]:
        yield cast(Account, Forbidding())

    monkeypatch.setattr(load, "signed_in", signed_in)
    with pytest.raises(Refused):
        await load.load_into("volunteers", file, None, None, ADMINISTRATOR, None)
    assert capsys.readouterr().out == ""


def test_there_is_no_data_to_load_into(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"key": "1"}) + "\n", encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        load_file("volunteers", rows, None, tmp_path / "nowhere", ADMINISTRATOR, None)
    assert ended.value.code == 2
    assert PASSWORD not in capsys.readouterr().err


def test_rows_that_needed_a_second_try_are_counted_once_as_new() -> None:
    total = Sum()
    first = {"created": 3, "repeated": 1, "refused": 2}
    total.add([first, {"created": 1, "repeated": 4, "refused": 1}])
    assert (total.created, total.repeated, total.refused) == (4, 1, 1)
