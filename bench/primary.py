"""What a long log costs on PostgreSQL: a status, a page, an accept, a claim, a night's destruction, the disk."""

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, timedelta
from itertools import repeat
from pathlib import Path
from random import Random  # noqa: TID251 -- seeded: every run asks for the same messages
from time import perf_counter
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection
from tests.store import server as postgres

from bench.figures import Figure, micro, middle, milli, share
from bench.filling import BATCH, RARE_ACCOUNT, SPAN, STATEMENTS
from bench.load import drive, request
from bench.sending import sends
from bench.server import API, CLOCK, Server, cpu_of, served
from guvercin.config import Config, load
from guvercin.core.account import Kind
from guvercin.core.message import Lane
from guvercin.core.pacing import SANDBOX_PACE
from guvercin.core.token import TokenRules
from guvercin.main.databases import engine_of, make_folder
from guvercin.store import access, accounts, claiming, retention
from guvercin.store.hand import BEGIN_WRITING
from guvercin.store.times import HOUR, to_ms
from guvercin.store.verbs.claiming import FIRST_TURN, Turn
from guvercin.store.writer import Tx

_WAITING = 100_000
_TIMES = 300
_PARTS = 200
_CHUNK = 250_000
_SETTINGS = ("shared_buffers=2GB", "max_wal_size=8GB", "maintenance_work_mem=512MB")

# SQLite's words of the filling that PostgreSQL hasn't, for as long as it is filled.
_WORDS = (
    "SET default_transaction_read_only = off",
    "SET synchronous_commit = off",
    "SET statement_timeout = 0",
    "SET session_replication_role = replica",
    "CREATE FUNCTION hex(bytea) RETURNS text LANGUAGE sql AS $$SELECT encode($1, 'hex')$$",
    "CREATE FUNCTION printf(text, bigint) RETURNS text LANGUAGE sql AS $$SELECT lpad($2::text, 8, '0')$$",
    """CREATE FUNCTION randomblob(integer) RETURNS bytea LANGUAGE sql VOLATILE AS
    $$SELECT substr(decode(md5(random()::text) || md5(random()::text), 'hex'), 1, $1)$$""",
)

_MARKS = "INSERT INTO hour_mark (first_id, hour) SELECT min(id), created_at / %s * %s FROM message GROUP BY 2"


async def primary(rows: int) -> list[Figure]:
    """Fill a log on PostgreSQL, with a tenth of the rows and with all, and ask the real gateway and the store about it.

    Each figure twice, so that it is seen what grows with the log. PostgreSQL has 2 GB for its pages; CPU is its own,
    for one of what is measured.
    """
    found = [await _measured(amount) for amount in (rows // 10, rows)]
    return [
        Figure(name=name, value=f"{small}   ·   {found[1][name]}")
        for name, small in ({"rows": f"{rows // 10:,}"} | found[0]).items()
        if found[1].setdefault("rows", f"{rows:,}")
    ]


async def _measured(rows: int) -> dict[str, str]:
    with tempfile.TemporaryDirectory(prefix="guvercin-bench-") as folder, postgres.running(_SETTINGS) as cluster:
        cluster.create("bench")
        settings = {"GUVERCIN_DATABASE_URL": cluster.url("bench")}
        config = load(data_dir=Path(folder), database_url=settings["GUVERCIN_DATABASE_URL"])
        make_folder(config)
        with _connected(config) as connection:
            took = _fill(connection, rows)
            size = int(connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())
        figures = {"filled in": f"{took:,.0f} s", "disk, bytes a message": f"{size / rows:,.0f}"}
        async with served(folder=Path(folder), settings=settings) as server:
            figures |= await _asked(server, cluster, rows)
        with _connected(config) as connection:
            tx = Tx(connection)
            figures["claim, 100,000 waiting"] = _claims(tx, cluster)
            figures["destroying 500 records with all that names them"] = _destroyed(tx, cluster)
        return figures


@contextmanager
def _connected(config: Config) -> Iterator[Connection]:
    engine = engine_of(config)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _fill(connection: Connection, rows: int) -> float:
    """Write the log as bench.filling does, and let PostgreSQL look at it."""
    began, now = CLOCK.monotonic(), CLOCK.now()
    tx = Tx(connection)
    tx.execute(BEGIN_WRITING)
    for name in ("Merkez", "Depo", "Şube", "Servis"):
        accounts.add(tx, name, Kind.SANDBOX, None, SANDBOX_PACE, now=now - SPAN)
    tx.execute("UPDATE account SET is_enabled = ?, line_state = 'stopped', is_default = (id = 1)", (False,))
    access.create(tx, TokenRules(name="fill", permissions=frozenset()), b"", "", now=now - SPAN)
    tx.execute("COMMIT")
    step = SPAN / timedelta(milliseconds=1) / rows
    given = {"now": to_ms(now), "start": to_ms(now - SPAN), "step": step, "waiting": _WAITING, "last": rows}
    session: Any = connection.connection.driver_connection
    for words in _WORDS:
        session.execute(words)
    for first in range(1, rows + 1, _CHUNK):
        chunk = given | {"first": first, "end": min(first + _CHUNK, rows + 1)}
        for statement in STATEMENTS:
            session.execute(_in_postgres(statement), chunk)
    session.execute(_MARKS, (HOUR, HOUR))
    for table in ("message", "attempt", "event", "batch"):
        session.execute(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))")  # noqa: S608 -- our own names
    session.execute("VACUUM ANALYZE")
    return CLOCK.monotonic() - began


def _in_postgres(statement: str) -> str:
    """Write a statement of the filling, whose values have names, in the driver's words."""
    words = (
        statement.replace("%", "%%")
        .replace("INTEGER)", "BIGINT)")
        .replace("row AS (", "line AS (")
        .replace("FROM row", "FROM line")
    )
    words = words.replace(
        "status NOT IN ('queued', 'cancelled'), CASE", "(status NOT IN ('queued', 'cancelled'))::integer, CASE"
    )
    words = re.sub(r":(now|start|waiting|last|first|end)\b", r"%(\1)s::bigint", words)
    return words.replace(":step", "%(step)s::double precision")


async def _asked(server: Server, cluster: postgres.Server, rows: int) -> dict[str, str]:
    """Ask the gateway, one request after the other."""
    rng = Random(42)
    ids = [rng.randint(1, rows) for _ in range(_TIMES)]
    found = {"durum of any message": await _ask(server, cluster, (_get(server, f"/durum/{each}", {}) for each in ids))}
    old = CLOCK.now() - SPAN + timedelta(days=100)
    pages: dict[str, dict[str, object]] = {
        "all": {},
        "durum=failed": {"durum": "failed"},
        "hesap_id": {"hesap_id": 1},
        "hesap_id and durum": {"hesap_id": 1, "durum": "delivered"},
        "hesap_id, a thousandth": {"hesap_id": RARE_ACCOUNT},
        "tur_id": {"tur_id": 1},
        "tur_id, no row": {"tur_id": 500},
        "telefon": {"telefon": "+905300000123"},
        "referans": {"referans": f"SIP-{rows // 3}"},
        f"toplu_id, of {BATCH:,}": {"toplu_id": rows // 10_000},
        "a day in the middle": {"baslangic": f"{old:%FT%TZ}", "bitis": f"{old + timedelta(days=1):%FT%TZ}"},
    }
    for name, given in pages.items():
        asked = repeat(_get(server, "/gonderimler", given), _TIMES // 3)
        found[f"page of 50, {name}"] = await _ask(server, cluster, asked)
    found["accept"] = await _ask(server, cluster, sends(server, _TIMES))
    return found


def _get(server: Server, path: str, given: dict[str, object]) -> bytes:
    return request("GET", f"{API}{path}?{urlencode(given)}", token=server.token)


async def _ask(server: Server, cluster: postgres.Server, requests: Iterator[bytes]) -> str:
    before = cpu_of(cluster)
    load = await drive(server.port, requests, connections=1)
    if load.refused:
        raise RuntimeError(load.last.decode())
    return _written(load.waits, cpu_of(cluster) - before)


def _written(times: list[float], cpu: float) -> str:
    return f"p50 {milli(middle(times))}, p99 {milli(share(times, 0.99))}, CPU {micro(cpu / len(times))}"


def _claims(tx: Tx, cluster: postgres.Server) -> str:
    """Time a claim of account 1, which is taken back each time."""
    turn = Turn(after=FIRST_TURN)

    def claim() -> None:
        claimed = claiming.claim(tx, 1, list(Lane), now=CLOCK.now(), secret=bytes(32), draw=0.5, turn=turn)
        if claimed is None or claimed.message is None:
            raise RuntimeError("nothing stood in line")

    return _timed(tx, cluster, claim, _TIMES, end="ROLLBACK")


def _destroyed(tx: Tx, cluster: postgres.Server) -> str:
    """Destroy the first records of the log, 500 in a transaction, as a night does."""
    now = CLOCK.now()
    tx.execute(BEGIN_WRITING)
    begun = retention.begin(tx, now=now)
    tx.execute("COMMIT")
    above = 0

    def part() -> None:
        nonlocal above
        above = retention.remove(tx, begun, above=above, before=now.astimezone(UTC)) or above

    return _timed(tx, cluster, part, _PARTS, end="COMMIT")


def _timed(tx: Tx, cluster: postgres.Server, work: Callable[[], None], times: int, *, end: str) -> str:
    found, before = [], cpu_of(cluster)
    for _ in range(times):
        tx.execute(BEGIN_WRITING)
        began = perf_counter()
        work()
        tx.execute(end)
        found.append(perf_counter() - began)
    return _written(found, cpu_of(cluster) - before)
