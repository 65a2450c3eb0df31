"""A gateway that runs: the house over its store, and the app before it. Its clock and its chance are made here."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from starlette.types import ASGIApp

from guvercin.config import Config
from guvercin.core.account import Kind
from guvercin.core.errors import GuvercinError
from guvercin.core.pacing import SANDBOX_PACE
from guvercin.gateway.accounts import SANDBOX_PHONE
from guvercin.gateway.chance import SystemChance
from guvercin.gateway.clock import Clock, CommonClock, SystemClock
from guvercin.main.databases import make_folder, store_of
from guvercin.main.house import House, build
from guvercin.main.neighbours import among_others, leases_of
from guvercin.main.parts import share_sessions, web_folder
from guvercin.store.lock import FolderLock
from guvercin.store.store import Store

SANDBOX_NAME = "Deneme"


@asynccontextmanager
async def running(config: Config, *, lock: FolderLock | None = None, sends: bool = True) -> AsyncIterator[ASGIApp]:
    """Run the whole gateway inside this process and answer its app. FolderLocked if another process does.

    Without `sends` no loop is started: whoever only looks or decides must not set a queue going.
    """
    config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    own = lock or FolderLock(config.data_dir)
    try:
        async with alive(config, sends=sends) as (app, _):
            yield app
    finally:
        if lock is None:
            own.release()


@asynccontextmanager
async def alive(
    config: Config,
    *,
    sends: bool = True,
    store_in: Callable[..., Store] | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[tuple[ASGIApp, House]]:
    """Run the gateway as `running` does, and answer its rooms too. The caller holds the folder's lock.

    `clock` null: the computer's.
    """
    from guvercin.api.app import create_app  # noqa: PLC0415 -- heavy, and who only opens the store needs none
    from guvercin.api.render.rights import write_dossier  # noqa: PLC0415 -- as the app
    from guvercin.panel.app import LIMITS, create_panel  # noqa: PLC0415 -- as the app
    from guvercin.panel.desk import Desk, Facts  # noqa: PLC0415 -- as the app
    from guvercin.panel.live import Live  # noqa: PLC0415 -- as the app

    make_folder(config, beside=sends)
    if sends and config.shared_dir is not None:
        await asyncio.to_thread(share_sessions, config)
    clock, rng = clock or SystemClock(), SystemChance()
    if config.postgres is not None:
        clock = CommonClock(clock)
    words = {"monotonic": clock.monotonic}
    store = store_of(config, **words) if store_in is None else store_in(config.data_dir, **words)
    await store.open()
    try:
        await store.furnish(SANDBOX_NAME, Kind.SANDBOX, SANDBOX_PHONE, SANDBOX_PACE, now=clock.now())
        await _sweep(config, store)
        leases = leases_of(config, store, clock, rng) if sends else None
        house = build(config, store, clock, rng, leases)
        if sends:
            await house.loops.start()
        try:
            live = Live(house.gateway, clock)
            store.listen(live.heard)
            house.gateway.when_closing(live.close)
            desk = Desk(
                gateway=house.gateway,
                people=house.people,
                choices=house.choices,
                access=house.access,
                live=live,
                tally=house.tally,
                zone=config.timezone,
                now=clock.now,
                rng=rng,
                facts=Facts(
                    data_dir=str(config.data_dir),
                    file_roots=tuple(map(str, config.file_roots)),
                    timezone=str(config.timezone),
                    started_at=clock.now(),
                ),
                write_dossier=write_dossier(config.timezone),
            )
            app = create_app(
                house.gateway,
                timezone=config.timezone,
                clock=clock,
                rng=rng,
                wing=create_panel(desk),
                wing_limits=LIMITS,
            )
            store.listen(app.state.metrics.heard)
            async with among_others(app, config, store, leases, clock) as whole:
                yield whole, house
        finally:
            house.gateway.close()
            await house.loops.stop()
            with suppress(GuvercinError):  # a disk that takes nothing must not keep us from ending in order
                await house.access.write_last_used()
    finally:
        await store.close()


async def _sweep(config: Config, store: Store) -> None:
    """Delete the sessions of accounts that are gone: a removal may have been cut short before that."""
    for account in await store.accounts():
        if account.removed_at is not None and account.kind is Kind.WEB:
            await asyncio.to_thread(shutil.rmtree, web_folder(config, account.id), ignore_errors=True)
