"""What runs for every message finds its rows by an index and costs the same however many others wait."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from tests.contracts.desk import AYSE, BORA, BOTH, CEM, DAY, NOW, draft, in_hand, receipt

from guvercin.core.errors import Code
from guvercin.core.log import MessageFilter
from guvercin.core.message import Lane, Level, Status, priority
from guvercin.core.outcome import Accepted, Deferred, Lost, Outcome, ReceiptKind
from guvercin.store import accepting, accounts, claiming, messages, reading, statements, upkeep
from guvercin.store.sqlite import FILE_NAME, engine_for
from guvercin.store.statements.accepting import INSERT_BATCH, MARK_HOUR
from guvercin.store.times import to_ms
from guvercin.store.verbs.accepting import Repeat
from guvercin.store.verbs.claiming import FIRST_TURN, Claimed, Turn
from guvercin.store.writer import Tx

NOW_MS = to_ms(NOW)

HOT = [
    import_module(f"{statements.__name__}.{subject}")
    for subject in (
        "accepting",
        "batches",
        "claiming",
        "hearing",
        "messages",
        "numbers",
        "pacing",
        "restricting",
        "upkeep",
        "wishes",
    )
]

BY_KEY = "INTEGER PRIMARY KEY"

PLANS = {
    "ACCEPTED_AS": BY_KEY,
    "ACCEPTED_ROWS": BY_KEY,
    "ADVANCE": BY_KEY,
    "ATTEMPT_TIME": BY_KEY,
    "BATCHES_THAT_REACHED": "ix_message_recipient (recipient=?)",
    "BATCHES_IN_LINE": "ix_batch_account (account_id=?)",
    "ANSWERED": "PRIMARY KEY (account_id=? AND number=?)",
    "BATCH_STATE": BY_KEY,
    "BEFORE_ITS_TURN": "ix_message_recipient (recipient=? AND id<?)",
    "CANCELLED_WHOLE": BY_KEY,
    "CANCELLING": "ix_batch_cancelling",
    "CANCEL_BATCH": BY_KEY,
    "CLAIM": BY_KEY,
    "COUNT_BATCH": "ix_message_batch (batch_id=?)",
    "COUNT_CHECK": "",
    "COOL_DOWN": BY_KEY,
    "COUNT_SEND": "",
    "COUNT_SINGLE": "",
    "DUE": "ix_message_waits_until",
    "DROP_UNCLEAR": BY_KEY,
    "EARLY_RECEIPTS": "sqlite_autoindex_receipt_1",
    "END_ATTEMPT": BY_KEY,
    "END_ATTEMPTS_OF": "ix_attempt_message_id",
    "EXPIRED": "ix_message_expires_at",
    "NEWEST_ATTEMPT": "ix_attempt_message_id (message_id=?)",
    "FIND_KEY": "sqlite_autoindex_idempotency_key_1",
    "FIND_REPEAT": "ix_message_fingerprint (token_id=? AND fingerprint=? AND created_at>?)",
    "FIND_REPEATED_BATCH": "ix_batch_token_body (token_id=? AND body_hash=? AND created_at>?)",
    "FINISH_BATCH": "ix_message_batch (batch_id=? AND status=?)",
    "FIRST_OF_BATCH": "ix_message_batch (batch_id=?)",
    "FIRST_TURN": "ix_message_turn (account_id=?)",
    "LEFT_LATE": "SEARCH chat USING PRIMARY KEY (account_id=? AND number=?)",
    "DROP_RECEIPTS": "ix_receipt_heard_at (heard_at<?) CORRELATED SCALAR SUBQUERY 1 SEARCH m USING COVERING INDEX",
    "FORGET_PLAN": BY_KEY,
    "FORGET_RECEIPTS": "sqlite_autoindex_receipt_1",
    "PACE": BY_KEY,
    "HEAD_BULK": "ix_message_queue (account_id=? AND lane=?)",
    "HEAD_SINGLE": "ix_message_queue (account_id=? AND lane=?)",
    "HEARD_FROM": "",
    "HELD_BACK_UNTIL": "ix_message_deferred (account_id=? AND recipient=? AND priority=? AND rowid<?)",
    "HOLD": BY_KEY,
    "INSERT_ATTEMPT": "",
    "INSERT_BATCH": "",
    "INSERT_KEY": "",
    "INSERT_MESSAGE": "",
    "IN_DOUBT": "ix_message_in_doubt",
    "IN_DOUBT_OF": "ix_message_in_doubt",
    "IN_LINE_OF_BATCH": "ix_message_batch (batch_id=? AND status=?)",
    "IS_DUE": "ix_message_waits_until",
    "KEEP_CHECK": "",
    "KEEP_CHAT": "",
    "KEEP_RECEIPT": "",
    "KEEP_UNCLEAR": "",
    "KEEP_STATE": "",
    "KEEP_TIME": BY_KEY,
    "JUDGE_RECIPIENT_AGAIN": "ix_message_recipient (recipient=?)",
    "KEEP_OUT": BY_KEY,
    "PARKED_BEFORE": "ix_message_recipient (recipient=? AND id<?)",
    "LAST_HOUR": BY_KEY,
    "LAST_ATTEMPT": "",
    "LAST_DUE": "ix_message_expires_at",
    "LAST_HEARD": "sqlite_autoindex_last_inbound_1 (account_id=? AND sender=?)",
    "LIFETIME": BY_KEY,
    "LIFT": "sqlite_autoindex_restriction_1",
    "LIVE_ACCOUNT": BY_KEY,
    "LOOK_AGAIN": BY_KEY,
    "LOOK_NOW": "ix_message_log (account_id=? AND status=?)",
    "MARK_HOUR": "",
    "MAY_HAVE_LEFT": BY_KEY,
    "MESSAGE": BY_KEY,
    "MOVE": BY_KEY,
    "NEEDS_NO_PLACE": "ix_message_deferred (account_id=? AND recipient=?)",
    "NTH_CHECK": "ix_number_check_asked (account_id=? AND asked_at>?)",
    "NEXT_TURN": "ix_message_turn (account_id=? AND priority=? AND <expr>>?)",
    "OPEN_NEW": "ix_message_log (account_id=? AND status=? AND waits_for=?)",
    "PACED": "ix_message_paced (account_id=? AND waits_until>?)",
    "PACED_DUE": "ix_message_paced (account_id=? AND waits_until<?)",
    "PACE_STATE": BY_KEY,
    "PACE_USES": "PRIMARY KEY (account_id=? AND minute>?)",
    "PARK": BY_KEY,
    "PARK_PACED": BY_KEY,
    "PAUSE_BATCH": BY_KEY,
    "PAUSE_ROWS": "ix_message_batch (batch_id=? AND status=?)",
    "PLANS": "ix_message_paced (account_id=? AND waits_until>?)",
    "PLAN_AGAIN": BY_KEY,
    "QUEUED_OF_BATCH": "ix_message_batch (batch_id=? AND status=?)",
    "QUEUED_OF_REFERENCE": "ix_message_reference",
    "RELEASE": BY_KEY,
    "RELEASE_PARKED": "ix_message_deferred (account_id=? AND recipient=?)",
    "RESTRICT": "",
    "RESTRICTIONS": "sqlite_autoindex_restriction_1 (account_id=?)",
    "RESUME_BATCH": BY_KEY,
    "RESUME_ROWS": "ix_message_batch (batch_id=? AND status=?)",
    "SENDS_SINCE": BY_KEY,
    "SET_TRACK": BY_KEY,
    "SINGLES_SINCE": "PRIMARY KEY (token_id=? AND minute>?)",
    "SPEND_SLOT": BY_KEY,
    "STANDING": BY_KEY,
    "STANDING_BY_REMOTE_ID": "uq_message_remote_id",
    "ARRIVED": "ix_message_batch (batch_id=? AND status=?)",
    "IS_OLD_CHAT": BY_KEY,
    "LAST_ATTEMPTS": "SEARCH a USING INTEGER PRIMARY KEY (rowid>?)",
    "NOT_ON_WHATSAPP": "ix_message_batch (batch_id=? AND status=?)",
    "REFUSED_BY": "ix_message_batch (batch_id=?)",
    "RESTRICTION": "sqlite_autoindex_restriction_1 (account_id=? AND kind=?)",
    "RUNNING_BATCHES": "ix_batch_account (account_id=?)",
    "TRACK": BY_KEY,
    "WARM_DAYS": BY_KEY,
    "WARN": BY_KEY,
    "WHAT_IS_DUE": "ix_message_in_doubt",
    "WITHHOLD": BY_KEY,
    "STANDING_WITHOUT_REMOTE_ID": BY_KEY,
    "TO_JUDGE": BY_KEY,
    "TRAFFIC_BOTH_WAYS": BY_KEY,
    "UNANSWERED": "PRIMARY KEY (account_id=? AND number=?)",
    "UNFINISHED": "ix_message_expires_at",
    "UNFINISHED_OF": "ix_message_log (account_id=? AND status=?)",
    "UNSETTLED": "ix_message_unsettled",
    "UNSETTLED_OF": "ix_message_unsettled",
    "ANY_REFUSAL": "uq_opt_out_live",
    "CONFIRM_REFUSAL": BY_KEY,
    "END_REFUSAL": BY_KEY,
    "IS_OUTDATED": "SCAN told",
    "HAS_CONSENT": "ix_consent_phone (phone=?)",
    "IS_COMMERCIAL": BY_KEY,
    "KEEPS_NOTICES": BY_KEY,
    "KEEP_REFUSAL": "",
    "LAST_ASKED_FOR": "ix_message_recipient (recipient=?)",
    "LIVE_REFUSALS_OF": "uq_opt_out_live (phone=?)",
    "OLDEST_TOKEN": "",
    "REFUSALS_OF": "uq_opt_out_live (phone=?)",
    "SAID_AGAIN": "uq_opt_out_live (phone=?",
    "SENT_LATELY": "ix_message_recipient (recipient=?)",
    "WAITING_OF": "ix_message_recipient (recipient=?)",
    "USED_TODAY": "sqlite_autoindex_token_use_1",
    "USE_TODAY": "",
}
"""The index by which each statement must find its rows; an insertion finds none."""

READ_WHOLE = {"ANY_REFUSAL", "CANCELLING", "LAST_DUE", "UNFINISHED", "UNSETTLED", "UNSETTLED_OF", "WHAT_IS_DUE"}
"""These read a whole index of what is unfinished, and never the log; save that of the few batches that are being
cancelled at the start alone."""


FEW = frozenset(
    {"SCAN CONSTANT ROW", "SCAN json_each VIRTUAL TABLE INDEX 1:", "SCAN d", "SCAN e", "SCAN p", "SCAN told"}
)
"""Nothing, a list that was given, a recipient's first fifty and last twenty messages (found by their index), the
accounts that keep rules, and every refusal there was, when somebody writes one more."""


@pytest.fixture
def connection(folder: Path) -> Iterator[Connection]:
    with engine_for(folder / FILE_NAME, owns_file=True).connect() as opened:
        raw: Any = opened.connection.driver_connection
        for name in ("Dükkân", "Depo"):
            raw.execute(
                "INSERT INTO account (name, kind, pace, on_unknown, line_state, line_since, created_at) "
                """VALUES (?, 'sandbox', '{"gaps": {}}', 'bekle', 'connected', 0, 0)""",
                (name,),
            )
        raw.execute("INSERT INTO token (secret_hash, hint, rules, created_at) VALUES (x'01', 'gv_', '{}', 0)")
        yield opened


@pytest.fixture
def raw(connection: Connection) -> Any:
    return connection.connection.driver_connection


def plan(raw: Any, statement: str, parameters: object = None) -> list[str]:
    """Answer the lines of a query plan."""
    many = tuple([1] * 32)[: parameter_count(statement)] if parameters is None else parameters
    return [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", many)]


def parameter_count(statement: str) -> int:
    numbers = [int(number) for number in re.findall(r"\?(\d+)", statement)]
    return max(numbers, default=statement.count("?"))


def hot_statements() -> dict[str, str]:
    return {
        name: text
        for subject in HOT
        for name, text in vars(subject).items()
        if isinstance(text, str) and name.isupper() and not name.startswith("_") and not name.endswith("_COLUMNS")
    }


def test_every_statement_has_its_plan_written_down() -> None:
    assert sorted(hot_statements()) == sorted(PLANS)


@pytest.mark.parametrize("name", PLANS)
def test_a_statement_finds_its_rows_by_its_index(raw: Any, name: str) -> None:
    lines = plan(raw, hot_statements()[name])
    assert PLANS[name] in " ".join(lines)
    assert not [line for line in lines if "TEMP B-TREE" in line]
    scans = [line for line in lines if line.startswith("SCAN ") and line not in FEW]
    assert all("USING INDEX" in line and name in READ_WHOLE for line in scans), lines


def test_no_question_of_a_person_reads_the_whole_log(connection: Connection, raw: Any) -> None:
    """Cold reads are looked at as they run, with what they were given: some are written by SQLAlchemy, some by hand."""
    asked: list[str] = []
    raw.execute(INSERT_BATCH, (1, 1, 10, 1, b"list", NOW_MS, None))
    raw.set_trace_callback(asked.append)
    reading.one_message(connection, 1)
    reading.attempts(connection, 1)
    reading.events(connection, 1)
    reading.events_after(connection, 1, limit=10)
    reading.last_event_id(connection)
    reading.one_batch(connection, 1)
    reading.batch_rests(connection, 1)
    reading.depths(connection)
    reading.spool_digests(connection)
    accounts.remove(Tx(connection), 2, now=NOW)
    upkeep.forget(Tx(connection), now=NOW)
    raw.set_trace_callback(None)
    of_log = [text for text in asked if text.startswith("SELECT") and "FROM account" not in text]
    assert len(of_log) >= 11
    for text in of_log:
        for line in plan(raw, text, ()):
            assert not (line.startswith("SCAN ") and "USING" not in line and "upload" not in line), (text, line)


def test_a_report_reads_a_batch_by_its_own_index(connection: Connection, raw: Any) -> None:
    lines = plan(raw, reading.BATCH_MESSAGES, (1, 0, 10))
    assert any("ix_message_batch (batch_id=?)" in line for line in lines), lines
    assert reading.batch_messages(connection, 1, above=0, limit=10) == ()


# -- costs, in steps of SQLite's virtual machine


@contextmanager
def counted(raw: Any) -> Iterator[Callable[[], int]]:
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    raw.set_progress_handler(step, 1)
    try:
        yield lambda: steps
    finally:
        raw.set_progress_handler(None, 1)


SINGLE = priority(Level.NORMAL, Lane.SINGLE)

WAITING: dict[str, dict[str, str]] = {
    "scheduled": {"waits_for": "'zaman'", "waits_until": "{now} + 1000 + n"},
    "scheduled, one recipient": {"waits_for": "'zaman'", "waits_until": "{now} + 1000 + n", "recipient": f"'{AYSE}'"},
    "scheduled, and urgent": {"waits_for": "'zaman'", "waits_until": "{now} + 1000 + n", "priority": "9"},
    "deferred": {"waits_for": "'tekrar_deneme'", "waits_until": "{now} + 1000 + n"},
    "deferred, urgent and of the same recipient": {
        "waits_for": "'tekrar_deneme'",
        "waits_until": "{now} + 1000 + n",
        "recipient": f"'{AYSE}'",
        "priority": "9",
    },
    "parked": {"waits_for": "'onceki_mesaj'", "waits_until": "{now} + 1000 + n"},
    "held": {"waits_for": "'geri_yuklendi'", "waits_until": "NULL"},
    "held, and planned": {"waits_for": "'geri_yuklendi'", "waits_until": "{now} - n"},
    "in line": {},
    "in line of another lane": {"lane": "'bulk'", "priority": "2"},
    "in line of another account": {"account_id": "2", "priority": "9"},
    "in doubt, and due to be looked into": {"status": "'unknown'", "waits_until": "{now} - n"},
    "sent": {"status": "'sent'", "sent_at": "{now}", "remote_id": "'R-' || n"},
    "failed": {"status": "'failed'"},
    "the same message again and again, long ago": {
        "status": "'sent'",
        "sent_at": "{now}",
        "fingerprint": "x'f1'",
        "created_at": "{now} - 400000 - n",
    },
}


def crowd(raw: Any, kind: str, count: int) -> None:
    """Store `count` rows of a kind."""
    columns = {
        "account_id": "1",
        "token_id": "1",
        "recipient": "'+90532' || printf('%07d', n)",
        "body": "'Merhaba'",
        "category": "10",
        "lane": "'single'",
        "priority": str(SINGLE),
        "status": "'queued'",
        "created_at": "{now}",
        "due_at": "{now} + n",
        "expires_at": "{now} + 86400000",
    } | WAITING[kind]
    values = ", ".join(columns.values()).format(now=NOW_MS)
    raw.execute(
        f"WITH RECURSIVE many(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < {count}) "  # noqa: S608
        f"INSERT INTO message ({', '.join(columns)}) SELECT {values} FROM many"
    )


def costs(connection: Connection, raw: Any) -> dict[str, int]:
    """Answer what each hot verb costs, in steps."""
    tx = Tx(connection)
    taken: dict[str, int] = {}

    def cost(name: str, work: Callable[[], Any]) -> Any:
        with counted(raw) as steps:
            answer = work()
        taken[name] = steps()
        return answer

    def claim() -> Claimed | None:
        return claiming.claim(tx, 1, BOTH, now=NOW, secret=b"s" * 32, draw=0.5, turn=Turn(after=FIRST_TURN))

    def accept(to: str) -> None:
        repeat = Repeat(fingerprint=b"\xf1" if to == AYSE else to.encode(), since=NOW - timedelta(minutes=5))
        asked = draft(to, now=NOW)
        accepting.accept(tx, asked, token_id=1, now=NOW, line_ms=1, key=None, repeat=repeat, quota=None)

    def settle(claimed: Claimed, outcome: Outcome) -> None:
        message_id = in_hand(claimed).id
        messages.settle(tx, message_id, claimed.attempt_id, outcome, now=NOW, retry_at=NOW + timedelta(seconds=1))

    raw.execute("BEGIN IMMEDIATE")
    pushed_back = Deferred(reason=Code.PUSHED_BACK, pushed_back=True)
    outcomes: dict[str, Outcome] = {AYSE: Accepted("D-1", NOW), BORA: pushed_back, CEM: Lost(Code.ANSWER_LOST)}
    for to, outcome in outcomes.items():
        cost(f"accept {to}", partial(accept, to))
        claimed = cost(f"claim {to}", claim)
        assert in_hand(claimed).recipient == to
        cost(f"settle {to}", partial(settle, claimed, outcome))
    cost("receive", lambda: messages.receive(tx, 1, [receipt(ReceiptKind.READ, NOW, "D-1")], now=NOW))
    cost("receive early", lambda: messages.receive(tx, 1, [receipt(ReceiptKind.READ, NOW, "D-9")], now=NOW))
    cost("what_is_due", lambda: upkeep.what_is_due(connection, now=NOW - DAY))
    cost("release_due", lambda: messages.release_due(tx, now=NOW, limit=500))
    cost("expire", lambda: upkeep.expire(tx, now=NOW, limit=500))
    cost("in_doubt", lambda: upkeep.in_doubt(tx, now=NOW - DAY, limit=50))
    cost("standing", lambda: messages.find(tx, in_hand(claimed).id))
    raw.execute("ROLLBACK")
    return taken


@pytest.mark.parametrize("kind", WAITING)
def test_a_verb_costs_the_same_however_many_wait(connection: Connection, raw: Any, kind: str) -> None:
    crowd(raw, kind, 10)
    costs(connection, raw)  # the first time, statements are compiled
    few = costs(connection, raw)
    raw.execute("DELETE FROM message")
    crowd(raw, kind, 20_000)
    assert costs(connection, raw) == few


NOBODY: dict[str, MessageFilter] = {
    "all": MessageFilter(),
    **{f"durum={status}": MessageFilter(statuses=frozenset({status})) for status in Status},
    "durum=scheduled": MessageFilter(statuses=frozenset({Status.QUEUED}), scheduled=True),
    "durum=queued": MessageFilter(statuses=frozenset({Status.QUEUED}), scheduled=False),
    "hesap_id": MessageFilter(account_id=2),
    "a token of one account": MessageFilter(account_ids=frozenset({2})),
    "hesap_id and durum": MessageFilter(account_id=1, statuses=frozenset({Status.FAILED})),
    "tur_id": MessageFilter(category=77),
    "tur_id and durum": MessageFilter(category=10, statuses=frozenset({Status.FAILED})),
    "tur_id and hesap_id": MessageFilter(category=10, account_id=2),
    "telefon": MessageFilter(recipient=AYSE),
    "referans": MessageFilter(reference="F-1"),
    "toplu_id": MessageFilter(batch_id=1),
    "toplu_id and durum": MessageFilter(batch_id=1, statuses=frozenset({Status.FAILED})),
    "baslangic": MessageFilter(since=NOW + DAY),
    "bitis": MessageFilter(until=NOW - DAY),
    "bitis and hesap_id": MessageFilter(until=NOW - DAY, account_id=1),
    "baslangic and durum": MessageFilter(since=NOW + DAY, statuses=frozenset({Status.SENT})),
}
"""Filters that find next to nothing among sent messages of one account: the dearest question is the one for nothing."""


@pytest.mark.parametrize("name", NOBODY)
def test_a_page_costs_the_same_however_long_the_log_is(connection: Connection, raw: Any, name: str) -> None:
    def look() -> int:
        with counted(raw) as steps:
            reading.page(connection, NOBODY[name], limit=50, below=None)
        return steps()

    raw.execute(MARK_HOUR, (1, NOW_MS))
    look()  # the first time, statements are compiled
    crowd(raw, "sent", 200)
    few = look()
    raw.execute("DELETE FROM message")
    crowd(raw, "sent", 20_000)
    assert look() <= few + 50  # ids that grew longer


def test_a_row_that_moves_on_meanwhile_is_missed_by_no_page(folder: Path, connection: Connection, raw: Any) -> None:
    """A row goes back from «sending» to «queued» after the page has looked among the queued ones."""
    crowd(raw, "in line", 1)
    raw.execute("UPDATE message SET status = 'sending'")
    moved: list[str] = []
    with engine_for(folder / FILE_NAME).connect() as other:

        def move(statement: str) -> None:
            if "status = 'sending'" in statement and not moved:
                moved.append(statement)
                other.exec_driver_sql("UPDATE message SET status = 'queued'")

        raw.set_trace_callback(move)
        found = reading.page(connection, MessageFilter(account_id=1), limit=50, below=None)
        raw.set_trace_callback(None)
    assert moved
    assert len(found.messages) == 1


def test_the_count_of_steps_would_tell(raw: Any) -> None:
    """The measure itself: a statement that skips rows one by one is seen to cost more."""
    crowd(raw, "scheduled", 10)

    def look() -> int:
        with counted(raw) as steps:
            raw.execute(
                "SELECT id FROM message NOT INDEXED WHERE status = 'queued' AND waits_for IS NULL LIMIT 1"
            ).fetchall()
        return steps()

    few = look()
    crowd(raw, "scheduled", 1_000)
    assert look() > few + 1_000
