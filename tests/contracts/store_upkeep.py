"""Laws of what time does, and of what a crash or a restored copy leaves behind."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.contracts.desk import (
    AYSE,
    BORA,
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    Desk,
    draft,
    in_hand,
    key,
    receipt,
)

from guvercin.core.errors import Code
from guvercin.core.event import EventKind
from guvercin.core.message import Content, File, Status, WaitsFor
from guvercin.core.outcome import Accepted, Deferred, Lost, NeverLeft, ReceiptKind

MILLISECOND = timedelta(milliseconds=1)


class UpkeepLaws:
    # -- waits that end

    async def test_a_wait_ends_at_its_moment_and_not_before(self, desk: Desk) -> None:
        planned = await desk.accept(due_at=NOW + HOUR)
        await desk.accept(BORA)
        deferred = await desk.defer(NOW + HOUR)
        assert await desk.store.release_due(now=NOW + HOUR - MILLISECOND, limit=10) == 0
        assert await desk.store.release_due(now=NOW + HOUR, limit=10) == 2
        assert await desk.store.release_due(now=NOW + HOUR, limit=10) == 0
        for message_id in (planned, deferred):
            row = await desk.row(message_id)
            assert (row.status, row.waits_for, row.waits_until) == (Status.QUEUED, None, None)

    async def test_waits_end_in_parts(self, desk: Desk) -> None:
        for hours in (3, 1, 2):
            await desk.accept(due_at=NOW + hours * HOUR)
        released = [await desk.store.release_due(now=NOW + DAY, limit=2) for _ in range(3)]
        assert released == [2, 1, 0]

    # -- lifetimes that end

    async def test_a_lifetime_ends_wherever_the_row_waits(self, desk: Desk) -> None:
        await desk.accept(lifetime=HOUR)
        await desk.defer(NOW + DAY)
        await desk.accept(lifetime=HOUR)
        assert await desk.claim() is None  # parked
        await desk.accept(BORA, lifetime=HOUR)
        planned = await desk.accept(due_at=NOW + HOUR, lifetime=MINUTE)
        assert await desk.store.expire(now=NOW + HOUR - MILLISECOND, limit=10) == 0
        assert await desk.store.expire(now=NOW + HOUR, limit=2) == 2
        assert await desk.store.expire(now=NOW + HOUR, limit=10) == 1
        assert await desk.store.expire(now=NOW + HOUR, limit=10) == 0
        for row in await desk.rows():
            if row.id == planned:
                assert row.waits_for is WaitsFor.TIME
            else:
                assert (row.status, row.reason, row.waits_for) == (Status.FAILED, Code.EXPIRED, None)

    @pytest.mark.parametrize("status", sorted(set(Status) - {Status.QUEUED}))
    async def test_what_is_no_longer_in_line_has_no_lifetime(self, desk: Desk, status: Status) -> None:
        message_id = await desk.bring(status)
        assert await desk.store.expire(now=NOW + 99 * DAY, limit=10) == 0
        assert (await desk.row(message_id)).status is status

    # -- a crash

    async def test_rows_in_hand_are_in_doubt_after_a_crash(self, desk: Desk) -> None:
        ids = [await desk.accept() for _ in range(3)]
        for _ in range(2):
            await desk.claim()
        desk.now += SECOND
        assert await desk.store.recover(now=desk.now, limit=1) == 1
        assert await desk.store.recover(now=desk.now, limit=10) == 1
        assert await desk.store.recover(now=desk.now, limit=10) == 0
        rows = [await desk.row(message_id) for message_id in ids]
        assert [row.status for row in rows] == [Status.UNKNOWN, Status.UNKNOWN, Status.QUEUED]
        assert [(row.reason, row.attempts) for row in rows[:2]] == [(Code.CUT_SHORT, 1)] * 2
        (tried,) = await desk.store.attempts(ids[0])
        assert (tried.ended_at, tried.outcome, tried.reason) == (desk.now, "lost", Code.CUT_SHORT)
        # To be looked into at once.
        assert [doubt.message_id for doubt in await desk.store.in_doubt(now=desk.now, limit=10)] == ids[:2]

    async def test_the_answer_of_a_cut_short_attempt_comes_too_late(self, desk: Desk) -> None:
        """It says what it can't know any more; a yes is heard all the same."""
        await desk.accept()
        claimed = await desk.claim()
        assert claimed is not None
        await desk.store.recover(now=desk.now, limit=10)
        pushed_back = Deferred(reason=Code.PUSHED_BACK, pushed_back=True)
        assert (await desk.settle(claimed, pushed_back, retry_at=NOW)).status is Status.UNKNOWN
        assert (await desk.settle(claimed, Accepted("D-1", NOW))).status is Status.SENT
        assert (await desk.row(in_hand(claimed).id)).attempts == 1

    # -- doubts

    async def test_a_doubt_is_looked_into_soon_and_then_when_it_is_told(self, desk: Desk) -> None:
        await desk.accept(BORA)
        claimed = await desk.claim()
        assert claimed is not None
        await desk.settle(claimed, Lost(Code.ANSWER_LOST))
        message_id = in_hand(claimed).id
        assert await desk.store.in_doubt(now=NOW + 4 * SECOND, limit=10) == ()
        (doubt,) = await desk.store.in_doubt(now=NOW + 5 * SECOND, limit=10)
        assert (doubt.message_id, doubt.account_id, doubt.recipient) == (message_id, 1, BORA)
        assert (doubt.attempt_id, doubt.secret, doubt.started_at) == (claimed.attempt_id, claimed.secret, NOW)
        await desk.store.look_again(message_id, NOW + HOUR)
        assert await desk.store.in_doubt(now=NOW + HOUR - SECOND, limit=10) == ()
        assert len(await desk.store.in_doubt(now=NOW + HOUR, limit=10)) == 1
        await desk.store.look_again(message_id, None)
        assert await desk.store.in_doubt(now=NOW + 99 * DAY, limit=10) == ()

    async def test_looking_again_touches_only_doubts(self, desk: Desk) -> None:
        planned = await desk.accept(due_at=NOW + HOUR)
        await desk.store.look_again(planned, NOW)
        assert (await desk.row(planned)).waits_until == NOW + HOUR

    async def test_the_oldest_doubts_come_first_and_not_all_at_once(self, desk: Desk) -> None:
        ids = [await desk.bring(Status.UNKNOWN) for _ in range(3)]
        for wait, message_id in zip((3, 1, 2), ids, strict=True):
            await desk.store.look_again(message_id, NOW + wait * HOUR)
        found = await desk.store.in_doubt(now=NOW + DAY, limit=2)
        assert [doubt.message_id for doubt in found] == [ids[1], ids[2]]

    async def test_the_last_attempt_is_the_doubtful_one(self, desk: Desk) -> None:
        message_id = await desk.accept()
        await desk.defer(NOW + SECOND)
        desk.now += SECOND
        claimed = await desk.claim()
        assert claimed is not None
        await desk.settle(claimed, Lost(Code.ANSWER_LOST))
        assert (await desk.doubt(message_id)).attempt_id == claimed.attempt_id

    async def test_evidence_that_it_left_settles_a_doubt(self, desk: Desk) -> None:
        message_id = await desk.bring(Status.UNKNOWN)
        doubt = await desk.doubt(message_id)
        stood = await desk.store.conclude(doubt, Accepted("D-1", NOW - SECOND), now=desk.now)
        row = await desk.row(message_id)
        assert (stood.status, row.status, row.remote_id, row.sent_at) == (
            Status.SENT,
            Status.SENT,
            "D-1",
            NOW - SECOND,
        )
        assert (row.reason, row.attempts, row.waits_until) == (None, 1, None)

    async def test_evidence_that_it_never_left_puts_it_back_in_line(self, desk: Desk) -> None:
        message_id = await desk.bring(Status.UNKNOWN)
        stood = await desk.store.conclude(await desk.doubt(message_id), NeverLeft(), now=desk.now)
        row = await desk.row(message_id)
        assert (stood.status, row.status, row.reason, row.waits_for, row.waits_until) == (
            Status.QUEUED,
            Status.QUEUED,
            None,
            None,
            None,
        )
        assert (await desk.kinds(message_id))[-1] is EventKind.MESSAGE_RELEASED
        assert await desk.next_id() == message_id

    async def test_proof_about_an_earlier_attempt_says_nothing_of_a_later_one(self, desk: Desk) -> None:
        """Who looked into the first one was frozen meanwhile."""
        message_id = await desk.bring(Status.UNKNOWN)
        doubt = await desk.doubt(message_id)
        await desk.store.conclude(doubt, NeverLeft(), now=desk.now)
        claimed = await desk.claim()
        assert in_hand(claimed).id == message_id
        assert claimed is not None
        await desk.settle(claimed, Lost(Code.ANSWER_LOST))
        assert (await desk.store.conclude(doubt, NeverLeft(), now=desk.now)).status is Status.UNKNOWN
        again = await desk.doubt(message_id)
        assert (await desk.store.conclude(again, NeverLeft(), now=desk.now)).status is Status.QUEUED

    @pytest.mark.parametrize("status", sorted(set(Status) - {Status.UNKNOWN}))
    async def test_proof_that_nothing_left_concerns_only_doubts(self, desk: Desk, status: Status) -> None:
        old = await desk.bring(Status.UNKNOWN)
        doubt = await desk.doubt(old)
        match status:
            case Status.FAILED:
                await desk.store.give_up(old, Code.GIVEN_UP, now=desk.now)
            case Status.QUEUED | Status.SENDING | Status.CANCELLED:
                await desk.store.conclude(doubt, NeverLeft(), now=desk.now)
                if status is Status.SENDING:
                    await desk.claim()
                elif status is Status.CANCELLED:
                    await desk.store.cancel(old, now=desk.now)
            case _:
                await desk.store.conclude(doubt, Accepted("D-1", NOW), now=desk.now)
                if status is not Status.SENT:
                    await desk.hear(receipt(ReceiptKind(status.value), NOW, "D-1"))
        before = (await desk.row(old), await desk.store.events(old))
        assert (await desk.store.conclude(doubt, NeverLeft(), now=desk.now)).status is status
        assert (await desk.row(old), await desk.store.events(old)) == before

    # -- a restored copy

    async def test_nothing_of_a_restored_copy_goes_out_by_itself(self, desk: Desk) -> None:
        sent = await desk.bring(Status.SENT)
        doubtful = await desk.bring(Status.UNKNOWN)
        in_hand_ = await desk.bring(Status.SENDING)
        deferred = await desk.accept()
        await desk.defer(NOW + MINUTE)
        parked = await desk.accept()
        assert await desk.claim() is None
        in_line = await desk.accept(BORA)
        planned = await desk.accept(due_at=NOW + HOUR)
        waiting = [deferred, parked, in_line, planned]
        assert await desk.store.hold_unfinished(now=desk.now) == 4
        for message_id in waiting:
            row = await desk.row(message_id)
            assert (row.status, row.waits_for) == (Status.QUEUED, WaitsFor.RESTORED)
            assert (await desk.kinds(message_id))[-1] is EventKind.MESSAGE_HELD
        assert (await desk.row(sent)).status is Status.SENT
        assert [(await desk.row(row)).status for row in (doubtful, in_hand_)] == [Status.UNKNOWN] * 2
        desk.now = NOW + 2 * HOUR
        assert await desk.store.release_due(now=desk.now, limit=10) == 0
        assert await desk.claim() is None
        assert await desk.store.in_doubt(now=NOW + 99 * DAY, limit=10) == ()
        assert await desk.store.hold_unfinished(now=desk.now) == 0  # once is enough

    async def test_its_owner_lets_rows_go_one_by_one(self, desk: Desk) -> None:
        first, second = await desk.accept(), await desk.accept()
        planned = await desk.accept(due_at=NOW + HOUR)
        await desk.store.hold_unfinished(now=desk.now)
        assert (await desk.store.release(second, now=desk.now)).waits_for is None
        assert (await desk.kinds(second))[-1] is EventKind.MESSAGE_RELEASED
        assert await desk.leave_in_order() == [second]
        # What was planned for later is planned for later again.
        stood = await desk.store.release(planned, now=desk.now)
        row = await desk.row(planned)
        assert stood.waits_for is row.waits_for is WaitsFor.TIME
        assert row.waits_until == NOW + HOUR
        desk.now = NOW + HOUR
        assert await desk.leave_in_order() == [planned]
        await desk.store.release(first, now=desk.now)
        assert await desk.leave_in_order() == [first]

    async def test_held_rows_can_be_cancelled_and_expire(self, desk: Desk) -> None:
        first, second = await desk.accept(), await desk.accept(lifetime=HOUR)
        await desk.store.hold_unfinished(now=desk.now)
        assert (await desk.store.cancel(first, now=desk.now)).status is Status.CANCELLED
        assert await desk.store.expire(now=NOW + HOUR, limit=10) == 1
        assert (await desk.row(second)).status is Status.FAILED

    @pytest.mark.parametrize("status", Status)
    async def test_releasing_what_is_not_held_changes_nothing(self, desk: Desk, status: Status) -> None:
        message_id = await desk.bring(status)
        before = (await desk.row(message_id), await desk.store.events(message_id))
        assert (await desk.store.release(message_id, now=desk.now)).status is status
        assert (await desk.row(message_id), await desk.store.events(message_id)) == before

    async def test_releasing_does_not_shorten_another_wait(self, desk: Desk) -> None:
        planned = await desk.accept(due_at=NOW + HOUR)
        await desk.store.release(planned, now=desk.now)
        assert (await desk.row(planned)).waits_for is WaitsFor.TIME

    async def test_new_messages_go_out_beside_held_ones(self, desk: Desk) -> None:
        await desk.accept(AYSE)
        await desk.store.hold_unfinished(now=desk.now)
        new = await desk.accept(AYSE)
        assert await desk.leave_in_order() == [new]

    # -- what is forgotten

    async def test_forgetting_leaves_messages_and_events_alone(self, desk: Desk) -> None:
        await desk.bring(Status.READ, to=BORA)
        await desk.take(draft(), under=key("k"))
        before = (await desk.rows(), await desk.store.events_after(0, limit=1000))
        await desk.store.forget(now=NOW + 99 * DAY)
        assert (await desk.rows(), await desk.store.events_after(0, limit=1000)) == before

    async def test_uploads_are_kept_for_a_week(self, desk: Desk) -> None:
        file = File(digest="cd" * 32, name="a.pdf", media_type="application/pdf", size=1)
        await desk.store.keep_upload("u-1", 1, file, now=NOW)
        await desk.store.forget(now=NOW + 7 * DAY)
        kept = await desk.store.upload("u-1")
        assert kept is not None
        assert (kept.file, kept.token_id) == (file, 1)
        await desk.store.forget(now=NOW + 7 * DAY + SECOND)
        assert await desk.store.upload("u-1") is None

    async def test_drafts_are_kept_for_a_day(self, desk: Desk) -> None:
        await desk.store.keep_draft("d-1", 1, b"{}", now=NOW)
        await desk.store.forget(now=NOW + DAY)
        assert await desk.store.draft("d-1") is not None
        await desk.store.forget(now=NOW + DAY + SECOND)
        assert await desk.store.draft("d-1") is None

    async def test_files_are_needed_as_long_as_something_may_send_them(self, desk: Desk) -> None:
        wanted: dict[str, bool] = {}
        for number, status in enumerate(Status):
            digest = f"{number:064x}"
            file = File(digest=digest, name="a.pdf", media_type="application/pdf", size=1)
            message_id = await desk.lead(replace(draft(), content=Content(file=file)), status)
            wanted[digest] = status in (Status.QUEUED, Status.SENDING, Status.UNKNOWN)
            if status is Status.QUEUED:  # out of the way of the next ones
                await desk.store.hold_unfinished(now=desk.now)
            assert (await desk.row(message_id)).status is status
        await desk.store.keep_upload("u-1", 1, File(digest="ff", name="b", media_type="x", size=1), now=NOW)
        digests = await desk.store.spool_digests()
        assert digests == {digest for digest, needed in wanted.items() if needed} | {"ff"}
