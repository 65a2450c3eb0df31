"""Leases in PostgreSQL: one owner for each account, by the database's clock, and nothing claimed under an old epoch."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Connection
from tests.contracts.desk import AYSE, BOTH, NOW, Desk

from guvercin.core.account import Kind, Line, LineState
from guvercin.core.errors import Code
from guvercin.core.event import Standing
from guvercin.core.message import Status, WaitsFor
from guvercin.core.outcome import Accepted, Deferred
from guvercin.core.presets import WEB_PACE
from guvercin.core.tally import DayCount
from guvercin.gateway.leases import Shared, share_of
from guvercin.store.leasing import DUTY, Division, LeaseRows, account_of
from guvercin.store.lock import DatabaseOwned
from guvercin.store.telling import read, written
from guvercin.store.verbs.claiming import Turn
from guvercin.store.writer import Committed
from guvercin.testing.clock import ManualClock

if TYPE_CHECKING:
    from guvercin.store.postgres_store import PostgresStore

TTL_MS = 60_000
"""Long: what is over here is so because a test says it."""

Make = Callable[..., LeaseRows]


@pytest.fixture
async def desk(postgres: "PostgresStore") -> Desk:
    return await Desk(postgres).furnish()


@pytest.fixture
def make(emptied: str) -> Iterator[Make]:
    """Make gateways' hands, by name, which is that of their sessions, too."""
    from guvercin.store.postgres import engine_for as engine_of

    with ExitStack() as stack:

        def hand(node: str, *, run: str = "1", shelf: str = "ortak") -> LeaseRows:
            engine = engine_of(f"{emptied}&application_name={node}", owner=True)
            rows = LeaseRows(engine, node=node, run=run, address="http://x", shelf=shelf, ttl_ms=TTL_MS)
            stack.callback(rows.close)
            return rows

        yield hand


def run_out(broom: Connection, like: str = "%") -> None:
    """Let the time of leases be over."""
    broom.exec_driver_sql("UPDATE lease SET until = 0 WHERE subject LIKE %s", (like,))


async def renews(leases: Shared, broom: Connection, subject: str) -> bool:
    """Say whether a gateway that keeps what it holds renews this."""
    earlier = "UPDATE lease SET until = until - 5000 WHERE subject = %s RETURNING until"
    before = broom.exec_driver_sql(earlier, (subject,)).scalar_one()
    await leases.step()
    after = broom.exec_driver_sql("SELECT until FROM lease WHERE subject = %s", (subject,)).scalar_one()
    return bool(after > before)


async def claims(desk: Desk, epoch: int) -> bool:
    claimed = await desk.store.claim(
        1, BOTH, now=desk.now, secret=desk.rng.randbytes(32), draw=0.5, turn=Turn(epoch=epoch)
    )
    return claimed is not None and claimed.message is not None


# -- rows


@pytest.mark.usefixtures("desk")
async def test_an_account_has_one_owner(make: Make, broom: Connection) -> None:
    one, two = make("bir"), make("iki")
    one.join()
    two.join()
    assert one.division() == Division(alive=("bir", "iki"), owners={"account:1": None, "account:2": None})
    assert one.take(1, held=()) == {"account:1": 1}
    assert two.take(5, held=()) == {"account:2": 1}
    assert one.take(5, held=["account:1"]) == {}
    assert one.renew(["account:1", "account:2"]) == {"account:1": 1}
    run_out(broom, "account:1")
    assert one.renew(["account:1"]) == {}, "what was over is not renewed: somebody may have had it"
    assert two.take(5, held=["account:2"]) == {"account:1": 2}
    assert one.take(5, held=()) == {}
    two.give(["account:1"])
    assert one.take(5, held=()) == {"account:1": 3}


@pytest.mark.usefixtures("desk")
async def test_a_process_begun_again_has_its_own_at_once_and_the_old_one_nothing(make: Make) -> None:
    old, new = make("bir", run="1"), make("bir", run="2")
    old.join()
    old.division()
    assert old.take(2, held=()) == {"account:1": 1, "account:2": 1}
    new.join()
    assert new.take(2, held=()) == {"account:1": 2, "account:2": 2}
    assert old.renew(["account:1", "account:2"]) == {}
    assert old.take(2, held=()) == {}


@pytest.mark.usefixtures("desk")
async def test_the_duty_is_one_gateways(make: Make) -> None:
    one, two = make("bir"), make("iki")
    one.join()
    two.join()
    one.division()
    assert one.take_duty() == {DUTY: 1}
    assert two.take_duty() == {}
    one.give([DUTY])
    assert two.take_duty() == {DUTY: 2}


async def test_a_linked_phone_moves_as_every_account_does(desk: Desk, make: Make, broom: Connection) -> None:
    await desk.store.add_account("Telefon", Kind.WEB, None, WEB_PACE, now=NOW)
    one, two = make("bir"), make("iki")
    one.join()
    two.join()
    one.division()
    assert one.take(3, held=()).keys() == {"account:1", "account:2", "account:3"}
    run_out(broom)
    assert two.take(3, held=()) == {"account:1": 2, "account:2": 2, "account:3": 2}
    run_out(broom, "account:3")
    broom.exec_driver_sql("UPDATE lease SET home = 'uc' WHERE subject = 'account:3'")
    assert one.take(3, held=()) == {"account:3": 3}, "where an older program pinned it means nothing any more"


@pytest.mark.usefixtures("desk")
async def test_a_gateway_with_another_folder_is_not_let_in(make: Make, broom: Connection) -> None:
    make("bir").join()
    stranger = make("iki", shelf="baska")
    with pytest.raises(DatabaseOwned):
        stranger.join()
    broom.exec_driver_sql("UPDATE node SET until = 0")
    stranger.join()
    assert stranger.division().alive == ("iki",)


# -- claims


async def test_only_the_epoch_that_is_held_claims(desk: Desk, make: Make, broom: Connection) -> None:
    rows = make("bir")
    rows.join()
    rows.division()
    assert rows.take(2, held=())["account:1"] == 1
    for _ in range(3):
        await desk.accept()
    assert not await claims(desk, epoch=2)
    assert await claims(desk, epoch=1)
    run_out(broom)
    assert not await claims(desk, epoch=1), "it is over, though nobody else has taken it"
    rows.take(2, held=())
    assert not await claims(desk, epoch=1)
    assert await claims(desk, epoch=2)


async def test_only_the_epoch_that_is_held_tells_of_a_line(desk: Desk, make: Make, broom: Connection) -> None:
    """An owner's pause reaches a gateway that is frozen while it writes it; another one has the account meanwhile."""
    rows = make("bir")
    rows.join()
    rows.division()
    assert rows.take(2, held=())["account:1"] == 1
    before = (await desk.store.accounts())[0]
    stopped = Line(state=LineState.STOPPED, since=NOW)
    assert not await desk.store.set_line(1, stopped, now=NOW, is_enabled=False, epoch=2)
    run_out(broom)
    assert not await desk.store.set_line(1, stopped, now=NOW, is_enabled=False, epoch=1)
    assert (await desk.store.accounts())[0] == before
    rows.take(2, held=())
    assert await desk.store.set_line(1, stopped, now=NOW, is_enabled=False, epoch=2)
    after = (await desk.store.accounts())[0]
    assert (after.line.state, after.is_enabled) == (LineState.STOPPED, False)


async def test_only_who_has_the_duty_keeps_counts(desk: Desk, make: Make, broom: Connection) -> None:
    """A gateway is frozen between counting a day and writing that down; another one counts it meanwhile."""
    rows, day = make("bir"), NOW.date()
    rows.join()
    rows.division()
    assert rows.take_duty() == {DUTY: 1}
    fresh = DayCount(day=day, account_id=1, category=9, token_id=1, status=Status.SENT, reason=None, n=7)
    await desk.store.keep_counts(day, [fresh], epoch=1)
    run_out(broom)
    assert rows.take_duty() == {DUTY: 2}
    await desk.store.keep_counts(day, [replace(fresh, n=3)], epoch=1)
    assert list(await desk.store.counts_between(day, day)) == [fresh]
    await desk.store.keep_counts(day, [replace(fresh, n=8)], epoch=2)
    assert [each.n for each in await desk.store.counts_between(day, day)] == [8]


async def test_a_late_answer_is_written_if_it_left_and_changes_nothing_else(desk: Desk) -> None:
    """Who has lost an account may still say what is true; what it would rather do is not heard."""
    for answer, after in (
        (Accepted("DENEME-1", NOW), Status.SENT),
        (Deferred(reason=Code.CLOSING, pushed_back=False), Status.UNKNOWN),
    ):
        await desk.accept(AYSE)
        claimed = await desk.store.claim(1, BOTH, now=desk.now, secret=desk.rng.randbytes(32), draw=0.5)
        assert claimed is not None
        assert claimed.message is not None
        assert await desk.store.recover(now=desk.now, limit=10, accounts=[2]) == 0
        assert await desk.store.recover(now=desk.now, limit=10, accounts=[1, 2]) == 1
        settled = await desk.store.settle(
            claimed.message.id, claimed.attempt_id, answer, now=desk.now, retry_at=desk.now
        )
        assert settled.status is after
    (doubt,) = await desk.store.in_doubt(now=desk.now, limit=10, accounts=[1])
    assert await desk.store.in_doubt(now=desk.now, limit=10, accounts=[2]) == ()
    assert doubt.account_id == 1


# -- shares


def division(alive: str, owners: str) -> Division:
    """Read «a b» and «1:a 2:- 3:b»."""
    pairs = [word.split(":") for word in owners.split()]
    return Division(
        alive=alive.split(),
        owners={f"account:{number}": None if owner == "-" else owner for number, owner in pairs},
    )


@pytest.mark.parametrize(
    ("alive", "owners", "shares"),
    [
        ("a b", "1:- 2:- 3:- 4:-", {"a": 2, "b": 2}),
        ("a b", "1:- 2:- 3:-", {"a": 2, "b": 1}),
        ("a b", "1:b 2:b 3:a", {"a": 1, "b": 2}),  # what would be one too many moves nowhere
        ("a b c", "1:a 2:a 3:b 4:b", {"a": 2, "b": 1, "c": 1}),
        ("a b", "1:a 2:a 3:a", {"a": 2, "b": 1}),
        ("a", "", {"a": 0}),
    ],
)
def test_shares_are_even_and_make_up_the_whole(alive: str, owners: str, shares: dict[str, int]) -> None:
    found = division(alive, owners)
    assert {node: share_of(node, found) for node in found.alive} == shares


# -- one gateway's leases


class Recovered:
    """Puts accounts in order, and remembers which."""

    def __init__(self) -> None:
        self.accounts: list[frozenset[int]] = []
        self.gate: asyncio.Event | None = None

    async def __call__(self, accounts: Collection[int] | None) -> None:
        self.accounts.append(frozenset(accounts or ()))
        if self.gate is not None:
            await self.gate.wait()


@pytest.fixture
async def shared(make: Make, desk: Desk) -> AsyncIterator[tuple[Shared, ManualClock, Recovered]]:
    assert desk.now == NOW
    clock, recovered = ManualClock(), Recovered()
    leases = Shared(make("bir"), node="bir", ttl=timedelta(milliseconds=TTL_MS), clock=clock, recover=recovered)
    await leases.open()
    yield leases, clock, recovered
    await leases.close()


async def test_what_is_held_is_held_until_a_moment_of_our_own_clock(
    shared: tuple[Shared, ManualClock, Recovered], make: Make, broom: Connection
) -> None:
    leases, clock, recovered = shared
    assert leases.owned() == frozenset({1, 2})
    assert recovered.accounts == [{1, 2}]
    assert leases.is_on_duty()
    lease = leases.of(1)
    assert lease is not None
    clock.advance(timedelta(seconds=53))
    assert lease.is_good()
    await leases.step()
    clock.advance(timedelta(seconds=53))
    assert lease.is_good(), "it was renewed"
    clock.advance(timedelta(seconds=2))
    assert not lease.is_good()
    assert not leases.is_on_duty()

    two = make("iki")
    two.join()
    run_out(broom)
    assert two.take(1, held=()) == {"account:1": 2}
    await leases.step()
    assert leases.lost() == {1, 2}
    assert leases.of(1) is None
    await leases.put_in_order()
    assert leases.of(2) is None, "not before what is in hand there is ended"
    await leases.give([1, 2])
    await leases.step()
    assert leases.of(2) is None, "not before what was in hand there is in doubt"
    await leases.put_in_order()
    assert recovered.accounts == [{1, 2}, {2}]
    again = leases.of(2)
    assert again is not None
    assert (again.epoch, leases.owned()) == (2, frozenset({2}))


async def test_what_could_not_be_given_back_runs_out(
    shared: tuple[Shared, ManualClock, Recovered], make: Make, broom: Connection
) -> None:
    leases, _, _ = shared
    two = make("iki")
    two.join()
    await leases.step()
    leases.part([2])
    assert await renews(leases, broom, "account:2"), "nobody else has it before it is given"
    broom.exec_driver_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bir'")
    await leases.give([2])
    assert two.take(2, held=()) == {}
    assert not await renews(leases, broom, "account:2")
    run_out(broom, "account:2")
    assert two.take(2, held=()) == {"account:2": 2}


async def test_what_was_taken_unheard_runs_out(
    shared: tuple[Shared, ManualClock, Recovered], make: Make, broom: Connection
) -> None:
    leases, _, _ = shared
    broom.exec_driver_sql("UPDATE lease SET until = 0, node = NULL WHERE subject = 'account:2'")
    await leases.step()
    assert leases.lost() == {2}
    assert make("bir").take(1, held=["account:1"]) == {"account:2": 2}, (
        "as our own question would, had its answer been lost"
    )
    assert not await renews(leases, broom, "account:2")
    await leases.give([2])
    await leases.step()
    await leases.put_in_order()
    again = leases.of(2)
    assert again is not None
    assert again.epoch == 3, "it is ours for the asking"


async def test_too_much_is_given_back_and_everything_at_the_end(
    shared: tuple[Shared, ManualClock, Recovered], make: Make
) -> None:
    leases, _, _ = shared
    two = make("iki")
    two.join()
    await leases.step()
    assert leases.leaving() == {2}
    assert leases.of(2) is not None, "it is ours until nothing of it is in hand"
    leases.part([2])
    await leases.step()
    assert leases.owned() == frozenset({1})
    assert leases.leaving() == {2}, "whoever could not end it tries again"
    assert two.take(2, held=()) == {}
    await leases.give([2])
    assert leases.leaving() == set()
    assert two.take(2, held=()) == {"account:2": 2}
    await leases.stand_down()
    assert two.take_duty() == {DUTY: 2}
    await leases.close()
    assert two.take(2, held=["account:2"]) == {"account:1": 2}
    assert two.division().alive == ("iki",)


async def test_who_wants_an_account_twice_at_once_takes_it_once(
    shared: tuple[Shared, ManualClock, Recovered], broom: Connection
) -> None:
    """As two calls for an account do that was another gateway's a moment ago."""
    leases, _, recovered = shared
    run_out(broom)
    await leases.step()
    await leases.give([1, 2])
    first, second = await asyncio.gather(leases.want(1), leases.want(1))
    assert first is not None
    assert first is second is leases.of(1)
    assert first.epoch == 2
    assert recovered.accounts == [{1, 2}, {1, 2}]


async def test_leases_are_renewed_while_what_was_taken_is_put_in_order(
    shared: tuple[Shared, ManualClock, Recovered], broom: Connection
) -> None:
    """A writer may take its time: what is held already must not be lost by that."""
    leases, _, recovered = shared
    run_out(broom, "account:2")
    await leases.step()
    await leases.give([2])
    await leases.step()
    recovered.gate = asyncio.Event()
    ordering = asyncio.create_task(leases.put_in_order())
    assert await renews(leases, broom, "account:1")
    assert not ordering.done()
    recovered.gate.set()
    await ordering
    assert leases.owned() == frozenset({1, 2})


async def test_what_was_being_ended_is_given_back_at_the_end(
    shared: tuple[Shared, ManualClock, Recovered], make: Make
) -> None:
    leases, _, _ = shared
    leases.part([2])
    await leases.close()
    assert make("iki").division().owners == {"account:1": None, "account:2": None}


# -- notices


def test_a_notice_says_what_moved_and_fits() -> None:
    standings = [
        Standing(id=10**12 + n, account_id=10**6, batch_id=10**9, status=Status.QUEUED, waits_for=WaitsFor.PAUSED)
        for n in range(300)
    ]
    last = Standing(id=7, account_id=1, batch_id=None, status=Status.FAILED)
    done = Committed(standings=(*standings, last), lines=frozenset(range(10**6, 10**6 + 900)), received=3)
    text = written("bir", done)
    assert len(text.encode()) < 8_000
    node, heard = read(text)
    assert (node, heard.received, heard.is_ours, heard.moves) == ("bir", 3, False, False)
    assert last in heard.standings, "who waits for an end is told first"
    assert len(heard.lines) > 100
    assert account_of("account:12") == 12
    with pytest.raises(ValueError, match="notice"):
        read('{"n": "bir"}')
