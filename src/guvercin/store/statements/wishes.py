"""The statements of what people want: refusals and consents."""

from guvercin.store.statements.messages import STANDING_COLUMNS

REFUSALS_OF = (
    "SELECT scope, confirmation_id FROM opt_out WHERE phone IN (?1, hidden(?1)) AND ended_at IS NULL "
    "AND (account_id IS NULL OR account_id = ?2)"
)
"""Asked for each acceptance and each claim, and nearly always answered by one look into an index."""

ANY_REFUSAL = "SELECT source FROM opt_out WHERE ended_at IS NULL LIMIT 1"

HAS_CONSENT = "SELECT 1 FROM consent WHERE phone = ? LIMIT 1"

KEEPS_NOTICES = "SELECT keeps_notices FROM account WHERE id = ?"

IS_COMMERCIAL = "SELECT is_commercial FROM category WHERE id = ?"

KEEP_REFUSAL = (
    "INSERT INTO opt_out (account_id, phone, scope, source, said, token_id, created_at) VALUES (?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT DO NOTHING"
)

SAID_AGAIN = (
    "UPDATE opt_out SET created_at = ? WHERE phone = ? AND account_id = ? AND scope = 'her_sey' AND source = 'mesaj' "
    "AND ended_at IS NULL AND created_at < ?"
)

CONFIRM_REFUSAL = "UPDATE opt_out SET confirmation_id = ? WHERE id = ?"

WAITING_OF = f"SELECT {STANDING_COLUMNS}, category FROM message WHERE recipient = ? AND status = 'queued' ORDER BY id"

LAST_ASKED_FOR = "SELECT token_id FROM message WHERE account_id = ? AND recipient = ? ORDER BY id DESC LIMIT 1"

OLDEST_TOKEN = "SELECT min(id) FROM token"  # noqa: S105 -- a question

REFUSAL_COLUMNS = "id, account_id, phone, scope, source, said, token_id, created_at, ended_at, ended_by, ended_why"

LIVE_REFUSALS_OF = f"SELECT {REFUSAL_COLUMNS} FROM opt_out WHERE phone IN (?1, hidden(?1)) AND ended_at IS NULL"

IS_OUTDATED = (
    "SELECT 1 FROM opt_out told WHERE phone = ?1 AND account_id = ?2 AND source = 'mesaj' "
    "AND (created_at = ?3 OR (ended_by = 'mesaj' AND ended_at > ?3)) LIMIT 1"
)

END_REFUSAL = "UPDATE opt_out SET ended_at = ?, ended_by = ?, ended_why = ? WHERE id = ? AND ended_at IS NULL"
