"""Everything that is held of one number, and how it is forgotten. Functions of a connection or a transaction.

A number stands in the tables of PLACES, in messages, refusals and drafts, and nowhere else: events hold ids.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection

from guvercin.core.audit import Act
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.message import Order, Status
from guvercin.core.phone import InvalidPhone, parse_phone
from guvercin.core.rights import Cause, Destruction, Dossier, Forgotten, Hold, NumberKnown, Seen, Told, Wrote
from guvercin.store import auditing, consents, messages, optouts, reading
from guvercin.store.hand import by_hand
from guvercin.store.statements.messages import MESSAGE_COLUMNS, STANDING_COLUMNS
from guvercin.store.tables import metadata
from guvercin.store.times import from_ms, to_ms
from guvercin.store.writer import Tx

HAS_INBOX = "inbound" in metadata.tables
"""Whether what people write is kept."""

_FILES_OF_INBOX = (("inbound", "media_digest"),) if HAS_INBOX else ()
"""Where copies of files are named that people sent to us."""

_SENDING_LASTS = timedelta(seconds=30)
"""After this long a message that is on its way has an answer, as a rule."""

_ALL = 1_000_000
"""More consents than a person gives."""

_DIGITS = 10
"""The last digits of a number stand in every way of writing it."""

_PLACES = (("consent", "phone"), ("last_inbound", "sender"), ("chat", "number"), ("number_check", "number"))
"""Tables whose rows about a number go as a whole, and the column that holds it."""


# -- what is held


def dossier(connection: Connection, phone: str) -> Dossier:
    """Answer everything that is held of a number (E.164)."""
    raw = by_hand(connection)
    rows = raw.execute(
        f"SELECT {MESSAGE_COLUMNS} FROM message WHERE recipient = ? ORDER BY id",  # noqa: S608 -- our own columns
        (phone,),
    ).fetchall()
    return Dossier(
        phone=phone,
        messages=[
            Told(
                message=messages.message(row),
                attempts=reading.attempts(connection, row[0]),
                events=reading.events(connection, row[0]),
            )
            for row in rows
        ],
        refusals=optouts.of_person(connection, phone),
        consents=consents.page(connection, phone=phone, limit=_ALL, below=None),
        wrote=_wrote(connection, phone),
        seen=_seen(raw, phone),
        checks=[
            NumberKnown(account_id=row[0], is_registered=None if row[1] is None else bool(row[1]), at=from_ms(row[2]))
            for row in raw.execute(
                "SELECT account_id, is_registered, coalesce(known_at, asked_at) FROM number_check WHERE number = ?",
                (phone,),
            ).fetchall()
        ],
        drafts=sum(_without(request, phone) is not None for _, request in _drafts(raw)),
        hold=hold_of(connection, phone),
    )


def _wrote(connection: Connection, phone: str) -> Sequence[Wrote]:
    """Answer what somebody wrote to us, where there is an inbox."""
    if not HAS_INBOX:
        return ()
    rows = by_hand(connection).execute(
        "SELECT account_id, wrote_at, sender_name, body FROM inbound WHERE sender = ? ORDER BY id", (phone,)
    )
    return tuple(Wrote(account_id=row[0], at=from_ms(row[1]), name=row[2], text=row[3]) for row in rows.fetchall())


def _seen(raw: Any, phone: str) -> Sequence[Seen]:
    wrote = dict(raw.execute("SELECT account_id, at FROM last_inbound WHERE sender = ?", (phone,)).fetchall())
    written = dict(raw.execute("SELECT account_id, last_at FROM chat WHERE number = ?", (phone,)).fetchall())
    return [
        Seen(
            account_id=account_id,
            wrote_at=from_ms(wrote.get(account_id)),
            written_at=from_ms(written.get(account_id)),
        )
        for account_id in sorted(wrote.keys() | written.keys())
    ]


def tell(tx: Tx, phone: str, *, now: datetime) -> None:
    """Write that somebody was given what is held of a number."""
    auditing.note(tx, Act.EXPORTED, now=now, about=_alias(tx, phone))


# -- the law's wish


def hold_of(connection: Connection, phone: str) -> Hold | None:
    """Answer why the law wants somebody's data kept; null: it does not."""
    row = by_hand(connection).execute("SELECT why, since FROM legal_hold WHERE phone = ?", (phone,)).fetchone()
    return None if row is None else Hold(phone=phone, why=row[0], since=from_ms(row[1]))


def hold(tx: Tx, phone: str, why: str | None, *, now: datetime) -> Hold:
    """Keep somebody's data whatever else is asked. Holding twice changes the note alone."""
    tx.execute(
        "INSERT INTO legal_hold (phone, why, since) VALUES (?, ?, ?) "
        "ON CONFLICT (phone) DO UPDATE SET why = excluded.why",
        (phone, why, to_ms(now)),
    )
    auditing.note(tx, Act.HELD, now=now, about=_alias(tx, phone))
    found = hold_of(tx.connection, phone)
    assert found is not None  # noqa: S101 -- written above
    return found


def let_go(tx: Tx, phone: str, *, now: datetime) -> bool:
    """End a hold; says whether there was one."""
    is_gone = bool(tx.execute("DELETE FROM legal_hold WHERE phone = ?", (phone,)).rowcount)
    if is_gone:
        auditing.note(tx, Act.HOLD_ENDED, now=now, about=_alias(tx, phone))
    return is_gone


# -- forgetting


def forget(tx: Tx, phone: str, *, now: datetime) -> Forgotten:
    """Forget everything of a number but that it refused. ON_HOLD, IN_HAND: nothing was changed.

    What waits for the person is withdrawn, and nobody hopes any more for what is in doubt.
    """
    if hold_of(tx.connection, phone) is not None:
        raise GuvercinError(Code.ON_HOLD)
    rows = [messages.standing(row) for row in tx.execute(_STANDINGS, (phone,)).fetchall()]
    if any(row.status is Status.SENDING for row in rows):
        raise GuvercinError(Code.IN_HAND, retry_after=_SENDING_LASTS)
    now_ms = to_ms(now)
    alias = _alias(tx, phone)
    for row in rows:
        if row.status is Status.QUEUED:
            messages.move(tx, row, Order.CANCEL, now_ms)
        elif row.status is Status.UNKNOWN:
            messages.move(tx, row, Order.GIVE_UP, now_ms, reason=Code.GIVEN_UP)
    digests = {row[0] for row in tx.execute(f"{_FILES} WHERE recipient = ?", (phone,)).fetchall() if row[0]}
    digests |= {row[0] for row in tx.execute(_PROOFS, (phone,)).fetchall()}
    for table, column in _FILES_OF_INBOX:
        named = f"SELECT {column} FROM {table} WHERE sender = ? AND {column} IS NOT NULL"  # noqa: S608 -- our own names
        digests |= {row[0] for row in tx.execute(named, (phone,)).fetchall()}
    others = _forget_beside(tx, phone, digests)
    for statement in _EMPTYING:
        tx.execute(statement, (phone,))
    refusals = _hide_refusals(tx, phone)
    gone = Forgotten(messages=len(rows), refusals=refusals, others=others, digests=frozenset(filter(None, digests)))
    detail = {"mesaj": gone.messages, "ret": gone.refusals, "diger": gone.others}
    log(tx, Cause.PERSON, now=now, texts=gone.messages, others=gone.others, ended=True)
    auditing.note(tx, Act.ERASED, now=now, about=alias, detail=detail)
    return gone


_STANDINGS = f"SELECT {STANDING_COLUMNS} FROM message WHERE recipient = ? ORDER BY id"  # noqa: S608 -- our own
_FILES = "SELECT DISTINCT file_digest FROM message"
_PROOFS = "SELECT proof_digest FROM consent WHERE phone = ? AND proof_digest IS NOT NULL"

_EMPTYING = (
    """DELETE FROM delivery WHERE event_id IN (SELECT e.id FROM event e JOIN message m ON m.id = e.message_id
    WHERE m.recipient = ?)""",
    "UPDATE attempt SET detail = NULL WHERE message_id IN (SELECT id FROM message WHERE recipient = ?)",
    """UPDATE message SET recipient = 'silindi', recipient_name = NULL, body = '', file_digest = NULL, file_name = NULL,
    file_type = NULL, file_size = NULL, reference = NULL, fingerprint = NULL, variables = NULL WHERE recipient = ?""",
)
"""In this order: the last one takes away by what the others find the rows."""


def _forget_beside(tx: Tx, phone: str, digests: Collection[str]) -> int:
    """Drop what other tables hold of a number; answers how many rows."""
    gone: int = 0
    for table, column in (*_PLACES, *((("inbound", "sender"),) if HAS_INBOX else ())):
        gone += tx.execute(f"DELETE FROM {table} WHERE {column} = ?", (phone,)).rowcount  # noqa: S608 -- our own names
    listed = orjson.dumps(sorted(filter(None, digests))).decode()
    gone += tx.execute("DELETE FROM upload WHERE digest IN (SELECT value FROM json_each(?))", (listed,)).rowcount
    digits = f"%{phone[-_DIGITS:]}%"  # words of others in which the number may stand
    gone += tx.execute("DELETE FROM not_understood WHERE body LIKE ?", (digits,)).rowcount
    gone += tx.execute("DELETE FROM idempotency_key WHERE key LIKE ?", (digits,)).rowcount
    for draft_id, request in _drafts(tx.execute):
        left = _without(request, phone)
        if left is not None:
            tx.execute("UPDATE batch_draft SET request = ? WHERE id = ?", (left, draft_id))
            gone += 1
    return gone


def _hide_refusals(tx: Tx, phone: str) -> int:
    """Keep of each refusal that holds what makes it hold, and drop those that are over; answers how many are kept."""
    tx.execute("DELETE FROM opt_out WHERE phone = ? AND ended_at IS NOT NULL", (phone,))
    tx.execute(_DROP_OLDER, (phone,))
    return int(tx.execute("UPDATE opt_out SET phone = hide(?1), said = NULL WHERE phone = ?1", (phone,)).rowcount)


_DROP_OLDER = """DELETE FROM opt_out WHERE phone = hidden(?1) AND ended_at IS NULL AND EXISTS (SELECT 1 FROM opt_out p
WHERE p.phone = ?1 AND p.ended_at IS NULL AND p.scope = opt_out.scope
AND coalesce(p.account_id, 0) = coalesce(opt_out.account_id, 0) AND p.id <> opt_out.id)"""
"""Of somebody who was forgotten before and has refused again, the newer refusal stays."""


def _drafts(asked: Any) -> Sequence[tuple[str, bytes]]:
    execute = getattr(asked, "execute", asked)
    return [(row[0], bytes(row[1])) for row in execute("SELECT id, request FROM batch_draft").fetchall()]


def _without(request: bytes, phone: str) -> bytes | None:
    """Answer a bulk request without one person; null if they are not in it."""
    asked: dict[str, Any] = orjson.loads(request)
    recipients = asked.get("alicilar", [])
    left = [each for each in recipients if not _is_of(each, phone)]
    return None if len(left) == len(recipients) else orjson.dumps(asked | {"alicilar": left})


def _is_of(recipient: Mapping[str, Any], phone: str) -> bool:
    try:
        return parse_phone(recipient.get("telefon", "")).e164 == phone
    except InvalidPhone:
        return False


def digests_in_use(connection: Connection, digests: Collection[str]) -> frozenset[str]:
    """Answer which of these files something else still names. It looks through the whole log."""
    listed = orjson.dumps(sorted(digests)).decode()
    found: set[str] = set()
    for table, column in (
        ("message", "file_digest"),
        ("upload", "digest"),
        ("consent", "proof_digest"),
        *_FILES_OF_INBOX,
    ):
        rows = by_hand(connection).execute(
            f"SELECT DISTINCT {column} FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))",  # noqa: S608
            (listed,),
        )
        found |= {row[0] for row in rows.fetchall()}
    return frozenset(found)


# -- the log of destructions


def destructions(connection: Connection, *, limit: int, below: int | None) -> Sequence[Destruction]:
    """Answer destructions, newest first, with ids below `below`."""
    where, values = ("", ()) if below is None else ("WHERE id < ?", (below,))
    rows = by_hand(connection).execute(
        "SELECT id, began_at, ended_at, cause, texts, records, files, others FROM destruction "  # noqa: S608
        f"{where} ORDER BY id DESC LIMIT ?",
        (*values, limit),
    )
    return tuple(
        Destruction(
            id=row[0],
            began_at=from_ms(row[1]),
            ended_at=from_ms(row[2]),
            cause=Cause(row[3]),
            texts=row[4],
            records=row[5],
            files=row[6],
            others=row[7],
        )
        for row in rows.fetchall()
    )


def log(
    tx: Tx, cause: Cause, *, now: datetime, texts: int = 0, files: int = 0, others: int = 0, ended: bool = False
) -> int:
    """Begin a destruction in the log of them; answers its id."""
    made = tx.execute(
        "INSERT INTO destruction (began_at, ended_at, cause, texts, records, files, others) "
        "VALUES (?, ?, ?, ?, 0, ?, ?)",
        (to_ms(now), to_ms(now) if ended else None, cause.value, texts, files, others),
    )
    return int(made.lastrowid)


def _alias(tx: Tx, phone: str) -> str:
    """Answer how the audit names a person whose number it must not hold."""
    hidden: str = tx.execute("SELECT CAST(hide(?1) AS TEXT), CAST(?1 AS TEXT)", (phone,)).fetchone()[0]
    return f"kisi:{hidden}"
