"""Our side of `engine.py`: start it against a bed, ask it, wait for what it tells."""

import asyncio
import importlib.util
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # without the engine's message types they can't be loaded
    from guvercin.testing.whatsapp.bed import Bed
    from guvercin.testing.whatsapp.devices import LinkedDevice
    from guvercin.testing.whatsapp.phones import Phone

ENGINE = Path(__file__).with_name("engine.py")
PATIENCE = 20.0
IN_MEMORY = Path("/dev/shm")


def why_there_is_no_engine() -> str:
    """Say why the real engine can't run here; nothing if it can."""
    if importlib.util.find_spec("neonize") is None:
        return "the WhatsApp engine has no wheel for this platform"
    return "" if sys.platform.startswith("linux") else "the test server reads the engine's library on Linux alone"


@contextmanager
def quick_folder(otherwise: Path) -> Iterator[Path]:
    """Answer a folder in memory where there is one: linking writes 812 keys, and the engine waits for the disk."""
    if not IN_MEMORY.is_dir():
        yield otherwise
        return
    made = Path(tempfile.mkdtemp(prefix="guvercin-", dir=IN_MEMORY))
    try:
        yield made
    finally:
        shutil.rmtree(made)


class EngineError(Exception):
    """The engine said no; its words."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the engine needs of a bed: a folder, and the variables of its environment."""

    folder: Path
    environment: dict[str, str]


class Engine:
    """One process with any number of clients, each with a store of its own in the folder. `program`: another's."""

    def __init__(self, bed: "Bed | Surroundings", *program: str) -> None:
        self.bed = bed
        self._program = program or (sys.executable, str(ENGINE), str(bed.folder))
        self.told: list[dict[str, Any]] = []
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._numbers = itertools.count(1)
        self._news = asyncio.Condition()

    async def start(self) -> None:
        self._log = (self.bed.folder / "engine.log").open("ab")
        self._process = await asyncio.create_subprocess_exec(
            *self._program,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, **self.bed.environment, "NEONIZE_BOT_TAG": "off"},
            limit=1 << 24,
        )
        self._reading = asyncio.ensure_future(self._read())
        await self.event("", "ready")

    async def kill(self) -> None:
        """As `kill -9`: the process has no last word."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reading
        self._log.close()

    async def ask(self, client: str, do: str, **what: Any) -> Any:
        number = next(self._numbers)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"number": number, "client": client, "do": do, **what}).encode() + b"\n")
        told = await asyncio.wait_for(answer, PATIENCE)
        if "error" in told:
            raise EngineError(told["error"])
        return told["result"]

    async def event(
        self,
        client: str,
        name: str,
        *,
        after: int = 0,
        where: Callable[[Any], bool] = lambda _: True,
    ) -> Any:
        """Answer what an event carried that this client has told, or will tell, after so many."""
        try:
            async with asyncio.timeout(PATIENCE), self._news:
                while True:
                    for told in self.told[after:]:
                        if (told["client"], told["event"]) == (client, name) and where(told.get("data")):
                            return told.get("data")
                    await self._news.wait()
        except TimeoutError:
            told_names = [f"{told['client']}:{told['event']}" for told in self.told[after:]]
            raise AssertionError(f"{client} never told {name}; it told {told_names}\n{self.log()}") from None

    async def link(self, client: str, phone: "Phone") -> "LinkedDevice":
        """Connect a new client and let a phone scan its code."""
        await self.ask(client, "connect")
        device = await phone.scan(await self.event(client, "code"))
        await self.event(client, "Connected")
        return device

    def log(self) -> str:
        self._log.flush()
        return (self.bed.folder / "engine.log").read_text(errors="replace")[-3000:]

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            told = json.loads(line)
            if "number" in told:
                answer = self._asked.pop(told["number"])
                if not answer.done():
                    answer.set_result(told)
            else:
                async with self._news:
                    self.told.append(told)
                    self._news.notify_all()
