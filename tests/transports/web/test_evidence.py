"""What can be proved of a message in doubt, with the engine's database and our journal as they are found."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guvercin.core.outcome import Accepted, NeverLeft, Unclear
from guvercin.store import sqlite
from guvercin.store.sqlite import reading
from guvercin.transports.web import protocol as p
from guvercin.transports.web.evidence import Files, Session, find
from guvercin.transports.web.journal import Journal

NOW = datetime(2026, 2, 23, 11, 30, tzinfo=UTC)
SECRET, OTHER = bytes(range(32)), bytes(range(1, 33))
ID = "3EB0F00D"
JID = "905321234567:12@s.whatsapp.net"


class Traces:
    """An account's folder, written by hand."""

    def __init__(self, folder: Path) -> None:
        self.files = Files(database=folder / "engine.db", journal=folder / "journal", open_database=reading)
        self._journal = Journal(self.files.journal)
        self._execute("CREATE TABLE whatsmeow_device (jid TEXT)")
        self._execute("CREATE TABLE whatsmeow_message_secrets (message_id TEXT, key BLOB)")
        self._execute("INSERT INTO whatsmeow_device VALUES (?)", JID)

    def _execute(self, statement: str, *values: object) -> None:
        engine = sqlite.engine_for(self.files.database, create=True)
        with engine.begin() as connection:
            connection.exec_driver_sql(statement, values)

    def secret(self, secret: bytes = SECRET, message_id: str = ID) -> None:
        self._execute("INSERT INTO whatsmeow_message_secrets VALUES (?, ?)", message_id, secret)

    def forget_device(self) -> None:
        self._execute("DELETE FROM whatsmeow_device")

    def keep(self, entry: p.Entry) -> None:
        self._journal.append(entry)

    def look(self, linked_at: datetime | None = NOW - timedelta(days=1)) -> object:
        return find(self.files, SECRET, NOW, linked_at=linked_at)


def test_a_hidden_address_has_the_number_that_the_engine_knows(traces: Traces) -> None:
    assert traces.files.number_of("98765432101234@lid") is None, "an engine without the table knows nobody"
    traces._execute("CREATE TABLE whatsmeow_lid_map (lid TEXT PRIMARY KEY, pn TEXT UNIQUE NOT NULL)")
    assert traces.files.number_of("98765432101234@lid") is None
    traces._execute("INSERT INTO whatsmeow_lid_map VALUES ('98765432101234', '905321234567')")
    assert traces.files.number_of("98765432101234@lid") == "+905321234567"


@pytest.fixture
def traces(tmp_path: Path) -> Traces:
    return Traces(tmp_path)


def receipt(message_id: str = ID, kind: str = "SENDER") -> p.ReceiptHeard:
    return p.ReceiptHeard(remote_ids=("3EB0BEEF", message_id), kind=kind, from_me=True, at=NOW)


def test_no_row_in_the_session_of_the_send_is_proof(traces: Traces) -> None:
    traces.secret(OTHER)
    assert traces.look() == NeverLeft()


def test_a_row_alone_says_nothing(traces: Traces) -> None:
    traces.secret()
    traces.keep(receipt("3EB0CAFE"))
    assert traces.look() == Unclear()


@pytest.mark.parametrize("kind", ["SENDER", "DELIVERED", "READ", "RETRY"])
def test_a_row_and_any_receipt_say_that_it_left(traces: Traces, kind: str) -> None:
    traces.secret()
    traces.keep(receipt(kind=kind))
    assert traces.look() == Accepted(ID, NOW)


def test_the_answer_in_the_journal_says_it_all(traces: Traces) -> None:
    traces.keep(p.Answered(secret=SECRET, remote_id=ID, error=None, at=NOW))
    assert traces.look() == Accepted(ID, NOW)


def test_a_clear_no_in_the_journal_beats_the_row(traces: Traces) -> None:
    traces.secret()
    traces.keep(p.Answered(secret=SECRET, remote_id=None, error="server returned error 463", at=NOW))
    assert traces.look() == NeverLeft()


def test_an_unclear_answer_in_the_journal_proves_nothing(traces: Traces) -> None:
    traces.secret()
    traces.keep(p.Answered(secret=SECRET, remote_id=None, error="timed out waiting for message send response", at=NOW))
    assert traces.look() == Unclear()


def test_an_absent_row_proves_nothing_in_another_session(traces: Traces) -> None:
    assert traces.look(linked_at=NOW + timedelta(seconds=1)) == Unclear()
    assert traces.look(linked_at=None) == Unclear()
    traces.forget_device()
    assert traces.look() == Unclear()


def test_an_absent_row_proves_nothing_where_the_engine_could_not_write(traces: Traces) -> None:
    traces.keep(p.SecretNotKept(at=NOW - timedelta(seconds=1)))
    assert traces.look() == NeverLeft(), "that was before this send"
    traces.keep(p.SecretNotKept(at=NOW))
    assert traces.look() == Unclear()


@pytest.mark.parametrize("content", [b"", b"not a database at all"])
def test_a_database_that_cannot_be_read_proves_nothing(traces: Traces, content: bytes) -> None:
    traces.files.database.write_bytes(content)
    assert traces.look() == Unclear()
    traces.files.database.unlink()
    assert traces.look() == Unclear()


def test_a_session_that_whatsapp_ended_is_over_before_the_engine_has_deleted_it(traces: Traces, tmp_path: Path) -> None:
    session = Session(traces.files, tmp_path / "session.json")
    session.note(JID, NOW)
    session.end()
    assert session.jid() is None
    assert session.linked_at() is None
    assert traces.files.session() == JID


def test_a_session_is_known_by_the_engines_own_word_and_since_when_by_ours(traces: Traces, tmp_path: Path) -> None:
    session = Session(traces.files, tmp_path / "session.json")
    assert session.jid() == JID
    assert session.linked_at() is None
    session.note(JID, NOW)
    assert session.linked_at() == NOW
    traces.files.database.write_bytes(b"torn by a crash, and only the engine can mend it")
    assert session.jid() == JID
    session.forget()
    assert session.jid() is None
    session.end()
    assert session.jid() is None
    assert session.linked_at() is None
