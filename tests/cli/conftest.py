"""A terminal of its own for each test: an empty data folder, one language, nothing of the tester's environment."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.cli.running import Guvercin, Server, free_port


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("GUVERCIN_", "LC_")) or name in {"LANG", "LANGUAGE"}]:
        monkeypatch.delenv(name)


@pytest.fixture
def guvercin(tmp_path: Path) -> Guvercin:
    return Guvercin(tmp_path / "veri")


@pytest.fixture
def start_server(guvercin: Guvercin) -> Iterator[Callable[..., Server]]:
    started: list[subprocess.Popen[str]] = []

    def start(*options: str) -> Server:
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", "guvercin", "baslat", "--port", str(port), *options],
            env={**os.environ, "GUVERCIN_DATA_DIR": str(guvercin.data_dir), "GUVERCIN_LANG": "en"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line == "Stop it with Ctrl+C.\n":
                break
        return Server(process, port, "".join(lines))

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
