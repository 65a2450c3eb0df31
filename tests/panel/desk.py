"""The panel behind an HTTP client: everything but the browser and the socket."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
from argon2 import PasswordHasher
from tests.api.conftest import Server, serve

from guvercin.api.app import create_app
from guvercin.api.render.rights import write_dossier
from guvercin.core.person import Person, Role
from guvercin.panel.app import LIMITS, create_panel
from guvercin.panel.desk import Desk, Facts
from guvercin.panel.live import Live

PASSWORD = "bir güvercin iki mektup"


@dataclass
class Panel:
    """A running panel, and browsers without a screen."""

    server: Server
    client: httpx2.AsyncClient

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        return await self.client.get(path, headers=headers)

    async def post(self, path: str, data: dict[str, Any], *, word: bool = True, **more: Any) -> httpx2.Response:
        """Send a form, with the session's word in it as our own pages have it."""
        page = await self.client.get("/panel")
        found = re.search(r'name="_csrf" value="([0-9a-f]+)"', page.text)
        token = {"_csrf": found[1]} if found and word else {}
        return await self.client.post(path, data={**data, **token}, **more)

    async def enter(self, person: Person) -> None:
        """Sign somebody in without a word: hashing one costs a tenth of a second of a core."""
        secret = await self.server.house.people.open_session(person, agent="", address="192.0.2.7")
        self.client.cookies.clear()
        self.client.cookies.set("guvercin", secret)

    async def sign_in(self, name: str = "yönetici", password: str = PASSWORD) -> httpx2.Response:
        return await self.client.post("/giris", data={"ad": name, "parola": password, "sonra": "/panel"})


@asynccontextmanager
async def panel(folder: Path, empty_database: Path, *, zone: Any, **more: Any) -> AsyncIterator[Panel]:
    """Run a panel that was set up, its owner signed in. `more`: of the server's settings."""
    async with serve(folder, empty_database, **more) as server:
        house = server.house
        desk = Desk(
            gateway=house.gateway,
            people=house.people,
            choices=house.choices,
            access=house.access,
            live=Live(house.gateway, server.clock),
            tally=house.tally,
            zone=zone,
            now=server.clock.now,
            rng=server.rng,
            facts=Facts(data_dir=str(folder), file_roots=(), timezone=str(zone), started_at=server.clock.now()),
            write_dossier=write_dossier(zone),
        )
        app = create_app(
            server.gateway,
            timezone=zone,
            clock=server.clock,
            rng=server.rng,
            wing=create_panel(desk),
            wing_limits=LIMITS,
        )
        owner = await server.store.add_person(
            "yönetici", Role.ADMIN, _hash(), server.rng.randbytes(32), now=server.clock.now(), code_hash=None
        )
        transport = httpx2.ASGITransport(app, client=("192.0.2.7", 40_000))
        async with httpx2.AsyncClient(transport=transport, base_url="http://guvercin.test", timeout=60) as client:
            made = Panel(server=server, client=client)
            await made.enter(owner)
            yield made


async def as_viewer(made: Panel) -> None:
    """Let somebody sign in who only looks."""
    server = made.server
    who = await server.store.add_person(
        "Ayşe", Role.VIEWER, _hash(), server.rng.randbytes(32), now=server.clock.now(), code_hash=None
    )
    await made.enter(who)


@cache
def _hash() -> str:
    """Answer the hash of PASSWORD, the real one, made once."""
    return PasswordHasher().hash(PASSWORD)
