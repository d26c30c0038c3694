"""`make` is the only door: what the documents tell people to type is there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_make_target_in_the_documents_exists(page: Path) -> None:
    told = set(re.findall(r"(?:`|^\s*)make ([a-z][a-z-]*)", page.read_text(encoding="utf-8"), re.M))
    assert told <= TARGETS, f"{page.name} tells of {sorted(told - TARGETS)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_link_in_the_documents_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if not (page.parent / link).exists()]
    assert not missing, f"{page.name} links to {missing}"


def test_make_explains_itself() -> None:
    told = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("run", "demo", "test", "check", "test-faults", "bench"):
        assert f"make {target}" in told


def made(folder: Path, target: str) -> str:
    """What Make says of this target in a folder with our Makefile, and programs that only tell how they were called."""
    shutil.copy(ROOT / "Makefile", folder)
    for name in ("python", "pip"):
        program = folder / ".venv" / "bin" / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f'#!/bin/sh\necho {name} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    call = ["make", "-s", target, f"PYTHON={folder / '.venv/bin/python'}"]
    return subprocess.run(call, cwd=folder, capture_output=True, text=True, check=True).stdout


def test_to_clean_ends_the_cluster_and_keeps_its_data(tmp_path: Path) -> None:
    for name in ("cluster", "servers"):
        (tmp_path / "build" / name).mkdir(parents=True)
    assert "tests.cluster down" in made(tmp_path, "clean")
    assert [path.name for path in (tmp_path / "build").iterdir()] == ["cluster"]
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize("newer", ["requirements/dev.txt", "pyproject.toml"])
def test_what_is_newer_than_the_environment_for_development_is_installed_for_a_run(
    tmp_path: Path, newer: str
) -> None:
    (tmp_path / "requirements").mkdir()
    (tmp_path / ".venv").mkdir()
    for name in ("requirements/cluster.txt", "requirements/dev.txt", "pyproject.toml", ".venv/dev"):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1e9, 1e9))
    os.utime(tmp_path / ".venv" / "dev", (1.1e9, 1.1e9))
    assert "pip install" not in made(tmp_path, ".venv/run")
    (tmp_path / ".venv" / "run").unlink()
    os.utime(tmp_path / newer, (1.2e9, 1.2e9))
    assert "pip install" in made(tmp_path, ".venv/run")


def test_a_check_looks_at_the_layers() -> None:
    told = subprocess.run(
        ["make", "-n", "check"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert "tests/architecture" in told
