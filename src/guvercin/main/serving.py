"""A gateway that listens, until a signal asks it to stop."""

import asyncio
import gc
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from guvercin import logs
from guvercin.config import Config
from guvercin.gateway.clock import Clock
from guvercin.main.running import alive
from guvercin.store.lock import FolderLock
from guvercin.store.store import Store


def serve(
    config: Config,
    on_started: Callable[[], None],
    *,
    store_in: Callable[..., Store] | None = None,
    clock: Clock | None = None,
) -> None:
    """Serve until a signal asks to stop: callers are answered, sends in hand finish, and it returns.

    Raises FolderLocked if another process runs on this data folder, DatabaseOwned if another gateway runs on its
    database, DatabaseHeld if that can't be brought up to date beside others, ServerTooOld. `store_in` is for
    comparisons: a benchmark serves from another store, and everything else is as it is. `clock` null: the computer's.
    """
    logs.configure(config.log_level, config.log_format)
    config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FolderLock(config.data_dir)
    try:
        with asyncio.Runner(loop_factory=_new_loop()) as runner:
            runner.run(_serve(config, lock, on_started, store_in, clock))
    finally:
        lock.release()


async def _serve(
    config: Config,
    lock: FolderLock,
    on_started: Callable[[], None],
    store_in: Callable[..., Store] | None,
    clock: Clock | None,
) -> None:
    import uvicorn  # noqa: PLC0415 -- only a server needs one

    from guvercin.api.connections import Listener, bounded, room_for  # noqa: PLC0415 -- as uvicorn

    class Server(uvicorn.Server):
        """A server whose end is decided here: a signal lets waiting callers go before it waits for them."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            if self.started:
                self._listen()
                lock.tell(config.address)
                on_started()

        def _listen(self) -> None:
            """Put our own listeners in the place of asyncio's."""

            def protocol() -> asyncio.Protocol:
                kind: Any = self.config.http_protocol_class
                made: asyncio.Protocol = kind(self.config, self.server_state, self.lifespan.state)
                return made

            theirs, loop = self.servers, asyncio.get_running_loop()
            listening = [socket.socket(fileno=os.dup(each.fileno())) for server in theirs for each in server.sockets]
            for server in theirs:
                server.close()
            self.servers = [cast("asyncio.Server", Listener(each, protocol, loop)) for each in listening]

    async with alive(config, store_in=store_in, clock=clock) as (app, house):
        server = Server(
            uvicorn.Config(
                app,
                http=bounded(room_for(config.max_connections), config.request_timeout),
                host=config.host,
                port=config.port,
                ws="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                date_header=True,
                proxy_headers=True,
                forwarded_allow_ips=config.forwarded_allow_ips,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=3,  # runs beside the loops' STOP_LIMIT and is over before it
                backlog=1_024,
            ),
        )

        def stop() -> None:
            house.gateway.close()
            house.loops.close()
            server.handle_exit(signal.SIGTERM, None)

        _spare_the_collector()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stop)
        await server.serve()


def _spare_the_collector() -> None:
    """Let the collector of cycles leave alone what stays as long as the process, and look less often at the rest.

    Requests make next to no cycles, and everything in flight counts as young: at the usual threshold a tenth of a busy
    server's time went into looking.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()


def _new_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 -- absent on Windows
    except ImportError:
        return None
    return uvloop.new_event_loop
