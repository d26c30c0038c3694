"""The health probe of a container: 0 once the service has said that it is ready, and as long as it answers from then on.

A service whose broker or store is away is not ill: it waits, and goes on by itself. Whoever looks at this probe would
start it again, or, as `docker compose up --wait`, give up on it. Whether it is ready just now is what /readyz tells.
"""

import os
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

ADDRESS = f"http://127.0.0.1:{os.environ.get('WUSHE_PORT', '8000')}"
BORN = Path("/proc/1/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
READY_ONCE = Path(tempfile.gettempdir()) / f"ready-once-{BORN}"
"""Named after the birth of the container's first process, since files may outlast it."""

path = "/healthz" if READY_ONCE.exists() else "/readyz"
try:
    with urllib.request.urlopen(ADDRESS + path, timeout=12) as answer:
        print(answer.read().decode())
except urllib.error.HTTPError as refused:
    sys.exit(refused.read().decode())
except OSError as error:
    sys.exit(str(error))
READY_ONCE.touch()
