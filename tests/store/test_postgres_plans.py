"""How PostgreSQL finds a page: in the order of an index, however long the log is and wherever in it the page lies."""

import json
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection
from tests.store.server import Server

from guvercin.core.log import MessageFilter
from guvercin.core.message import Status
from guvercin.store import reading
from guvercin.store.hand import Hand, by_hand
from guvercin.store.schema import prepare
from guvercin.store.statements.upkeep import IS_DUE, WHAT_IS_DUE

LIMIT = 50
FEW = 4 * LIMIT
"""Rows that may be read for a range: in a small log some detours are cheaper. Without its index it is thousands."""

# What is old has failed or was delivered, what is new waits: going back from the newest finds the old ones last.
_FILL = (
    "SET default_transaction_read_only = off",
    "SET session_replication_role = replica",
    """INSERT INTO account (id, name, kind, is_default, is_enabled, pace, on_unknown, line_state, line_since,
      created_at)
    SELECT n, 'Hat ' || n, 'sandbox', n = 1, true, '{}', 'bekle', 'connected', 0, 0 FROM generate_series(1, 3) n""",
    """INSERT INTO message (id, account_id, batch_id, token_id, recipient, body, category, lane, priority, status,
      waits_for, waits_until, created_at, due_at, expires_at, sent_at, reference)
    SELECT n, 1 + n % 3, CASE WHEN n / 300 % 10 = 0 THEN n / 300 END, 1, '+9053' || n % 400, 'Merhaba', 1 + n % 5,
      'single', 4, CASE WHEN n > 8000 THEN 'queued' WHEN n % 4 = 0 THEN 'failed' ELSE 'delivered' END,
      CASE WHEN n > 8000 AND n % 7 > 0 THEN 'zaman' END, CASE WHEN n > 8000 AND n % 7 > 0 THEN n END, n, n, 10000000,
      CASE WHEN n <= 8000 AND n % 4 > 0 THEN n END, 'SIP-' || n / 2
    FROM generate_series(1, 80000) n""",
    "VACUUM ANALYZE",
)


@pytest.fixture(scope="module")
def log(server: Server) -> Iterator[Connection]:
    """Lend a session to a log of twenty thousand messages."""
    from guvercin.store.postgres import engine_for

    server.create("plans")
    prepare(engine_for(server.url("plans")))
    with engine_for(server.url("plans")).connect() as connection:
        session: Any = connection.connection.driver_connection
        for statement in _FILL:
            session.execute(statement)
        yield connection


class Notebook:
    """Runs statements, and writes down those that look for ids of a page."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand
        self.asked: list[tuple[str, Sequence[Any]]] = []

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Any:
        if statement.startswith("SELECT id FROM message WHERE"):
            self.asked.append((statement, values))
        return self._hand.execute(statement, values)


def looked_at(plan: Any) -> int:
    """Answer how many rows a plan has read, those that it threw away among them."""
    rows: float = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    return max(round(rows), *(looked_at(each) for each in plan.get("Plans", ())), 0)


@pytest.mark.parametrize(
    "wanted",
    [
        MessageFilter(),
        MessageFilter(account_id=2),
        MessageFilter(statuses=frozenset({Status.FAILED})),
        MessageFilter(statuses=frozenset({Status.DELIVERED}), account_id=1),
        MessageFilter(scheduled=True),
        MessageFilter(scheduled=False),
        MessageFilter(category=3),
        MessageFilter(category=3, statuses=frozenset({Status.FAILED})),
        MessageFilter(batch_id=10),
        MessageFilter(recipient="+9053123"),
        MessageFilter(reference="SIP-77"),
    ],
    ids=str,
)
def test_a_page_reads_little_more_than_it_shows(log: Connection, wanted: MessageFilter) -> None:
    notebook: Any = Notebook(by_hand(log))
    connection: Any = SimpleNamespace(connection=SimpleNamespace(driver_connection=notebook))
    found = reading.page(connection, wanted, limit=LIMIT, below=None)
    assert found.messages
    assert notebook.asked
    for statement, values in notebook.asked:
        reads_few(log, statement, values)


@pytest.mark.parametrize(("statement", "moments"), [(IS_DUE, 1), (WHAT_IS_DUE, 3)], ids=["a claim", "upkeep"])
def test_whether_anything_is_due_is_seen_at_once_however_much_waits(
    log: Connection, statement: str, moments: int
) -> None:
    """As it is asked for the hundredth time: by a plan that knows no moment."""
    session: Any = log.connection.driver_connection
    session.execute("SET plan_cache_mode = force_generic_plan")
    reads_few(log, statement, (0,) * moments)
    session.execute("RESET plan_cache_mode")


def reads_few(log: Connection, statement: str, values: Sequence[Any]) -> None:
    explained = by_hand(log).execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values).fetchone()[0]
    plan = explained[0]["Plan"]
    assert looked_at(plan) <= FEW, f"{statement} {values}\n{json.dumps(plan, indent=1)}"
