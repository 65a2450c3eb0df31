"""The audit's chain: it grows with what is done, and shows when somebody has laid hands on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from guvercin.core.account import Kind
from guvercin.core.audit import ACTOR, Actor, Chain, Way
from guvercin.core.optout import NewOptOut, OptOutScope, OptOutSource
from guvercin.core.pacing import SANDBOX_PACE
from guvercin.core.token import PASS_NAME, Permission, TokenRules
from guvercin.store import auditing
from guvercin.store.sqlite import engine_for
from guvercin.store.sqlite_store import SqliteStore
from guvercin.store.writer import Tx

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
RULES = TokenRules(name="muhasebe", permissions=frozenset(Permission))


@contextmanager
def at_work(way: Way = Way.API) -> Iterator[None]:
    before = ACTOR.set(Actor(way=way, token_id=1, address="192.0.2.7"))
    try:
        yield
    finally:
        ACTOR.reset(before)


async def refuse(store: SqliteStore, number: int, *, now: datetime = NOW) -> None:
    new = NewOptOut(
        account_id=None,
        phone=f"+9053212345{number:02}",
        scope=OptOutScope.EVERYTHING,
        source=OptOutSource.PANEL,
        token_id=1,
    )
    await store.add_opt_out(new, now=now)


@pytest.fixture
async def busy(store: SqliteStore) -> SqliteStore:
    """A store in which one token has done a few things."""
    await store.create_token(RULES, b"1" * 32, "gv_1", now=NOW)
    with at_work():
        for number in range(4):
            await refuse(store, number)
    return store


def chain(store: SqliteStore) -> Chain:
    with engine_for(store.path, query_only=True).connect() as connection:
        return auditing.verify(connection)


def touch(store: SqliteStore, statement: str, *values: object) -> None:
    """Lay hands on the database, as somebody does who can write into the file."""
    with engine_for(store.path).connect() as connection:
        raw: Any = connection.connection.driver_connection
        raw.execute(statement, values)


async def test_who_did_what_when_and_from_where(busy: SqliteStore) -> None:
    newest = (await busy.audit(limit=9, below=None))[0]
    assert (newest.what, newest.about, newest.who) == ("ret.eklendi", None, "muhasebe")
    assert (newest.way, newest.token_id, newest.address, newest.at) == (Way.API, 1, "192.0.2.7", NOW)
    assert newest.detail == {"ret_id": 4, "kapsam": "her_sey", "kaynak": "panel"}
    older = await busy.audit(limit=2, below=newest.id)
    assert [entry.id for entry in older] == [newest.id - 1, newest.id - 2]


async def test_a_chain_that_nobody_touched_is_whole(busy: SqliteStore) -> None:
    found = chain(busy)
    assert (found.count, found.broken_at) == (5, None)
    with at_work():
        await refuse(busy, 9)
    assert chain(busy).head != found.head


async def test_an_empty_one_is_whole(store: SqliteStore) -> None:
    assert chain(store) == Chain(count=0, head=None)


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("UPDATE audit SET what = 'ret.kaldirildi' WHERE id = 3", 3),
        ("UPDATE audit SET token_id = 2 WHERE id = 2", 2),
        ("UPDATE audit SET address = NULL WHERE id = 5", 5),
        ("UPDATE audit SET at = at + 1 WHERE id = 4", 4),
        ("UPDATE audit SET hash = x'00' WHERE id = 3", 3),
        ("DELETE FROM audit WHERE id = 3", 3),
        ("DELETE FROM audit WHERE id = 1", 1),
        ("DELETE FROM audit WHERE id >= 4", 4),
        ("DELETE FROM audit", 1),
        ("UPDATE audit SET id = 9 WHERE id = 5", 5),
    ],
)
async def test_a_link_that_was_broken_is_found(busy: SqliteStore, statement: str, broken_at: int) -> None:
    touch(busy, statement)
    assert chain(busy).broken_at == broken_at


async def test_what_comes_after_a_break_hides_nothing(busy: SqliteStore) -> None:
    touch(busy, "DELETE FROM audit WHERE id = 5")
    with at_work():
        await refuse(busy, 9)
    assert chain(busy).broken_at == 5


async def test_entries_of_one_commit_follow_each_other(store: SqliteStore) -> None:
    await store.create_token(RULES, b"1" * 32, "gv_1", now=NOW)
    other = SqliteStore(store.path.parent, is_guest=True)  # a command beside the server
    await other.open()
    for number in range(10):
        await (other if number % 2 else store).create_token(RULES, bytes([number + 2]) * 32, "gv_2", now=NOW)
    await other.close()
    assert (chain(store).count, chain(store).broken_at) == (11, None)


async def test_what_happens_by_itself_is_nobodys_deed(store: SqliteStore) -> None:
    account = await store.add_account("Hat", Kind.SANDBOX, None, SANDBOX_PACE, now=NOW)
    await store.set_line(account.id, account.line, now=NOW)
    assert await store.audit(limit=9, below=None) == ()
    with at_work(Way.PANEL):
        await store.change_account(account.id, now=NOW, name="Depo")
        await store.set_line(account.id, account.line, now=NOW, is_enabled=False)
    told = [(entry.what, entry.about, entry.detail) for entry in await store.audit(limit=9, below=None)]
    assert told == [
        ("hesap.ac_kapat", "hesap:1", {"acik": False}),
        ("hesap.degisti", "hesap:1", {"ne": "degistirildi"}),
    ]


async def test_a_command_that_signs_in_for_a_moment_is_no_new_key(store: SqliteStore) -> None:
    rules = TokenRules(name=PASS_NAME, permissions=frozenset(Permission))
    made = await store.create_token(rules, b"1" * 32, "gv_1", now=NOW)
    await store.revoke_token(made.id, now=NOW)
    assert await store.audit(limit=9, below=None) == ()


async def test_the_oldest_entries_end_and_the_chain_says_so(busy: SqliteStore) -> None:
    later = NOW + timedelta(days=1_200)
    with at_work():
        await refuse(busy, 9, now=later)

    def shorten(limit: int) -> int:
        with engine_for(busy.path).connect() as connection:
            tx = Tx(connection)
            tx.execute("BEGIN IMMEDIATE")
            gone = auditing.shorten(tx, before=later - timedelta(days=1_096), now=later, limit=limit)
            tx.execute("COMMIT")
            return gone

    assert [shorten(3), shorten(3), shorten(3)] == [3, 2, 0]
    assert chain(busy).broken_at is None
    assert [entry.what for entry in await busy.audit(limit=9, below=None)] == [
        "denetim.kisaltildi",
        "denetim.kisaltildi",
        "ret.eklendi",
    ]
    touch(busy, "DELETE FROM audit WHERE id = (SELECT min(id) FROM audit)")
    assert chain(busy).broken_at is not None


async def test_an_entry_is_there_or_its_change_is_not(busy: SqliteStore) -> None:
    touch(busy, "ALTER TABLE audit RENAME TO elsewhere")  # the entry can't be written
    with at_work(), pytest.raises(Exception, match="kayit_yapilamadi"):
        await refuse(busy, 9)
    touch(busy, "ALTER TABLE elsewhere RENAME TO audit")
    assert len(await busy.opt_outs(None, limit=99, below=None)) == 4
