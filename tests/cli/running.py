"""Run `guvercin` as its users do: in this process, or as a server in one of its own."""

import json
import signal
import socket
import subprocess
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from guvercin.cli import app
from guvercin.gateway.clock import SystemClock

LATER = f"{SystemClock().now() + timedelta(days=30):%Y-%m-%d} 10:00"
"""A moment that a message may be planned for."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Answer stdout as the one JSON object that it has to be."""
        return json.loads(self.out)


@dataclass(slots=True)
class Guvercin:
    """Runs commands in this process, without a terminal around them."""

    data_dir: Path
    lang: str = "en"
    env: dict[str, str] = field(default_factory=dict)

    def __call__(self, *line: str, stdin: str | bytes = "", code: int | None = 0) -> Done:
        env = {"GUVERCIN_DATA_DIR": str(self.data_dir), "GUVERCIN_LANG": self.lang, **self.env}
        result = CliRunner().invoke(app, list(line), input=stdin, env=env)
        done = Done(result.exit_code, result.stdout, result.stderr)
        assert code is None or done.code == code, f"guvercin {' '.join(line)}: {done}"
        return done


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Server:
    """A server in a process of its own, as its owner starts it."""

    process: "subprocess.Popen[str]"
    port: int
    greeting: str

    def stop(self, how: signal.Signals = signal.SIGTERM) -> str:
        """Stop it in order; answer what it said at last."""
        self.process.send_signal(how)
        assert self.process.stdout is not None
        rest = self.process.stdout.read()
        assert self.process.wait(timeout=30) == 0
        return rest
