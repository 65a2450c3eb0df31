"""The statements of batches."""

from guvercin.store.statements.messages import STANDING_COLUMNS

BATCH_STATE = "SELECT account_id, paused_at, cancelled_at FROM batch WHERE id = ?"

PAUSE_BATCH = "UPDATE batch SET paused_at = ?, paused_code = ? WHERE id = ? AND paused_at IS NULL"

PAUSE_ROWS = (
    "UPDATE message SET waits_for = 'toplu_durduruldu' WHERE batch_id = ? AND status = 'queued' "
    "AND waits_for IS NOT 'geri_yuklendi'"
)
"""A row that waits for its time or for another try keeps that moment in waits_until."""

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
