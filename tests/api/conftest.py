"""The real thing behind an HTTP client: SQLite on disk, the sandbox, every loop; only the socket is left out.

Every answer is recorded and held to the OpenAPI document when its test ends: an undeclared status, a body that its
model refuses or a missing header fails the test that met it.
"""

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from random import Random  # noqa: TID251 -- seeded here, handed down as an argument
from types import MappingProxyType
from typing import Any, TypeAlias

import httpx2
import pytest
from fastapi import FastAPI
from tests.api.declared import Declared
from tests.gateway.house import Receiver

from guvercin.api.app import create_app
from guvercin.config import Config
from guvercin.core.account import Account, Kind
from guvercin.core.log import MessageFilter
from guvercin.core.message import Lane
from guvercin.core.pacing import Gap, Pace
from guvercin.core.token import Permission, TokenRules
from guvercin.gateway.access import create_token
from guvercin.gateway.accounts import SANDBOX_PHONE
from guvercin.gateway.clock import SystemClock
from guvercin.gateway.gateway import Gateway
from guvercin.main.house import House, build
from guvercin.store.schema import prepare
from guvercin.store.sqlite import engine_for
from guvercin.store.sqlite_store import SqliteStore

BASE = "/api/v1/whatsapp"
NO_GAP = Pace(gaps=MappingProxyType(dict.fromkeys(Lane, Gap(least=timedelta(0), most=timedelta(0)))))

EVERYTHING = TokenRules(name="test", permissions=frozenset(Permission))


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running gateway and its app. `account` is the default one, a sandbox that needs no gaps."""

    house: House
    store: SqliteStore
    app: FastAPI
    account: Account
    clock: SystemClock
    rng: Random
    files: Path
    receiver: Receiver

    @property
    def gateway(self) -> Gateway:
        return self.house.gateway

    async def rows(self) -> int:
        """Count the messages that were stored (up to 200)."""
        return len((await self.store.messages(MessageFilter(), limit=200, below=None)).messages)

    async def token(self, **rules: Any) -> str:
        """Make a token; without rules one that may do everything."""
        chance = self.rng.randbytes(32)
        _, secret = await create_token(self.store, replace(EVERYTHING, **rules), chance, now=self.clock.now())
        return secret


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate once; every test gets a copy."""
    path = tmp_path_factory.mktemp("template") / "guvercin.db"
    engine = engine_for(path, create=True)
    prepare(engine)
    engine.dispose()
    return path


@asynccontextmanager
async def serve(folder: Path, empty_database: Path, *, has_roots: bool = True, **more: Any) -> AsyncIterator[Server]:
    """Run a gateway on a fresh database. `more`: of its settings."""
    shutil.copy(empty_database, folder / "guvercin.db")
    files = folder / "belgeler"
    files.mkdir()
    config = Config(data_dir=folder, file_roots=(files,) if has_roots else (), **more)
    clock, rng = SystemClock(), Random(1)
    store = SqliteStore(folder)
    await store.open()
    try:
        account = await store.add_account("Deneme", Kind.SANDBOX, SANDBOX_PHONE, NO_GAP, now=clock.now())
        account = await store.set_default(account.id, now=clock.now())
        house = build(config, store, clock, rng)
        receiver = Receiver()
        house.couriers._open_way = lambda: receiver  # nothing leaves this machine
        app = create_app(house.gateway, timezone=config.timezone, clock=clock, rng=rng)
        store.listen(app.state.metrics.heard)
        await house.loops.start()
        try:
            yield Server(
                house=house,
                store=store,
                app=app,
                account=account,
                clock=clock,
                rng=rng,
                files=files,
                receiver=receiver,
            )
        finally:
            house.gateway.close()
            await house.loops.stop()
    finally:
        await store.close()


@pytest.fixture
async def server(tmp_path: Path, empty_database: Path) -> AsyncIterator[Server]:
    async with serve(tmp_path, empty_database) as running:
        yield running


@pytest.fixture
async def token(server: Server) -> str:
    return await server.token()


Connect: TypeAlias = Callable[..., httpx2.AsyncClient]


@contextmanager
def connecting(app: FastAPI) -> Iterator[Connect]:
    """Make clients of an app, each of whose answers is held to the document when the block ends."""
    declared = Declared()

    def connect(secret: str | None, *, peer: str = "192.0.2.7") -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app, client=(peer, 40_000)),
            base_url="http://guvercin.test",
            headers={} if secret is None else {"Authorization": f"Bearer {secret}"},
            event_hooks={"response": [declared.record]},
            timeout=60,
        )

    yield connect
    declared.check()


@pytest.fixture
def connect(server: Server) -> Iterator[Connect]:
    """Make clients: `connect(token)` signs every request, `connect(None)` none."""
    with connecting(server.app) as connect:
        yield connect


@pytest.fixture
async def client(connect: Connect, token: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with connect(token) as made:
        yield made


@pytest.fixture
async def paused(server: Server) -> None:
    """Stop the default account's line: what is accepted now waits."""
    owner = await server.gateway.authenticate(await server.token())
    await server.gateway.accounts.pause(owner, server.account.id)
