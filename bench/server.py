"""A server process on a folder of its own, and what it costs. Reads /proc, so it needs Linux."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes
from socket import create_server

import orjson
from tests.store.server import Server as Postgres

from bench.load import drive, request
from guvercin.config import load as load_config
from guvercin.core.token import Permission, TokenRules
from guvercin.gateway.access import create_token
from guvercin.gateway.clock import SystemClock
from guvercin.main.databases import engine_of, open_store
from guvercin.store.sqlite import FILE_NAME, engine_for

API = "/api/v1/whatsapp"
ROOT = Path(__file__).parents[1]
CLOCK = SystemClock()

_TICKS = os.sysconf("SC_CLK_TCK")
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server. `ready_after` is seconds from the process's start to the first good /hazir."""

    pid: int
    port: int
    token: str
    folder: Path
    ready_after: float
    database: str | None = None
    """The address of its PostgreSQL; null: a file."""

    def cpu(self) -> float:
        """Answer the seconds of CPU that the process has used, all threads, in user and kernel mode."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def rss(self) -> int:
        """Answer the bytes that the process keeps in memory."""
        pages = Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def count(self, where: str) -> int:
        """Count messages, past the server: asking it would cost it time."""
        if self.database is None:
            engine = engine_for(self.folder / FILE_NAME, query_only=True)
        else:
            engine = engine_of(load_config(data_dir=self.folder, database_url=self.database))
        with engine.connect() as connection:
            found = connection.exec_driver_sql(f"SELECT count(*) FROM message WHERE {where}")  # noqa: S608 -- our words
            return int(found.scalar_one())

    async def ask(self, method: str, path: str, body: object = None) -> None:
        """Ask for one thing and demand that it was granted."""
        written = b"" if body is None else orjson.dumps(body)
        load = await drive(self.port, iter([request(method, path, token=self.token, body=written)]), connections=1)
        if load.refused:
            raise RuntimeError(load.last.decode())

    async def no_gaps(self) -> None:
        """Let the sandbox send as fast as it can."""
        gap = {"en_az": 0.0, "en_cok": 0.0}
        await self.ask("PATCH", f"{API}/hesaplar/1", {"araliklar": {"tekli": gap, "toplu": gap}})


@asynccontextmanager
async def served(
    *variant: str, folder: Path | None = None, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Server]:
    """Run a server until the block ends: the real one, or a variant (options of bench.serving).

    `settings` are environment variables of its own.
    """
    async with AsyncExitStack() as stack:
        home = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="guvercin-bench-")))
        database = (settings or {}).get("GUVERCIN_DATABASE_URL")
        token = await _token(home, database)
        with create_server(("127.0.0.1", 0)) as probe:
            port = int(probe.getsockname()[1])
        where = ["--port", str(port), "--veri", str(home)]
        command = ["-m", "bench.serving", *where, *variant] if variant else ["-m", "guvercin", "baslat", *where]
        began = CLOCK.monotonic()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            cwd=ROOT,
            env=os.environ | dict(settings or {}),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await _ready(port, process)
            ready_after = CLOCK.monotonic() - began
            yield Server(
                pid=process.pid, port=port, token=token, folder=home, ready_after=ready_after, database=database
            )
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _token(folder: Path, database: str | None) -> str:
    """Make a token that may do everything, before the server starts."""
    rules = TokenRules(name="bench", permissions=frozenset(Permission))
    async with open_store(load_config(data_dir=folder, database_url=database)) as store:
        _, word = await create_token(store, rules, token_bytes(32), now=CLOCK.now())
    return word


async def _ready(port: int, process: asyncio.subprocess.Process) -> None:
    deadline = CLOCK.monotonic() + _PATIENCE
    while CLOCK.monotonic() < deadline and process.returncode is None:
        try:
            load = await drive(port, iter([request("GET", "/hazir", token="")]), connections=1)
        except OSError:
            load = None
        if load is not None and not load.refused:
            return
        await CLOCK.sleep_until(CLOCK.monotonic() + 0.005)
    raise RuntimeError("the server did not become ready")


def cpu_of(cluster: Postgres) -> float:
    """Answer the seconds of CPU that PostgreSQL has used, with every process that it has or had."""
    main = int((cluster.folder / "data" / "postmaster.pid").read_text("ascii").split()[0])
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text("ascii", "replace").rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        if path.parent.name == str(main):
            ticks += sum(map(int, fields[11:15]))  # with its children that have ended
        elif int(fields[1]) == main:
            ticks += sum(map(int, fields[11:13]))
    return ticks / _TICKS
