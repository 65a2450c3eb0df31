"""The statements of what the network said of numbers."""

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
