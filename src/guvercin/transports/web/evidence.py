"""What can be known afterwards about a message in doubt.

Every send carries 32 bytes that are its own. The engine writes them into its database, beside the id that it has
chosen, before the first byte leaves; our journal holds what came of each send, and every receipt. So:

    the journal has the answer           it says it all
    no row, in the session of that send  it never left
    a row, and a receipt of its id       it left
    a row, and nothing else              nobody can say (yet)

Laws
1. Absence proves something only in a database that can be read, that still holds the session in which the send was
   made, and that nobody is writing for that send any more.
2. Whatever can't be read proves nothing: Unclear, never a guess.
"""

import base64
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import orjson

from guvercin.core.outcome import Accepted, Evidence, Lost, NeverLeft, Unclear
from guvercin.transports.web import protocol as p
from guvercin.transports.web.errors import outcome_of
from guvercin.transports.web.journal import holding


class Reading(Protocol):
    """A database that can only be read."""

    def execute(self, statement: str, values: tuple[Any, ...] = ..., /) -> Any:
        """Answer a cursor over the rows of one statement."""
        ...


OpenReadOnly: TypeAlias = Callable[[Path], AbstractContextManager[Reading]]
"""Open a SQLite file for reading, with the library that this process has chosen. OSError: it can't be read."""

DATABASE = "engine.db"
"""The engine's own database in an account's folder."""

_ROW = "SELECT message_id FROM whatsmeow_message_secrets WHERE key = ?"
_NUMBER = "SELECT pn FROM whatsmeow_lid_map WHERE lid = ?"
_DEVICE = "SELECT jid FROM whatsmeow_device"


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Where an account's traces are."""

    database: Path
    journal: Path
    open_database: OpenReadOnly

    def session(self) -> str | None:
        """Answer the jid of the linked session; null: none. OSError: nobody can say."""
        if not self.database.exists():
            return None
        with self.open_database(self.database) as database:
            has_table = database.execute(
                "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'whatsmeow_device'"
            ).fetchone()
            row = database.execute(_DEVICE).fetchone() if has_table else None
        return None if row is None else str(row[0])

    def number_of(self, hidden: str) -> str | None:
        """Answer the number (E.164) behind a hidden address; null: the engine doesn't know it.

        It knows that of everybody whom it has sent anything.
        """
        try:
            with self.open_database(self.database) as database:
                row = database.execute(_NUMBER, (hidden.removesuffix(p.HIDDEN),)).fetchone()
        except Exception:  # noqa: BLE001 -- a database that can't be read, or of another engine, knows nobody
            return None
        return f"+{row[0]}" if row is not None and str(row[0]).isdigit() else None


class Session:
    """The linked session of an account: the engine's database holds it, a note beside it says since when."""

    def __init__(self, files: Files, note: Path) -> None:
        self._files = files
        self._note = note

    def jid(self) -> str | None:
        """Answer the session's jid; null: none. What a crash left in a state that only the engine can read is noted."""
        noted = self._noted()
        try:
            found = self._files.session()
        except OSError:
            return noted.get("jid")
        return None if found == noted.get("ended") else found

    def linked_at(self) -> datetime | None:
        """Answer since when this session is linked; null: unknown."""
        noted = self._noted().get("linked_at")
        return None if noted is None else datetime.fromisoformat(noted)

    def note(self, jid: str, linked_at: datetime) -> None:
        """Note that a phone has just been linked, and that its number is stored nowhere yet."""
        self._write({"jid": jid, "linked_at": linked_at.isoformat(), "told": False})

    def is_told(self, jid: str) -> bool:
        """Say whether the number of this session is stored: whoever linked the phone may have ended before."""
        noted = self._noted()
        return noted.get("jid") == jid and noted.get("told", True)

    def tell(self, jid: str, now: datetime) -> None:
        """Note that the number of this session is stored. Losing the note costs a repetition."""
        noted = self._noted()
        with suppress(OSError):
            since = noted["linked_at"] if noted.get("jid") == jid else now.isoformat()
            self._write({"jid": jid, "linked_at": since, "told": True})

    def end(self) -> None:
        """Note that WhatsApp has ended the session: the engine tells that before it deletes what it has of it."""
        with suppress(OSError):
            if (jid := self._files.session()) is not None:
                self._write({"ended": jid})

    def forget(self) -> None:
        """Make room for a new session: what is left of the old one can't be used any more."""
        for path in (self._note, *self._files.database.parent.glob(f"{self._files.database.name}*")):
            path.unlink(missing_ok=True)

    def _write(self, noted: dict[str, Any]) -> None:
        draft = self._note.with_suffix(".new")
        draft.write_bytes(orjson.dumps(noted))
        draft.replace(self._note)

    def _noted(self) -> dict[str, Any]:
        try:
            noted = orjson.loads(self._note.read_bytes())
        except (OSError, ValueError):
            return {}
        return noted if isinstance(noted, dict) else {}


def find(files: Files, secret: bytes, started_at: datetime, *, linked_at: datetime | None) -> Evidence:
    """Look for the traces of one send, which nobody is making any more. Reads files: not for the event loop.

    `linked_at` is when the present session began; null: unknown.
    """
    try:
        return _find(files, secret, started_at, linked_at)
    except OSError:
        return Unclear()


def _find(files: Files, secret: bytes, started_at: datetime, linked_at: datetime | None) -> Evidence:
    written = base64.b64encode(secret)
    has_gap = False
    for entry in holding(files.journal, written, b'"SecretNotKept"'):
        match entry:
            case p.Answered(secret=found) if found == secret:
                if entry.remote_id is not None:
                    return Accepted(entry.remote_id, entry.at)
                if not isinstance(outcome_of(entry.error or ""), Lost):
                    return NeverLeft()
            case p.SecretNotKept():
                has_gap = has_gap or entry.at >= started_at
            case _:
                pass
    is_ours = linked_at is not None and linked_at <= started_at and files.session() is not None
    remote_id = _id_of(files, secret)
    if remote_id is None:
        return NeverLeft() if is_ours and not has_gap else Unclear()
    heard = [
        entry.at
        for entry in holding(files.journal, remote_id.encode())
        if isinstance(entry, p.ReceiptHeard) and remote_id in entry.remote_ids
    ]
    return Accepted(remote_id, min(heard)) if heard else Unclear()


def _id_of(files: Files, secret: bytes) -> str | None:
    with files.open_database(files.database) as database:
        row = database.execute(_ROW, (secret,)).fetchone()
    return None if row is None else str(row[0])
