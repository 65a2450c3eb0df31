"""The statements of the rules of an account: what waits for them, and what was used of them."""

from guvercin.store.statements.messages import STANDING_COLUMNS

_PACED = (
    "status = 'queued' AND waits_for IN ('sessiz_saat', 'saatlik_sinir', 'gunluk_sinir', 'aylik_sinir', "
    "'yeni_hat_kapali', 'isinma', 'alici_siniri', 'aralik')"
)

PACED_DUE = (
    f"SELECT {STANDING_COLUMNS} FROM message WHERE account_id = ? AND waits_until <= ? AND {_PACED} "
    "ORDER BY waits_until LIMIT 64"
)

PACED = (
    f"SELECT {STANDING_COLUMNS}, waits_until, expires_at, owns_lifetime, courtesy FROM message "
    f"WHERE account_id = ? AND waits_until > ? AND {_PACED} LIMIT ? + 0"
)

PLANS = (
    "SELECT track, courtesy, waits_for, waits_until, coalesce(batch_id, -token_id) FROM message WHERE account_id = ? "
    f"AND waits_until > ? AND lane = 'bulk' AND {_PACED} AND waits_for <> 'alici_siniri' ORDER BY waits_until"
)
"""What waits for the sake of its recipient stands in no plan."""

PARKED_BEFORE = (
    "SELECT max(e.waits_until) FROM message m CROSS JOIN message e ON e.recipient = m.recipient AND e.id < m.id "
    "WHERE m.id = ? AND e.account_id = m.account_id AND e.priority = m.priority AND e.category = m.category "
    f"AND e.{_PACED.replace('AND ', 'AND e.')}"
)
"""Until when earlier rows of the same kind to the same recipient are parked."""


def is_old_customer(number: str, account: str) -> str:
    """Write the question whether somebody has received a message of an account and has refused none."""
    return (
        "EXISTS (SELECT 1 FROM (SELECT account_id, coalesce(delivered_at, read_at) AS seen_at FROM message "
        f"WHERE recipient = {number} ORDER BY id LIMIT 50) d WHERE d.account_id = {account} AND d.seen_at IS NOT NULL) "
        f"AND NOT EXISTS (SELECT 1 FROM opt_out o WHERE o.phone = {number} AND o.ended_at IS NULL "
        f"AND coalesce(o.account_id, {account}) = {account})"
    )


def refused_at(number: str, account: str) -> str:
    """Write the question when WhatsApp has refused a message to somebody that was the last of which it said anything."""
    return (
        "(SELECT max(t.ended_at) FROM attempt t WHERE t.outcome = 'refused' AND t.message_id = "
        "(SELECT CASE e.status WHEN 'failed' THEN e.id END FROM (SELECT id, account_id, status, reason FROM message "
        f"WHERE recipient = {number} ORDER BY id DESC LIMIT 20) e WHERE e.account_id = {account} "
        "AND (e.status IN ('sent', 'delivered', 'read') OR (e.status = 'failed' AND e.reason IN "
        "('numara_whatsappta_degil', 'yeni_sohbet_kisitli', 'whatsapp_reddetti'))) ORDER BY e.id DESC LIMIT 1))"
    )


TO_JUDGE = (
    "SELECT m.track, m.courtesy, m.is_head, m.owns_lifetime, coalesce(m.batch_id, -m.token_id), b.declared_at, h.at, "
    f"c.last_at, c.unanswered, {is_old_customer('m.recipient', 'm.account_id')}, "
    f"{refused_at('m.recipient', 'm.account_id')} FROM message m LEFT JOIN batch b ON b.id = m.batch_id "
    "LEFT JOIN last_inbound h ON h.account_id = m.account_id AND h.sender = m.recipient "
    "LEFT JOIN chat c ON c.account_id = m.account_id AND c.number = m.recipient WHERE m.id = ?"
)
"""What the rules ask about a row: who its recipient is to the account, and what they have had of it."""

LIFETIME = "SELECT expires_at, owns_lifetime FROM message WHERE id = ?"

UNANSWERED = "SELECT unanswered FROM chat WHERE account_id = ? AND number = ?"

PARK_PACED = (
    "UPDATE message SET waits_for = ?, waits_until = ?, track = ?, expires_at = ? "
    "WHERE id = ? AND status = 'queued' AND waits_for IS NULL"
)

SET_TRACK = "UPDATE message SET track = ? WHERE id = ?"

FORGET_PLAN = "UPDATE message SET expires_at = ?, track = CASE WHEN track = 'tekli' THEN track END WHERE id = ?"

PACE_STATE = (
    "SELECT steady_at, wall_at, last_at, draw, bulk_run, rests_until, new_until, head_starts, "
    "warm_days - CASE WHEN warm_day >= ? THEN 1 ELSE 0 END FROM pace_state WHERE account_id = ?"
)
"""The days of the warm-up before today: a day is over before it counts."""

PACE_USES = "SELECT track, minute, sends FROM pace_use WHERE account_id = ? AND minute > ? ORDER BY minute"

WARM_DAYS = "SELECT warm_days - CASE WHEN warm_day >= ? THEN 1 ELSE 0 END FROM pace_state WHERE account_id = ?"

KEEP_STATE = (
    "INSERT INTO pace_state (account_id, steady_at, wall_at, last_at, draw, bulk_run, rests_until, new_until, head_starts) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (account_id) DO UPDATE SET steady_at = excluded.steady_at, "
    "wall_at = excluded.wall_at, last_at = excluded.last_at, draw = excluded.draw, bulk_run = excluded.bulk_run, "
    "rests_until = excluded.rests_until, new_until = excluded.new_until, head_starts = excluded.head_starts"
)

LEFT_LATE = (
    "UPDATE chat SET last_at = max(last_at, ?1) "
    "WHERE (account_id, number) = (SELECT account_id, recipient FROM message WHERE id = ?2)"
)

KEEP_TIME = "UPDATE pace_state SET steady_at = ?, wall_at = ? WHERE account_id = ?"

COUNT_SEND = (
    "INSERT INTO pace_use (account_id, minute, track, sends) VALUES (?, ?, ?, 1) "
    "ON CONFLICT (account_id, minute, track) DO UPDATE SET sends = pace_use.sends + 1"
)

KEEP_CHAT = (
    "INSERT INTO chat (account_id, number, last_at, unanswered) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (account_id, number) DO UPDATE SET last_at = excluded.last_at, unanswered = excluded.unanswered"
)

COOL_DOWN = "UPDATE pace_state SET warm_days = min(warm_days, ?) WHERE account_id = ?"

RESTRICTIONS = "SELECT kind, code, since, until, step FROM restriction WHERE account_id = ?"
