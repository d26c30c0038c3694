"""Puts a MongoDB-compatible server together: FerretDB (built by Go) on PostgreSQL with the DocumentDB extension.

The packages come from a newer Debian suite through the mirror that this machine's apt already uses, with an apt of
their own, signatures checked; they are unpacked beside the system, which stays as it is.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.servers.native.daemon import Failed, run

FERRETDB = "v2.7.0"
SUITE = "forky"
POSTGRESQL = "18"
TESTED = {"postgresql-18": "18.6-3", "postgresql-18-documentdb": "1.0-0-1"}
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
UNPACK = (
    'dpkg-deb --fsys-tarfile "$0" | tar -x -C "$1" --no-same-owner --keep-directory-symlink '
    "--exclude=./usr/share/doc --exclude=./usr/share/man --exclude=./usr/share/locale '--exclude=*/bitcode'"
)


def install(home: Path) -> None:
    """Build and unpack into `home`; does nothing when done."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not installed(home):
            _install(home)


def installed(home: Path) -> bool:
    stamp = home / "installed.json"
    return stamp.exists() and bool(json.loads(stamp.read_text())["ferretdb"] == FERRETDB)


def _install(home: Path) -> None:
    root, work = home / "root", home / "apt"
    for old in (root, work):
        shutil.rmtree(old, ignore_errors=True)
        old.mkdir()
    go = _go()
    builder = _build(home, go) if go else None  # Go builds while the packages come in
    versions = _unpack(work, root, *([] if go else ["golang-go"]))
    builder = builder or _build(home, str(next(root.glob("usr/lib/go-*/bin/go"))))
    extension = root / "usr/share/postgresql" / POSTGRESQL / "extension"
    (extension / "postgis.control").symlink_to("postgis-3.control")  # dpkg would have made it
    if builder.wait():
        raise Failed(f"building FerretDB failed:\n{(home / 'go.log').read_text()[-3000:]}")
    shutil.rmtree(work)
    got = {name: versions.get(name) for name in TESTED}
    if got != TESTED:
        print(f"note: tested with {TESTED}, got {got}", file=sys.stderr)
    (home / "installed.json").write_text(json.dumps({"ferretdb": FERRETDB, "packages": versions}, indent=1))


def _go() -> str | None:
    """This machine's Go, if it is one that can fetch the newer one that a module asks for."""
    go = shutil.which("go")
    version = re.search(r"go(\d+)\.(\d+)", run(go, "version")) if go else None
    return go if version and tuple(map(int, version.groups())) >= (1, 21) else None


def _build(home: Path, go: str) -> subprocess.Popen[bytes]:
    bin_ = str(home.resolve() / "bin")
    environment = {"HOME": str(home), **os.environ, "GOBIN": bin_, "CGO_ENABLED": "0", "GOTOOLCHAIN": "auto"}
    with (home / "go.log").open("w") as log:
        module = f"github.com/FerretDB/FerretDB/v2/cmd/ferretdb@{FERRETDB}"
        return subprocess.Popen([go, "install", module], env=environment, cwd=home, stdout=log, stderr=log)


def _unpack(work: Path, root: Path, *more: str) -> dict[str, str]:
    """Fetch and unpack PostgreSQL with the extension and all it needs down to libc; the versions by package."""
    environment = _private_apt(work.resolve())
    run("apt-get", "-q", "update", env=environment)
    plan = run("apt-get", "-s", "install", f"postgresql-{POSTGRESQL}-documentdb", *more, env=environment)
    versions = dict(re.findall(r"^Inst (\S+) \((\S+)", plan, re.M))
    wanted = re.compile(
        f"lib|golang-|proj-data|postgresql-{POSTGRESQL}|postgresql-client-{POSTGRESQL}"
    )  # no perl, systemd
    run("apt-get", "-q", "download", *filter(wanted.match, versions), env=environment, cwd=work)
    for package in work.glob("*.deb"):
        run("sh", "-c", UNPACK, package, root)
    return versions


def _private_apt(work: Path) -> dict[str, str]:
    """The environment of an apt with an empty package database, so that it takes everything from the suite."""
    lists = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*.[ls]*")]
    sources = "\n".join(each.read_text() for each in lists if each.exists())
    mirrors = re.findall(r"^(?:deb\s+(?:\[.*?\]\s+)?|URIs:\s*)(\S+/debian/?)\s", sources, re.M)
    if not mirrors:
        raise Failed("apt knows no Debian mirror here")
    for folder in ("lists/partial", "cache/archives/partial", "none"):
        (work / folder).mkdir(parents=True)
    (work / "debian.sources").write_text(
        f"Types: deb\nURIs: {mirrors[0]}\nSuites: {SUITE}\nComponents: main\nTargets: Packages\nSigned-By: {KEYRING}\n"
    )
    (work / "apt.conf").write_text(
        f'Dir {{ State "{work}"; State::status "/dev/null"; Cache "{work}/cache"; }};\n'
        f'Dir::Etc {{ sourcelist "{work}/debian.sources"; sourceparts "{work}/none"; preferencesparts "{work}/none"; }};\n'
        'Acquire { Check-Valid-Until "false"; Languages "none"; Retries "3"; };\n'
        'APT { Sandbox::User ""; Install-Recommends "false"; };\n'
    )
    return {**os.environ, "APT_CONFIG": str(work / "apt.conf"), "LC_ALL": "C"}
