"""The statements of hooks and deliveries, by hand, written as SQLite reads them. Times are milliseconds; lists travel as JSON.

None of them runs on the way of a message.
"""

from guvercin.store import inbox

HOOK_COLUMNS = (
    "id, url, events, account_ids, secret, secret_before, before_until, created_at, first_id, cursor, failing_since, "
    "delivered_at, closed_at, closed_for"
)

HOOK = f"SELECT {HOOK_COLUMNS} FROM hook WHERE id = ? AND removed_at IS NULL"

HOOKS = f"SELECT {HOOK_COLUMNS} FROM hook WHERE removed_at IS NULL ORDER BY id"

CHANGE_HOOK = (
    "UPDATE hook SET url = ?, events = ?, account_ids = ?, secret = ?, secret_before = ?, before_until = ? WHERE id = ?"
)

NOTICE_COLUMNS = (
    "e.id, e.at, e.kind, e.account_id, e.message_id, e.batch_id, e.detail, m.recipient, m.recipient_name, m.reference, "
    f"m.category, m.remote_id, {inbox.COLUMNS}"
)
"""An event, what other programs are told of its message, and the message of the inbox that it tells of."""

_WITH_MESSAGES = "LEFT JOIN message m ON m.id = e.message_id LEFT JOIN inbound i ON i.event_id = e.id"

_OF_KINDS = "e.kind IN (SELECT value FROM json_each(?3))"

_OF_ACCOUNTS = "(CAST(?4 AS TEXT) IS NULL OR e.account_id IN (SELECT CAST(value AS BIGINT) FROM json_each(?4)))"

NOTICES = (
    f"SELECT {NOTICE_COLUMNS} FROM event e {_WITH_MESSAGES} "
    f"WHERE e.id > ?1 AND e.id <= ?2 AND {_OF_KINDS} AND {_OF_ACCOUNTS} ORDER BY e.id LIMIT ?5 + 0"
)
"""What happened after ?1 and up to ?2, of these kinds (JSON) and accounts (JSON, null: of all)."""

ONE_NOTICE = f"SELECT {NOTICE_COLUMNS} FROM event e {_WITH_MESSAGES} WHERE e.id = ?"

NEWEST_EVENT = "SELECT coalesce(max(id), 0) FROM event"

EVENT_TIME = "SELECT id, at FROM event WHERE id >= ? ORDER BY id LIMIT 1"

DUE_DELIVERIES = (
    f"SELECT {NOTICE_COLUMNS}, d.tries, d.since FROM delivery d JOIN event e ON e.id = d.event_id "
    f"{_WITH_MESSAGES} WHERE d.hook_id = ? AND d.next_at <= ? ORDER BY d.event_id LIMIT ? + 0"
)

DELIVERIES = (
    f"SELECT {NOTICE_COLUMNS}, d.state, d.tries, d.tried_at, d.next_at, d.status, d.trouble, d.took_ms "
    f"FROM event e {_WITH_MESSAGES} "
    "LEFT JOIN delivery d ON d.hook_id = ?6 AND d.event_id = e.id "
    f"WHERE e.id > ?1 AND e.id <= ?2 AND (d.event_id IS NOT NULL OR ({_OF_KINDS} AND {_OF_ACCOUNTS})) "
    "ORDER BY e.id DESC LIMIT ?5 + 0"
)

WAITING_OF_HOOK = (
    "SELECT count(*), min(e.at) FROM delivery d JOIN event e ON e.id = d.event_id "
    "WHERE d.hook_id = ? AND d.state = 'bekliyor'"
)

NEXT_DELIVERY = "SELECT min(next_at) FROM delivery WHERE hook_id = ? AND next_at IS NOT NULL"

WAITING_SUBJECTS = (
    "SELECT DISTINCT subject FROM delivery WHERE hook_id = ?1 AND state = 'bekliyor' "
    "AND subject IN (SELECT CAST(value AS BIGINT) FROM json_each(?2))"
)

WAITING_BETWEEN = (
    "SELECT event_id FROM delivery WHERE hook_id = ? AND event_id > ? AND event_id <= ? AND state = 'bekliyor'"
)

KEEP_DELIVERY = (
    "INSERT INTO delivery (hook_id, event_id, subject, state, tries, since, next_at, tried_at, status, trouble, took_ms) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (hook_id, event_id) DO UPDATE SET state = excluded.state, "
    "tries = excluded.tries, next_at = excluded.next_at, tried_at = coalesce(excluded.tried_at, delivery.tried_at), "
    "status = excluded.status, trouble = excluded.trouble, took_ms = excluded.took_ms RETURNING subject"
)
"""The subject is that of the first time: who is forgotten meanwhile has another name, and keeps the place in line."""

DROP_DELIVERY = "DELETE FROM delivery WHERE hook_id = ? AND event_id = ? RETURNING subject"

NEXT_OF_SUBJECT = (
    "UPDATE delivery SET next_at = ?1 WHERE hook_id = ?2 AND next_at IS NULL AND event_id = "
    "(SELECT min(event_id) FROM delivery WHERE hook_id = ?2 AND subject = ?3 AND state = 'bekliyor')"
)

MOVE_CURSOR = (
    "UPDATE hook SET cursor = max(cursor, ?2), failing_since = ?3, delivered_at = coalesce(?4, delivered_at) "
    "WHERE id = ?1 AND cursor >= ?5"
)
"""?5: where the hook stood when the window was taken; an owner who set it back meanwhile has the last word."""

RELEASE_DELIVERIES = (
    "UPDATE delivery SET next_at = ?1 WHERE hook_id = ?2 AND next_at > ?1 "
    "AND (status IS NULL OR status IN (429, 502, 503, 504))"
)
"""What failed because the whole address did is tried again at once when that is over."""

BEGIN_DELIVERIES_ANEW = (
    "UPDATE delivery SET next_at = ?1, tries = 0, since = ?1 WHERE hook_id = ?2 AND next_at IS NOT NULL"
)

COUNT_TRIES = (
    "INSERT INTO hook_hour (hook_id, hour, taken, missed) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (hook_id, hour) DO UPDATE SET taken = hook_hour.taken + excluded.taken, "
    "missed = hook_hour.missed + excluded.missed"
)

TRIES_SINCE = "SELECT hook_id, sum(taken), sum(missed) FROM hook_hour WHERE hour > ? GROUP BY hook_id"

FORGET_TRIES = "DELETE FROM hook_hour WHERE hour < ?"

FORGET_DELIVERIES = "DELETE FROM delivery WHERE state IN ('iletildi', 'vazgecildi') AND tried_at < ?"
