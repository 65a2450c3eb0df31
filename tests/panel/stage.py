"""A panel on a socket whose phones follow a script: codes come, go and are taken when a test says so.

It runs in a thread of its own, because a browser's driver lets no other loop run in the test's.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import uvicorn
from argon2 import PasswordHasher

from guvercin.config import Config
from guvercin.core.account import Kind, LineNews
from guvercin.core.errors import Code
from guvercin.core.outcome import LineEvent, Linked
from guvercin.core.person import Role
from guvercin.core.presets import WEB_PACE
from guvercin.gateway.clock import SystemClock
from guvercin.main.house import House
from guvercin.main.running import alive
from guvercin.testing.transport import OPENED, Peer, ScriptedTransport
from guvercin.transports.base import Clock, Emit, Link, LinkState

T = TypeVar("T")

NAME, PHONE = "Dükkân hattı", "+905321234567"


class Phone(ScriptedTransport):
    """A line that takes a phone by codes; `now` is what it would show this moment."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(Peer(), clock)
        self.clock = clock
        self._link = Link(state=LinkState.NONE)
        self._emit: Emit | None = None
        self._verdict: asyncio.Future[LineEvent | None] | None = None

    @property
    def link(self) -> Link:
        return self._link

    async def is_linked(self) -> bool:
        return False

    async def pair(self, emit: Emit, phone: str | None) -> None:
        del phone
        self._link = Link(state=LinkState.STARTING)
        self._emit, self._verdict = emit, asyncio.get_running_loop().create_future()
        end = await self._verdict
        if end is not None:
            await emit(end)
            return
        await emit(Linked(phone=PHONE))
        await emit(LineEvent(news=LineNews.PAIRED))
        await emit(OPENED)
        await self._listen(emit)

    async def show(self, text: str, life: timedelta) -> None:
        """Let a code be good for so long, from now on."""
        until = self.clock.now() + life
        self._link = Link(state=LinkState.SHOWING, qr=text, valid_until=until)
        assert self._emit is not None
        await self._emit(LineEvent(news=LineNews.CODE, until=until))

    async def end(self, *, is_taken: bool) -> None:
        """Let a phone take the code, or let the last one's time pass."""
        self._link = Link(state=LinkState.LINKED if is_taken else LinkState.TIMED_OUT)
        assert self._verdict is not None
        self._verdict.set_result(None if is_taken else LineEvent(news=LineNews.TIMED_OUT, code=Code.LINKING_TIMED_OUT))


class Stage:
    """The panel, its owner's cookies, and the phone of the account that is to be linked."""

    def __init__(self, folder: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.cookies: list[Any] = []
        self.account_id = 0
        self._config = Config(data_dir=folder, port=port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._life: Future[None] | None = None
        self._server: uvicorn.Server | None = None
        self.phone = Phone(SystemClock())

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something where the panel runs."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def start(self) -> None:
        ready = threading.Event()
        self._thread.start()
        self._life = asyncio.run_coroutine_threadsafe(self._live(ready.set), self._loop)
        assert ready.wait(30), self._life.exception(0)

    def go_away(self) -> None:
        """End the server while somebody looks."""
        assert self._life is not None
        assert self._server is not None
        self._server.should_exit = True
        self._life.result(30)

    def close(self) -> None:
        if self._life is not None and not self._life.done():
            self.go_away()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _live(self, is_ready: Callable[[], None]) -> None:
        async with alive(self._config) as (app, house):
            house.sessions._build = lambda _: self.phone
            await self._move_in(house)
            plain = {"lifespan": "off", "access_log": False, "log_config": None, "ws": "none"}
            self._server = uvicorn.Server(
                uvicorn.Config(app, port=self._config.port, timeout_graceful_shutdown=1, **plain)  # type: ignore[arg-type]
            )
            serving = asyncio.create_task(self._server.serve())
            while not self._server.started:  # noqa: ASYNC110 -- it rings no bell
                await asyncio.sleep(0.01)  # noqa: TID251 -- as above
            is_ready()
            await serving

    async def _move_in(self, house: House) -> None:
        clock = self.phone.clock
        account = await house.store.add_account(NAME, Kind.WEB, None, WEB_PACE, now=clock.now())
        self.account_id = account.id
        owner = await house.store.add_person(
            "yönetici", Role.ADMIN, PasswordHasher().hash("bir güvercin"), b"k" * 32, now=clock.now(), code_hash=None
        )
        secret = await house.people.open_session(owner, agent="", address="127.0.0.1")
        self.cookies = [{"name": "guvercin", "value": secret, "url": self.url}]


@contextmanager
def stage(folder: Path, port: int) -> Iterator[Stage]:
    """Run a panel whose phones follow a script."""
    made = Stage(folder, port)
    made.start()
    try:
        yield made
    finally:
        made.close()
