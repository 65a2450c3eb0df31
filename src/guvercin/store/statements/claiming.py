"""The statements of a claim: whose turn it is, what holds it back, and the attempt."""

_HEAD = (
    "SELECT priority, due_at, id, recipient, expires_at FROM message WHERE account_id = ? AND lane = '{}' "
    "AND status = 'queued' AND waits_for IS NULL ORDER BY priority DESC, due_at, id LIMIT 1"
)

HEAD_SINGLE, HEAD_BULK = _HEAD.format("single"), _HEAD.format("bulk")
"""One for each lane: an index is of one lane alone, and SQLite would compile anew what has its lane as a parameter."""

_TURN = (
    "SELECT priority, due_at, id, recipient, expires_at, coalesce(batch_id, -token_id) FROM message WHERE account_id = ? "
    "AND status = 'queued' AND waits_for IS NULL AND lane = 'bulk'"
)

FIRST_TURN = f"{_TURN} ORDER BY priority DESC, coalesce(batch_id, -token_id), due_at, id LIMIT 1"
"""The first of bulk: of the highest level, the row of the lowest turn."""

NEXT_TURN = (
    f"{_TURN} AND priority = ? AND coalesce(batch_id, -token_id) > ? "
    "ORDER BY coalesce(batch_id, -token_id), due_at, id LIMIT 1"
)

BEFORE_ITS_TURN = (
    "SELECT priority, due_at, id, recipient, expires_at FROM message WHERE recipient = ? "
    "AND id < ? AND account_id = ? AND priority = ? AND status = 'queued' AND waits_for IS NULL AND lane = 'bulk' "
    "ORDER BY id LIMIT 1"
)
"""Turns change the order of batches, not of what one recipient gets."""

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

SENDS_SINCE = (
    "SELECT m.recipient, a.started_at FROM attempt a CROSS JOIN message m ON m.id = a.message_id WHERE a.id > ? "
    "AND m.account_id = ? AND a.started_at > ? AND (a.outcome IS NULL OR a.outcome IN ('accepted', 'lost')) ORDER BY a.id"
)

LAST_ATTEMPT = "SELECT coalesce(max(id), 0) FROM attempt"

ATTEMPT_TIME = "SELECT started_at FROM attempt WHERE id >= ? ORDER BY id LIMIT 1"

CLAIM = "UPDATE message SET status = 'sending', reason = NULL WHERE id = ? AND status = 'queued' AND waits_for IS NULL"

INSERT_ATTEMPT = "INSERT INTO attempt (message_id, secret, started_at) VALUES (?, ?, ?)"

SPEND_SLOT = "UPDATE account SET last_claim_at = ?, draw = ? WHERE id = ?"

MAY_HAVE_LEFT = "UPDATE account SET last_claim_at = max(coalesce(last_claim_at, 0), ?) WHERE id = ?"
"""Between a claim and its send a slow disk may lie: a gap over a restart counts from the latest that is possible."""
