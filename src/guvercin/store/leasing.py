"""Who runs what, where several gateways share a PostgreSQL: rows of gateways and leases.

Laws
1. The database's clock alone says what is over. No gateway compares its own with another's.
2. Whoever takes a lease raises its epoch; a claim names its epoch, and with another one takes nothing.
3. These questions go over a session of their own and wait for no writer.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection, Engine

from guvercin import __version__
from guvercin.store.hand import Answer, by_hand
from guvercin.store.lock import LOCKS, NODES, DatabaseOwned
from guvercin.store.schema import HEAD
from guvercin.store.telling import CHANNEL, NOTIFY, written
from guvercin.store.times import from_ms
from guvercin.store.writer import Committed, Tx

T = TypeVar("T")

DUTY = "duty:house"
"""What has to be done once for a whole installation: upkeep, the night's work, counts, alarms, webhooks."""

_ACCOUNT = "account:"

_NOW = "CAST(floor(extract(epoch FROM statement_timestamp()) * 1000) AS bigint)"

_HOLDS = f"SELECT 1 FROM lease WHERE subject = ? AND epoch = ? AND until > {_NOW}"  # noqa: S608 -- our own words

_LISTED = "(SELECT value FROM json_each(?))"

_STRANGERS = f"SELECT count(*) FROM node WHERE until > {_NOW} AND shelf <> ? AND id <> ?"  # noqa: S608 -- as above

_JOIN = f"""
    INSERT INTO node (id, run, address, shelf, since, until, version, schema)
    VALUES (?, ?, ?, ?, {_NOW}, {_NOW} + CAST(? AS bigint), ?, ?)
    ON CONFLICT (id) DO UPDATE SET run = excluded.run, address = excluded.address, shelf = excluded.shelf,
    since = excluded.since, until = excluded.until, version = excluded.version, schema = excluded.schema
"""  # noqa: S608 -- as above

_RENEW = f"""
    WITH me AS (
        UPDATE node SET until = {_NOW} + CAST(?1 AS bigint) WHERE id = ?2 AND run = ?3 RETURNING id
    ), mine AS (
        UPDATE lease SET until = {_NOW} + CAST(?1 AS bigint) FROM me
        WHERE lease.node = me.id AND lease.until > {_NOW} AND lease.subject IN (SELECT value FROM json_each(?4))
        RETURNING subject, epoch
    ) SELECT subject, epoch FROM mine
"""  # noqa: S608 -- as above

_NEW_ACCOUNTS = f"""
    INSERT INTO lease (subject, epoch, until) SELECT '{_ACCOUNT}' || id, 0, 0 FROM account WHERE removed_at IS NULL
    UNION ALL SELECT '{DUTY}', 0, 0 ON CONFLICT (subject) DO NOTHING
"""  # noqa: S608 -- as above

_GONE_ACCOUNTS = f"""
    DELETE FROM lease WHERE subject IN
    (SELECT '{_ACCOUNT}' || id FROM account WHERE removed_at IS NOT NULL) AND until <= {_NOW}
"""  # noqa: S608 -- as above

_ALIVE = f"SELECT id FROM node WHERE until > {_NOW} ORDER BY id"  # noqa: S608 -- as above

_ACCOUNTS = f"""
    SELECT l.subject, l.node, l.until > {_NOW} FROM lease l JOIN account a ON '{_ACCOUNT}' || a.id = l.subject
    WHERE a.removed_at IS NULL
"""  # noqa: S608 -- as above

_TAKE = f"""
    UPDATE lease SET node = ?1, epoch = epoch + 1, until = {_NOW} + CAST(?3 AS bigint)
    WHERE EXISTS (SELECT 1 FROM node WHERE id = ?1 AND run = ?2 AND until > {_NOW}) AND subject IN (
        SELECT subject FROM lease WHERE (until <= {_NOW} OR node = ?1) AND subject LIKE ?4
        AND subject NOT IN (SELECT value FROM json_each(?5))
        ORDER BY subject LIMIT CAST(?6 AS bigint) FOR UPDATE SKIP LOCKED
    ) RETURNING subject, epoch
"""  # noqa: S608 -- as above

_GIVE = f"UPDATE lease SET node = NULL, until = 0 WHERE node = ? AND subject IN {_LISTED}"  # noqa: S608 -- as above

_LEAVE = "UPDATE node SET until = 0 WHERE id = ? AND run = ?"

_WHO = f"""
    SELECT n.id, n.address, n.until > {_NOW}, n.since, (SELECT json_agg(substr(l.subject, {len(_ACCOUNT) + 1})) FROM
    lease l WHERE l.node = n.id AND l.until > {_NOW} AND l.subject LIKE '{_ACCOUNT}%'),
    EXISTS (SELECT 1 FROM lease d WHERE d.node = n.id AND d.until > {_NOW} AND d.subject = '{DUTY}'),
    n.version, n.schema FROM node n WHERE n.until > {_NOW} ORDER BY n.id
"""  # noqa: S608 -- as above


def subject_of(account_id: int) -> str:
    """Answer what an account's lease is called."""
    return f"{_ACCOUNT}{account_id}"


def account_of(subject: str) -> int | None:
    """Answer whose lease it is; null for a duty."""
    return int(subject.removeprefix(_ACCOUNT)) if subject.startswith(_ACCOUNT) else None


def holds(tx: Tx, subject: str, epoch: int) -> bool:
    """Say whether a lease is of this epoch, and not over; 0: there are no leases, and everything is ours.

    A transaction is one moment for everybody else.
    """
    return not epoch or tx.execute(_HOLDS, (subject, epoch)).fetchone() is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStanding:
    """One gateway as the database knows it.

    `version` and `schema` are those of its program; null: it was last here before gateways said so.
    """

    id: str
    address: str
    is_alive: bool
    accounts: Sequence[int]
    is_on_duty: bool
    version: str | None = None
    schema: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """How accounts are divided at this moment: the gateways that live, and the subjects that each account has.

    `owners`: who has what, as far as it isn't over.
    """

    alive: Sequence[str]
    owners: Mapping[str, str | None]


def nodes(connection: Connection) -> Sequence[NodeStanding]:
    """Answer the gateways that live."""
    return [
        NodeStanding(
            id=row[0],
            address=row[1],
            is_alive=bool(row[2]),
            accounts=sorted(map(int, row[4] or ())),
            is_on_duty=bool(row[5]),
            version=row[6],
            schema=row[7],
        )
        for row in by_hand(connection).execute(_WHO).fetchall()
    ]


class LeaseRows:
    """One gateway's hand on the rows of leases, over a session of its own. Used by one thread at a time.

    Every verb raises what the database raises when it can't be asked; the next one opens a new session.
    """

    def __init__(self, engine: Engine, *, node: str, run: str, address: str, shelf: str, ttl_ms: int) -> None:
        """Take the way to the database, and who we are: `run` is this process."""
        self._engine = engine
        self._node = node
        self._run = run
        self._address = address
        self._shelf = shelf
        self._ttl_ms = ttl_ms
        self._connection: Connection | None = None

    def join(self) -> None:
        """Become one of the gateways. DatabaseOwned: one lives that has another shared folder."""

        def work(ask: Callable[..., Answer]) -> None:
            ask("START TRANSACTION")
            ask("SELECT pg_advisory_xact_lock(?, ?)", (LOCKS, NODES))
            is_alone = ask(_STRANGERS, (self._shelf, self._node)).fetchone()[0] == 0
            if is_alone:
                ask(
                    _JOIN,
                    (self._node, self._run, self._address, self._shelf, self._ttl_ms, __version__, HEAD),
                )
            ask("COMMIT")
            if not is_alone:
                raise DatabaseOwned

        self._with_session(work)

    def renew(self, held: Collection[str]) -> Mapping[str, int]:
        """Say that we live and hold these; answers which of them are ours now, with their epochs.

        What was over already is not renewed, and neither is what is ours by its row and not held: nobody would ever
        run it, nor could anybody take it. Such is what could not be given back, and what was taken unheard.
        """
        values = (self._ttl_ms, self._node, self._run, json.dumps(sorted(held)))
        return dict(self._with_session(lambda ask: ask(_RENEW, values).fetchall()))

    def time(self) -> datetime:
        """Answer the database's time."""
        now: int = self._with_session(lambda ask: ask(f"SELECT {_NOW}").fetchone()[0])
        return from_ms(now)

    def division(self) -> Division:
        """Answer how accounts are divided; new ones are among them."""

        def work(ask: Callable[..., Answer]) -> Division:
            ask(_NEW_ACCOUNTS)
            ask(_GONE_ACCOUNTS)
            alive = tuple(row[0] for row in ask(_ALIVE).fetchall())
            rows = ask(_ACCOUNTS).fetchall()
            return Division(alive=alive, owners={row[0]: row[1] if row[2] else None for row in rows})

        return self._with_session(work)

    def take(self, count: int, *, held: Collection[str]) -> Mapping[str, int]:
        """Take as many accounts as nobody has, beside those `held`; answers them with their new epochs."""
        return self._take(f"{_ACCOUNT}%", count, held)

    def take_duty(self) -> Mapping[str, int]:
        """Take the duty if nobody has it."""
        return self._take(DUTY, 1, ())

    def _take(self, like: str, count: int, held: Collection[str]) -> Mapping[str, int]:
        values = (self._node, self._run, self._ttl_ms, like, json.dumps(sorted(held)), count)
        return dict(self._with_session(lambda ask: ask(_TAKE, values).fetchall()))

    def give(self, subjects: Collection[str]) -> None:
        """Give back what is ours."""

        def work(ask: Callable[..., Answer]) -> None:
            ask(_GIVE, (self._node, json.dumps(sorted(subjects))))
            ask(NOTIFY, (CHANNEL, written(self._node, Committed(moves=True))))

        self._with_session(work)

    def leave(self) -> None:
        """Live no more."""
        self._with_session(lambda ask: ask(_LEAVE, (self._node, self._run)).rowcount)

    def close(self) -> None:
        """Let go of the session."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                connection.close()

    def _with_session(self, work: Callable[[Callable[..., Answer]], T]) -> T:
        """Do something over the session; one that fails is not used again."""
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
                patience = max(self._ttl_ms // 2, 250)
                for what in ("statement_timeout", "lock_timeout"):
                    by_hand(self._connection).execute(f"SET {what} = {patience}")
            return work(by_hand(self._connection).execute)
        except DatabaseOwned:
            raise
        except BaseException:
            self.close()
            raise
