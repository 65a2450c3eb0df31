"""What a claim costs, however many wait: the store's own function on a connection of this process, never committed."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from time import thread_time

from bench.figures import Figure, micro, middle, spread
from bench.server import CLOCK
from guvercin.config import load
from guvercin.core.account import Kind
from guvercin.core.message import Content, Draft, Lane
from guvercin.core.pacing import SANDBOX_PACE
from guvercin.core.token import TokenRules
from guvercin.main.databases import make_folder
from guvercin.store import accepting, access, accounts, claiming
from guvercin.store.sqlite import engine_for
from guvercin.store.verbs.claiming import FIRST_TURN, Turn
from guvercin.store.writer import Tx

_MANY = 20_000
_TURN = Turn(after=FIRST_TURN)
_CLAIMS = 300
_ROUNDS = 3


async def claim() -> list[Figure]:
    """Time one claim (CPU) with nothing else in line, with 20,000 in line, and with 20,000 that wait for their time."""
    with folder() as few, folder() as many, folder() as planned:
        _fill(few, 1, due_in=None)
        _fill(many, _MANY, due_in=None)
        _fill(planned, _MANY, due_in=timedelta(days=1))
        _fill(planned, 1, due_in=None)
        found: list[list[float]] = [[], [], []]
        for _ in range(_ROUNDS):
            for tx, rounds in zip((few, many, planned), found, strict=True):
                rounds.append(_time(tx))
    alone, among, beside = found
    return [
        Figure(name="one in line", value=f"{micro(middle(alone))}  [{spread(alone)}]"),
        Figure(name="20,000 in line", value=f"{micro(middle(among))}  [{spread(among)}]"),
        Figure(name="one in line, 20,000 planned", value=f"{micro(middle(beside))}  [{spread(beside)}]"),
        Figure(name="20,000 in line, against one", value=f"× {middle(among) / middle(alone):.2f}", wanted="about × 1"),
        Figure(
            name="20,000 planned, against none", value=f"× {middle(beside) / middle(alone):.2f}", wanted="about × 1"
        ),
    ]


@contextmanager
def folder() -> Iterator[Tx]:
    """Make a database with one account and one token, and open a transaction on it."""
    with tempfile.TemporaryDirectory(prefix="guvercin-bench-") as folder:
        config = load(data_dir=Path(folder))
        make_folder(config)
        with engine_for(config.database, owns_file=True).connect() as connection:
            tx = Tx(connection)
            tx.execute("BEGIN IMMEDIATE")
            accounts.add(tx, "bench", Kind.SANDBOX, None, SANDBOX_PACE, now=CLOCK.now())
            access.create(tx, TokenRules(name="bench", permissions=frozenset()), b"", "", now=CLOCK.now())
            tx.execute("COMMIT")
            yield tx


def _fill(tx: Tx, amount: int, *, due_in: timedelta | None) -> None:
    now = CLOCK.now()
    tx.execute("BEGIN IMMEDIATE")
    for number in range(amount):
        draft = _draft(number, now, due_in)
        accepting.accept(tx, draft, token_id=1, now=now, line_ms=1, key=None, repeat=None, quota=None)
    tx.execute("COMMIT")


def _draft(number: int, now: datetime, due_in: timedelta | None) -> Draft:
    return Draft(
        account_id=1,
        recipient=f"+90532{number:07d}",
        content=Content(text="Randevunuz yarın 14.30'da."),
        category=10,
        lane=Lane.SINGLE,
        priority=6,
        due_at=None if due_in is None else now + due_in,
        expires_at=now + timedelta(days=2),
    )


def _time(tx: Tx) -> float:
    """Answer the CPU seconds of a claim, each in a transaction that is rolled back. The first ones warm the caches."""
    spent = []
    for _ in range(_CLAIMS):
        tx.execute("BEGIN IMMEDIATE")
        began = thread_time()
        claimed = claiming.claim(tx, 1, list(Lane), now=CLOCK.now(), secret=bytes(32), draw=0.5, turn=_TURN)
        spent.append(thread_time() - began)
        tx.execute("ROLLBACK")
        if claimed is None or claimed.message is None:
            raise RuntimeError("nothing stood in line")
    return middle(spent)
