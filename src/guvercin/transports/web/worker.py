"""The child process that holds the connections of accounts: `python -m guvercin.transports.web.worker ROOT`.

ROOT holds a folder for each account; most workers have one account, and none has more than its seats (seat.py).

It decides nothing: no retries of sends, no waiting between them. Its parent's end is its own: when stdin closes, it is
gone at once, and whatever it was sending is for the journal and the database to tell. So it is when the time is over
for which an account was lent to it (deadline.py): its parent may be frozen, and another gateway have the account.
"""

import logging
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

_PIPE = os.dup(1)
os.dup2(2, 1)  # before the library is loaded: its Go side prints to fd 1, and that must not meet the protocol

from guvercin.transports.web import protocol as p  # noqa: E402
from guvercin.transports.web.deadline import Deadline  # noqa: E402
from guvercin.transports.web.seat import ENGINE_VERSION, Seat  # noqa: E402

_THREADS = 64
_STOP_LIMIT = 3.0
_TIME_IS_OVER = 4
"""The status of a process that ended by its deadline."""


class Pipe:
    """The way to the gateway, for all threads of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def tell(self, word: p.Answer | p.Report, seat: str = "") -> None:
        """Write one line. Without a gateway there is nothing left to do here."""
        line = p.encode(word, seat)
        with self._lock:
            try:
                while line:
                    line = line[os.write(_PIPE, line) :]
            except OSError:
                os._exit(0)


class Worker:
    """This process: the seats of its accounts, and what comes for them."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._pipe = Pipe()
        self._pool = ThreadPoolExecutor(_THREADS)
        self._seats: dict[str, Seat] = {}
        self._deadline = Deadline(time.monotonic, lambda: os._exit(_TIME_IS_OVER))  # noqa: TID251 -- of all processes
        self._left: list[Seat] = []
        """Kept: the library calls back to those that were stopped."""

    def serve(self, commands: Any) -> None:
        """Do what comes, until the pipe closes or Stop is said."""
        threading.Thread(target=self._deadline.keep, daemon=True).start()
        self._pipe.tell(p.Hello(version=p.VERSION, engine=ENGINE_VERSION))
        for line in commands:
            name, command = p.decode_command(line)
            match command:
                case p.Stop():
                    self._stop()
                    return
                case p.Connect():
                    self._deadline.set(name, command.until)
                    self._seats[name] = Seat(self._root / name, partial(self._pipe.tell, seat=name), self._deadline)
                case p.Prolong():
                    self._deadline.prolong(name, command.until)
                    continue
                case p.Leave():
                    leaving = self._seats.pop(name)
                    self._left.append(leaving)
                    self._pool.submit(leaving.leave)
                    continue
                case _:
                    pass
            seat = self._seats.get(name)
            if seat is None:  # it has left while this was on its way
                self._pipe.tell(p.Failed(id=command.id, error=p.HAS_LEFT), name)
                continue
            seat.expect_work()
            self._pool.submit(seat.do, command)

    def _stop(self) -> None:
        stopping = [threading.Thread(target=seat.stop, daemon=True) for seat in self._seats.values()]
        for each in stopping:
            each.start()
        for each in stopping:
            each.join(_STOP_LIMIT)


def main() -> None:
    """Run until the gateway says Stop or is gone. `--version` only says which engine it is."""
    if sys.argv[1:] == ["--version"]:
        os.write(_PIPE, f"{ENGINE_VERSION}\n".encode())
        os._exit(0)
    logging.getLogger().setLevel(logging.WARNING)
    Worker(Path(sys.argv[1])).serve(sys.stdin.buffer)
    os._exit(0)  # the library's threads end with the process, not before


if __name__ == "__main__":
    main()
