"""The group-commit writer: one thread that commits together whatever is waiting.

Laws
1. There is no timer: alone, a job commits at once; in a crowd, one sync to disk serves all of it.
2. A job is a function of a transaction and may run twice: when a group fails it is rolled back and replayed one by one,
   so that a bad job fails alone. A job that refuses (GuvercinError, IllegalOrder) does so before its first write.
   Nothing is announced before its commit.
3. The queue is bounded. When it is full the caller hears so before anything is accepted; newcomers (`admit`) hear it
   as soon as a crowd waits too long, so that whoever is taken is served soon.
4. A busy database is waited for, never reported as a failed accept.
"""

import asyncio
import logging
import os
import queue
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import orjson
from sqlalchemy import Connection

from guvercin.core.account import IllegalLineOrder
from guvercin.core.audit import ACTOR, Actor
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import EventKind, Standing
from guvercin.core.message import IllegalOrder
from guvercin.store import auditing
from guvercin.store.hand import BEGIN_WRITING, by_hand

T = TypeVar("T")

GROUP = 256
"""The most jobs in one commit: enough to hide the sync, few enough that the first one doesn't wait long."""

FEW = 64
"""Jobs that may wait however slow the disk is: a handful of callers would rather wait than come again."""

MANY = GROUP
"""Jobs that may wait however fast the disk is: the next commit's worth."""

PATIENCE = timedelta(milliseconds=250)
"""How long the oldest of more than FEW jobs may have waited before newcomers are sent away. It is half of what a caller
may wait at the most: the other half goes by before a job gets here and after it is durable."""

_ASK_AGAIN = timedelta(milliseconds=250)
"""How often a server is asked for a commit that it didn't answer."""

_INSERT_EVENT = "INSERT INTO event (at, kind, account_id, message_id, batch_id, detail) VALUES (?, ?, ?, ?, ?, ?)"

_DECIDED = frozenset(
    {
        EventKind.MESSAGE_CANCELLED,
        EventKind.MESSAGE_RELEASED,
        EventKind.BATCH_PAUSED,
        EventKind.BATCH_RESUMED,
        EventKind.BATCH_CANCELLED,
        EventKind.BATCH_DECLARED,
        EventKind.ACCOUNT_CHANGED,
        EventKind.OPTED_OUT,
        EventKind.OPTED_IN,
        EventKind.CONSENTED,
        EventKind.CATEGORY_CHANGED,
        EventKind.HOOK_CLOSED,
    }
)
"""Events that are somebody's decision, if anybody is at work. Who asked for a message stands in the message itself."""

REFUSALS = (GuvercinError, IllegalOrder, IllegalLineOrder)
"""What a job may raise to say no. Anything else is trouble with the database, or a bug."""

_log = logging.getLogger(__name__)


class Tx:
    """One transaction as its jobs see it: hand-written statements by `execute`, the rest through `connection`."""

    __slots__ = (
        "_hand",
        "actor",
        "connection",
        "execute",
        "last_event",
        "lines",
        "received",
        "standings",
        "unclear",
    )

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._hand = by_hand(connection)
        self.execute = self._hand.execute
        self.actor: Actor | None = None
        self.standings: list[Standing] = []
        self.lines: list[int] = []
        self.last_event: int | None = None
        self.received = 0
        self.unclear = 0

    @property
    def changes(self) -> int:
        """Answer how many rows this connection has ever changed."""
        return self._hand.total_changes

    def record(
        self,
        at: int,
        kind: EventKind,
        *,
        account_id: int | None = None,
        message_id: int | None = None,
        batch_id: int | None = None,
        detail: dict[str, Any] | None = None,
    ) -> None:
        """Write one event row (`at` in milliseconds). What somebody decided stands in the audit too."""
        if self.actor is not None and kind in _DECIDED:
            subjects = (("kayit", message_id), ("toplu", batch_id), ("hesap", account_id))
            about = next((f"{word}:{subject}" for word, subject in subjects if subject is not None), None)
            auditing.write(self, kind.value, at, about=about, detail=detail)
        text = orjson.dumps(detail).decode() if detail else None
        self.last_event = self.execute(
            _INSERT_EVENT, (at, kind.value, account_id, message_id, batch_id, text)
        ).lastrowid

    @property
    def is_postgres(self) -> bool:
        """Say whether this is PostgreSQL: for the few things that one set of words can't say."""
        return self.connection.dialect.name == "postgresql"

    def skip_ids(self, table: str, count: int) -> None:
        """Leave as many ids of a table out."""
        if self.is_postgres:
            self.execute(
                "SELECT setval(CAST(? AS regclass), nextval(CAST(? AS regclass)) + ?)",
                (f"{table}_id_seq", f"{table}_id_seq", count),
            )
        elif self.execute("UPDATE sqlite_sequence SET seq = seq + ? WHERE name = ?", (count, table)).rowcount == 0:
            self.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, count))  # it was empty


@dataclass(frozen=True, slots=True)
class Committed:
    """What a group of jobs changed, announced once it is durable."""

    standings: tuple[Standing, ...] = ()
    """Where messages stand now. Of a batch that has just been stored one that is in line speaks for all."""
    lines: frozenset[int] = frozenset()
    """Accounts that changed themselves, or whose line did."""
    unclear: int = 0
    """Things that were told and not understood."""
    received: int = 0
    """Messages that people wrote to us."""
    moves: bool = False
    """Leases were given back."""
    is_ours: bool = True
    """Whether this process did it; another gateway's commits are told, too, as far as they are heard of."""


class Receipts(Protocol):
    """What a server that may go in the middle of a commit knows of it afterwards."""

    def take(self, tx: Tx) -> Any:
        """Answer what a transaction can be asked for by, before it is committed; null if it has written nothing."""

    def ask(self, receipt: Any) -> bool | None:
        """Say whether a transaction was committed; null: it isn't over. Any error: ask again."""


class _Job(Generic[T]):
    __slots__ = ("actor", "future", "result", "trouble", "work")

    def __init__(self, work: Callable[[Tx], T], future: asyncio.Future[T]) -> None:
        self.actor = ACTOR.get()
        self.work = work
        self.future = future
        self.result: Any = None
        self.trouble: Exception | None = None


class Writer:
    """The one connection that writes, and the thread that owns it."""

    def __init__(
        self,
        connect: Callable[[], Connection],
        *,
        path: Path | None,
        is_busy: Callable[[Exception], bool],
        is_unavailable: Callable[[Exception], bool],
        on_commit: Callable[[int], None],
        capacity: int = 4_096,
        group: int = GROUP,
        monotonic: Callable[[], float] = lambda: 0.0,
        receipts: Receipts | None = None,
        before_commit: Callable[["Tx"], None] = lambda _: None,
    ) -> None:
        """Take the way to the database. `group` is the most jobs in one commit; 1 shows what the group is worth.

        `path`: the file that must stay where it is; null for a server, which may go and come back: then `receipts` say
        what became of a commit that was not answered.

        `before_commit` is called at the end of each transaction.

        Without `monotonic` nobody is impatient: newcomers are taken until the queue is full.
        """
        self._connect = connect
        self._path = path
        self._is_busy = is_busy
        self._is_unavailable = is_unavailable
        self._on_commit = on_commit
        self._capacity = capacity
        self._group = group
        self._monotonic = monotonic
        self._queue: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._since: deque[float] = deque()
        """When each job was put that nobody has heard of yet, in the order in which they are committed."""
        self._is_closing = False
        self._is_down = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._inode: tuple[int, int] | None = None
        self._receipts = receipts
        self._before_commit = before_commit
        self._is_in_doubt = False
        self._closing = threading.Event()
        self._listeners: list[Callable[[Committed], None]] = []

    @property
    def waiting(self) -> int:
        """Answer how many jobs wait or run."""
        return len(self._since)

    def listen(self, listener: Callable[[Committed], None]) -> None:
        """Call `listener` on the event loop after every commit that changed a message or an account."""
        self._listeners.append(listener)

    async def open(self) -> None:
        """Start the thread."""
        self._is_closing = False
        self._closing.clear()
        self._inode = None
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="guvercin-writer", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Commit what waits, then end the thread. From now on nothing more is taken: CLOSING."""
        if self._thread is None or self._is_closing:
            return
        self._is_closing = True
        self._closing.set()
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        self._thread = None

    async def do(self, work: Callable[[Tx], T]) -> T:
        """Run `work` in a transaction and answer its result once that is durable.

        Raises QUEUE_FULL and CLOSING before anything is tried, STORE_UNAVAILABLE when the database can't be written,
        and whatever `work` raises. A caller that goes away doesn't stop its job.
        """
        if self._loop is None or self._thread is None or self._is_closing:
            raise GuvercinError(Code.CLOSING, retry_after=timedelta(seconds=5))
        if not self._thread.is_alive():  # nothing ends it but close; if a bug does, say so and don't wait for ever
            raise _unavailable(None)
        if self._is_in_doubt:
            raise _unavailable(None)
        if self.waiting >= self._capacity:
            raise GuvercinError(Code.QUEUE_FULL, retry_after=timedelta(seconds=1))
        job: _Job[T] = _Job(work, self._loop.create_future())
        self._since.append(self._monotonic())
        self._queue.put(job)
        result: T = await job.future
        return result

    async def admit(self, work: Callable[[Tx], T]) -> T:
        """Run a job that brings new work, as `do` does; QUEUE_FULL also while too many wait for too long.

        What was taken before goes on through `do`, so that it is finished however many newcomers there are.
        """
        waiting = self.waiting
        if waiting >= MANY or (waiting >= FEW and self._monotonic() - self._since[0] > PATIENCE.total_seconds()):
            raise GuvercinError(Code.QUEUE_FULL, retry_after=timedelta(seconds=1))
        return await self.do(work)

    def _run(self) -> None:
        connection: Connection | None = None
        is_last = False
        while not is_last:
            group, is_last = self._next_group()
            if group:
                connection = self._commit_group(connection, group)
        _let_go(connection)

    def _next_group(self) -> tuple[list[_Job[Any]], bool]:
        """Wait for a job and answer it with all that wait behind it, and whether the queue ends there."""
        group: list[_Job[Any]] = []
        job = self._queue.get()
        while job is not None:
            group.append(job)
            if len(group) >= self._group or self._queue.empty():
                return group, False
            job = self._queue.get()
        return group, True

    def _commit_group(self, connection: Connection | None, group: list[_Job[Any]]) -> Connection | None:
        """Commit a group, or fail each of its jobs with the reason; answers the connection to go on with."""
        done = Committed()
        is_fresh = connection is None
        try:
            self._check_file()
            connection = connection or self._patiently(self._connect)
            done = self._attempt(connection, group)
        except OSError as trouble:  # the file is gone, or nobody could say what became of a commit: nothing is repeated
            self._fail(group, trouble)
            _let_go(connection)
            connection = None
        except Exception as trouble:  # noqa: BLE001 -- whatever it is, each job must hear of it
            if connection is not None and _is_stuck(connection):
                _let_go(connection)
                connection = None
                if self._receipts is not None and not is_fresh:  # the server was away: nothing of this was done
                    return self._commit_group(None, group)
            is_away = connection is None and self._receipts is not None and self._is_unavailable(trouble)
            if len(group) > 1 and not is_away:
                for job in group:
                    connection = self._commit_group(connection, [job])
                return connection
            self._fail(group, trouble)
        self._announce(group, done)
        return connection

    def _attempt(self, connection: Connection, group: list[_Job[Any]]) -> Committed:
        """Run a group in one transaction; on any trouble nothing of it stays."""
        tx = Tx(connection)
        self._patiently(lambda: tx.execute(BEGIN_WRITING))
        try:
            for job in group:
                job.trouble = None
                tx.actor = job.actor
                before = tx.changes
                try:
                    job.result = job.work(tx)
                except REFUSALS as refusal:
                    if tx.changes != before:
                        raise RuntimeError("a job refused after it had written") from refusal
                    job.trouble = refusal
            self._before_commit(tx)
            self._commit(tx)
        except BaseException:
            with suppress(Exception):  # on a full disk SQLite has rolled back by itself: then there is nothing to end
                tx.execute("ROLLBACK")
            raise
        finally:
            # The driver's transaction is over and this only tells SQLAlchemy. Nothing from here on may fail a group
            # that is durable: it would be replayed.
            with suppress(Exception):
                connection.rollback()
        if self._is_down:
            self._is_down = False
            with suppress(Exception):
                _log.warning("store_available")
        if tx.last_event is not None:
            with suppress(Exception):
                self._on_commit(tx.last_event)
        return Committed(tuple(tx.standings), frozenset(tx.lines), tx.unclear, tx.received)

    def _commit(self, tx: Tx) -> None:
        """Make it durable. A server that goes before it has answered is asked, when it is back, what became of it."""
        receipt = None if self._receipts is None else self._receipts.take(tx)
        try:
            self._patiently(lambda: tx.execute("COMMIT"))
        except Exception as trouble:
            if self._receipts is None or receipt is None or not self._is_unavailable(trouble):
                raise
            if not self._was_committed(self._receipts, receipt):
                raise

    def _was_committed(self, receipts: "Receipts", receipt: Any) -> bool:
        """Ask until there is an answer. OSError: this process ends without one, and a start finds what is there."""
        self._is_in_doubt = True
        with suppress(Exception):
            _log.error("commit_unanswered")
        try:
            while True:
                with suppress(Exception):
                    found = receipts.ask(receipt)
                    if found is not None:
                        return found
                if self._closing.wait(_ASK_AGAIN.total_seconds()):
                    raise OSError("nobody could say what became of a commit")
        finally:
            self._is_in_doubt = False

    def _patiently(self, step: Callable[[], T]) -> T:
        """Do what another connection may hold up for a moment, however long that is."""
        while True:
            try:
                return step()
            except Exception as trouble:
                if not self._is_busy(trouble):
                    raise
                with suppress(Exception):  # as in _fail
                    _log.warning("database_busy")

    def _check_file(self) -> None:
        """Refuse to write into a file that is no longer there: its last name is gone, and so would be the promise."""
        if self._path is None:
            return
        found = os.stat(self._path)  # noqa: PTH116 -- on the way of every commit; never opens the file
        inode = (found.st_dev, found.st_ino)
        if self._inode is None:
            self._inode = inode
        elif inode != self._inode:
            raise OSError("the database file was replaced")

    def _fail(self, group: list[_Job[Any]], trouble: Exception) -> None:
        is_unavailable = isinstance(trouble, OSError) or self._is_unavailable(trouble)
        for job in group:
            job.trouble = _unavailable(trouble) if is_unavailable else trouble
        with suppress(Exception):  # a log that can't be written must not end the thread
            if not is_unavailable:
                _log.error("write_failed", extra={"trouble": repr(trouble), "jobs": len(group)})
            elif not self._is_down:  # said once: a log that floods would fill the disk even more
                _log.error("store_unavailable", extra={"trouble": repr(trouble)})
        self._is_down = is_unavailable or self._is_down

    def _announce(self, group: list[_Job[Any]], done: Committed) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: nobody is left to hear
                self._loop.call_soon_threadsafe(self._deliver, group, done)

    def _deliver(self, group: list[_Job[Any]], done: Committed) -> None:
        for job in group:
            self._since.popleft()
            if job.future.cancelled():
                continue
            if job.trouble is not None:
                job.future.set_exception(job.trouble)
            else:
                job.future.set_result(job.result)
        if done.standings or done.lines or done.unclear or done.received:
            self.tell(done)

    def tell(self, done: Committed) -> None:
        """Tell every listener of a commit. On the event loop."""
        for listener in self._listeners:
            listener(done)


def _unavailable(cause: Exception | None) -> GuvercinError:
    """Make the refusal of one caller: an exception that several raise would gather all their tracebacks."""
    told = GuvercinError(Code.STORE_UNAVAILABLE, retry_after=timedelta(seconds=5))
    told.__cause__ = cause
    return told


def _is_stuck(connection: Connection) -> bool:
    """Say whether a transaction is still open after it was ended: the connection is of no use any more."""
    try:
        return by_hand(connection).in_transaction
    except Exception:  # noqa: BLE001 -- a connection that can't even be asked
        return True


def _let_go(connection: Connection | None) -> None:
    if connection is not None:
        with suppress(Exception):
            connection.close()
