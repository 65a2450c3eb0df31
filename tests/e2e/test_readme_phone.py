"""The README's way to a linked phone without a phone, walked word for word: an empty home, and nothing but loopback."""

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.e2e.server import free_port

from guvercin.cli.reach import holder
from guvercin.gateway.clock import SystemClock

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("whatsapp")]

ROOT = Path(__file__).parents[2]
CLOCK = SystemClock()
BEGIN, PLAYS, SERVES, ASKS = range(4)


@pytest.fixture
def blocks() -> list[str]:
    """Answer the commands of each of its boxes: what every terminal begins with, then what the third one types."""
    page = (ROOT / "README.md").read_text("utf-8")
    _, _, part = page.partition("### The same without a phone and without the internet\n")
    begin, servers, third = re.findall(r"```sh\n(.*?)```", part.partition("\n## ")[0], re.DOTALL)[:3]
    plays, serves = servers.splitlines()
    return [begin, plays, serves, third]


class Newcomer:
    """Somebody with three terminals. The port is a free one: others run here as well."""

    def __init__(self, folder: Path, begin: str) -> None:
        self.home = folder / "ev"
        self.home.mkdir()
        self.port = str(free_port())
        self.begin = begin
        self.environment = {
            "HOME": str(self.home),
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "GUVERCIN_PORT": self.port,
            "no_proxy": "127.0.0.1",
            **{name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ},
        }
        self.data = self.home / "guvercin-deneme"

    def typed(self, commands: str) -> list[str]:
        """Answer a shell's command line. The environment of this run takes the place of `.venv`."""
        lines = f"{self.begin}\n{commands}".replace(". .venv/bin/activate\n", "").replace(":8080", f":{self.port}")
        return ["bash", "-c", lines]

    @contextmanager
    def terminal(self, command: str) -> Iterator["subprocess.Popen[bytes]"]:
        """Run something that stays, in a terminal of its own."""
        log = (self.home / f"{command.split()[1]}.log").open("ab")
        with (
            log,
            subprocess.Popen(
                self.typed(f"exec {command}"),
                env=self.environment,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            ) as process,
        ):
            try:
                yield process
            finally:
                process.terminate()
                process.wait(20)

    def run(self, commands: str) -> str:
        done = subprocess.run(
            self.typed(commands),
            env=self.environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def serves(self) -> bool:
        found = holder(self.data / "guvercin.lock")
        return found is not None and found.address is not None

    def state(self) -> str:
        accounts = json.loads(self.run("guvercin hesap liste --json"))["data"]
        return next((str(one["durum"]) for one in accounts if one["id"] == 2), "")

    def statuses(self) -> Counter[str]:
        return Counter(row["durum"] for row in json.loads(self.run("guvercin kayit --json"))["data"])

    def shown(self) -> list[str]:
        """Answer what the phones have received, as the first terminal shows it."""
        lines = (self.home / "deneme-sunucusu.log").read_text("utf-8").splitlines()
        return [line.partition(" ")[2] for line in lines if "←" in line]


async def until(condition: Callable[[], object], *, within: float) -> None:
    deadline = CLOCK.monotonic() + within
    while not condition():
        assert CLOCK.monotonic() < deadline
        await CLOCK.sleep_until(CLOCK.monotonic() + 0.2)


async def test_word_for_word(blocks: list[str], tmp_path: Path) -> None:
    who = Newcomer(tmp_path, blocks[BEGIN])
    with who.terminal(blocks[PLAYS]):
        await until((who.home / ".local/share/guvercin-deneme-sunucusu/environment.json").exists, within=30)
        with who.terminal(blocks[SERVES]) as server:
            await until(who.serves, within=30)
            # The last line looks at the first message; whoever types is a second slower than this.
            out = who.run(blocks[ASKS].replace("guvercin durum 1", "sleep 2; guvercin durum 1"))
            assert "Linked: +905301112233" in out
            assert re.search(r'"ok":true,"log_id":1,"message_id":"\w+"', out), out
            assert "Record 1: Read" in out, out
            await until(lambda: who.statuses() == {"read": 4}, within=120)
            assert len(who.shown()) == 4
            os.kill(holder(who.data / "guvercin.lock").pid or 0, signal.SIGKILL)  # type: ignore[union-attr] # it runs
            server.wait(20)
        with who.terminal(blocks[SERVES]):
            await until(who.serves, within=30)
            await until(lambda: who.state() == "connected", within=30)
            assert who.statuses() == {"read": 4}
            assert len(who.shown()) == 4
