"""What a long log costs: a status, a page with each filter, a claim, the start, the disk."""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import repeat
from pathlib import Path
from random import Random  # noqa: TID251 -- seeded: every run asks for the same messages
from time import thread_time
from urllib.parse import urlencode

from sqlalchemy import Connection

from bench.figures import Figure, mega, micro, middle, milli, share
from bench.filling import BATCH, RARE_ACCOUNT, RARE_CATEGORY, Filled, fill
from bench.load import Load, drive, request
from bench.server import API, CLOCK, Server, served
from guvercin.api.asking import message_filter
from guvercin.api.wire.messages import ListMessages
from guvercin.core.message import Lane
from guvercin.store import claiming, reading
from guvercin.store.sqlite import FILE_NAME, engine_for
from guvercin.store.verbs.claiming import FIRST_TURN, Turn
from guvercin.store.writer import Tx

WAITING = 100_000

_STARTS = 3
_STATUSES = 5_000
_PAGES = 100
_TURN = Turn(after=FIRST_TURN)
_CLAIMS = 300
_STEPS = (0, 1_000, 10_000, WAITING)


async def scale(rows: int) -> list[Figure]:
    """Fill a log of which 100,000 wait, in every way in which a row can wait, and ask the real server about it."""
    with tempfile.TemporaryDirectory(prefix="guvercin-bench-") as folder:
        home = Path(folder)
        filled = fill(home, rows, waiting=WAITING)
        print(f"  filled {rows:,} rows in {filled.took:,.0f} s, {mega(filled.size)}", flush=True)
        figures = [Figure(name="disk, bytes a message", value=f"{filled.size / rows:,.0f}")]
        figures += await _starts(home)
        async with served(folder=home) as server:
            figures += await _statuses(server, filled)
            figures += await _pages(server, filled)
            figures.append(Figure(name="memory (RSS) after it", value=mega(server.rss())))
        return figures + _claims(home)


async def _starts(home: Path) -> list[Figure]:
    """Start with the file in the page cache, and with nothing of it there; so it is left."""
    warm: list[tuple[float, float]] = []
    cold: list[tuple[float, float]] = []
    for number in range(_STARTS * 2):
        if number % 2:
            _forget(home)
        async with served(folder=home) as server:
            (cold if number % 2 else warm).append((server.ready_after, server.cpu()))
    return [
        Figure(
            name=name,
            value=f"{middle([ready for ready, _ in starts]):.2f} s, CPU {middle([cpu for _, cpu in starts]):.2f} s",
            wanted="≤ 2 s",
        )
        for name, starts in (("start to ready", warm), ("start to ready, nothing of the file in memory", cold))
    ]


def _forget(home: Path) -> None:
    """Let the kernel forget what it keeps of the files."""
    for path in home.glob(f"{FILE_NAME}*"):
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


async def _statuses(server: Server, filled: Filled) -> list[Figure]:
    rng = Random(42)
    ids = [rng.randint(1, filled.rows) for _ in range(_STATUSES)]
    asks = [request("GET", f"{API}/durum/{log_id}", token=server.token) for log_id in ids]
    idle = repeat(request("GET", "/saglik", token=""), _STATUSES)
    nothing = _figure("for comparison: /saglik, which reads nothing", await _ask(server, idle))
    first = _figure("durum of any message, nothing of the file in memory", await _ask(server, iter(asks)))
    again = _figure("durum of any message", await _ask(server, iter(asks)), wanted="p99 ≤ 5 ms")
    with engine_for(server.folder / FILE_NAME, query_only=True).connect() as connection:
        read = _reading(connection, (partial(reading.one_message, message_id=log_id) for log_id in ids))
    return [nothing, first, replace(again, value=f"{again.value}; the reading: {read}")]


async def _pages(server: Server, filled: Filled) -> list[Figure]:
    """Ask for pages with each filter, from the newest on and from somewhere in the middle of the log."""
    old = filled.since + timedelta(days=100)
    filters: dict[str, dict[str, object]] = {
        "all": {},
        **{f"durum={word}": {"durum": word} for word in _LISTED},
        "hesap_id": {"hesap_id": 1},
        "hesap_id, a thousandth of the log": {"hesap_id": RARE_ACCOUNT},
        "hesap_id and durum": {"hesap_id": RARE_ACCOUNT, "durum": "failed"},
        "tur_id": {"tur_id": 1},
        "tur_id, a few rows": {"tur_id": RARE_CATEGORY},
        "tur_id, no row": {"tur_id": 500},
        "tur_id and durum": {"tur_id": 9, "durum": "unknown"},
        "telefon": {"telefon": "+905300000123"},
        "referans": {"referans": f"SIP-{filled.rows // 3}"},
        f"toplu_id, of {BATCH:,}": {"toplu_id": filled.rows // 10_000},
        "toplu_id and durum": {"toplu_id": filled.rows // 10_000, "durum": "failed"},
        "baslangic": {"baslangic": filled.until - timedelta(hours=1)},
        "bitis": {"bitis": old},
        "baslangic and bitis": {"baslangic": old, "bitis": old + timedelta(days=1)},
        "baslangic, bitis and durum": {"baslangic": old, "bitis": old + timedelta(days=1), "durum": "failed"},
    }
    found = []
    with engine_for(server.folder / FILE_NAME, query_only=True).connect() as connection:
        for name, given in filters.items():
            figure = _figure(f"page of 50, {name}", await _ask(server, _page_requests(server, given)), wanted="≤ 20 ms")
            wanted = message_filter(ListMessages.model_validate(_words(given)), UTC)
            look = partial(reading.page, wanted=wanted, limit=50, below=None)
            found.append(replace(figure, value=f"{figure.value}; the reading: {_reading(connection, [look] * _PAGES)}"))
    return found


def _reading(connection: Connection, looks: Iterable[Callable[[Connection], object]]) -> str:
    """Answer the CPU of the store's own reading, in this process: what a busy machine can't blur."""
    times = []
    for look in looks:
        began = thread_time()
        look(connection)
        times.append(thread_time() - began)
    connection.rollback()
    return f"p50 {milli(middle(times))}, p99 {milli(share(times, 0.99))}"


_LISTED = ("queued", "scheduled", "sending", "unknown", "sent", "delivered", "read", "failed", "cancelled")


def _page_requests(server: Server, given: dict[str, object]) -> Iterator[bytes]:
    return repeat(request("GET", f"{API}/gonderimler?{urlencode(_words(given))}", token=server.token), _PAGES)


def _words(given: dict[str, object]) -> dict[str, object]:
    return {name: f"{value:%FT%TZ}" if isinstance(value, datetime) else value for name, value in given.items()}


async def _ask(server: Server, requests: Iterator[bytes]) -> tuple[float, Load]:
    """Answer the server's CPU per request, and the load of one connection."""
    before = server.cpu()
    load = await drive(server.port, requests, connections=1)
    if load.refused:
        raise RuntimeError(load.last.decode())
    return (server.cpu() - before) / len(load.waits), load


def _figure(name: str, asked: tuple[float, Load], *, wanted: str = "") -> Figure:
    cpu, load = asked
    p50, p99 = share(load.waits, 0.5), share(load.waits, 0.99)
    return Figure(name=name, value=f"p50 {milli(p50)}, p99 {milli(p99)}, CPU {milli(cpu)}", wanted=wanted)


def _claims(home: Path) -> list[Figure]:
    """Time a claim (CPU) while more and more rows wait."""
    found: dict[int, list[float]] = {step: [] for step in _STEPS}
    with engine_for(home / FILE_NAME, owns_file=True).connect() as connection:
        tx = Tx(connection)
        tx.execute("PRAGMA synchronous = OFF")
        tx.execute("UPDATE message SET status = 'cancelled', waits_for = NULL WHERE status = 'queued'")
        for step, times in found.items():
            tx.execute(_LET_WAIT, (step,))
            tx.execute(_LET_STAND)
            tx.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            for _ in range(_CLAIMS):
                tx.execute("BEGIN IMMEDIATE")
                began = thread_time()
                claimed = claiming.claim(tx, 1, list(Lane), now=CLOCK.now(), secret=bytes(32), draw=0.5, turn=_TURN)
                times.append(thread_time() - began)
                tx.execute("ROLLBACK")
                if claimed is None or claimed.message is None:
                    raise RuntimeError("nothing stood in line")
    alone = middle(found[_STEPS[0]])
    return [
        Figure(
            name=f"claim, {step:,} others waiting",
            value=f"{micro(middle(times))}, p90 {micro(share(times, 0.9))}, × {middle(times) / alone:.2f}",
            wanted="about × 1",
        )
        for step, times in found.items()
    ]


# The rows at the end of the log, in every way in which a row can wait, and one that stands in line.
_LET_WAIT = """
UPDATE message SET status = 'queued', waits_until = coalesce(waits_until, expires_at), waits_for = CASE id % 10
  WHEN 0 THEN 'geri_yuklendi' WHEN 1 THEN 'onceki_mesaj' WHEN 2 THEN 'tekrar_deneme' WHEN 3 THEN 'zaman'
  WHEN 4 THEN 'zaman' WHEN 5 THEN 'zaman' WHEN 6 THEN 'toplu_durduruldu' END
WHERE id > (SELECT max(id) FROM message) - ?"""

_LET_STAND = """
UPDATE message SET status = 'queued', waits_for = NULL WHERE id = (SELECT max(id) FROM message WHERE account_id = 1)"""
