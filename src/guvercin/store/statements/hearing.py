"""The statements of what networks tell: who wrote, what their writing changes, and what nobody understood."""

HEARD_FROM = (
    "INSERT INTO last_inbound (account_id, sender, at) VALUES (?, ?, ?) "
    "ON CONFLICT (account_id, sender) DO UPDATE SET at = max(last_inbound.at, excluded.at)"
)

LAST_HEARD = "SELECT at FROM last_inbound WHERE account_id = ? AND sender = ?"

KEEP_UNCLEAR = "INSERT INTO not_understood (account_id, at, what, body) VALUES (?, ?, ?, ?)"

DROP_UNCLEAR = "DELETE FROM not_understood WHERE id <= ?"

NEEDS_NO_PLACE = (
    "UPDATE message SET waits_until = ? WHERE account_id = ? AND recipient = ? "
    "AND waits_for IN ('tekrar_deneme', 'onceki_mesaj') AND (reason = 'meta_kisi_siniri' OR waits_for = 'onceki_mesaj')"
)
"""For who has just written: what waits for a place, and what waits behind that, is looked at again."""

ANSWERED = "UPDATE chat SET unanswered = '[]' WHERE account_id = ? AND number = ? AND unanswered <> '[]'"

TRAFFIC_BOTH_WAYS = (
    "UPDATE pace_state SET warm_days = warm_days + 1, warm_day = ?1 WHERE account_id = ?2 AND wall_at >= ?1 "
    "AND (warm_day IS NULL OR warm_day < ?1)"
)
"""A day counts once for the warm-up: when somebody writes on a day on which they were written to."""
