"""The health probe of a container: exit 0 if the service says that it is ready, else 1 with what it lacks."""

import os
import sys
import urllib.error
import urllib.request

address = (
    f"http://127.0.0.1:{os.environ.get('WUSHE_PORT', '8000')}{sys.argv[1] if sys.argv[1:] else '/readyz'}"
)
try:
    with urllib.request.urlopen(address, timeout=12) as answer:
        print(answer.read().decode())
except urllib.error.HTTPError as refused:
    sys.exit(refused.read().decode())
except OSError as error:
    sys.exit(str(error))
