"""The whole product in one thread, behind its HTTP app: gateway, loops, sandbox, SQLite, on a clock that a test moves.

Laws
1. Time passes only when a test says so, or while the one who asks waits for an answer.
2. Everything is decided by the seed and by what is asked: the same requests get the same answers.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import httpx2
import orjson
from fastapi import FastAPI
from tests.gateway.house import ISTANBUL, House, World, make_world

from guvercin.api.app import create_app
from guvercin.core.account import Account, Kind
from guvercin.core.message import Lane
from guvercin.core.pacing import Gap, Pace
from guvercin.core.token import Permission, TokenRules
from guvercin.gateway.access import create_token
from guvercin.gateway.accounts import SANDBOX_PHONE
from guvercin.store.schema import prepare
from guvercin.store.sqlite import FILE_NAME, engine_for
from guvercin.transports.base import Transport
from guvercin.transports.ledger import Ledger
from guvercin.transports.sandbox import Sandbox

T = TypeVar("T")

BASE = "/api/v1/whatsapp"
SECOND = timedelta(seconds=1)
NO_GAP = Pace(gaps=MappingProxyType(dict.fromkeys(Lane, Gap(least=timedelta(0), most=timedelta(0)))))
NOTHING: Mapping[str, str] = MappingProxyType({})
EVERYTHING = TokenRules(name="everything", permissions=frozenset(Permission))


def empty_database(folder: Path) -> Path:
    """Make a database without rows, to copy: a migration costs more than most examples."""
    path = folder / FILE_NAME
    engine = engine_for(path, create=True)
    prepare(engine)
    engine.dispose()
    return path


class Office:
    """One process at work. Belongs to the event loop that opened it."""

    def __init__(self, world: World, house: House, ledger: Ledger) -> None:
        self.world = world
        self.house = house
        self.clock = world.clock
        self.store = house.store
        self.app: FastAPI = create_app(house.gateway, timezone=ISTANBUL, clock=world.clock, rng=house.rng)
        self.store.listen(self.app.state.metrics.heard)
        self._ledger = ledger

    @classmethod
    async def open(cls, folder: Path, database: Path, *, seed: int = 0, accounts: int = 1) -> "Office":
        """Open an office with so many sandbox accounts without gaps; the first one is the default."""
        world = make_world(folder, database, seed=seed)
        ledger = Ledger(folder / "sandbox.jsonl", now=world.clock.now())

        def line(account: Account, world: World) -> Transport:
            return Sandbox(account_id=account.id, ledger=ledger, clock=world.clock)

        world.builds = line
        house = await world.begin(gaps=NO_GAP)
        for number in range(2, accounts + 1):
            await house.store.add_account(f"Hesap {number}", Kind.SANDBOX, SANDBOX_PHONE, NO_GAP, now=world.clock.now())
        office = cls(world, house, ledger)
        await house.loops.start()
        await office.clock.settle()
        return office

    async def close(self) -> None:
        """Stop as a process does when it is asked to."""
        self.house.gateway.close()
        await self.serve(self.house.loops.stop())
        await self.store.close()
        self._ledger.close()

    async def serve(self, request: Coroutine[Any, Any, T]) -> T:
        """Let one request be served. While it waits, time passes."""
        task = asyncio.ensure_future(request)
        await self.clock.settle()
        while not task.done():
            await self.clock.elapse(SECOND)
        return task.result()

    async def idle(self, by: timedelta, *, stride: timedelta = 10 * SECOND) -> None:
        """Let much time pass in few steps: whoever wanted to wake in between wakes at the end of a stride."""
        while by > timedelta(0):
            self.clock.advance(min(by, stride))
            await self.clock.settle()
            by -= stride

    async def ask(
        self, method: str, path: str, secret: str | None, *, headers: Mapping[str, str] = NOTHING, **more: Any
    ) -> httpx2.Response:
        """Ask one thing and wait for the answer. `more` as httpx2 takes it: json, params, content."""
        signed = {} if secret is None else {"Authorization": f"Bearer {secret}"}
        async with self.client() as client:
            return await self.serve(client.request(method, path, headers={**signed, **headers}, **more))

    def client(self) -> httpx2.AsyncClient:
        transport = httpx2.ASGITransport(self.app, client=("192.0.2.7", 40_000))
        return httpx2.AsyncClient(transport=transport, base_url="http://guvercin.test", timeout=None)

    async def token(self, chance: bytes | None = None, **rules: Any) -> str:
        """Make a token, by default one that may do everything; answers its secret."""
        wanted = replace(EVERYTHING, **rules)
        _, secret = await create_token(self.store, wanted, chance or self.house.rng.randbytes(32), now=self.clock.now())
        return secret

    def arrivals(self) -> list[dict[str, Any]]:
        """Answer what the sandbox has received, oldest first, as its ledger tells it."""
        lines = (self.world.folder / "sandbox.jsonl").read_bytes().splitlines()
        return [entry for entry in map(orjson.loads, lines) if "secret" in entry]
