"""The program with a wall clock that is wrong: `skewed.py SECONDS python -m guvercin baslat --port N`.

Started by its path, in place of the program: see `Server.start(before=...)`.
"""

import sys
from datetime import datetime, timedelta
from pathlib import Path

from guvercin.config import load
from guvercin.gateway.clock import SystemClock
from guvercin.main.serving import serve


class SkewedClock(SystemClock):
    """The computer's clocks, the wall clock ahead by some time, or behind if that is negative."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead

    def now(self) -> datetime:
        """Answer a wrong time."""
        return super().now() + self._ahead


def skewed(seconds: int) -> tuple[str, ...]:
    """Answer what has to stand before the program."""
    return (sys.executable, str(Path(__file__)), str(seconds))


if __name__ == "__main__":
    serve(
        load(port=int(sys.argv[sys.argv.index("--port") + 1])),
        lambda: None,
        clock=SkewedClock(timedelta(seconds=int(sys.argv[1]))),
    )
