"""Processes of the program that begin with everything loaded: forked from one that did nothing but load it.

Loading takes a second of a core, and the tests start the program some four hundred times. What is forked goes on as the
program does from its first line: its own arguments, environment, folder, streams and end. The command line itself, from
the interpreter on, is started where a terminal is (`Server.spawn_in_terminal`), and by the tests of the package.

Laws
1. A nest does nothing but load, fork and tell who has ended: no thread, no event loop, nothing opened.
2. Whoever asks holds the other end of its socket; when that is closed, the nest ends. What it has hatched lives on.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from guvercin.gateway.clock import SystemClock

_LARGEST = 1 << 17
"""Bytes of an order; an environment is most of it."""

_monotonic = SystemClock().monotonic


class Hatched:
    """A process that the nest has forked, as `subprocess.Popen` would show it."""

    def __init__(self, nest: "Nest", pid: int, args: Sequence[str]) -> None:
        self._nest = nest
        self.pid = pid
        self.args = args

    def poll(self) -> int | None:
        """Answer its exit code as Popen does, negative for a signal; null while it runs."""
        return self._nest.ended(self.pid, within=0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. TimeoutExpired."""
        code = self._nest.ended(self.pid, within=timeout)
        if code is None:
            raise subprocess.TimeoutExpired(list(self.args), timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it as a power cut does."""
        self.send_signal(signal.SIGKILL)


class Nest:
    """The process that forks, and the word that it sends of each end."""

    def __init__(self) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.e2e.nest", str(theirs.fileno())],
                cwd=Path(__file__).resolve().parents[2],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._codes: dict[int, int] = {}
        self._turn = threading.RLock()

    def hatch(
        self, args: Sequence[str], *, streams: Sequence[int], cwd: Path, environment: Mapping[str, str]
    ) -> Hatched:
        """Fork a process that runs the program with these arguments; `streams` are its stdin, stdout and stderr."""
        order = json.dumps({"args": args, "cwd": str(cwd), "environment": dict(environment)}).encode()
        with self._turn:
            socket.send_fds(self._line, [order], list(streams))
            while "pid" not in (told := self._hear()):
                pass
            self._codes.pop(told["pid"], None)  # a number that somebody had before
            return Hatched(self, told["pid"], args)

    def ended(self, pid: int, *, within: float | None) -> int | None:
        """Answer the exit code of a process once it has one; null: not within so many seconds."""
        deadline = None if within is None else _monotonic() + within
        while True:
            with self._turn:
                while pid not in self._codes and select.select([self._line], [], [], 0)[0]:
                    self._hear()
                if pid in self._codes:
                    return self._codes[pid]
            left = None if deadline is None else deadline - _monotonic()
            if left is not None and left <= 0:
                return None
            select.select([self._line], [], [], left)

    def _hear(self) -> dict[str, Any]:
        said = self._line.recv(_LARGEST)
        if not said:
            raise ChildProcessError(f"the nest has ended, with {self._process.wait()}")
        told: dict[str, Any] = json.loads(said)
        if "ended" in told:
            self._codes[told["ended"]] = told["code"]
        return told


def can_be_hatched(environment: Mapping[str, str]) -> bool:
    """Say whether a process may be forked: what the interpreter reads at its start is as it was for the nest."""

    def own(all_: Mapping[str, str]) -> dict[str, str]:
        return {name: value for name, value in all_.items() if name.startswith("PYTHON")}

    return own(environment) == own(os.environ)


@cache
def nest() -> Nest:
    """Answer this test process's nest; it ends with it."""
    return Nest()


# -- the nest's own side


_LOADED = (
    "alembic.command",
    "uvicorn",
    "uvloop",
    "guvercin.api.app",
    "guvercin.api.connections",
    "guvercin.api.notices",
    "guvercin.api.render.rights",
    "guvercin.cli",
    "guvercin.main.serving",
    "guvercin.panel.app",
    "guvercin.panel.live",
)
"""What a start and a command load sooner or later."""


def _brood(line: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Fork until the other end is closed: null in the nest, and in each process that was forked its order."""
    ends, tells = os.pipe()
    os.set_blocking(tells, False)
    signal.set_wakeup_fd(tells)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready = select.select([line.fileno(), ends], [], [])[0]
        if ends in ready:
            os.read(ends, 4096)
            _tell_ends(line)
        if line.fileno() in ready:
            order, streams, _, _ = socket.recv_fds(line, _LARGEST, 3)
            if not order:
                return None
            assert threading.active_count() == 1
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                os.close(ends)
                os.close(tells)
                line.close()
                return json.loads(order), streams
            for stream in streams:
                os.close(stream)
            line.send(json.dumps({"pid": pid}).encode())


def _tell_ends(line: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        line.send(json.dumps({"ended": pid, "code": os.waitstatus_to_exitcode(status)}).encode())


def _become(order: dict[str, Any], streams: list[int]) -> None:
    """Be the process that was ordered, up to the program's first line."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["cwd"])
    sys.argv = ["guvercin", *order["args"]]


def _main(descriptor: int) -> None:
    for name in _LOADED:
        import_module(name)
    hatched = _brood(socket.socket(fileno=descriptor))
    if hatched is None:
        return
    _become(*hatched)
    from guvercin.cli import app

    app()


if __name__ == "__main__":
    _main(int(sys.argv[1]))
