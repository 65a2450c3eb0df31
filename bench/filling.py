"""A log as a busy year would leave it, written by SQL alone: ten million rows by the store's verbs would take hours.

Rows are what the verbs would have written, events, attempts and batches with them; what a row becomes hangs on a hash
of its number, so that every filling of one size is the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bench.server import CLOCK
from guvercin.config import load
from guvercin.core.account import Kind
from guvercin.core.pacing import SANDBOX_PACE
from guvercin.core.token import TokenRules
from guvercin.main.databases import make_folder
from guvercin.store import access, accounts
from guvercin.store.sqlite import engine_for
from guvercin.store.times import HOUR, to_ms
from guvercin.store.writer import Tx

SPAN = timedelta(days=365)
BATCH = 1_000
RARE_CATEGORY = 77
RARE_ACCOUNT = 4

_CHUNK = 250_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What was written. `since` is the hour of the first row, `until` that of the last; sizes in bytes."""

    rows: int
    waiting: int
    since: datetime
    until: datetime
    size: int
    took: float


def fill(folder: Path, rows: int, *, waiting: int) -> Filled:
    """Write `rows` messages into a new folder, the last `waiting` of them still queued. Nothing is synced meanwhile."""
    began = CLOCK.monotonic()
    config = load(data_dir=folder)
    make_folder(config)
    until = CLOCK.now()
    with engine_for(config.database, owns_file=True).connect() as connection:
        tx = Tx(connection)
        tx.execute("BEGIN IMMEDIATE")
        for name in ("Merkez", "Depo", "Şube", "Servis"):
            accounts.add(tx, name, Kind.SANDBOX, None, SANDBOX_PACE, now=until - SPAN)
        tx.execute("UPDATE account SET is_enabled = 0, line_state = 'stopped', is_default = (id = 1)")
        access.create(tx, TokenRules(name="fill", permissions=frozenset()), b"", "", now=until - SPAN)
        tx.execute("COMMIT")
        _write(tx, rows, waiting, to_ms(until))
    size = config.database.stat().st_size
    return Filled(
        rows=rows, waiting=waiting, since=until - SPAN, until=until, size=size, took=CLOCK.monotonic() - began
    )


def _write(tx: Tx, rows: int, waiting: int, now: int) -> None:
    ask: Any = tx.execute
    ask("PRAGMA synchronous = OFF")
    ask("PRAGMA foreign_keys = OFF")
    ask("PRAGMA cache_size = -400000")
    ask("PRAGMA wal_autocheckpoint = 20000")
    start, step = now - SPAN // timedelta(milliseconds=1), SPAN / timedelta(milliseconds=1) / rows
    given = {"now": now, "start": start, "step": step, "waiting": waiting, "last": rows}
    for first in range(1, rows + 1, _CHUNK):
        chunk = given | {"first": first, "end": min(first + _CHUNK, rows + 1)}
        ask("BEGIN IMMEDIATE")
        for statement in STATEMENTS:
            ask(statement, chunk)
        ask("COMMIT")
    ask("BEGIN IMMEDIATE")
    mark = "INSERT INTO hour_mark (first_id, hour) SELECT min(id), created_at / :hour * :hour FROM message GROUP BY 2"
    ask(mark, {"hour": HOUR})
    ask("COMMIT")
    ask("PRAGMA wal_checkpoint(TRUNCATE)")


# `h` is the hash of a row's number n: 0 to 999,999. What is not queued at the end of the log has left long ago.
_ROWS = """
WITH RECURSIVE number(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM number WHERE n + 1 < :end),
hashed AS (SELECT n, (n * 2654435761) % 4294967296 * 1000000 / 4294967296 AS h,
           CAST(:start + n * :step AS INTEGER) AS at FROM number),
row AS (
  SELECT n, h, at, CASE WHEN h / 1000 = 7 THEN 4 WHEN h < 600000 THEN 1 WHEN h < 850000 THEN 2 ELSE 3 END AS account_id,
  n % 5000 < 1000 AS is_bulk,
  CASE WHEN n > :last - :waiting THEN 'queued'
       WHEN h % 1000 < 540 THEN 'read' WHEN h % 1000 < 890 THEN 'delivered' WHEN h % 1000 < 940 THEN 'sent'
       WHEN h % 1000 < 990 THEN 'failed' WHEN h % 100000 = 99999 THEN 'unknown' ELSE 'cancelled' END AS status,
  CASE WHEN n <= :last - :waiting THEN NULL WHEN h % 10 < 4 THEN NULL WHEN h % 10 < 7 THEN 'zaman'
       WHEN h % 10 = 7 THEN 'tekrar_deneme' WHEN h % 10 = 8 THEN 'onceki_mesaj' WHEN n % 5000 < 1000
       THEN 'toplu_durduruldu' ELSE 'geri_yuklendi' END AS waits_for
  FROM hashed)
"""

STATEMENTS: Sequence[str] = (
    _ROWS
    + f"""
INSERT INTO batch (id, account_id, token_id, category, total, body_hash, created_at)
SELECT n / 5000 + 1, account_id, 1, 9, {BATCH}, randomblob(32), at FROM row WHERE n % 5000 = 0""",
    _ROWS
    + f"""
INSERT INTO message (id, account_id, batch_id, token_id, recipient, body, category, lane, priority, status, reason,
  waits_for, waits_until, created_at, due_at, expires_at, sent_at, delivered_at, read_at, remote_id, attempts,
  reference, fingerprint)
SELECT n, account_id, CASE WHEN is_bulk THEN n / 5000 + 1 END, 1, '+9053' || printf('%08d', h % 200000),
  'Sayın müşterimiz, ' || n || ' numaralı siparişiniz kargoya verildi. Takip için bize yazabilirsiniz.',
  CASE WHEN h % 50000 = 3 THEN {RARE_CATEGORY} WHEN is_bulk THEN 9 ELSE 1 + h % 10 END,
  CASE WHEN is_bulk THEN 'bulk' ELSE 'single' END, CASE WHEN is_bulk THEN 0 ELSE 4 + h % 4 END, status,
  CASE status WHEN 'failed' THEN 'numara_whatsappta_degil' END, waits_for,
  CASE WHEN waits_for IN ('zaman', 'tekrar_deneme', 'onceki_mesaj') THEN :now + 3600000 + h END, at, at,
  at + CASE status WHEN 'queued' THEN 31536000000 ELSE 86400000 END,
  CASE WHEN status IN ('sent', 'delivered', 'read') THEN at + 2000 END,
  CASE WHEN status IN ('delivered', 'read') THEN at + 4000 END, CASE status WHEN 'read' THEN at + 60000 END,
  CASE WHEN status IN ('sent', 'delivered', 'read') THEN 'DENEME-' || hex(randomblob(16)) END,
  status NOT IN ('queued', 'cancelled'), CASE WHEN h % 3 = 0 THEN 'SIP-' || (n / 2) END,
  CASE WHEN NOT is_bulk THEN randomblob(32) END
FROM row""",
    _ROWS
    + """
INSERT INTO attempt (message_id, secret, started_at, ended_at, outcome)
SELECT n, randomblob(32), at + 1000, at + 2000, CASE status WHEN 'failed' THEN 'refused' ELSE 'accepted' END
FROM row WHERE status NOT IN ('queued', 'cancelled')""",
    *(
        _ROWS
        + f"""
INSERT INTO event (at, kind, account_id, message_id, batch_id, detail)
SELECT at + {after}, '{kind}', account_id, n, CASE WHEN is_bulk THEN n / 5000 + 1 END, {detail}
FROM row WHERE {where}"""
        for after, kind, detail, where in (
            (0, "mesaj.kabul_edildi", "NULL", "1 = 1"),
            (1000, "mesaj.gonderiliyor", "NULL", "status NOT IN ('queued', 'cancelled')"),
            (
                2000,
                "mesaj.gonderildi",
                """'{"message_id":"DENEME-0123456789abcdef0123456789abcdef"}'""",
                "status IN ('sent', 'delivered', 'read')",
            ),
            (4000, "mesaj.iletildi", "NULL", "status IN ('delivered', 'read')"),
            (60000, "mesaj.okundu", "NULL", "status = 'read'"),
            (2000, "mesaj.basarisiz", """'{"neden":"numara_whatsappta_degil"}'""", "status = 'failed'"),
        )
    ),
)
