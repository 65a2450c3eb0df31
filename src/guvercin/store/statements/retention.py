"""The statements of what ends because its time is over, by hand, for SQLite. Times are milliseconds; lists are JSON."""

_FINISHED = "status NOT IN ('queued', 'sending', 'unknown')"

_NOT_HELD = "recipient NOT IN (SELECT phone FROM legal_hold)"

END_OF = "SELECT coalesce((SELECT min(first_id) FROM hour_mark WHERE hour >= ?), (SELECT max(id) + 1 FROM message), 0)"
"""Before which id everything is that was accepted before an hour."""

WITH_CONTENT = (
    "SELECT id FROM message WHERE id > ?1 AND id <= ?2 AND created_at < ?3 AND body IS NOT '' "
    f"AND {_FINISHED} AND {_NOT_HELD}"
)

OLD = (
    f"SELECT id FROM message WHERE id > ?1 AND id <= ?2 AND created_at < ?3 AND {_FINISHED} AND {_NOT_HELD} "
    "AND id <> coalesce((SELECT message_id FROM event ORDER BY id DESC LIMIT 1), 0)"
)

_LISTED = "(SELECT CAST(value AS BIGINT) FROM json_each(?))"

EMPTY = (
    f"UPDATE attempt SET detail = NULL WHERE message_id IN {_LISTED}",
    (
        "UPDATE message SET body = '', file_digest = NULL, file_name = NULL, file_type = NULL, file_size = NULL, "
        f"variables = NULL, fingerprint = NULL WHERE id IN {_LISTED}"
    ),
)

REMOVE = (
    f"DELETE FROM delivery WHERE event_id IN (SELECT id FROM event WHERE message_id IN {_LISTED})",
    f"DELETE FROM event WHERE message_id IN {_LISTED}",
    f"DELETE FROM attempt WHERE message_id IN {_LISTED}",
    f"DELETE FROM message WHERE id IN {_LISTED}",
)
"""In this order: what names a message before it."""

OLD_EVENTS = (
    "SELECT id FROM event WHERE id < min((SELECT max(id) FROM event), coalesce((SELECT min(id) FROM event "
    "WHERE message_id = (SELECT min(id) FROM message)), (SELECT max(id) FROM event))) "
    "AND at < ?1 AND message_id IS NULL ORDER BY id LIMIT ?2"
)
"""Events of no message, as far as the log's first message: what lies behind it need not be looked through."""

BESIDE = (
    (
        "DELETE FROM opt_out WHERE id IN (SELECT id FROM opt_out WHERE ended_at < ?1 AND phone NOT IN "
        "(SELECT phone FROM legal_hold) LIMIT ?2)"
    ),
    (
        "DELETE FROM last_inbound WHERE (account_id, sender) IN (SELECT account_id, sender FROM last_inbound WHERE at < ?1 "
        "AND sender NOT IN (SELECT phone FROM legal_hold) LIMIT ?2)"
    ),
    (
        "DELETE FROM chat WHERE (account_id, number) IN (SELECT account_id, number FROM chat WHERE last_at < ?1 "
        "AND number NOT IN (SELECT phone FROM legal_hold) LIMIT ?2)"
    ),
    (
        "DELETE FROM batch WHERE id IN (SELECT id FROM batch b WHERE created_at < ?1 AND NOT EXISTS "
        "(SELECT 1 FROM message m WHERE m.batch_id = b.id) LIMIT ?2)"
    ),
)
"""Other rows that a year ends, each a few at a time."""

EMPTY_INBOX = (
    "UPDATE inbound SET body = NULL, sender_name = NULL, media_name = NULL, media_source = NULL, media_digest = NULL "
    "WHERE id IN (SELECT id FROM inbound "
    "WHERE received_at < ?1 AND (body IS NOT NULL OR sender_name IS NOT NULL OR media_name IS NOT NULL) "
    "AND sender NOT IN (SELECT phone FROM legal_hold) ORDER BY received_at LIMIT ?2)"
)

CLEAR_INBOX = (
    "DELETE FROM inbound WHERE id IN (SELECT id FROM inbound WHERE received_at < ?1 "
    "AND sender NOT IN (SELECT phone FROM legal_hold) ORDER BY received_at LIMIT ?2)"
)

DROP_MARKS = (
    "DELETE FROM hour_mark WHERE first_id < (SELECT max(first_id) FROM hour_mark "
    "WHERE first_id <= (SELECT min(id) FROM message))"
)

DROP_DELIVERIES = f"DELETE FROM delivery WHERE event_id IN {_LISTED}"

DROP_EVENTS = f"DELETE FROM event WHERE id IN {_LISTED}"
