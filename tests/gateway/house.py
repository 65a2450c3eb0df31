"""One process put together over real SQLite and a scripted WhatsApp, for tests that step it by hand.

The store is the real one with its threads taken out: every verb commits at once, in the order in which it was asked, so
that a test's clock and seed decide everything. It can also refuse, be slow, and die in mid-air.
"""

import asyncio
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import count
from pathlib import Path
from random import Random  # noqa: TID251 -- the chance that a test hands in
from types import MappingProxyType
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine
from sqlalchemy.pool import NullPool, QueuePool

from guvercin.api import notices
from guvercin.core.account import Account, Kind, LineState
from guvercin.core.address import Neighbours
from guvercin.core.call import Called
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import Event, EventKind
from guvercin.core.log import MessageFilter
from guvercin.core.message import Lane, Message, Status
from guvercin.core.pacing import Gap, Pace
from guvercin.core.rights import Keeping
from guvercin.core.token import Permission, Token, TokenRules
from guvercin.gateway.access import Access, create_token
from guvercin.gateway.alarm import Alarm, Channel
from guvercin.gateway.couriers import Couriers
from guvercin.gateway.courses import hours_in
from guvercin.gateway.dispatcher import Dispatcher
from guvercin.gateway.files import Files, Spool
from guvercin.gateway.gateway import Gateway
from guvercin.gateway.hooks import Hooks
from guvercin.gateway.loops import Loops
from guvercin.gateway.meta import Meta
from guvercin.gateway.requests import Ask, AskBatch, AskRecipient, Sent
from guvercin.gateway.retention import Retention
from guvercin.gateway.sessions import Sessions
from guvercin.gateway.tally import Tally
from guvercin.gateway.upkeep import Upkeep
from guvercin.gateway.waiting import Waiting
from guvercin.sealing import Seal
from guvercin.store.sqlite import FILE_NAME, engine_for
from guvercin.store.sqlite_store import SqliteStore
from guvercin.store.writer import Committed, Tx, Writer, _Job
from guvercin.testing.clock import ManualClock
from guvercin.testing.timelapse import LapseClock, TimelapseLoop
from guvercin.testing.transport import Peer, ScriptedTransport
from guvercin.transports.base import Transport
from guvercin.transports.cloud.setup import Setup, Setups

T = TypeVar("T")

ISTANBUL = ZoneInfo("Europe/Istanbul")
FIRST, SECOND, THIRD = "+905321234567", "+905321234568", "+905321234569"


async def nobody_is_there(_: Setup) -> Code:
    """Answer for a Meta that can't be reached."""
    return Code.META_UNREACHABLE


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def pace(single: tuple[float, float] = (0, 0), bulk: tuple[float, float] | None = None) -> Pace:
    """Make a pace from seconds: the least and the most of each lane."""
    gaps = {Lane.SINGLE: single, Lane.BULK: bulk or single}
    return Pace(
        gaps=MappingProxyType({lane: Gap(least=seconds(a), most=seconds(b)) for lane, (a, b) in gaps.items()}),
    )


class InlineWriter(Writer):
    """The writer without its thread: a job commits where it is asked for, or with all others when a hold ends."""

    def __init__(self, like: Writer) -> None:
        super().__init__(
            lambda: _unsynced(shared_engine(like._path, query_only=False).connect()),
            path=like._path,
            is_busy=like._is_busy,
            is_unavailable=like._is_unavailable,
            on_commit=self._note,
            capacity=like._capacity,
        )
        self._marks = like._on_commit
        self.refuses = False
        self.refuses_next = 0
        self.is_dead = False
        self.dies_in = 0
        """Groups until the process dies, right after that commit and before anybody hears of it; 0: it doesn't."""
        self.on_death: Callable[[], None] = lambda: None
        self.on_event: Callable[[], None] = lambda: None
        """Called after every commit that wrote an event."""
        self._held: list[_Job[Any]] | None = None
        self._connection: Connection | None = None

    def _note(self, event_id: int) -> None:
        self._marks(event_id)
        self.on_event()

    async def open(self) -> None:
        self._loop = asyncio.get_running_loop()

    async def close(self) -> None:
        self.release()
        self.let_go()

    async def do(self, work: Callable[[Tx], T]) -> T:
        if self.refuses or self.refuses_next:
            self.refuses_next = max(0, self.refuses_next - 1)
            raise GuvercinError(Code.STORE_UNAVAILABLE, retry_after=seconds(5))
        job: _Job[T] = _Job(work, asyncio.get_running_loop().create_future())
        self._since.append(0.0)
        if self._held is not None:
            self._held.append(job)
        elif not self.is_dead:
            self._connection = self._commit_group(self._connection, [job])
        result: T = await job.future
        return result

    def _announce(self, group: list[_Job[Any]], done: Committed) -> None:
        if self.dies_in:
            self.dies_in -= 1
            if not self.dies_in:
                self.is_dead = True
                self.on_death()
                return
        super()._announce(group, done)

    def hold(self) -> None:
        self._held = self._held or []

    def release(self) -> None:
        held, self._held = self._held, None
        if held and not self.is_dead:
            self._connection = self._commit_group(self._connection, held)

    def fill_disk(self) -> None:
        """Let the database not grow by a single page: SQLite itself says that the disk is full."""
        if self._connection is not None:
            pages = self._connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            self._limit_pages(pages)

    def clear_disk(self) -> None:
        if self._connection is not None:
            self._limit_pages(_ENDLESS)

    def _limit_pages(self, pages: int) -> None:
        assert self._connection is not None
        self._connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        self._connection.commit()

    def let_go(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


_ENDLESS = 2**30
"""As many pages as a database may ever have."""


@lru_cache(maxsize=8)
def shared_engine(path: Path, *, query_only: bool) -> Engine:
    """Answer an engine that all processes share, and all worlds in one place: what it has compiled is kept."""
    is_kept = path in _KEPT_OPEN
    pool = QueuePool if is_kept else NullPool
    return engine_for(path, query_only=query_only, owns_file=not query_only, pool=pool, is_alone=is_kept)


_KEPT_OPEN: set[Path] = set()


@contextmanager
def kept_open(folder: Path) -> Iterator[None]:
    """Let the database in `folder` stay open from one world in it to the next: a connection costs more than a crash."""
    path = folder / FILE_NAME
    _KEPT_OPEN.add(path)
    try:
        yield
    finally:
        for query_only in (True, False):
            shared_engine(path, query_only=query_only).dispose()
        _KEPT_OPEN.discard(path)
        shared_engine.cache_clear()


def _unsynced(connection: Connection) -> Connection:
    """Let a connection leave its commits to the page cache, with room for all of them: nobody cuts the power here."""
    connection.exec_driver_sql("PRAGMA synchronous = OFF")
    connection.exec_driver_sql(f"PRAGMA max_page_count = {_ENDLESS}")
    connection.commit()
    return connection


class SteadyStore(SqliteStore):
    """The real store in the test's own thread."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.writer = self._writer = InlineWriter(self._writer)
        self._engine = shared_engine(self.path, query_only=True)
        self.is_unreadable = False
        self._is_gone = False

    async def _read(self, query: Callable[[Connection], T]) -> T:
        await turn()
        if self.writer.is_dead:
            await asyncio.get_running_loop().create_future()
        if self.is_unreadable:
            raise GuvercinError(Code.STORE_UNAVAILABLE, retry_after=seconds(5))
        return self._read_now(query)

    async def open(self) -> None:
        await super().open()
        self._idle.get().close()  # in one thread one is enough

    def die(self) -> None:
        """Stop in mid-air, as a killed process does: what is asked from now on never happens and never returns."""
        if self._is_gone:
            return
        self._is_gone = self.writer.is_dead = True
        self.writer.let_go()
        while not self._idle.empty():
            self._idle.get().close()
        self._seen.close()


def _is_the_test(task: asyncio.Task[Any]) -> bool:
    """Say whether a task runs the tests themselves: the anyio plugin has one, and one more around each of its calls."""
    return task is asyncio.current_task() or "TestRunner" in getattr(task.get_coro(), "__qualname__", "")


class InlineExecutor(ThreadPoolExecutor):
    """What asyncio.to_thread asks, done in the test's own thread: a thread ends at a turn of its own choosing."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        done: Future[T] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as trouble:  # noqa: BLE001 -- its asker hears of it
            done.set_exception(trouble)
        return done


async def turn(number: int = 1) -> None:
    """Let the event loop turn."""
    for _ in range(number):
        await asyncio.sleep(0)  # noqa: TID251 -- one turn of the event loop, no time passes


@dataclass
class World:
    """What outlives a process: the disk, the clock, and WhatsApp."""

    folder: Path
    clock: ManualClock | LapseClock
    seed: int = 0
    peers: MutableMapping[int, Peer] = field(default_factory=lambda: defaultdict(Peer))
    builds: Callable[[Account, "World"], Transport] = lambda account, world: ScriptedTransport(
        world.peers[account.id], world.clock
    )
    store_in: Callable[[Path], "SteadyStore"] = lambda folder: SteadyStore(folder)  # noqa: PLW0108 -- it comes later
    receiver: "Receiver" = field(default_factory=lambda: Receiver())  # noqa: PLW0108 -- as store_in
    channels: list[Channel] = field(default_factory=list)
    free: int = 10**12
    started: "count[int]" = field(default_factory=count)
    tokens: dict[str, Token] = field(default_factory=dict)
    outside: set[asyncio.Task[Any]] = field(default_factory=set)
    """Tasks that are no part of any process, and outlive it."""

    @property
    def peer(self) -> Peer:
        return self.peers[1]

    async def begin(self, *, gaps: Pace | None = None) -> "House":
        """Start a process: its store is open and nothing else has begun."""
        house = House(self)
        await house.store.open()
        if not await house.store.accounts():
            first = await house.store.add_account("Deneme", Kind.SANDBOX, None, gaps or pace(), now=self.clock.now())
            await house.store.set_default(first.id, now=self.clock.now())
            await house.token("everything")
        return house


def make_world(folder: Path, template: Path, *, seed: int = 0, clock: LapseClock | None = None) -> World:
    """Make a world on an empty database. Of a world that was here before only connections stay, if they are kept."""
    folder.mkdir(exist_ok=True)
    path = folder / FILE_NAME
    if path in _KEPT_OPEN and path.exists():
        _empty(path, template)
    else:
        shutil.copy(template, path)
    return World(folder=folder, clock=clock or ManualClock(), seed=seed)


def _empty(path: Path, template: Path) -> None:
    """Let an open database be the template, to the page, and nothing else lie beside it."""
    for other in path.parent.iterdir():
        if other.is_dir():
            shutil.rmtree(other)
        elif not other.name.startswith(FILE_NAME):
            other.unlink()
    with (
        engine_for(template, query_only=True).connect() as whence,
        shared_engine(path, query_only=False).connect() as to,
    ):
        source: Any = whence.connection.driver_connection
        source.backup(_unsynced(to).connection.driver_connection)


class Receiver:
    """Whoever takes webhooks, at every address: it answers as the test has it answer, and keeps what it took."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes, Mapping[str, str]]] = []
        self.heard: list[tuple[str, bytes, Mapping[str, str]]] = []
        self.answers: Callable[[bytes], Called] = lambda _: Called(trouble=None, status=200)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Called:
        await turn()
        self.heard.append((url, body, headers))
        called = self.answers(body)
        if called.trouble is None:
            self.taken.append((url, body, headers))
        return called

    async def close(self) -> None:
        """Nothing is open."""


class House:
    """One process."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.clock = clock = world.clock
        self.rng = rng = Random(f"{world.seed} {next(world.started)}")
        asyncio.get_running_loop().set_default_executor(InlineExecutor())
        self._others = asyncio.all_tasks()
        self.store = store = world.store_in(world.folder)
        self.access = Access(store, clock)
        self.waiting = Waiting(clock)
        self.spool = Spool(world.folder / "spool")
        seal = Seal(world.folder)
        self.sessions = Sessions(
            store,
            lambda account: world.builds(account, world),
            seal=seal,
            clock=clock,
            rng=rng,
            on_change=lambda account_id: self.loops.wake(account_id),  # noqa: PLW0108 -- the loops come later
        )
        self.couriers = Couriers(
            store=store,
            seal=seal,
            open_way=lambda: world.receiver,
            write=lambda notice: notices.body(notice, ISTANBUL),
            clock=clock,
            rng=rng,
        )
        self.hooks = Hooks(
            store=store,
            couriers=self.couriers,
            seal=seal,
            neighbours=Neighbours(),
            write_trial=lambda at: notices.trial(at, ISTANBUL),
            clock=clock,
            rng=rng,
        )
        self.gateway = Gateway(
            store=store,
            sessions=self.sessions,
            access=self.access,
            files=Files(spool=self.spool, roots=[world.folder]),
            waiting=self.waiting,
            clock=clock,
            rng=rng,
            timezone=ISTANBUL,
            meta=Meta(setups=Setups(world.folder / "cloud", seal), look=nobody_is_there, sessions=self.sessions),
            hooks=self.hooks,
            seal=seal,
        )
        self.upkeep = Upkeep(
            store=store,
            sessions=self.sessions,
            access=self.access,
            spool=self.spool,
            account=self.gateway.accounts.any,
            resend=self.gateway.singles.resend_by_policy,
            clock=clock,
        )
        self.alarm = Alarm(
            store=store,
            channels=world.channels,
            folder=world.folder,
            backup_days=7,
            clock=clock,
            rng=rng,
            free=lambda _: world.free,
        )
        self.loops = Loops(
            store=store,
            sessions=self.sessions,
            upkeep=self.upkeep,
            tally=Tally(store=store, clock=clock, zone=ISTANBUL),
            couriers=self.couriers,
            alarm=self.alarm,
            retention=Retention(store=store, keeping=Keeping(), zone=ISTANBUL, started_at=clock.now()),
            traces=None,
            spool_path=self.spool.path,
            hours=hours_in(ISTANBUL),
            clock=clock,
            rng=rng,
        )
        self._dispatchers: dict[int, Dispatcher] = {}
        self.store.listen(self.gateway.heard)

    # -- by hand

    def dispatcher(self, account_id: int = 1) -> Dispatcher:
        """Answer the dispatcher of an account. There is none before the first call: it begins then."""
        if account_id not in self._dispatchers:
            self._dispatchers[account_id] = Dispatcher(
                account_id,
                store=self.store,
                sessions=self.sessions,
                spool_path=self.spool.path,
                hours=hours_in(ISTANBUL),
                clock=self.clock,
                rng=self.rng,
            )
        return self._dispatchers[account_id]

    async def dispatch(self, account_id: int = 1) -> datetime:
        """Step a dispatcher once."""
        return await self.dispatcher(account_id).step(self.clock.now())

    async def tend(self) -> datetime:
        """Step the lines once, and let them do what they do by themselves."""
        wake = await self.sessions.step(self.clock.now())
        await self.clock.settle()
        return wake

    async def keep_up(self) -> datetime:
        """Step upkeep once."""
        return await self.upkeep.step(self.clock.now())

    async def recover(self) -> None:
        """Do what a start does before its loops."""
        while await self.store.recover(now=self.clock.now(), limit=100):
            pass

    async def rounds(self, number: int, *, every: float = 1.0, account_id: int = 1) -> None:
        """Step everything `number` times, with time in between."""
        for _ in range(number):
            await self.tend()
            await self.keep_up()
            await self.dispatch(account_id)
            await self.clock.elapse(seconds(every))

    async def deliver_all(self, account_id: int = 1, *, most: int = 10_000) -> None:
        """Step a dispatcher at the moments that it asks for until nothing stands in line."""
        for _ in range(most):
            wake = await self.dispatch(account_id)
            if not any(depth.in_line for depth in await self.store.depths()) and self.dispatcher(account_id).is_idle:
                return
            await self.clock.elapse(max(timedelta(0), wake - self.clock.now()))
        raise AssertionError("something still stands in line")

    async def crash(self) -> None:
        """Die as by kill -9: no task of this process takes another step, and nothing is written any more."""
        self.store.die()
        await self._end_tasks()

    async def close(self) -> None:
        """Leave nothing behind, without any of the manners of a stop."""
        await self._end_tasks()
        if not self.store.writer.is_dead:
            await self.store.close()

    async def _end_tasks(self) -> None:
        while mine := self.tasks():
            for task in mine:
                task.cancel()
            await asyncio.wait(mine)

    def kill(self) -> None:
        """Die as by kill -9, from outside: nothing is written any more, and every task meets its end at its next turn.

        `crash` waits for these ends.
        """
        self.store.die()
        for task in self.tasks():
            task.cancel()

    def tasks(self) -> list[asyncio.Task[Any]]:
        """Answer the tasks of this process, and of those who call it; oldest first where the loop knows it."""
        loop = asyncio.get_running_loop()
        every = loop.tasks() if isinstance(loop, TimelapseLoop) else asyncio.all_tasks()
        strangers = self._others | self.world.outside
        return [task for task in every if task not in strangers and not _is_the_test(task)]

    # -- asking

    async def token(self, name: str, **rules: Any) -> Token:
        """Answer a token by its name; made with these rules when it is new, with every permission."""
        if name not in self.world.tokens:
            all_rules = TokenRules(**{"name": name, "permissions": frozenset(Permission)} | rules)
            made, _ = await create_token(self.store, all_rules, self.rng.randbytes(32), now=self.clock.now())
            self.world.tokens[name] = made
        return self.world.tokens[name]

    @property
    def everything(self) -> Token:
        return self.world.tokens["everything"]

    async def ask(self, phone: str = FIRST, text: str = "Merhaba", *, wait: float = 0, **more: Any) -> Sent:
        """Send one message; `more` are fields of Ask."""
        ask = Ask(**{"phone": phone, "text": text} | more)
        return await self.gateway.singles.send(self.everything, ask, wait=seconds(wait))

    async def accept(self, phone: str = FIRST, text: str | None = None, **more: Any) -> int:
        """Send one message without waiting; answers its log id. Its text is its own, so that it is no repeat."""
        return (await self.ask(phone, text or f"Merhaba {self.rng.random()}", **more)).standing.id

    def calling(
        self, phone: str = FIRST, text: str = "Merhaba", *, wait: float = 10, **more: Any
    ) -> asyncio.Task[Sent]:
        """Send one message as a caller who waits."""
        return asyncio.create_task(self.ask(phone, text, wait=wait, **more))

    async def status(self, message_id: int) -> Status:
        return (await self.message(message_id)).status

    async def statuses(self) -> list[Status]:
        """Answer where every message stands, by id."""
        return [message.status for message in await self.messages()]

    async def message(self, message_id: int) -> Message:
        found = await self.store.message(message_id)
        assert found is not None
        return found

    async def messages(self) -> Sequence[Message]:
        """Answer every message, oldest first."""
        page = await self.store.messages(MessageFilter(), limit=100_000, below=None)
        return tuple(reversed(page.messages))

    async def events(self, *kinds: EventKind) -> list[Event]:
        """Answer every event of these kinds (none: of all), oldest first."""
        found = await self.store.events_after(0, limit=1_000_000)
        return [event for event in found if not kinds or event.kind in kinds]

    async def line(self, account_id: int = 1) -> LineState:
        """Answer a line as the database knows it."""
        return next(account.line.state for account in await self.store.accounts() if account.id == account_id)


def batch(*recipients: str, text: str = "Merhaba", **more: Any) -> AskBatch:
    """Make a bulk request."""
    return AskBatch(
        **{
            "recipients": [AskRecipient(phone=phone) for phone in recipients],
            "text": text,
            "body_hash": f"{recipients} {text} {more}".encode(),
        }
        | more,
    )


def numbers(how_many: int) -> list[str]:
    """Answer as many obviously fictional numbers."""
    return [f"+9053200{index:05}" for index in range(how_many)]
