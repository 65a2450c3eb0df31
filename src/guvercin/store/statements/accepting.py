"""The statements of accepting: keys, repeats, quotas, and the new rows."""

from functools import lru_cache
from itertools import count

from guvercin.store.statements.messages import STANDING_COLUMNS

LIVE_ACCOUNT = "SELECT repeat_guard FROM account WHERE id = ? AND removed_at IS NULL"

FIND_KEY = "SELECT body_hash, message_id, batch_id FROM idempotency_key WHERE token_id = ? AND method = ? AND path = ? AND key = ?"

INSERT_KEY = (
    "INSERT INTO idempotency_key (token_id, method, path, key, body_hash, message_id, batch_id, created_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)

FIND_REPEAT = (
    "SELECT id FROM message WHERE token_id = ? AND fingerprint = ? AND created_at > ? "
    "AND status NOT IN ('failed', 'cancelled') ORDER BY created_at DESC, id DESC LIMIT 1"
)

FIND_REPEATED_BATCH = (
    "SELECT b.id FROM batch b WHERE b.token_id = ? AND b.body_hash = ? AND b.created_at > ? AND EXISTS (SELECT 1 FROM "
    "message m WHERE m.batch_id = b.id AND m.status IN ('queued', 'sending')) "
    "ORDER BY b.created_at DESC, b.id DESC LIMIT 1"
)

USED_TODAY = "SELECT accepted FROM token_use WHERE token_id = ? AND day = ?"

USE_TODAY = (
    "INSERT INTO token_use (token_id, day, accepted) VALUES (?, ?, ?) "
    "ON CONFLICT (token_id, day) DO UPDATE SET accepted = token_use.accepted + excluded.accepted"
)

INSERT_BATCH = (
    "INSERT INTO batch (account_id, token_id, category, total, body_hash, created_at, declared_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)

INSERTED_COLUMNS = (
    "account_id, batch_id, token_id, recipient, recipient_name, body, file_digest, file_name, file_type, file_size, "
    "category, lane, priority, status, reason, warning, waits_for, waits_until, created_at, due_at, expires_at, "
    "reference, fingerprint, resend_of, track, courtesy, owns_lifetime, is_head, variables"
)

_WIDTH = len(INSERTED_COLUMNS.split(", "))

INSERT_MESSAGE = f"INSERT INTO message ({INSERTED_COLUMNS}) VALUES ({', '.join('?' * _WIDTH)})"


@lru_cache(maxsize=64)
def insert_messages(varies: tuple[bool, ...]) -> str:
    """Write the statement for many rows at once: what all of them share is bound, the rest is a list in JSON.

    One statement and not one for each row: SQLite runs it without a turn of Python's lock, which a busy event loop
    would let it have row by row.
    """
    places = count()
    values = ", ".join(f"value->>{next(places)}" if own else "?" for own in varies)
    return f"INSERT INTO message ({INSERTED_COLUMNS}) SELECT {values} FROM json_each(?) ORDER BY key"


ACCEPTED_ROWS = (
    "INSERT INTO event (at, kind, account_id, message_id, batch_id, detail) SELECT created_at, "
    "CASE status WHEN 'queued' THEN 'mesaj.kabul_edildi' ELSE 'mesaj.basarisiz' END, account_id, id, batch_id, "
    "'{\"neden\":\"' || reason || '\"}' FROM message WHERE id >= ? AND +batch_id = ? ORDER BY id"
)
"""The events of a batch whose rows are the newest of all, in their order."""

FIRST_OF_BATCH = "SELECT min(id) FROM message WHERE batch_id = ?"

IN_LINE_OF_BATCH = (
    f"SELECT {STANDING_COLUMNS} FROM message WHERE batch_id = ? AND status = 'queued' AND waits_for IS NULL LIMIT 1"
)

LAST_HOUR = "SELECT hour FROM hour_mark WHERE first_id = (SELECT max(first_id) FROM hour_mark)"

MARK_HOUR = "INSERT INTO hour_mark (first_id, hour) VALUES (?, ?)"

LAST_DUE = (
    "SELECT max((SELECT coalesce(max(due_at), 0) FROM message WHERE status = 'queued' "
    "AND coalesce(waits_for, '') NOT IN ('zaman', 'geri_yuklendi', 'toplu_durduruldu')), "
    "(SELECT coalesce(max(due_at), 0) FROM message WHERE status IN ('sending', 'unknown')))"
)

SINGLES_SINCE = "SELECT coalesce(sum(singles), 0) FROM token_minute WHERE token_id = ? AND minute > ?"

COUNT_SINGLE = (
    "INSERT INTO token_minute (token_id, minute, singles) VALUES (?, ?, 1) "
    "ON CONFLICT (token_id, minute) DO UPDATE SET singles = token_minute.singles + 1"
)

SENT_LATELY = (
    "SELECT 1 FROM message WHERE recipient = ? AND account_id = ? AND created_at > ? AND body IS ? AND file_digest IS ? "
    "AND status NOT IN ('failed', 'cancelled') LIMIT 1"
)
