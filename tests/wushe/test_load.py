"""Bulk loads: a file is sent in parts, and a bad row is named by its line in the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wushe.commands import load
from wushe.commands.load import Part, Sum, in_parts, load_file, parts
from wushe.sample.staff import ADMINISTRATOR, PASSWORD


def test_a_file_is_cut_into_parts_that_know_where_they_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "PART_LINES", 2)
    assert list(in_parts([b"1\n", b"2\n", b"3"])) == [Part(0, [b"1\n", b"2\n"]), Part(2, [b"3\n"])]


def test_an_empty_file_has_no_parts(tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").touch()
    assert list(parts(tmp_path / "none.jsonl")) == []


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
