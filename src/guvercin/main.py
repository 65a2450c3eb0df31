"""The composition root: the only place that knows all the rooms, and makes the only clock and the only chance."""

import asyncio
import gc
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path
from random import Random  # noqa: TID251 -- the type alone: made below, handed down as an argument
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from sqlalchemy import Engine
from starlette.types import ASGIApp

from guvercin import logs
from guvercin.config import Config, enter_test_server
from guvercin.core.account import Account, Kind
from guvercin.core.address import Neighbours
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.hook import Notice
from guvercin.core.pacing import SANDBOX_PACE
from guvercin.core.rights import Keeping
from guvercin.gateway.access import Access
from guvercin.gateway.accounts import SANDBOX_PHONE
from guvercin.gateway.alarm import Alarm, Channel
from guvercin.gateway.chance import SystemChance
from guvercin.gateway.choices import Choices
from guvercin.gateway.clock import Clock, SystemClock
from guvercin.gateway.couriers import Calls, Couriers
from guvercin.gateway.courses import hours_in
from guvercin.gateway.files import Files, Spool
from guvercin.gateway.gateway import Gateway
from guvercin.gateway.hooks import Hooks
from guvercin.gateway.leases import Alone, Leases, Shared
from guvercin.gateway.loops import Loops, put_in_order
from guvercin.gateway.meta import Meta
from guvercin.gateway.numbers import Numbers
from guvercin.gateway.people import People
from guvercin.gateway.recent import Recent
from guvercin.gateway.retention import Retention
from guvercin.gateway.rights import Elsewhere
from guvercin.gateway.sessions import Sessions
from guvercin.gateway.tally import Tally
from guvercin.gateway.upkeep import Upkeep
from guvercin.gateway.waiting import Waiting
from guvercin.locale import translator
from guvercin.sealing import Seal
from guvercin.store.lock import NODE, SHELF, FolderLock, mark_of
from guvercin.store.schema import is_current, prepare
from guvercin.store.sqlite import engine_for, reading
from guvercin.store.sqlite_store import SqliteStore
from guvercin.store.store import Store
from guvercin.transports.base import Transport
from guvercin.transports.cloud.media import MediaIds
from guvercin.transports.cloud.payloads import NumberState
from guvercin.transports.cloud.setup import Setup, Setups
from guvercin.transports.ledger import Ledger
from guvercin.transports.sandbox import Sandbox
from guvercin.transports.web.engine import Web
from guvercin.transports.web.engines import Engines
from guvercin.transports.web.journal import redact
from guvercin.transports.web.workers import Workers

if TYPE_CHECKING:
    from guvercin.gateway.traces import Traces
    from guvercin.store.leasing import NodeStanding
    from guvercin.store.postgres_store import PostgresStore
    from guvercin.transports.cloud.graph import Graph

SANDBOX_NAME = "Deneme"

_NODES_FRESH = 0.5
"""Seconds for which it is believed where an account is run."""

ENGINE_SETTINGS = MappingProxyType({"NEONIZE_BOT_TAG": "off"})
"""What the engine of linked phones reads from its environment: no claim that a bot of a business wrote a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Everything that runs, put together and not started."""

    store: Store
    sessions: Sessions
    access: Access
    gateway: Gateway
    upkeep: Upkeep
    couriers: Couriers
    loops: Loops
    people: People
    choices: Choices
    tally: Tally


def build(config: Config, store: Store, clock: Clock, rng: Random, leases: Leases | None = None) -> House:
    """Put the rooms together. Nothing is started, nothing but the spool's folder and old set-ups are touched.

    `leases` null: every account is ours.
    """
    spool = Spool(config.spool)
    leases = leases or Alone(partial(put_in_order, store, clock))
    ledger = _ledger(config, clock)
    access = Access(store, clock)
    waiting = Waiting(clock)
    wakers: list[Callable[[int], None]] = []
    seal, neighbours = Seal(config.shelf), Neighbours.read(config.webhook_allow)
    setups = Setups(config.shelf / "cloud", seal)
    setups.seal_plain()

    @cache
    def workers() -> Workers:
        test_server = enter_test_server(config)  # marks the folder before any account has one in it
        return Workers(
            config.engine_stores,
            environment=lambda: {**_engine_environment(config), **test_server},
            accounts_per_worker=config.accounts_per_worker,
        )

    def transport_for(account: Account) -> Transport:
        match account.kind:
            case Kind.SANDBOX:
                return Sandbox(account_id=account.id, ledger=ledger, clock=clock)
            case Kind.WEB:
                return Web(
                    folder=_web_folder(config, account.id),
                    clock=clock,
                    open_database=reading,
                    numbers=Numbers(store, account.id, clock),
                    workers=workers(),
                )
            case Kind.CLOUD:
                return _cloud_line(config, setups, account.id, clock)

    def line_changed(account_id: int) -> None:
        for wake in wakers:
            wake(account_id)

    async def look(setup: Setup) -> NumberState | Code:
        return await _look_up(config, setup)

    sessions = Sessions(store, transport_for, seal=seal, clock=clock, rng=rng, on_change=line_changed, leases=leases)
    couriers = Couriers(
        store=store,
        seal=seal,
        open_way=lambda: _way_out(neighbours, clock),
        write=lambda notice: _body(notice, config),
        clock=clock,
        rng=rng,
    )
    hooks = Hooks(
        store=store,
        couriers=couriers,
        seal=seal,
        neighbours=neighbours,
        write_trial=lambda at: _trial_body(at, config),
        clock=clock,
        rng=rng,
    )

    gateway = Gateway(
        store=store,
        sessions=sessions,
        access=access,
        files=Files(spool=spool, roots=config.file_roots),
        waiting=waiting,
        clock=clock,
        rng=rng,
        timezone=config.timezone,
        meta=Meta(setups=setups, look=look, sessions=sessions),
        hooks=hooks,
        seal=seal,
        elsewhere=_elsewhere(config, ledger),
        reaches_nobody=config.whatsapp_test_server is not None,
    )
    tally = Tally(store=store, clock=clock, zone=config.timezone)
    upkeep = Upkeep(
        store=store,
        sessions=sessions,
        access=access,
        spool=spool,
        account=gateway.accounts.any,
        resend=gateway.singles.resend_by_policy,
        clock=clock,
        leases=leases,
    )
    alarm = Alarm(
        store=store,
        channels=channels(config, clock),
        folder=config.data_dir,
        backup_days=0 if config.postgres else config.backup_days,  # a server's backups are its own, and out of sight
        clock=clock,
        rng=rng,
    )
    loops = Loops(
        store=store,
        sessions=sessions,
        upkeep=upkeep,
        tally=tally,
        couriers=couriers,
        alarm=alarm,
        retention=Retention(store=store, keeping=_keeping(config), zone=config.timezone, started_at=clock.now()),
        traces=_traces(config, store, clock),
        spool_path=spool.path,
        hours=hours_in(config.timezone),
        clock=clock,
        rng=rng,
        leases=leases,
    )
    wakers.append(loops.wake)
    store.listen(gateway.heard)
    return House(
        store=store,
        sessions=sessions,
        access=access,
        gateway=gateway,
        upkeep=upkeep,
        couriers=couriers,
        loops=loops,
        people=People(store=store, clock=clock, rng=rng),
        choices=Choices(store=store, clock=clock),
        tally=tally,
    )


def _ledger(config: Config, clock: Clock) -> Ledger:
    """Open the sandbox's memory: of each gateway a file of its own, if several share a folder."""
    own = config.data_dir / "sandbox.jsonl"
    if config.shared_dir is None:
        return Ledger(own, now=clock.now())
    folder = config.shared_dir / "sandbox"
    folder.mkdir(mode=0o700, exist_ok=True)
    mine = folder / f"{mark_of(config.data_dir / NODE)}.jsonl"

    def others() -> Sequence[Path]:
        before = [own] if own.exists() else []  # from the time when it was alone
        return [*before, *sorted(each for each in folder.glob("*.jsonl") if each != mine)]

    return Ledger(mine, now=clock.now(), others=others)


def _leases(config: Config, store: Store, clock: Clock, rng: Random) -> Leases | None:
    """Answer the leases of a gateway whose database others may use, too; null: it is alone."""
    if config.postgres is None:
        return None
    from guvercin.store.postgres_store import PostgresStore  # noqa: PLC0415 -- as in _store_of

    if not isinstance(store, PostgresStore):
        return None
    node, ttl = mark_of(config.data_dir / NODE), timedelta(seconds=config.lease_seconds)
    rows = store.lease_rows(
        node=node,
        run=rng.randbytes(8).hex(),
        address=config.node_url or config.address,
        shelf=mark_of(config.shelf / SHELF),
        ttl_ms=ttl // timedelta(milliseconds=1),
    )
    store.listen_to(node)
    return Shared(
        rows,
        node=node,
        ttl=ttl,
        clock=clock,
        recover=partial(put_in_order, store, clock),
        on_neighbours=lambda has_neighbours: store.speak(has_neighbours=has_neighbours),
    )


@asynccontextmanager
async def _among_others(
    app: ASGIApp, config: Config, store: Store, leases: Leases | None, clock: Clock
) -> AsyncIterator[ASGIApp]:
    """Let calls about a line find the gateway that runs it, where there may be several."""
    if leases is None:
        yield app
        return
    from guvercin.api.relay import Relay, Wire  # noqa: PLC0415 -- as create_app

    nodes = cast("PostgresStore", store).nodes
    found: Recent[None, Sequence[NodeStanding]] = Recent(lambda _: nodes(), clock=clock, fresh=_NODES_FRESH, most=1)
    mine, wire = mark_of(config.data_dir / NODE), Wire()

    async def where(account_id: int) -> str | None:
        if leases.of(account_id) is not None:
            return ""
        others = [node for node in await found.get(None) if node.is_alive and node.id != mine]
        address = next((node.address for node in others if account_id in node.accounts), None)
        return address or ("" if await leases.want(account_id) is not None else None)

    try:
        yield Relay(app, where=where, ask=wire.ask, clock=clock)
    finally:
        await wire.close()


def _traces(config: Config, store: Store, clock: Clock) -> "Traces | None":
    """Answer what posts traces to the owner's collector; null if the settings name none."""
    if config.otlp_url is None:
        return None
    from guvercin.gateway.traces import Traces  # noqa: PLC0415 -- for those who have a collector

    chosen = Neighbours.read([*config.webhook_allow, urlsplit(config.otlp_url).hostname or ""])
    token = None if config.otlp_token is None else config.otlp_token.get_secret_value()
    return Traces(store=store, url=config.otlp_url, token=token, open_way=lambda: _way_out(chosen, clock))


def _keeping(config: Config) -> Keeping:
    """Answer how long what is kept; 0 days in the settings are for ever."""
    days = (config.keep_text_days, config.keep_record_days, config.keep_audit_days)
    texts, records, audit = (timedelta(days=each) if each else None for each in days)
    return Keeping(texts=texts, records=records, audit=audit)


def _elsewhere(config: Config, ledger: Ledger) -> Elsewhere:
    """Answer how a number is forgotten outside the database, and which older copies of it nobody reaches."""

    def forget(number: str) -> None:
        ledger.redact(number)
        for folder in config.engine_stores.glob("*/journal"):
            with suppress(OSError):  # an account that is being removed
                redact(folder, number)

    def copies() -> Sequence[str]:
        return sorted(path.name for path in config.data_dir.glob("guvercin-onceki-*.db"))

    return Elsewhere(forget=forget, copies=copies)


def _cloud_line(config: Config, setups: Setups, account_id: int, clock: Clock) -> Transport:
    from guvercin.transports.cloud.client import Cloud  # noqa: PLC0415 -- aiohttp is loaded by those who send with it

    return Cloud(
        account_id=account_id,
        setup=lambda: setups.read(account_id),
        connect=partial(_graph, config),
        media=MediaIds(config.shelf / "cloud" / f"{account_id}.media"),
        clock=clock,
    )


async def _look_up(config: Config, setup: Setup) -> NumberState | Code:
    from guvercin.transports.cloud.client import look_up  # noqa: PLC0415 -- as in _cloud_line

    graph = _graph(config, setup)
    try:
        return await look_up(graph, setup.number_id)
    finally:
        await graph.close()


def _graph(config: Config, setup: Setup) -> "Graph":
    from guvercin.transports.cloud.graph import Graph  # noqa: PLC0415 -- as in _cloud_line

    return Graph(f"{config.graph_url}/{config.graph_version}", token=setup.token)


def channels(config: Config, clock: Clock) -> Sequence[Channel]:
    """Answer the owner's channels for alerts, as the settings name them."""
    found: list[Channel] = []
    if not (config.alert_email or config.alert_ntfy):
        return found
    from guvercin.gateway.channels import Mail, Ntfy  # noqa: PLC0415 -- for those who have one

    say = translator(config.alert_language)
    if config.alert_email:
        found.append(
            Mail(
                say=say,
                host=config.smtp_host or "",
                port=config.smtp_port,
                security=config.smtp_security,
                user=config.smtp_user,
                password=None if config.smtp_password is None else config.smtp_password.get_secret_value(),
                sender=config.smtp_from or config.alert_email[0],
                to=config.alert_email,
            )
        )
    if config.alert_ntfy:
        host = urlsplit(config.alert_ntfy).hostname or ""
        chosen = Neighbours.read([*config.webhook_allow, host])  # its owner wrote it where no API reaches
        token = None if config.ntfy_token is None else config.ntfy_token.get_secret_value()
        found.append(Ntfy(say, url=config.alert_ntfy, token=token, open_way=lambda: _way_out(chosen, clock)))
    return found


def _way_out(neighbours: Neighbours, clock: Clock) -> Calls:
    from guvercin.gateway.calling import Outside  # noqa: PLC0415 -- 25 MB, for those who have a hook

    return Outside(neighbours, clock.monotonic)


def _body(notice: Notice, config: Config) -> bytes:
    from guvercin.api import notices  # noqa: PLC0415 -- as create_app

    return notices.body(notice, config.timezone)


def _trial_body(at: datetime, config: Config) -> bytes:
    from guvercin.api import notices  # noqa: PLC0415 -- as create_app

    return notices.trial(at, config.timezone)


def make_folder(config: Config) -> None:
    """Make the data folder, for its owner alone, and bring its database to the schema of this program.

    The caller holds the folder's lock, or is alone there.
    """
    config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    config.shelf.mkdir(mode=0o700, parents=True, exist_ok=True)
    prepare(_engine(config, create=True))


def _engine(config: Config, *, create: bool = False) -> Engine:
    """Make an engine for a look at the database, or for bringing it up to date."""
    if config.postgres is None:
        return engine_for(config.database, create=create)
    from guvercin.store import postgres  # noqa: PLC0415 -- an extra: only who asks for it needs it

    return postgres.engine_for(config.postgres)


def _store_of(config: Config, **words: Any) -> Store:
    """Make the store that the settings ask for."""
    if config.postgres is None:
        return SqliteStore(config.data_dir, **words)
    from guvercin.store.postgres_store import PostgresStore  # noqa: PLC0415 -- as above

    return PostgresStore(config.postgres, config.data_dir, shelf=config.shelf, **words)


def move_data(config: Config, put_aside: Callable[[], Callable[[], None]]) -> Mapping[str, int]:
    """Copy the data folder's file into the PostgreSQL of the settings; answers how many rows of which table.

    The caller holds the folder's lock. See store/moving.py for `put_aside`, and for what is raised.
    """
    from guvercin.store.moving import move  # noqa: PLC0415 -- once in a shop's life

    prepare(engine_for(config.database, create=True))
    target = _engine(config)
    prepare(target)
    return move(engine_for(config.database, query_only=True), target, put_aside)


@asynccontextmanager
async def open_store(config: Config) -> AsyncIterator[Store]:
    """Open the database for a moment, beside a live server or without one.

    FolderLocked if the database would have to be made or migrated and another process runs on the folder: a schema
    never changes under a server, which knows only its own.
    """
    config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    is_there = config.postgres is not None or config.database.exists()
    if not (is_there and is_current(_engine(config))):
        lock = FolderLock(config.data_dir)
        try:
            make_folder(config)
        finally:
            lock.release()
    store = _store_of(config, is_guest=True)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def running(config: Config, *, lock: FolderLock | None = None, sends: bool = True) -> AsyncIterator[ASGIApp]:
    """Run the whole gateway inside this process and answer its app. FolderLocked if another process does.

    Without `sends` no loop is started: whoever only looks or decides must not set a queue going.
    """
    config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    own = lock or FolderLock(config.data_dir)
    try:
        async with _alive(config, sends=sends) as (app, _):
            yield app
    finally:
        if lock is None:
            own.release()


@asynccontextmanager
async def _alive(
    config: Config,
    *,
    sends: bool = True,
    store_in: Callable[..., Store] | None = None,
) -> AsyncIterator[tuple[ASGIApp, House]]:
    from guvercin.api.app import create_app  # noqa: PLC0415 -- heavy, and who only opens the store needs none
    from guvercin.api.render.rights import write_dossier  # noqa: PLC0415 -- as the app
    from guvercin.panel.app import LIMITS, create_panel  # noqa: PLC0415 -- as the app
    from guvercin.panel.desk import Desk, Facts  # noqa: PLC0415 -- as the app
    from guvercin.panel.live import Live  # noqa: PLC0415 -- as the app

    make_folder(config)
    clock, rng = SystemClock(), SystemChance()
    words = {"monotonic": clock.monotonic}
    store = _store_of(config, **words) if store_in is None else store_in(config.data_dir, **words)
    await store.open()
    try:
        await store.furnish(SANDBOX_NAME, Kind.SANDBOX, SANDBOX_PHONE, SANDBOX_PACE, now=clock.now())
        await _sweep(config, store)
        leases = _leases(config, store, clock, rng) if sends else None
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
            async with _among_others(app, config, store, leases, clock) as whole:
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
            await asyncio.to_thread(shutil.rmtree, _web_folder(config, account.id), ignore_errors=True)


def _engine_environment(config: Config) -> Mapping[str, str]:
    """Answer what a worker runs in: asked at each start, so that an engine that was raised is used from then on."""
    engine = Engines(config.raised_engines).current()
    path = os.environ.get("PYTHONPATH")
    if engine is not None and engine.folder is not None:
        path = os.pathsep.join([str(engine.folder), *([path] if path else [])])
    raised = {} if path is None else {"PYTHONPATH": path}
    return {**os.environ, **raised, **ENGINE_SETTINGS}


def _web_folder(config: Config, account_id: int) -> Path:
    return config.engine_stores / str(account_id)


def serve(
    config: Config,
    on_started: Callable[[], None],
    *,
    store_in: Callable[..., Store] | None = None,
) -> None:
    """Serve until a signal asks to stop: callers are answered, sends in hand finish, and it returns.

    Raises FolderLocked if another process runs on this data folder, DatabaseOwned if another gateway runs on its
    database, ServerTooOld. `store_in` is for comparisons: a
    benchmark serves from another store, and everything else is as it is.
    """
    logs.configure(config.log_level, config.log_format)
    config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FolderLock(config.data_dir)
    try:
        with asyncio.Runner(loop_factory=_new_loop()) as runner:
            runner.run(_serve(config, lock, on_started, store_in))
    finally:
        lock.release()


async def _serve(
    config: Config,
    lock: FolderLock,
    on_started: Callable[[], None],
    store_in: Callable[..., Store] | None,
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

    async with _alive(config, store_in=store_in) as (app, house):
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
