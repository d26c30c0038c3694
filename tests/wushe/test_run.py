"""`wushe run` as a process: it starts, says how to stop it, keeps others out, and stops when asked."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import namedtuple
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from shared.errors import Outage
from shared.run.settings import Settings
from shared.security.passwords import Hasher
from wushe.commands.run import serve_here
from wushe.embedded import embedded
from wushe.first import ensure_administrator
from wushe.sample.loading import begin
from wushe.sample.staff import ADMINISTRATOR, PASSWORD, STAFF
from wushe.serving import Broken, moving, run

Room = namedtuple("Room", "total used free")
ROOT = Path(__file__).parents[2]
PATIENCE = 90.0


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wushe(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "wushe", *arguments],
        cwd=ROOT,
        env={**os.environ, "LANG": "C", "LC_ALL": "C.UTF-8", "WUSHE_LANGUAGE": "en", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running(data: Path, port: int, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """The system on this port, ready."""
    given = arguments or ("--no-sample",)
    process = wushe("run", "--port", str(port), "--data", str(data), *given, **environment)
    try:
        deadline = time.monotonic() + PATIENCE
        while not is_ready(port):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, "it never became ready"
        yield process
    finally:
        process.kill()
        process.communicate()


def is_ready(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/readyz", timeout=1.0, trust_env=False).status_code == 200
    except httpx2.TransportError:
        return False


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out + err


def test_it_stops_within_five_seconds_of_being_asked_and_the_data_survive(tmp_path: Path) -> None:
    port = a_free_port()
    with running(tmp_path / "data", port) as process:
        process.send_signal(signal.SIGINT)
        asked = time.monotonic()
        code, said = ended(process)
        assert time.monotonic() - asked < 5
    assert code == 0
    assert "Stopped" in said
    assert "Traceback" not in said
    assert (tmp_path / "data" / "wushe.db").exists()


def test_a_port_that_was_left_to_the_machine_is_the_one_that_is_told(tmp_path: Path) -> None:
    process = wushe("run", "--port", "0", "--data", str(tmp_path), "--no-sample")
    try:
        assert process.stdout is not None
        told = next(line for line in process.stdout if "http://" in line)
        port = int(told.rsplit(":", 1)[1].split()[0])
        assert port > 0 and is_ready(port)
    finally:
        process.kill()
        process.communicate()


def test_a_second_process_on_the_same_data_is_told_in_one_sentence(tmp_path: Path) -> None:
    port = a_free_port()
    with running(tmp_path, port):
        code, said = ended(wushe("run", "--port", str(a_free_port()), "--data", str(tmp_path)))
        assert code == 2
        assert said.strip().count("\n") == 0
        assert "in use by another process" in said
        code, said = ended(wushe("run", "--port", str(port), "--data", str(tmp_path / "other")))
        assert code == 2
        assert said.strip().count("\n") == 0
        assert f"PORT={port + 1}" in said


def test_a_station_that_is_there_already_is_given_no_sample_town(tmp_path: Path) -> None:
    """One restored from a backup, or begun for real: everybody knows the passwords of the sample."""
    for arguments in (("--no-sample",), ("--host", "127.0.0.1")):
        with running(tmp_path, a_free_port(), *arguments) as process:
            assert process.stdout is not None
            said = ""
            while "Ctrl-C" not in said:
                said += process.stdout.readline()
                assert process.poll() is None, said
            process.send_signal(signal.SIGINT)
            code, _ = ended(process)
        assert (code, "Sample accounts" in said) == (0, False)


def test_production_has_no_sample_and_wants_a_password_file(tmp_path: Path) -> None:
    code, said = ended(
        wushe("run", "--data", str(tmp_path), "--port", str(a_free_port()), WUSHE_ENV="production")
    )
    assert (code, "WUSHE_ADMIN_PASSWORD_FILE" in said) == (2, True)
    secret = tmp_path / "password"
    secret.write_text("一句很长的口令 only-here\n", encoding="utf-8-sig")  # as some editors write it
    port = a_free_port()
    given = {"WUSHE_ENV": "production", "WUSHE_ADMIN_PASSWORD_FILE": str(secret)}
    with running(tmp_path / "data", port, **given) as process:
        tries = {"一句很长的口令 only-here": 200, "wushe-fuquan": 401}
        for password, status in tries.items():
            assert signs_in(port, "admin", password) == status
        process.send_signal(signal.SIGTERM)
        code, said = ended(process)
    assert code == 0
    assert "password" not in said


def signs_in(port: int, login: str, password: str) -> int:
    """The status of a sign-in, once the account is there."""
    deadline = time.monotonic() + 10
    while True:
        body = {"login": login, "password": password}
        answer = httpx2.post(f"http://127.0.0.1:{port}/api/session", json=body, timeout=10, trust_env=False)
        if answer.status_code != 401 or password == "wushe-fuquan" or time.monotonic() > deadline:
            return answer.status_code


@pytest.mark.parametrize(
    "arguments", [("load", "bogus", __file__), ("check", "--data", "/nowhere/at/all"), ("nonsense",)]
)
def test_what_cannot_be_done_is_said_without_a_traceback(arguments: tuple[str, ...]) -> None:
    code, said = ended(wushe(*arguments))
    assert code == 2
    assert "Traceback" not in said


def test_a_terminal_that_cannot_show_a_character_ends_nothing() -> None:
    code, said = ended(wushe("--help", WUSHE_LANGUAGE="zh", PYTHONIOENCODING="ascii"))
    assert (code, "Traceback" in said) == (0, False), said


def test_a_command_finds_the_system_that_runs_on_its_data_wherever_it_listens(tmp_path: Path) -> None:
    with running(tmp_path, a_free_port()):
        code, said = ended(wushe("dead-letters", "list", "--data", str(tmp_path)))
    assert (code, said.strip()) == (0, "There are no dead letters")


def test_who_reads_only_the_beginning_changes_nothing_of_what_came_of_it(tmp_path: Path) -> None:
    with running(tmp_path, a_free_port()):
        check = wushe("check", "--data", str(tmp_path))
        assert check.stdout is not None and check.stderr is not None
        check.stdout.close()
        said = check.stderr.read()
        assert (check.wait(PATIENCE), said) == (0, "")


def test_a_station_without_the_sample_has_the_password_that_was_given(tmp_path: Path) -> None:
    port, secret = a_free_port(), tmp_path / "password"
    secret.write_text("only here", encoding="utf-8")
    with running(tmp_path / "data", port, WUSHE_ADMIN_PASSWORD_FILE=str(secret)):
        assert signs_in(port, "admin", "only here") == 200
        assert signs_in(port, "admin", "wushe-fuquan") == 401


def test_production_does_not_start_on_data_with_the_samples_password(tmp_path: Path) -> None:
    port, data, secret = a_free_port(), tmp_path / "data", tmp_path / "password"
    secret.write_text("only here", encoding="utf-8")
    with running(data, port) as process:
        assert process.stdout is not None
        assert any("running" in line for line in process.stdout)
        process.send_signal(signal.SIGTERM)
        assert ended(process)[0] == 0
    given = {"WUSHE_ENV": "production", "WUSHE_ADMIN_PASSWORD_FILE": str(secret)}
    code, said = ended(wushe("run", "--port", str(port), "--data", str(data), **given))
    assert (code, "sample" in said) == (2, True), said


def test_a_station_with_a_password_of_its_own_is_served_without_the_sample_town(tmp_path: Path) -> None:
    """The edge in containers waits for this command to end well, also before a station that moved there."""
    port, secret = a_free_port(), tmp_path / "password"
    secret.write_text("only here", encoding="utf-8")
    with running(tmp_path / "data", port, "--no-sample", WUSHE_ADMIN_PASSWORD_FILE=str(secret)):
        assert signs_in(port, "admin", "only here") == 200
        town = ("sample", "--town", "--data", str(tmp_path / "note"), "--url", f"http://127.0.0.1:{port}")
        for _ in range(7):  # the administrator is not locked out by it
            code, said = ended(wushe(*town))
            assert (code, "left as it is" in said, "stands" in said) == (0, True, False), said
        assert signs_in(port, "admin", "only here") == 200
    assert not (tmp_path / "note" / "sample.json").exists()


def test_a_station_that_has_sites_already_is_served_without_the_sample_town(tmp_path: Path) -> None:
    """One that moved began with the sample on another day: the same requests would be others by now."""
    port = a_free_port()
    with running(tmp_path / "data", port, "--sample"):
        town = ("sample", "--town", "--data", str(tmp_path / "note"), "--url", f"http://127.0.0.1:{port}")
        code, said = ended(wushe(*town))
        assert (code, "left as it is" in said) == (0, True), said


def test_a_sample_town_asked_for_in_vain_leaves_no_mark_on_a_station(tmp_path: Path) -> None:
    """The mark says that the town is to stand here: the next start would go on loading it."""
    data, nowhere = tmp_path / "data", "http://127.0.0.1:1"
    code, _ = ended(wushe("sample", "--town", "--data", str(data), "--url", nowhere))
    assert (code, (data / "sample.json").exists()) == (2, False)
    port = a_free_port()
    with running(data, port):
        code, said = ended(
            wushe("sample", "--town", "--data", str(data), "--url", f"http://127.0.0.1:{port}")
        )
    assert (code, "--data" in said, (data / "sample.json").exists()) == (2, True, False)


async def test_a_station_that_began_with_the_sample_goes_to_production_once_nobody_has_its_password(
    tmp_path: Path,
) -> None:
    data, secret = tmp_path / "data", tmp_path / "password"
    secret.write_text("only here", encoding="utf-8")
    begin(data)
    async with embedded(data, hasher=Hasher.cheap()) as system, moving(system):
        await ensure_administrator(system, data, ADMINISTRATOR, "admin", "a word of our own")
    given = {"WUSHE_ENV": "production", "WUSHE_ADMIN_PASSWORD_FILE": str(secret)}
    with running(data, a_free_port(), "--host", "127.0.0.1", **given) as process:
        process.send_signal(signal.SIGTERM)
        assert ended(process)[0] == 0


def test_a_password_of_its_own_is_not_passed_over_for_that_of_the_sample(tmp_path: Path) -> None:
    data, secret = tmp_path / "data", tmp_path / "password"
    secret.write_text("only here", encoding="utf-8")
    given = {"WUSHE_ADMIN_PASSWORD_FILE": str(secret)}
    code, said = ended(wushe("run", "--port", str(a_free_port()), "--data", str(data), **given))
    assert (code, "--no-sample" in said, data.exists()) == (2, True, False), said
    begin(data)
    (data / "wushe.db").touch()
    for more in ((), ("--no-sample",)):
        code, said = ended(wushe("run", "--port", str(a_free_port()), "--data", str(data), *more, **given))
        assert (code, "--no-sample" in said, "--data" in said) == (2, False, True), said


def test_production_answers_nobody_before_it_has_looked_at_the_accounts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def restored() -> None:
        async with embedded(tmp_path, hasher=Hasher.cheap()) as system, moving(system):
            await ensure_administrator(system, tmp_path, STAFF[1].login, "somebody", PASSWORD)

    async def answers(*_: object) -> None:
        raise AssertionError("somebody could sign in")

    run(restored())
    (own := tmp_path / "own").write_text("a word of our own\n")
    monkeypatch.setattr("wushe.commands.run.serve", answers)
    with pytest.raises(SystemExit, match="2"):
        serve_here(Settings(data=tmp_path, env="production", admin_password_file=own, port=0))
    said = capsys.readouterr().err
    assert STAFF[1].login in said and "WUSHE_ENV=development" in said


def test_a_start_that_meets_a_record_which_cannot_be_read_names_it_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def begun() -> None:
        async with embedded(tmp_path, hasher=Hasher.cheap()) as system, moving(system):
            await ensure_administrator(system, tmp_path, STAFF[1].login, "somebody", PASSWORD)

    run(begun())
    with sqlite3.connect(tmp_path / "wushe.db") as stored:
        stored.execute("UPDATE \"directory.account\" SET body = json_remove(body, '$.login')")
        ((id,),) = stored.execute('SELECT id FROM "directory.account"').fetchall()
    (own := tmp_path / "own").write_text("a word of our own\n")
    with pytest.raises(SystemExit, match="2"):
        serve_here(Settings(data=tmp_path, env="production", admin_password_file=own, port=0))
    said = capsys.readouterr().err
    assert f"directory.account {id}" in said and "login" in said and "somebody" not in said


@pytest.mark.parametrize("failure", [Outage("disk I/O error"), Broken(Outage("disk I/O error"))])
def test_a_start_on_a_full_disk_names_the_disk_whatever_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failure: Exception
) -> None:
    async def fails(*_: object) -> None:
        raise failure

    monkeypatch.setattr("wushe.commands.run.serve", fails)
    said = []
    for free in (0, 1 << 30):
        monkeypatch.setattr(
            "wushe.commands.run.disk_usage", lambda _, free=free: Room(1 << 30, 1 << 30, free)
        )
        with pytest.raises(SystemExit, match="2"):
            serve_here(Settings(data=tmp_path, port=0))
        said.append(capsys.readouterr().err)
    assert "full disk" in said[0] and str(tmp_path) in said[0] and "I/O" not in said[0]
    assert "I/O" in said[1]
