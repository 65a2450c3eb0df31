"""`python -m guvercin` is `guvercin`."""

from guvercin.cli import app

app()
