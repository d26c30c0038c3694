"""Native servers by hand: `python -m tests.servers install`, `... kafka start DIR PORT`, `... mongo kill DIR`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from tests.servers.native import kafka, mongo_install
from tests.servers.native.daemon import Failed
from tests.servers.native.kafka import NativeKafka
from tests.servers.native.mongo import NativeMongo
from tests.servers.places import home

KINDS = {"kafka": NativeKafka, "mongo": NativeMongo}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.servers", description=__doc__)
    parser.add_argument("what", choices=["install", *KINDS])
    parser.add_argument("action", nargs="?", choices=["start", "stop", "kill", "freeze", "thaw"])
    parser.add_argument("place", nargs="?", type=Path, help="where this one keeps its data, log and pid")
    parser.add_argument("port", nargs="?", type=int, default=0, help="0: any free port")
    given = parser.parse_args()
    try:
        if given.what == "install":
            os.umask(0o022)  # run by root, the servers run as nobody, who must be able to read them
            kafka.install(home("kafka"))
            mongo_install.install(home("mongo"))
        elif given.action is None or given.place is None:
            parser.error(f"{given.what} needs an action and a folder")
        else:
            server = KINDS[given.what](home(given.what), given.place.resolve(), given.port)
            getattr(server, given.action)()
            if given.action == "start":
                print(server.address)
    except Failed as reason:
        sys.exit(str(reason))


if __name__ == "__main__":
    main()
