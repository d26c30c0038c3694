"""`make bench`: figures as ratios against a peer that the bench starts itself, in the same run."""

from __future__ import annotations

import argparse
import asyncio
import platform

from tests.bench.b3 import b3
from tests.bench.b4 import b4
from tests.bench.floor import floor

FIGURES = ("floor", "b3", "b4")


def _figure(name: str) -> str:
    """`choices` would refuse to be left out altogether."""
    if name not in FIGURES:
        raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(FIGURES)}")
    return name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "which", nargs="*", type=_figure, help=f"of {', '.join(FIGURES)}; all, if none is named"
    )
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--fsync-ms", type=float, default=0.0, help="each wait for the disk takes this much longer, on both sides")  # fmt: skip
    given = parser.parse_args()
    which = given.which or FIGURES
    print(
        f"Python {platform.python_version()} on {platform.machine()}; SQLite WAL; on both sides nothing is answered before it is on the disk"
    )
    if given.fsync_ms:
        print(f"each wait for the disk takes {given.fsync_ms:g} ms longer than this machine's, on both sides")
    if "floor" in which:
        asyncio.run(floor())
    if "b3" in which:
        asyncio.run(b3(given.people, given.repeats, given.fsync_ms))
    if "b4" in which:
        asyncio.run(b4(given.repeats, given.fsync_ms))


if __name__ == "__main__":
    main()
