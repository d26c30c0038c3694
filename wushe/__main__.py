"""`python -m wushe` is `wushe`."""

from wushe.cli import app

app()
