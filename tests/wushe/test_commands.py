"""What the command line says when it is asked for something that cannot be done: one sentence, and exit 2."""

from __future__ import annotations

import errno
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from shared.embedded.opening import FORMAT, open_writer
from wushe.cli import app
from wushe.commands.letters import place_of
from wushe.routing import services
from wushe.terminal import program, why

EVERYWHERE = [f"{service}=http://127.0.0.1:1" for service in services()]
CANNOT: list[tuple[list[str], dict[str, str], str]] = [
    (["run", "--port", "99999"], {}, "WUSHE_PORT"),
    (["run"], {"WUSHE_PORT": "abc"}, "WUSHE_PORT"),
    (["run"], {"WUSHE_ENV": "holiday"}, "WUSHE_ENV"),
    (["run", "--data", "{file}"], {"WUSHE_LANGUAGE": "zh_CN"}, "a directory is needed"),
    (["load", "lots", "{file}", "--url", "nonsense"], {}, "http://127.0.0.1:8000"),
    (["load", "lots", "{file}", "--url", "http://127.0.0.1:1"], {}, "--url"),
    (["load", "cats", "{file}", "--url", "http://127.0.0.1:1"], {}, "volunteers"),
    (["load", "lots", "{file}", "--data", "{nowhere}"], {}, "make run"),
    (["check", "--data", "{nowhere}"], {}, "make run"),
    (["check"], {"WUSHE_DATA": "{nowhere}"}, "no data in {nowhere}"),
    (["check", "--data", "{station}"], {}, "no database of a station"),
    (["check", "--data", "{station}", "--kafka", "127.0.0.1:1"], {}, "not both"),
    (["check", "--data", "{nowhere}"], {"WUSHE_KAFKA": "127.0.0.1:1"}, "no data in {nowhere}"),
    (["run", "--data", "{nowhere}"], {"WUSHE_HOST": ""}, "WUSHE_HOST"),
    (["run"], {"WUSHE_FAULT": "xx", "WUSHE_PORT": "0"}, "WUSHE_FAULT must be POINT:N"),
    (["run"], {"WUSHE_FAULT": "loop.applied:x", "WUSHE_PORT": "0"}, "WUSHE_FAULT must be POINT:N"),
    (
        ["edge", *EVERYWHERE],
        {"WUSHE_EDGE_TRUSTS": "foo bar", "WUSHE_HOST": "192.0.2.1"},
        "WUSHE_EDGE_TRUSTS must be",
    ),
    (
        ["edge", *EVERYWHERE],
        {"WUSHE_EDGE_TRUSTS": "10.0.0.0/8, ::1", "WUSHE_HOST": "192.0.2.1"},
        "WUSHE_HOST",
    ),
    (["demo", "--data", "{station}"], {}, "{station} holds a station without the sample"),
    (["run"], {"WUSHE_DATA": "", "WUSHE_PORT": "0"}, "WUSHE_DATA"),
    (["sample", "--town", "--url", "http://127.0.0.1:1"], {"WUSHE_DATA": ""}, "WUSHE_DATA"),
    (["dead-letters", "list", "--url", "http://127.0.0.1:80x"], {}, "--url"),
    (["run"], {"WUSHE_ADMIN_PASSWORD_FILE": "{file}"}, "WUSHE_ADMIN_PASSWORD_FILE"),
    (["backup", "--data", "{station}", "--to", "{nowhere}/b.db"], {}, "b.db does not exist"),
    (["check", "--mongo", "http://127.0.0.1:1"], {}, "WUSHE_MONGO"),
    (["check", "--mongo", "mongodb://a:b@c@127.0.0.1:1"], {}, "WUSHE_MONGO"),
    (["check", "--kafka", "one:two"], {}, "WUSHE_KAFKA"),
    (["check", "--kafka", "127.0.0.1:1"], {"WUSHE_KAFKA_SECURITY_FILE": "{binary}"}, "SECURITY_FILE"),
    (["check", "--kafka", "127.0.0.1:1"], {"WUSHE_KAFKA_SECURITY_FILE": "{odd_security}"}, "nonsense"),
    (["check", "--kafka", "127.0.0.1:1"], {"WUSHE_KAFKA_SECURITY_FILE": "{no_trust}"}, "no.pem"),
    (["check", "--kafka", "127.0.0.1:1"], {}, "no Kafka answers at 127.0.0.1:1"),
    (["check", "--data", "{file}"], {}, "a directory is needed"),
    (["backup", "--data", "{file}", "--to", "{nowhere}"], {}, "a directory is needed"),
    (["backup", "--data", "{station}", "--to", "."], {}, "wushe-backup.db"),
    (["dead-letters", "show", "cats", "x"], {}, "directory, needs"),
    (["edge", "needs=httpx"], {}, "needs=httpx"),
    (["edge", "needs=http://127.0.0.1:eight"], {}, "needs=http://127.0.0.1:eight"),
    (["edge", "needs=http://127.0.0.1:99999"], {}, "needs=http://127.0.0.1:99999"),
    (["dead-letters", "list", "--url", "http://127.0.0.1:1"], {}, "--url"),
    (["demo", "--url", "nonsense"], {}, "http://127.0.0.1:8000"),
    (["run", "--data", "{nowhere}", "--host", "192.0.2.1"], {}, "WUSHE_HOST"),
    (["run", "--data", "{file}"], {"WUSHE_PORT": "0"}, "a directory is needed"),
    (["run", "--data", "{odd}"], {"WUSHE_PORT": "0"}, "no usable key"),
    (["load", "lots", "{file}", "--url", "http://127.0.0.1:1", "--password-file", "{nowhere}"], {}, "exist"),
    (["load", "lots", "{file}", "--url", "http://127.0.0.1:1", "--password-file", "{binary}"], {}, "UTF-8"),
]


@pytest.mark.parametrize(("arguments", "environment", "said"), CANNOT, ids=lambda v: str(v)[:40])
def test_what_cannot_be_done_is_one_sentence_and_exit_2(
    tmp_path: Path, arguments: list[str], environment: dict[str, str], said: str
) -> None:
    file = tmp_path / "lots.jsonl"
    file.write_text("{}\n", encoding="utf-8")
    binary, key = tmp_path / "binary", tmp_path / "odd" / "keys" / "signing.pem"
    key.parent.mkdir(parents=True)
    for broken in (binary, key):
        broken.write_bytes(b"\xff\xfe")
    station = tmp_path / "station"
    station.mkdir()
    (station / "wushe.db").touch()
    odd_security, no_trust = tmp_path / "odd.json", tmp_path / "no_trust.json"
    odd_security.write_text('{"nonsense": "1"}', encoding="utf-8")
    no_trust.write_text('{"security_protocol": "SSL", "cafile": "/no.pem"}', encoding="utf-8")
    places = {
        "odd_security": odd_security,
        "no_trust": no_trust,
        "station": station,
        "file": file,
        "nowhere": tmp_path / "nowhere",
        "odd": tmp_path / "odd",
        "binary": binary,
    }
    asked = [a.format(**places) for a in arguments]
    given = {name: value.format(**places) for name, value in environment.items()}
    result = CliRunner(env=given).invoke(app, asked)
    assert result.exit_code == 2, (result.output, result.exception)
    assert said.format(**places) in result.output and "Traceback" not in result.output
    assert len(result.output.strip().splitlines()) == 1, result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--data", "{data}"),
        ("load", "lots", "{lots}", "--data", "{data}"),
        ("dead-letters", "list", "--data", "{data}"),
        ("copy", "--from", "{data}", "--to", "mongodb://127.0.0.1:1", "--kafka", "127.0.0.1:1"),
        ("check", "--data", "{data}"),
    ],
)
def test_data_that_a_newer_version_has_written_to_are_left_alone(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "lots.jsonl").write_text("{}\n", encoding="utf-8")
    with closing(open_writer(tmp_path / "wushe.db")) as newer:
        newer.execute("UPDATE format SET number = 99")
    before = (tmp_path / "wushe.db").read_bytes()
    asked = [each.format(data=tmp_path, lots=tmp_path / "lots.jsonl") for each in arguments]
    result = CliRunner(env={"WUSHE_PORT": "0"}).invoke(app, asked)
    assert (result.exit_code, "newer version" in result.output) == (2, True), (
        result.output,
        result.exception,
    )
    assert len(result.output.strip().splitlines()) == 1, result.output
    assert (tmp_path / "wushe.db").read_bytes() == before


def test_data_of_an_earlier_version_are_opened_and_get_the_number_of_this_one(tmp_path: Path) -> None:
    for number in ("DROP TABLE format", "UPDATE format SET number = 0", "SELECT 1"):
        with closing(open_writer(tmp_path / "wushe.db")) as earlier:
            assert earlier.execute("SELECT number FROM format").fetchall() == [(FORMAT,)]
            earlier.execute(number)


def test_a_full_disk_is_named_even_where_the_system_does_not_say_which_file_it_was_about() -> None:
    assert why(OSError(errno.ENOSPC, "No space left on device")).startswith("the disk is full")


def test_whatever_is_given_for_the_id_of_a_letter_asks_for_a_letter() -> None:
    assert place_of("needs", "../../accounts?x").startswith("/api/dead-letters/needs/..%2F..%2Faccounts%3F")


def test_a_hint_can_be_typed_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After `make run` the shell does not find the program by its name alone."""
    (tmp_path / "bin").mkdir()
    here = tmp_path / "bin" / "wushe"
    here.touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [str(here), "check"])
    monkeypatch.setenv("PATH", "/nowhere")
    assert program() == "bin/wushe"
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert program() == "wushe"
