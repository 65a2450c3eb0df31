"""The hot statements, by hand: what runs for every message. Written as SQLite reads them; see words.py.

Named constants, so that the same words can be run elsewhere (a power-cut test, a query plan). Times are milliseconds.
A limit is `? + 0`: SQLite compiles a statement anew each time that it runs if its LIMIT is a parameter alone.
"""

from functools import lru_cache
from itertools import count

MESSAGE_COLUMNS = (
    "id, account_id, batch_id, recipient, recipient_name, body, file_digest, file_name, file_type, file_size, "
    "category, lane, priority, status, reason, warning, waits_for, waits_until, created_at, due_at, expires_at, sent_at, "
    "delivered_at, read_at, remote_id, attempts, reference, resend_of, track, courtesy, variables"
)

STANDING_COLUMNS = "id, account_id, batch_id, status, reason, remote_id, waits_for"

# -- accept

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

STANDING = f"SELECT {STANDING_COLUMNS} FROM message WHERE id = ?"

MESSAGE = f"SELECT {MESSAGE_COLUMNS} FROM message WHERE id = ?"

STANDING_BY_REMOTE_ID = f"SELECT {STANDING_COLUMNS} FROM message WHERE account_id = ? AND remote_id = ?"

STANDING_WITHOUT_REMOTE_ID = (
    f"SELECT {STANDING_COLUMNS} FROM message WHERE id = ? AND account_id = ? AND remote_id IS NULL"
)

# -- claim

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
    "SELECT priority, due_at, id, recipient, expires_at, coalesce(batch_id, -token_id) FROM message WHERE recipient = ? "
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

# -- the rules of an account

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

KEEP_TIME = "UPDATE pace_state SET steady_at = ?, wall_at = ? WHERE account_id = ?"

COUNT_SEND = (
    "INSERT INTO pace_use (account_id, minute, track, sends) VALUES (?, ?, ?, 1) "
    "ON CONFLICT (account_id, minute, track) DO UPDATE SET sends = pace_use.sends + 1"
)

KEEP_CHAT = (
    "INSERT INTO chat (account_id, number, last_at, unanswered) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (account_id, number) DO UPDATE SET last_at = excluded.last_at, unanswered = excluded.unanswered"
)

ANSWERED = "UPDATE chat SET unanswered = '[]' WHERE account_id = ? AND number = ? AND unanswered <> '[]'"

TRAFFIC_BOTH_WAYS = (
    "UPDATE pace_state SET warm_days = warm_days + 1, warm_day = ?1 WHERE account_id = ?2 AND wall_at >= ?1 "
    "AND (warm_day IS NULL OR warm_day < ?1)"
)
"""A day counts once for the warm-up: when somebody writes on a day on which they were written to."""

COOL_DOWN = "UPDATE pace_state SET warm_days = min(warm_days, ?) WHERE account_id = ?"

RESTRICTIONS = "SELECT kind, code, since, until, step FROM restriction WHERE account_id = ?"

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

SINGLES_SINCE = "SELECT coalesce(sum(singles), 0) FROM token_minute WHERE token_id = ? AND minute > ?"

COUNT_SINGLE = (
    "INSERT INTO token_minute (token_id, minute, singles) VALUES (?, ?, 1) "
    "ON CONFLICT (token_id, minute) DO UPDATE SET singles = token_minute.singles + 1"
)
# -- what people want

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

SENT_LATELY = (
    "SELECT 1 FROM message WHERE recipient = ? AND account_id = ? AND created_at > ? AND body IS ? AND file_digest IS ? "
    "AND status NOT IN ('failed', 'cancelled') LIMIT 1"
)

LAST_ASKED_FOR = "SELECT token_id FROM message WHERE account_id = ? AND recipient = ? ORDER BY id DESC LIMIT 1"

OLDEST_TOKEN = "SELECT min(id) FROM token"  # noqa: S105 -- a question

REFUSAL_COLUMNS = "id, account_id, phone, scope, source, said, token_id, created_at, ended_at, ended_by, ended_why"

LIVE_REFUSALS_OF = f"SELECT {REFUSAL_COLUMNS} FROM opt_out WHERE phone IN (?1, hidden(?1)) AND ended_at IS NULL"

IS_OUTDATED = (
    "SELECT 1 FROM opt_out told WHERE phone = ?1 AND account_id = ?2 AND source = 'mesaj' "
    "AND (created_at = ?3 OR (ended_by = 'mesaj' AND ended_at > ?3)) LIMIT 1"
)

END_REFUSAL = "UPDATE opt_out SET ended_at = ?, ended_by = ?, ended_why = ? WHERE id = ? AND ended_at IS NULL"

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
    "ON CONFLICT (account_id, remote_id, kind) DO UPDATE SET at = min(receipt.at, excluded.at)"
)

HEARD_FROM = (
    "INSERT INTO last_inbound (account_id, sender, at) VALUES (?, ?, ?) "
    "ON CONFLICT (account_id, sender) DO UPDATE SET at = max(last_inbound.at, excluded.at)"
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
"""What a claim asks first."""

DUE = f"SELECT {STANDING_COLUMNS} FROM message WHERE {_DUE} ORDER BY waits_until LIMIT ? + 0"

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

EXPIRED = f"SELECT {STANDING_COLUMNS} FROM message WHERE status = 'queued' AND expires_at <= ? ORDER BY expires_at LIMIT ? + 0"

UNSETTLED = (
    f"SELECT {STANDING_COLUMNS} FROM message WHERE status = 'sending' AND status IN ('sending', 'unknown') LIMIT ? + 0"
)

IN_DOUBT = (
    "SELECT m.id, m.account_id, m.recipient, a.id, a.secret, a.started_at FROM message m JOIN attempt a ON a.id = "
    "(SELECT max(id) FROM attempt WHERE message_id = m.id) "
    "WHERE m.waits_until <= ? AND m.status = 'unknown' ORDER BY m.waits_until LIMIT ? + 0"
)

WHAT_IS_DUE = (
    f"SELECT EXISTS (SELECT 1 FROM message WHERE {_DUE}), "
    "EXISTS (SELECT 1 FROM message WHERE status = 'queued' AND expires_at <= ?), "
    "EXISTS (SELECT 1 FROM batch WHERE is_cancelling), "
    "EXISTS (SELECT 1 FROM message WHERE waits_until <= ? AND status = 'unknown')"
)
"""What upkeep asks each second: nearly always it is nothing, and then the writer isn't disturbed."""

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

PAUSE_BATCH = "UPDATE batch SET paused_at = ?, paused_code = ? WHERE id = ? AND paused_at IS NULL"

PAUSE_ROWS = (
    "UPDATE message SET waits_for = 'toplu_durduruldu' WHERE batch_id = ? AND status = 'queued' "
    "AND waits_for IS NOT 'geri_yuklendi'"
)
"""A row that waits for its time or for another try keeps that moment in waits_until."""

BATCHES_IN_LINE = (
    "SELECT id FROM batch b WHERE account_id = ? AND paused_at IS NULL AND EXISTS (SELECT 1 FROM message m "
    "WHERE m.batch_id = b.id AND m.status = 'queued')"
)

RESUME_BATCH = (
    "UPDATE batch SET paused_at = NULL, paused_code = NULL "
    "WHERE id = ? AND paused_at IS NOT NULL AND cancelled_at IS NULL"
)

RESUME_ROWS = (
    "UPDATE message SET waits_for = CASE WHEN waits_until > ?2 THEN CASE WHEN due_at > ?2 THEN 'zaman' "
    "ELSE 'tekrar_deneme' END END, waits_until = CASE WHEN waits_until > ?2 THEN waits_until END "
    "WHERE batch_id = ?1 AND status = 'queued' AND waits_for = 'toplu_durduruldu'"
)

CANCEL_BATCH = (
    "UPDATE batch SET cancelled_at = ?1, paused_at = coalesce(paused_at, ?1), is_cancelling = true "
    "WHERE id = ?2 AND cancelled_at IS NULL"
)

CANCELLING = "SELECT id FROM batch WHERE is_cancelling ORDER BY id LIMIT 1"

QUEUED_OF_BATCH = f"SELECT {STANDING_COLUMNS} FROM message WHERE batch_id = ? AND status = 'queued' LIMIT ? + 0"

CANCELLED_WHOLE = "UPDATE batch SET is_cancelling = false WHERE id = ?"

FINISH_BATCH = (
    "UPDATE batch SET finished_at = ?1 WHERE id = ?2 AND finished_at IS NULL AND NOT EXISTS "
    "(SELECT 1 FROM message WHERE batch_id = ?2 AND status IN ('queued', 'sending'))"
)

COUNT_BATCH = "SELECT status, count(*) FROM message WHERE batch_id = ? GROUP BY status"
