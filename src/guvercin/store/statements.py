"""The hot statements, by hand, for SQLite: what runs for every message.

Named constants, so that the same words can be run elsewhere (a power-cut test, a query plan). Times are milliseconds.
"""

from functools import lru_cache
from itertools import count

MESSAGE_COLUMNS = (
    "id, account_id, batch_id, recipient, recipient_name, body, file_digest, file_name, file_type, file_size, "
    "category, lane, priority, status, reason, warning, waits_for, waits_until, created_at, due_at, expires_at, sent_at, "
    "delivered_at, read_at, remote_id, attempts, reference, resend_of"
)

STANDING_COLUMNS = "id, account_id, batch_id, status, reason, remote_id, waits_for"

# -- accept

LIVE_ACCOUNT = "SELECT 1 FROM account WHERE id = ? AND removed_at IS NULL"

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
    "ON CONFLICT (token_id, day) DO UPDATE SET accepted = accepted + excluded.accepted"
)

INSERT_BATCH = (
    "INSERT INTO batch (account_id, token_id, category, total, body_hash, created_at) VALUES (?, ?, ?, ?, ?, ?)"
)

INSERTED_COLUMNS = (
    "account_id, batch_id, token_id, recipient, recipient_name, body, file_digest, file_name, file_type, file_size, "
    "category, lane, priority, status, reason, warning, waits_for, waits_until, created_at, due_at, expires_at, "
    "reference, fingerprint, resend_of"
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
    "CASE WHEN reason IS NOT NULL THEN json_object('neden', reason) END FROM message WHERE id >= ? AND +batch_id = ? ORDER BY id"
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

STANDING = f"SELECT {STANDING_COLUMNS} FROM message WHERE id = ?"

MESSAGE = f"SELECT {MESSAGE_COLUMNS} FROM message WHERE id = ?"

STANDING_BY_REMOTE_ID = f"SELECT {STANDING_COLUMNS} FROM message WHERE account_id = ? AND remote_id = ?"

STANDING_WITHOUT_REMOTE_ID = (
    f"SELECT {STANDING_COLUMNS} FROM message WHERE id = ? AND account_id = ? AND remote_id IS NULL"
)

# -- claim

HEAD = (
    "SELECT priority, due_at, id, recipient, expires_at FROM message WHERE account_id = ? AND lane = ? "
    "AND status = 'queued' AND waits_for IS NULL ORDER BY priority DESC, due_at, id LIMIT 1"
)

HELD_BACK_UNTIL = (
    "SELECT waits_until FROM message WHERE account_id = ? AND recipient = ? AND priority = ? "
    "AND waits_for IN ('tekrar_deneme', 'onceki_mesaj') AND id < ? ORDER BY id LIMIT 1"
)

PARK = (
    "UPDATE message SET waits_for = 'onceki_mesaj', waits_until = ? "
    "WHERE id = ? AND status = 'queued' AND waits_for IS NULL"
)

WITHHOLD = (
    "UPDATE message SET waits_for = ?, reason = ?, waits_until = ? "
    "WHERE id = ? AND status = 'queued' AND waits_for IS NULL"
)

NEEDS_NO_PLACE = (
    "UPDATE message SET waits_until = ? WHERE account_id = ? AND recipient = ? "
    "AND waits_for IN ('tekrar_deneme', 'onceki_mesaj') AND (reason = 'meta_kisi_siniri' OR waits_for = 'onceki_mesaj')"
)
"""For who has just written: what waits for a place, and what waits behind that, is looked at again."""

SENDS_SINCE = (
    "SELECT m.recipient, a.started_at FROM attempt a CROSS JOIN message m ON m.id = a.message_id WHERE a.id > ? "
    "AND m.account_id = ? AND a.started_at > ? AND (a.outcome IS NULL OR a.outcome IN ('accepted', 'lost')) ORDER BY a.id"
)

LAST_ATTEMPT = "SELECT coalesce(max(id), 0) FROM attempt"

ATTEMPT_TIME = "SELECT started_at FROM attempt WHERE id >= ? ORDER BY id LIMIT 1"

CLAIM = "UPDATE message SET status = 'sending', reason = NULL WHERE id = ? AND status = 'queued' AND waits_for IS NULL"

INSERT_ATTEMPT = "INSERT INTO attempt (message_id, secret, started_at) VALUES (?, ?, ?)"

SPEND_SLOT = "UPDATE account SET last_claim_at = ?, draw = ? WHERE id = ?"

# -- settle, receipts, upkeep

END_ATTEMPT = (
    "UPDATE attempt SET ended_at = ?, outcome = ?, reason = ?, detail = ? "
    "WHERE id = ? AND message_id = ? AND ended_at IS NULL"
)

END_ATTEMPTS_OF = (
    "UPDATE attempt SET ended_at = ?, outcome = 'lost', reason = ? WHERE message_id = ? AND ended_at IS NULL"
)

_STANDS = (
    "status = ?3, reason = ?4, attempts = attempts + ?5, remote_id = coalesce(remote_id, ?6), "
    "sent_at = coalesce(sent_at, ?7), delivered_at = min(coalesce(delivered_at, ?8), coalesce(?8, delivered_at)), "
    "read_at = min(coalesce(read_at, ?9), coalesce(?9, read_at))"
)

ADVANCE = f"UPDATE message SET {_STANDS} WHERE id = ?1 AND status = ?2"
"""For a row that waits for nothing before and after: it leaves the indexes of waiting rows alone."""

MOVE = f"UPDATE message SET {_STANDS}, waits_for = ?10, waits_until = ?11 WHERE id = ?1 AND status = ?2"

ACCEPTED_AS = (
    f"SELECT {STANDING_COLUMNS}, (SELECT id FROM message o WHERE o.account_id = m.account_id AND o.remote_id = ?2), "
    "EXISTS (SELECT 1 FROM receipt r WHERE r.account_id = m.account_id AND r.remote_id = ?2) FROM message m WHERE id = ?1"
)
"""A row that was accepted as ?2, which row has that id already, and whether receipts of it came before."""

WARN = "UPDATE message SET warning = ? WHERE id = ?"

EARLY_RECEIPTS = "SELECT kind, at, reason FROM receipt WHERE account_id = ? AND remote_id = ?"

FORGET_RECEIPTS = "DELETE FROM receipt WHERE account_id = ? AND remote_id = ?"

KEEP_RECEIPT = (
    "INSERT INTO receipt (account_id, remote_id, kind, at, reason, heard_at) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (account_id, remote_id, kind) DO UPDATE SET at = min(at, excluded.at)"
)

HEARD_FROM = (
    "INSERT INTO last_inbound (account_id, sender, at) VALUES (?, ?, ?) "
    "ON CONFLICT (account_id, sender) DO UPDATE SET at = max(at, excluded.at)"
)

KEEP_UNCLEAR = "INSERT INTO not_understood (account_id, at, what, body) VALUES (?, ?, ?, ?)"

DROP_UNCLEAR = "DELETE FROM not_understood WHERE id <= ?"

NTH_CHECK = (
    "SELECT asked_at FROM number_check WHERE account_id = ? AND asked_at > ? ORDER BY asked_at DESC LIMIT 1 OFFSET ?"
)

COUNT_CHECK = (
    "INSERT INTO number_check (number, account_id, asked_at) VALUES (?, ?, ?) "
    "ON CONFLICT (number, account_id) DO UPDATE SET asked_at = excluded.asked_at"
)

KEEP_CHECK = (
    "INSERT INTO number_check (number, account_id, is_registered, known_at) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (number, account_id) DO UPDATE SET is_registered = excluded.is_registered, known_at = excluded.known_at"
)

LAST_HEARD = "SELECT at FROM last_inbound WHERE account_id = ? AND sender = ?"

_DUE = "waits_until <= ? AND status = 'queued' AND waits_for IN ('zaman', 'tekrar_deneme', 'onceki_mesaj')"

IS_DUE = f"SELECT 1 FROM message WHERE {_DUE} LIMIT 1"
"""What a claim asks first: SQLite compiles a statement anew each time that its LIMIT is a parameter."""

DUE = f"SELECT {STANDING_COLUMNS} FROM message WHERE {_DUE} ORDER BY waits_until LIMIT ?"

RELEASE = (
    "UPDATE message SET waits_for = CASE WHEN EXISTS (SELECT 1 FROM batch b WHERE b.id = message.batch_id "
    "AND b.paused_at IS NOT NULL) THEN 'toplu_durduruldu' END, waits_until = NULL "
    "WHERE id = ? AND status = 'queued' AND waits_for IS NOT NULL RETURNING waits_for"
)
"""Whoever comes back in line comes through here, so that nobody slips out of a batch that is paused."""

RELEASE_PARKED = (
    "UPDATE message SET waits_until = ? WHERE account_id = ? AND recipient = (SELECT recipient FROM message WHERE id = ?) "
    "AND waits_for IN ('tekrar_deneme', 'onceki_mesaj') AND waits_for = 'onceki_mesaj'"
)

KEEP_OUT = (
    "UPDATE message SET waits_for = 'toplu_durduruldu' WHERE id = ? AND status = 'queued' "
    "AND EXISTS (SELECT 1 FROM batch b WHERE b.id = message.batch_id AND b.paused_at IS NOT NULL)"
)

PLAN_AGAIN = "UPDATE message SET waits_for = 'zaman' WHERE id = ? AND waits_for IN ('geri_yuklendi', 'numara_degisti') AND waits_until > ?"

EXPIRED = (
    f"SELECT {STANDING_COLUMNS} FROM message WHERE status = 'queued' AND expires_at <= ? ORDER BY expires_at LIMIT ?"
)

UNSETTLED = (
    f"SELECT {STANDING_COLUMNS} FROM message WHERE status = 'sending' AND status IN ('sending', 'unknown') LIMIT ?"
)

IN_DOUBT = (
    "SELECT m.id, m.account_id, m.recipient, a.id, a.secret, a.started_at FROM message m JOIN attempt a ON a.id = "
    "(SELECT max(id) FROM attempt WHERE message_id = m.id) "
    "WHERE m.waits_until <= ? AND m.status = 'unknown' ORDER BY m.waits_until LIMIT ?"
)

LOOK_AGAIN = "UPDATE message SET waits_until = ? WHERE id = ? AND status = 'unknown'"

LOOK_NOW = "UPDATE message SET waits_until = ? WHERE status = 'unknown' AND waits_until > ? AND account_id = ?"

UNFINISHED = f"SELECT {STANDING_COLUMNS} FROM message WHERE status = 'queued' AND waits_for IS NOT 'geri_yuklendi'"

UNFINISHED_OF = f"{UNFINISHED} AND waits_for IS NOT 'numara_degisti' AND account_id = ?"

HOLD = (
    "UPDATE message SET waits_until = CASE WHEN waits_for IN ('zaman', 'toplu_durduruldu') THEN waits_until END, "
    "waits_for = ? "
    "WHERE id = ? AND status = 'queued'"
)
"""A held row that was planned keeps its time."""

QUEUED_OF_REFERENCE = f"SELECT {STANDING_COLUMNS} FROM message WHERE reference = ? AND status = 'queued' ORDER BY id"

# -- batches

BATCH_STATE = "SELECT account_id, paused_at, cancelled_at FROM batch WHERE id = ?"

PAUSE_BATCH = "UPDATE batch SET paused_at = ? WHERE id = ? AND paused_at IS NULL"

PAUSE_ROWS = (
    "UPDATE message SET waits_for = 'toplu_durduruldu' WHERE batch_id = ? AND status = 'queued' "
    "AND waits_for IS NOT 'geri_yuklendi'"
)
"""A row that waits for its time or for another try keeps that moment in waits_until."""

BATCHES_IN_LINE = (
    "SELECT id FROM batch b WHERE account_id = ? AND paused_at IS NULL AND EXISTS (SELECT 1 FROM message m "
    "WHERE m.batch_id = b.id AND m.status = 'queued')"
)

RESUME_BATCH = "UPDATE batch SET paused_at = NULL WHERE id = ? AND paused_at IS NOT NULL AND cancelled_at IS NULL"

RESUME_ROWS = (
    "UPDATE message SET waits_for = CASE WHEN waits_until > ?2 THEN CASE WHEN due_at > ?2 THEN 'zaman' "
    "ELSE 'tekrar_deneme' END END, waits_until = CASE WHEN waits_until > ?2 THEN waits_until END "
    "WHERE batch_id = ?1 AND status = 'queued' AND waits_for = 'toplu_durduruldu'"
)

CANCEL_BATCH = (
    "UPDATE batch SET cancelled_at = ?1, paused_at = coalesce(paused_at, ?1), is_cancelling = 1 "
    "WHERE id = ?2 AND cancelled_at IS NULL"
)

CANCELLING = "SELECT id FROM batch WHERE is_cancelling ORDER BY id LIMIT 1"

QUEUED_OF_BATCH = f"SELECT {STANDING_COLUMNS} FROM message WHERE batch_id = ? AND status = 'queued' LIMIT ?"

CANCELLED_WHOLE = "UPDATE batch SET is_cancelling = 0 WHERE id = ?"
