"""The statements about one message: its row, its attempts and the receipts that move it."""

MESSAGE_COLUMNS = (
    "id, account_id, batch_id, recipient, recipient_name, body, file_digest, file_name, file_type, file_size, "
    "category, lane, priority, status, reason, warning, waits_for, waits_until, created_at, due_at, expires_at, sent_at, "
    "delivered_at, read_at, remote_id, attempts, reference, resend_of, track, courtesy, variables"
)

STANDING_COLUMNS = "id, account_id, batch_id, status, reason, remote_id, waits_for"

STANDING = f"SELECT {STANDING_COLUMNS} FROM message WHERE id = ?"

MESSAGE = f"SELECT {MESSAGE_COLUMNS} FROM message WHERE id = ?"

STANDING_BY_REMOTE_ID = f"SELECT {STANDING_COLUMNS} FROM message WHERE account_id = ? AND remote_id = ?"

STANDING_WITHOUT_REMOTE_ID = (
    f"SELECT {STANDING_COLUMNS} FROM message WHERE id = ? AND account_id = ? AND remote_id IS NULL"
)

END_ATTEMPT = (
    "UPDATE attempt SET ended_at = ?, outcome = ?, reason = ?, detail = ? "
    "WHERE id = ? AND message_id = ? AND ended_at IS NULL"
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
    "ON CONFLICT (account_id, remote_id, kind) DO UPDATE SET at = min(receipt.at, excluded.at)"
)

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

JUDGE_RECIPIENT_AGAIN = (
    "UPDATE message SET waits_until = ? WHERE +account_id = ? AND recipient = (SELECT recipient FROM message WHERE id = ?) "
    "AND status = 'queued' AND waits_for = 'alici_siniri' AND waits_until IS NOT NULL"
)
"""What was parked behind a row that has ended is looked at again."""

KEEP_OUT = (
    "UPDATE message SET waits_for = 'toplu_durduruldu' WHERE id = ? AND status = 'queued' "
    "AND EXISTS (SELECT 1 FROM batch b WHERE b.id = message.batch_id AND b.paused_at IS NOT NULL)"
)

PLAN_AGAIN = "UPDATE message SET waits_for = 'zaman' WHERE id = ? AND waits_for IN ('geri_yuklendi', 'numara_degisti') AND waits_until > ?"

HOLD = (
    "UPDATE message SET waits_until = CASE WHEN waits_for IN ('zaman', 'toplu_durduruldu') THEN waits_until END, "
    "waits_for = ? "
    "WHERE id = ? AND status = 'queued'"
)
"""A held row that was planned keeps its time."""

QUEUED_OF_REFERENCE = f"SELECT {STANDING_COLUMNS} FROM message WHERE reference = ? AND status = 'queued' ORDER BY id"
