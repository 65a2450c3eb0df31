"""The statements of what WhatsApp closes for an account, and of batches that stop by themselves."""

RESTRICT = (
    "INSERT INTO restriction (account_id, kind, code, since, until, step) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (account_id, kind) DO UPDATE SET code = excluded.code, since = excluded.since, "
    "until = excluded.until, step = excluded.step"
)

RESTRICTION = "SELECT until, step, code FROM restriction WHERE account_id = ? AND kind = ?"

TRACK = "SELECT track FROM message WHERE id = ?"

IS_OLD_CHAT = (
    "SELECT EXISTS (SELECT 1 FROM last_inbound h WHERE h.account_id = m.account_id AND h.sender = m.recipient) "
    "OR EXISTS (SELECT 1 FROM (SELECT account_id, coalesce(delivered_at, read_at) AS seen_at FROM message "
    "WHERE recipient = m.recipient ORDER BY id LIMIT 50) d WHERE d.account_id = m.account_id AND d.seen_at IS NOT NULL) "
    "FROM message m WHERE m.id = ?"
)

LAST_ATTEMPTS = (
    "SELECT a.outcome FROM attempt a CROSS JOIN message m ON m.id = a.message_id WHERE a.id > (SELECT max(id) FROM attempt) - 500 "
    "AND m.batch_id = ? AND a.outcome IS NOT NULL ORDER BY a.id DESC LIMIT ? + 0"
)
"""Looked for among the newest: a batch whose rows are that far apart has no rush of failures."""

NOT_ON_WHATSAPP = (
    "SELECT (SELECT total FROM batch WHERE id = ?1), "
    "(SELECT count(*) FROM message WHERE batch_id = ?1 AND status = 'failed' AND reason = ?2)"
)

RUNNING_BATCHES = (
    "SELECT b.id, b.account_id FROM pace_state p CROSS JOIN batch b ON b.account_id = p.account_id "
    "WHERE b.paused_at IS NULL AND EXISTS (SELECT 1 FROM message m WHERE m.batch_id = b.id AND m.status = 'queued')"
)
"""The cross joins say which table comes first."""

ARRIVED = (
    "SELECT count(*), count(coalesce(delivered_at, read_at)) FROM message WHERE batch_id = ?1 "
    "AND status IN ('sent', 'delivered', 'read') AND sent_at <= ?2"
)

PACE = "SELECT pace FROM account WHERE id = ?"

BATCHES_THAT_REACHED = (
    "SELECT m.batch_id FROM message m CROSS JOIN batch b ON b.id = m.batch_id WHERE m.recipient = ? "
    "AND m.account_id = ? AND m.sent_at > ? AND m.track IS NOT NULL AND b.paused_at IS NULL "
    "AND EXISTS (SELECT 1 FROM message w WHERE w.batch_id = b.id AND w.status = 'queued')"
)

REFUSED_BY = (
    "SELECT count(*), count(CASE WHEN EXISTS (SELECT 1 FROM opt_out o WHERE o.phone = m.recipient AND o.ended_at IS NULL "
    "AND o.account_id = ?3 AND o.created_at > ?2 AND o.source = 'mesaj' AND o.scope <> 'bakilacak') THEN 1 END) "
    "FROM message m WHERE m.batch_id = ?1 AND m.sent_at > ?2"
)
"""How many a batch has reached lately, and how many of them have refused since."""

OPEN_NEW = (
    "UPDATE message SET waits_until = ?1, expires_at = CASE WHEN owns_lifetime OR courtesy IS NOT NULL THEN expires_at "
    "ELSE max(?1, expires_at + ?1 - waits_until) END "
    "WHERE account_id = ?2 AND status = 'queued' AND waits_for = 'yeni_hat_kapali' AND waits_until > ?1"
)
"""What waits for new chats has its moment now, and its lifetime back that stood still for longer than was needed."""

LIFT = "DELETE FROM restriction WHERE account_id = ? AND kind = ?"

BATCHES_IN_LINE = (
    "SELECT id FROM batch b WHERE account_id = ? AND paused_at IS NULL AND EXISTS (SELECT 1 FROM message m "
    "WHERE m.batch_id = b.id AND m.status = 'queued')"
)
