"""Who may import what, and how long things may get: each rule with its reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = sorted(p.name for p in (ROOT / "services").iterdir() if (p / "app.py").exists())
SOURCES = sorted(p for part in ("services", "shared", "wushe") for p in (ROOT / part).rglob("*.py"))
DRIVERS = {
    "sqlite3": "shared/embedded",
    "apsw": "shared/embedded",
    "aiokafka": "shared/kafka",
    "pymongo": "shared/mongo",
    "motor": "shared/mongo",
    "bson": "shared/mongo",
}
PURE = {
    "asyncio", "random", "secrets", "uuid", "time", "socket", "pathlib", "os", "fastapi", "sqlite3", "httpx2",
    "structlog", "threading",
}  # fmt: skip


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module


def where(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_never_imports_another(service: str) -> None:
    """They meet only through events: otherwise they could not run apart, nor fail apart."""
    others = tuple(f"services.{other}" for other in SERVICES if other != service)
    for path in (ROOT / "services" / service).rglob("*.py"):
        bad = [name for name in imports(path) if name.startswith(others)]
        assert not bad, f"{where(path)} imports {bad}"


def test_shared_code_knows_no_service() -> None:
    """What everybody stands on must not stand on anybody."""
    for path in (ROOT / "shared").rglob("*.py"):
        bad = [name for name in imports(path) if name.split(".")[0] in {"services", "wushe", "tests"}]
        assert not bad, f"{where(path)} imports {bad}"


def test_a_driver_appears_only_in_its_adapter() -> None:
    """A service cannot tell what it runs on, so it cannot come to depend on it."""
    for path in SOURCES:
        for name in imports(path):
            home = DRIVERS.get(name.split(".")[0])
            assert home is None or where(path).startswith(home), f"{where(path)} imports {name}"


@pytest.mark.parametrize("service", SERVICES)
def test_a_domain_is_pure(service: str) -> None:
    """Rules without I/O, clocks or chance can be called again after a lost race, and tried by the million."""
    folder = ROOT / "services" / service
    files = [folder / "domain.py", *(folder / "domain").rglob("*.py")]
    for path in (p for p in files if p.exists()):
        bad = [
            n
            for n in imports(path)
            if n.split(".")[0] in PURE or n.startswith(("shared.run", "shared.http", "shared.ports"))
        ]
        assert not bad, f"{where(path)} imports {bad}"
        tree = ast.parse(path.read_text(encoding="utf-8"))
        waits = [n.lineno for n in ast.walk(tree) if isinstance(n, ast.AsyncFunctionDef | ast.Await)]
        assert not waits, f"{where(path)} waits in lines {waits}"
        clocks = [
            n.lineno
            for n in ast.walk(tree)
            if isinstance(n, ast.Attribute) and n.attr in {"now", "utcnow", "today"} and isinstance(n.value, ast.Name)
            and n.value.id in {"datetime", "date"}
        ]  # fmt: skip
        assert not clocks, f"{where(path)} reads a clock in lines {clocks}"


def test_there_is_one_broad_except() -> None:
    """Anything may go wrong in a handler, and the loop must survive it; everywhere else a broad except hides a bug."""
    broad = [
        f"{where(path)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and (
            node.type is None
            or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"})
        )
    ]
    assert [b.split(":")[0] for b in broad] == ["shared/run/dispatch.py"], broad


def test_files_stay_short() -> None:
    """A file that fits in one head: 250 lines, 400 for an adapter."""
    adapters = ("shared/embedded", "shared/kafka", "shared/mongo", "shared/contracts/vocabulary.py")
    for path in SOURCES:
        limit = 400 if where(path).startswith(adapters) else 250
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= limit, f"{where(path)} has {lines} lines"


def test_functions_stay_short() -> None:
    """Forty lines at most; a longer one does two things."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                assert lines <= 40, f"{where(path)}:{node.lineno} {node.name} has {lines} lines"


def test_suppressions_are_rare() -> None:
    """Under one per 1,000 lines, so that the type checker's word counts."""
    text = [
        p.read_text(encoding="utf-8")
        for p in [*SOURCES, *(ROOT / "tests").rglob("*.py")]
        if p != Path(__file__)
    ]
    lines = sum(len(t.splitlines()) for t in text)
    found = sum(t.count("# type: ignore") + t.count("# noqa") for t in text)
    assert found * 1000 < max(lines, 1000), f"{found} suppressions in {lines} lines"
