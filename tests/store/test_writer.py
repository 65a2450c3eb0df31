"""The laws of the group-commit writer, on a database with one small table."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from tests.store.driver import driver

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import EventKind, Standing
from guvercin.core.message import IllegalOrder, Order, Status
from guvercin.store.sqlite import engine_for, is_busy, is_unavailable
from guvercin.store.writer import FEW, MANY, PATIENCE, Committed, Tx, Writer

TABLES = """
CREATE TABLE word (id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE);
CREATE TABLE event (
    id INTEGER PRIMARY KEY, at INTEGER, kind TEXT, account_id INTEGER, message_id INTEGER, batch_id INTEGER, detail TEXT
);
"""


class Bench:
    """A writer, and what its connection was told to do."""

    def __init__(self, path: Path, *, capacity: int = 4_096, busy_ms: int = 5_000) -> None:
        self.time = 0.0
        self.path = path
        self.busy_ms = busy_ms
        self.heard: list[str] = []
        self.connects = 0
        self.marks: list[int] = []
        self.writer = Writer(
            self.connect,
            path=path,
            is_busy=is_busy,
            is_unavailable=is_unavailable,
            on_commit=self.marks.append,
            capacity=capacity,
            monotonic=lambda: self.time,
        )

    def connect(self) -> Connection:
        self.connects += 1
        connection = engine_for(self.path, owns_file=True).connect()
        raw: Any = connection.connection.driver_connection
        raw.execute(f"PRAGMA busy_timeout = {self.busy_ms}")
        raw.set_trace_callback(self.heard.append)
        return connection

    def count(self, statement: str) -> int:
        return self.heard.count(statement)

    @property
    def commits(self) -> int:
        return self.count("COMMIT")

    def words(self) -> set[str]:
        """Answer what is durable, as another connection sees it."""
        with engine_for(self.path).connect() as connection:
            return {row[0] for row in connection.exec_driver_sql("SELECT word FROM word")}

    async def write(self, word: str) -> int:
        return await self.writer.do(writes(word))

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Keep the writer busy with one job meanwhile, so that whatever is asked for waits together.

        Afterwards `heard` begins with the end of that job: its COMMIT.
        """
        began, go_on = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def hold(_: Tx) -> None:
            loop.call_soon_threadsafe(began.set)
            go_on.wait()

        holding = asyncio.create_task(self.writer.do(hold))
        await began.wait()
        try:
            yield
        finally:
            self.heard.clear()
            go_on.set()
            await holding


def writes(word: str, trouble: Exception | None = None) -> Callable[[Tx], int]:
    """Make a job that writes a word and then, if it is told so, fails."""

    def work(tx: Tx) -> int:
        row_id = int(tx.execute("INSERT INTO word (word) VALUES (?)", (word,)).lastrowid)
        if trouble is not None:
            raise trouble
        return row_id

    return work


def refuses(refusal: Exception) -> Callable[[Tx], None]:
    def work(tx: Tx) -> None:
        tx.execute("SELECT count(*) FROM word").fetchone()
        raise refusal

    return work


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "words.db"
    with engine_for(made, create=True).connect() as connection:
        raw: Any = connection.connection.driver_connection
        raw.executescript(TABLES)
    return made


@pytest.fixture
async def bench(path: Path) -> AsyncIterator[Bench]:
    made = Bench(path)
    await made.writer.open()
    yield made
    await made.writer.close()


async def crowd(bench: Bench, *jobs: Callable[[Tx], Any]) -> list[Any]:
    """Let all jobs wait together; answer what became of each, and what the writer did for them stands in `heard`."""
    async with bench.held():
        asking = [asyncio.ensure_future(bench.writer.do(job)) for job in jobs]
        await asyncio.wait(asking, timeout=0)
    return await asyncio.gather(*asking, return_exceptions=True)


# -- group commit


async def test_alone_a_job_is_committed_at_once(bench: Bench) -> None:
    for number in range(5):
        await bench.write(str(number))
        assert str(number) in bench.words()
    assert bench.commits == 5


async def test_a_crowd_shares_a_commit(bench: Bench) -> None:
    """256 at most, so that the first one doesn't wait long."""
    answers = await crowd(bench, *(writes(str(number)) for number in range(600)))
    assert len(set(answers)) == 600
    assert bench.words() == {str(number) for number in range(600)}
    assert bench.commits == 1 + 3


async def test_a_crowd_that_just_comes_needs_far_fewer_commits_than_jobs(bench: Bench) -> None:
    await bench.write("first")
    bench.heard.clear()
    await asyncio.gather(*(bench.write(str(number)) for number in range(500)))
    assert bench.commits <= 50
    assert bench.connects == 1


async def test_jobs_run_in_the_order_in_which_they_came(bench: Bench) -> None:
    answers = await crowd(bench, *(writes(str(number)) for number in range(100)))
    assert answers == sorted(answers)


async def test_an_answer_is_given_when_it_is_durable(bench: Bench) -> None:
    """Another connection sees every word whose writer was answered."""
    for number in range(20):
        words = [f"{number}-{other}" for other in range(10)]
        await asyncio.gather(*(bench.write(word) for word in words))
        assert set(words) <= bench.words()


# -- bad neighbours


@pytest.mark.parametrize("trouble", [ValueError("a bug"), KeyError("another"), MemoryError()])
async def test_a_bad_job_fails_alone_and_leaves_nothing(bench: Bench, trouble: Exception) -> None:
    jobs = [writes("a"), writes("bad", trouble), writes("b"), writes("c")]
    first, bad, *rest = await crowd(bench, *jobs)
    assert bad is trouble
    assert len({first, *rest}) == 3
    assert bench.words() == {"a", "b", "c"}


async def test_a_broken_rule_is_a_bug_and_no_trouble_of_the_database(bench: Bench) -> None:
    await bench.write("a")
    answers = await crowd(bench, writes("b"), writes("a"), lambda tx: tx.execute("SELEKT"), writes("c"))
    assert isinstance(answers[1], driver.IntegrityError)
    assert bench.words() == {"a", "b", "c"}
    # An SQL statement that can't be read is the library's OperationalError, like a full disk: it is not told apart.
    assert isinstance(answers[2], GuvercinError)


@pytest.mark.parametrize(
    "refusal",
    [GuvercinError(Code.DAILY_QUOTA), IllegalOrder(Status.SENT, Order.CANCEL)],
)
async def test_a_refusal_rolls_nobody_back(bench: Bench, refusal: Exception) -> None:
    first, refused, last = await crowd(bench, writes("a"), refuses(refusal), writes("b"))
    assert refused is refusal
    assert (first, last) == (1, 2)
    assert (bench.commits, bench.count("ROLLBACK")) == (1 + 1, 0)
    assert bench.words() == {"a", "b"}


async def test_a_job_that_refuses_after_it_has_written_is_caught(bench: Bench) -> None:
    late = GuvercinError(Code.DAILY_QUOTA)
    first, caught, last = await crowd(bench, writes("a"), writes("half", late), writes("b"))
    assert isinstance(caught, RuntimeError)
    assert caught.__cause__ is late
    assert (first, last) == (1, 2)
    assert bench.words() == {"a", "b"}


async def test_nothing_of_a_failed_group_is_announced_twice_or_too_early(bench: Bench) -> None:
    heard: list[tuple[int, ...]] = []
    bench.writer.listen(lambda committed: heard.append(tuple(one.id for one in committed.standings)))

    def tells(number: int, trouble: Exception | None = None) -> Callable[[Tx], int]:
        def work(tx: Tx) -> int:
            tx.standings.append(Standing(id=number, account_id=1, batch_id=None, status=Status.QUEUED))
            return writes(str(number), trouble)(tx)

        return work

    await crowd(bench, tells(1), tells(2), tells(3))
    assert heard == [(1, 2, 3)]
    heard.clear()
    await crowd(bench, tells(4), tells(5, ValueError()), tells(6))
    assert heard == [(4,), (6,)]


async def test_a_commit_that_says_nothing_is_not_announced(bench: Bench) -> None:
    heard: list[Committed] = []
    bench.writer.listen(heard.append)
    await bench.write("a")
    assert heard == []


async def test_the_newest_event_is_marked_after_its_commit(bench: Bench) -> None:
    def records(tx: Tx) -> None:
        tx.record(0, EventKind.ACCOUNT_CHANGED)

    await crowd(bench, records, writes("a"), records)
    await bench.write("b")
    assert bench.marks == [2]


async def test_trouble_with_the_mark_fails_nobody(path: Path) -> None:
    """The group is durable: failing it now would run it a second time."""
    bench = Bench(path)

    def no_mark(_: int) -> None:
        raise OSError("the mark can't be written")

    bench.writer = Writer(bench.connect, path=path, is_busy=is_busy, is_unavailable=is_unavailable, on_commit=no_mark)
    await bench.writer.open()

    def records(tx: Tx) -> None:
        tx.record(0, EventKind.ACCOUNT_CHANGED)
        writes("a")(tx)

    await bench.writer.do(records)
    assert bench.commits == 1
    await bench.writer.close()


# -- the queue


async def test_a_crowd_that_waits_too_long_takes_no_newcomers(bench: Bench) -> None:
    """Few would rather wait than come again; and what was taken before is finished, however many newcomers come."""
    patience = PATIENCE.total_seconds()
    async with bench.held():
        waiting = [asyncio.ensure_future(bench.writer.admit(writes(str(number)))) for number in range(FEW - 2)]
        await asyncio.wait(waiting, timeout=0)
        bench.time += 10 * patience
        waiting.append(asyncio.ensure_future(bench.writer.admit(writes("the last of a few"))))
        await asyncio.wait(waiting, timeout=0)
        for _ in range(3):
            with pytest.raises(GuvercinError, match=Code.QUEUE_FULL.value) as refused:
                await bench.writer.admit(writes("too much"))
            assert refused.value.retry_after is not None
        waiting.append(asyncio.ensure_future(bench.write("work in hand")))
        await asyncio.wait(waiting, timeout=0)
        assert bench.writer.waiting == FEW + 1
    await asyncio.gather(*waiting)
    await bench.writer.admit(writes("again"))
    assert bench.words() == {*map(str, range(FEW - 2)), "the last of a few", "work in hand", "again"}


async def test_a_crowd_that_moves_takes_newcomers_for_one_more_commit(bench: Bench) -> None:
    async with bench.held():
        waiting = [asyncio.ensure_future(bench.writer.admit(writes(str(number)))) for number in range(MANY - 2)]
        await asyncio.wait(waiting, timeout=0)
        bench.time += PATIENCE.total_seconds()
        waiting.append(asyncio.ensure_future(bench.writer.admit(writes("just in time"))))
        await asyncio.wait(waiting, timeout=0)
        with pytest.raises(GuvercinError, match=Code.QUEUE_FULL.value):
            await bench.writer.admit(writes("one too many"))
    await asyncio.gather(*waiting)
    bench.time += 1_000
    await bench.writer.admit(writes("nobody waits any more"))


async def test_a_full_queue_says_so_before_anything_is_tried(path: Path) -> None:
    bench = Bench(path, capacity=4)
    await bench.writer.open()
    async with bench.held():
        waiting = [asyncio.ensure_future(bench.write(word)) for word in "abc"]
        await asyncio.wait(waiting, timeout=0)
        assert bench.writer.waiting == 4
        for _ in range(3):
            with pytest.raises(GuvercinError, match=Code.QUEUE_FULL.value) as refused:
                await bench.write("too much")
            assert refused.value.retry_after is not None
    await asyncio.gather(*waiting)
    await bench.write("again")
    assert bench.words() == {"a", "b", "c", "again"}
    assert bench.writer.waiting == 0
    await bench.writer.close()


async def test_a_caller_that_goes_away_does_not_stop_its_job(bench: Bench) -> None:
    async with bench.held():
        asking = asyncio.create_task(bench.write("kept"))
        await asyncio.wait([asking], timeout=0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    await bench.write("after")
    assert bench.words() == {"kept", "after"}
    assert bench.writer.waiting == 0


# -- the end


async def test_closing_commits_what_waits_and_takes_no_more(path: Path) -> None:
    bench = Bench(path)
    await bench.writer.open()
    async with bench.held():
        waiting = [asyncio.ensure_future(bench.write(str(number))) for number in range(300)]
        await asyncio.wait(waiting, timeout=0)
        closing = asyncio.create_task(bench.writer.close())
        await asyncio.wait([closing], timeout=0)
        with pytest.raises(GuvercinError, match=Code.CLOSING.value):
            await bench.write("too late")
    await asyncio.gather(*waiting)
    await closing
    assert len(bench.words()) == 300
    with pytest.raises(GuvercinError, match=Code.CLOSING.value):
        await bench.write("too late")
    await bench.writer.close()


async def test_a_writer_opens_again(path: Path) -> None:
    bench = Bench(path)
    for word in "ab":
        await bench.writer.open()
        await bench.write(word)
        await bench.writer.close()
    assert bench.words() == {"a", "b"}


async def test_a_writer_that_was_never_opened_says_so(path: Path) -> None:
    with pytest.raises(GuvercinError, match=Code.CLOSING.value):
        await Bench(path).write("a")


# -- somebody else holds the database


async def test_a_busy_database_is_waited_for_however_long(path: Path) -> None:
    """Here its patience ends after a hundredth of a second, and begins again."""
    bench = Bench(path, busy_ms=10)
    await bench.writer.open()
    await bench.write("before")
    bench.heard.clear()
    other = driver.connect(str(path), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO word (word) VALUES ('theirs')")
    waiting = [asyncio.ensure_future(bench.write(str(number))) for number in range(10)]
    while bench.count("BEGIN IMMEDIATE") < 5:
        await asyncio.wait(waiting, timeout=0.01)
    assert not any(one.done() for one in waiting)
    other.execute("COMMIT")
    other.close()
    await asyncio.gather(*waiting)
    assert bench.words() == {"before", "theirs", *map(str, range(10))}
    await bench.writer.close()


async def test_a_database_that_is_busy_at_the_first_look_is_waited_for_too(path: Path) -> None:
    bench = Bench(path, busy_ms=10)
    troubles = 3

    def connect() -> Connection:
        nonlocal troubles
        if troubles:
            troubles -= 1
            busy = driver.OperationalError("database is locked")
            busy.sqlite_errorcode = 5
            raise busy
        return bench.connect()

    bench.writer = Writer(
        connect, path=path, is_busy=is_busy, is_unavailable=is_unavailable, on_commit=bench.marks.append
    )
    await bench.writer.open()
    assert await bench.write("a") == 1
    assert troubles == 0
    await bench.writer.close()


async def test_a_connection_that_is_stuck_is_given_up(bench: Bench) -> None:
    """A transaction that can't be ended would fail every job after it."""

    def breaks(tx: Tx) -> None:
        tx.execute("COMMIT")
        tx.execute("BEGIN")
        tx.execute = lambda *_: (_ for _ in ()).throw(driver.OperationalError("disk I/O error"))

    with pytest.raises(GuvercinError, match=Code.STORE_UNAVAILABLE.value):
        await bench.writer.do(breaks)
    assert await bench.write("a") == 1
    assert bench.connects == 2


async def test_a_caller_hears_its_own_trouble(bench: Bench) -> None:
    """One exception for several would gather all their tracebacks."""

    def fails(_: Tx) -> None:
        raise driver.OperationalError("database or disk is full")

    troubles = await crowd(bench, fails, fails)
    assert [trouble.code for trouble in troubles] == [Code.STORE_UNAVAILABLE] * 2
    assert troubles[0] is not troubles[1]
    assert all(trouble.retry_after for trouble in troubles)
