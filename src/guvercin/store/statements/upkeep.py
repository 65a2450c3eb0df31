"""The statements of upkeep: waits and lifetimes that end, doubts, and what is held."""

from guvercin.store.statements.messages import STANDING_COLUMNS

_DUE = "waits_until <= ? AND status = 'queued' AND waits_for IN ('zaman', 'tekrar_deneme', 'onceki_mesaj')"

IS_DUE = f"SELECT 1 FROM message WHERE {_DUE} ORDER BY waits_until LIMIT 1"
"""What a claim asks first. Without an order PostgreSQL, not knowing the moment, would rather read the whole table."""

DUE = f"SELECT {STANDING_COLUMNS} FROM message WHERE {_DUE} ORDER BY waits_until LIMIT ? + 0"

EXPIRED = f"SELECT {STANDING_COLUMNS} FROM message WHERE status = 'queued' AND expires_at <= ? ORDER BY expires_at LIMIT ? + 0"

UNSETTLED = (
    f"SELECT {STANDING_COLUMNS} FROM message WHERE status = 'sending' AND status IN ('sending', 'unknown') LIMIT ? + 0"
)

UNSETTLED_OF = UNSETTLED.replace(" LIMIT", " AND +account_id IN (SELECT CAST(value AS BIGINT) FROM json_each(?)) LIMIT")

IN_DOUBT = (
    "SELECT m.id, m.account_id, m.recipient, a.id, a.secret, a.started_at FROM message m JOIN attempt a ON a.id = "
    "(SELECT max(id) FROM attempt WHERE message_id = m.id) "
    "WHERE m.waits_until <= ? AND m.status = 'unknown' ORDER BY m.waits_until LIMIT ? + 0"
)

IN_DOUBT_OF = IN_DOUBT.replace(
    " ORDER BY", " AND +m.account_id IN (SELECT CAST(value AS BIGINT) FROM json_each(?)) ORDER BY"
)

NEWEST_ATTEMPT = "SELECT max(id) FROM attempt WHERE message_id = ?"

WHAT_IS_DUE = (
    f"SELECT ({IS_DUE}) IS NOT NULL, "
    "(SELECT 1 FROM message WHERE status = 'queued' AND expires_at <= ? ORDER BY expires_at LIMIT 1) IS NOT NULL, "
    "EXISTS (SELECT 1 FROM batch WHERE is_cancelling), "
    "(SELECT 1 FROM message WHERE waits_until <= ? AND status = 'unknown' ORDER BY waits_until LIMIT 1) IS NOT NULL"
)
"""What upkeep asks each second: nearly always it is nothing, and then the writer isn't disturbed.

No EXISTS where a moment is compared: there PostgreSQL drops the order that IS_DUE needs.
"""

LOOK_AGAIN = "UPDATE message SET waits_until = ? WHERE id = ? AND status = 'unknown'"

LOOK_NOW = "UPDATE message SET waits_until = ? WHERE status = 'unknown' AND waits_until > ? AND account_id = ?"

UNFINISHED = f"SELECT {STANDING_COLUMNS} FROM message WHERE status = 'queued' AND waits_for IS NOT 'geri_yuklendi'"

UNFINISHED_OF = f"{UNFINISHED} AND waits_for IS NOT 'numara_degisti' AND account_id = ?"

END_ATTEMPTS_OF = (
    "UPDATE attempt SET ended_at = ?, outcome = 'lost', reason = ? WHERE message_id = ? AND ended_at IS NULL"
)

DROP_RECEIPTS = (
    "DELETE FROM receipt WHERE heard_at < ?1 AND (heard_at < ?2 OR NOT EXISTS (SELECT 1 FROM message m "
    "WHERE m.account_id = receipt.account_id AND m.status IN ('sending', 'unknown')))"
)
"""Those that nobody asked for yet: while their account has a message in doubt, it may turn out to be theirs."""
