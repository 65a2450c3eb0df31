"""Laws of a message's life in a store: every verb moves a row as the table says, or says no and moves nothing."""

from dataclasses import replace
from datetime import datetime

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
    again,
    draft,
    in_hand,
    receipt,
    standing,
)

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import OF_STATUS, EventKind
from guvercin.core.message import TRANSITIONS, File, IllegalOrder, Lane, News, Order, Status, WaitsFor
from guvercin.core.outcome import Accepted, Deferred, Lost, NeverLeft, Outcome, ReceiptKind, Refused, Scope
from guvercin.store.verbs.claiming import Claimed
from guvercin.store.verbs.upkeep import Doubt

PUSHED_BACK = Deferred(reason=Code.PUSHED_BACK, pushed_back=True)
SNOOZED = Deferred(reason=Code.LINE_DOWN, pushed_back=False)
REFUSED = Refused(reason=Code.NOT_ON_WHATSAPP, scope=Scope.RECIPIENT, detail="463")
LOST = Lost(Code.ANSWER_LOST)

OUTCOMES: list[tuple[Outcome, datetime | None, News]] = [
    (Accepted("DENEME-X", NOW), None, News.ACCEPTED),
    (PUSHED_BACK, NOW + MINUTE, News.DEFERRED),
    (SNOOZED, NOW + MINUTE, News.DEFERRED),
    (PUSHED_BACK, None, News.REFUSED),
    (REFUSED, None, News.REFUSED),
    (LOST, None, News.LOST),
]
NAMES = ["accepted", "pushed-back", "snoozed", "out-of-tries", "refused", "lost"]


class LifeLaws:
    # -- accept

    async def test_what_was_asked_for_is_what_is_stored(self, desk: Desk) -> None:
        file = File(digest="ab" * 32, name="fatura ğüşiöç.pdf", media_type="application/pdf", size=1234)
        asked = replace(
            draft(BORA, lane=Lane.BULK, reference="F-1"),
            recipient_name="Bora Ç.",
            warning=Code.UNKNOWN_CATEGORY,
            resend_of=77,
        )
        asked = replace(asked, content=replace(asked.content, text="Faturanız ekte 🕊", file=file))
        stood = standing(await desk.take(asked))
        row = await desk.row(stood.id)
        kept = (row.account_id, row.recipient, row.recipient_name, row.content, row.category, row.lane, row.priority)
        assert kept == (1, BORA, "Bora Ç.", asked.content, 10, Lane.BULK, asked.priority)
        assert (row.reference, row.warning, row.resend_of, row.expires_at) == (
            "F-1",
            Code.UNKNOWN_CATEGORY,
            77,
            NOW + DAY,
        )
        assert (row.status, row.reason, row.waits_for, row.created_at, row.due_at, row.attempts) == (
            Status.QUEUED,
            None,
            None,
            NOW,
            NOW,
            0,
        )
        assert (row.sent_at, row.delivered_at, row.read_at, row.remote_id) == (None, None, None, None)
        assert (stood.status, stood.account_id, stood.batch_id, stood.waits_for) == (Status.QUEUED, 1, None, None)
        (event,) = await desk.store.events(row.id)
        assert (event.kind, event.at, event.account_id, event.message_id) == (
            EventKind.MESSAGE_ACCEPTED,
            NOW,
            1,
            row.id,
        )
        assert await desk.store.token_of(row.id) == 1

    async def test_a_planned_message_waits_for_its_time(self, desk: Desk) -> None:
        message_id = await desk.accept(due_at=NOW + HOUR)
        row = await desk.row(message_id)
        assert (row.status, row.waits_for, row.waits_until, row.due_at) == (
            Status.QUEUED,
            WaitsFor.TIME,
            NOW + HOUR,
            NOW + HOUR,
        )
        assert await desk.claim() is None

    async def test_a_plan_that_has_passed_means_at_once(self, desk: Desk) -> None:
        first = await desk.accept()
        late = await desk.accept(due_at=NOW - HOUR)
        assert (await desk.row(late)).due_at == NOW
        assert await desk.leave_in_order() == [first, late]

    async def test_a_row_that_fails_at_acceptance_never_leaves(self, desk: Desk) -> None:
        wanted = draft("0532 çöp", text=None, reason=Code.INVALID_PHONE, due_at=NOW + HOUR)
        stood = standing(await desk.take(wanted))
        row = await desk.row(stood.id)
        assert (row.status, row.reason, row.waits_for) == (Status.FAILED, Code.INVALID_PHONE, None)
        event = await desk.last_event(stood.id)
        assert (event.kind, event.detail) == (EventKind.MESSAGE_FAILED, {"neden": "gecersiz_telefon"})
        assert await desk.claim() is None

    async def test_an_account_that_is_gone_takes_nothing(self, desk: Desk) -> None:
        """It was removed while somebody's file was still on its way in."""
        old = await desk.bring(Status.UNKNOWN)
        await desk.store.give_up(old, Code.GIVEN_UP, now=desk.now)
        await desk.store.remove_account(1, now=desk.now)
        wanted = draft()
        for asking in (
            desk.take(wanted),
            desk.accept_batch([wanted]),
            desk.store.resend(old, wanted, token_id=1, now=NOW, key=None, quota=None),
        ):
            with pytest.raises(GuvercinError, match=Code.NOT_FOUND.value):
                await asking
        assert [row.id for row in await desk.rows()] == [old]

    async def test_nor_does_it_take_what_is_sent_again(self, desk: Desk) -> None:
        """And the old row stays in doubt: it gives up only for one that stands in its place."""
        old = await desk.bring(Status.UNKNOWN)
        await desk.store.remove_account(2, now=desk.now)
        with pytest.raises(GuvercinError, match=Code.NOT_FOUND.value):
            await desk.store.resend(old, draft(account=2), token_id=1, now=NOW, key=None, quota=None)
        assert (await desk.row(old)).status is Status.UNKNOWN

    # -- claim

    async def test_a_claim_is_written_down_whole(self, desk: Desk) -> None:
        message_id = await desk.accept()
        desk.now += SECOND
        secret = bytes(range(32))
        claimed = await desk.store.claim(1, [Lane.SINGLE], now=desk.now, secret=secret, draw=0.25)
        assert claimed is not None
        assert claimed.secret == secret
        assert in_hand(claimed) == await desk.row(message_id)
        assert in_hand(claimed).status is Status.SENDING
        (tried,) = await desk.store.attempts(message_id)
        assert (tried.started_at, tried.ended_at, tried.outcome, tried.reason) == (desk.now, None, None, None)
        assert await desk.kinds(message_id) == [EventKind.MESSAGE_ACCEPTED, EventKind.MESSAGE_CLAIMED]
        use = await desk.store.use(1)
        assert (use.last_at, use.draw) == (desk.now, 0.25)
        assert (await desk.store.use(2)).last_at is None

    async def test_a_claim_takes_nothing_of_another_account_or_a_closed_lane(self, desk: Desk) -> None:
        bulk = await desk.accept(lane=Lane.BULK)
        assert await desk.claim(2) is None
        assert await desk.claim(lanes=[Lane.SINGLE]) is None
        assert await desk.claim(lanes=[]) is None
        assert await desk.next_id(lanes=[Lane.BULK]) == bulk

    async def test_a_claim_that_finds_nothing_spends_no_slot(self, desk: Desk) -> None:
        assert await desk.claim() is None
        assert (await desk.store.use(1)).last_at is None

    @pytest.mark.parametrize("status", sorted(set(Status) - {Status.QUEUED}))
    async def test_only_queued_rows_are_claimed(self, desk: Desk, status: Status) -> None:
        await desk.bring(status)
        assert await desk.claim() is None

    # -- settle

    @pytest.mark.parametrize(("outcome", "retry_at", "news"), OUTCOMES, ids=NAMES)
    async def test_an_outcome_moves_the_row_and_ends_the_attempt(
        self, desk: Desk, outcome: Outcome, retry_at: datetime | None, news: News
    ) -> None:
        await desk.accept()
        claimed = await desk.claim()
        assert claimed is not None
        desk.now += SECOND
        stood = await desk.settle(claimed, outcome, retry_at=retry_at)
        row = await desk.row(stood.id)
        after = TRANSITIONS[Status.SENDING][news]
        assert (stood.status, row.status) == (after, after)
        is_out_of_tries = isinstance(outcome, Deferred) and retry_at is None
        said = None if isinstance(outcome, Accepted) else outcome.reason
        assert row.reason is stood.reason is (Code.RETRIES_EXHAUSTED if is_out_of_tries else said)
        assert row.attempts == (0 if outcome is SNOOZED else 1)
        assert row.waits_for is stood.waits_for is (WaitsFor.RETRY if after is Status.QUEUED else None)
        (tried,) = await desk.store.attempts(row.id)
        assert (tried.ended_at, tried.reason) == (desk.now, said)
        assert tried.outcome == type(outcome).__name__.lower()
        assert tried.detail == ("463" if outcome is REFUSED else None)
        event = await desk.last_event(row.id)
        assert (event.kind, event.at) == (OF_STATUS[after], desk.now)
        assert event.detail.get("neden") == (row.reason and row.reason.value)
        if isinstance(outcome, Accepted):
            assert (row.remote_id, row.sent_at) == (outcome.remote_id, outcome.at)
            assert event.detail["message_id"] == outcome.remote_id

    async def test_a_snooze_is_no_attempt_however_often(self, desk: Desk) -> None:
        message_id = await desk.accept()
        for _ in range(5):
            await desk.attempt(SNOOZED, retry_at=desk.now + SECOND)
            desk.now += SECOND
        assert (await desk.row(message_id)).attempts == 0
        assert len(await desk.store.attempts(message_id)) == 5

    @pytest.mark.parametrize(("outcome", "retry_at", "news"), OUTCOMES, ids=NAMES)
    async def test_writing_an_answer_twice_changes_nothing(
        self, desk: Desk, outcome: Outcome, retry_at: datetime | None, news: News
    ) -> None:
        """The dispatcher writes again when it could not learn whether the first time was kept."""
        await desk.accept()
        claimed = await desk.claim()
        assert claimed is not None
        first = await desk.settle(claimed, outcome, retry_at=retry_at)
        before = (await desk.row(first.id), await desk.store.attempts(first.id), await desk.store.events(first.id))
        desk.now += SECOND
        second = await desk.settle(claimed, outcome, retry_at=retry_at)
        after = (await desk.row(first.id), await desk.store.attempts(first.id), await desk.store.events(first.id))
        assert (second.status, after) == (first.status, before), news

    async def test_an_old_attempts_answer_does_not_touch_the_next_attempt(self, desk: Desk) -> None:
        await desk.accept()
        first = await desk.claim()
        assert first is not None
        await desk.settle(first, PUSHED_BACK, retry_at=desk.now + SECOND)
        desk.now += SECOND
        second = await desk.claim()
        assert second is not None
        assert second.attempt_id != first.attempt_id
        for outcome in (PUSHED_BACK, REFUSED, LOST):
            await desk.settle(first, outcome, retry_at=desk.now + SECOND)
        row = await desk.row(in_hand(first).id)
        assert (row.status, row.attempts) == (Status.SENDING, 1)

    async def test_a_late_yes_is_always_heard(self, desk: Desk) -> None:
        """Its owner gave up, then it turns out that it had left: the id is kept, and a receipt beats the verdict."""
        message_id = await desk.bring(Status.UNKNOWN)
        doubt = await desk.doubt(message_id)
        await desk.store.give_up(message_id, Code.GIVEN_UP, now=desk.now)
        stood = await desk.store.conclude(doubt, Accepted("GEC-1", NOW - SECOND), now=desk.now)
        row = await desk.row(message_id)
        assert (stood.status, row.status, row.reason) == (Status.FAILED, Status.FAILED, Code.GIVEN_UP)
        assert (row.remote_id, row.sent_at, row.attempts) == ("GEC-1", NOW - SECOND, 1)
        await desk.hear(receipt(ReceiptKind.DELIVERED, NOW, "GEC-1"))
        row = await desk.row(message_id)
        assert (row.status, row.reason, row.sent_at) == (Status.DELIVERED, None, NOW - SECOND)

    async def test_an_answer_and_the_next_claim_are_one_change_the_answer_first(self, desk: Desk) -> None:
        ids = [standing(await desk.take(draft(to))).id for to in (AYSE, BORA)]
        claimed = await desk.claim()
        assert claimed is not None

        async def both(remote_id: str) -> Claimed | None:
            return await desk.store.settle_and_claim(
                ids[0], claimed.attempt_id, Accepted(remote_id, NOW), list(Lane), now=NOW, secret=bytes(32), draw=0.5
            )

        assert in_hand(await both("D-1")).id == ids[1]
        assert [row.status for row in (await desk.row(ids[0]), await desk.row(ids[1]))] == [Status.SENT, Status.SENDING]
        assert (await desk.row(ids[0])).attempts == 1
        first, second = (await desk.last_event(ids[0]), await desk.last_event(ids[1]))
        assert (first.kind, second.kind) == (EventKind.MESSAGE_SENT, EventKind.MESSAGE_CLAIMED)
        assert first.id < second.id
        assert await both("D-1") is None  # written again: nothing changes, and nothing stands in line
        assert (await desk.row(ids[0])).attempts == 1

    # -- one id, one message

    async def test_an_answer_with_an_id_that_is_taken_is_not_believed(self, desk: Desk) -> None:
        first = await desk.bring(Status.SENT, remote_id="AYNI")
        await desk.accept(BORA)
        second = await desk.attempt(Accepted("AYNI", NOW))
        row = await desk.row(second)
        assert (row.status, row.reason, row.remote_id, row.sent_at) == (Status.UNKNOWN, Code.ANSWER_LOST, None, None)
        doubt = await desk.doubt(second)
        # Evidence that says the same is no better, and is not asked for again at once.
        stood = await desk.store.conclude(doubt, Accepted("AYNI", NOW), now=desk.now)
        assert stood.status is Status.UNKNOWN
        assert await desk.store.in_doubt(now=desk.now + MINUTE, limit=10) == ()
        assert (await desk.row(second)).attempts == 1
        assert (await desk.row(first)).remote_id == "AYNI"

    async def test_a_message_has_one_id(self, desk: Desk) -> None:
        message_id = await desk.bring(Status.UNKNOWN)
        doubt = await desk.doubt(message_id)
        await desk.hear(receipt(ReceiptKind.DELIVERED, NOW, "IKI"))
        await desk.store.conclude(doubt, Accepted("BIR", NOW), now=desk.now)
        await desk.store.conclude(doubt, Accepted("IKI", NOW), now=desk.now)
        row = await desk.row(message_id)
        assert (row.remote_id, row.status) == ("BIR", Status.SENT)

    async def test_two_accounts_may_use_one_id(self, desk: Desk) -> None:
        first = await desk.bring(Status.SENT, remote_id="AYNI")
        second = await desk.accept(account=2)
        await desk.attempt(Accepted("AYNI", NOW), account=2)
        await desk.hear(receipt(ReceiptKind.READ, NOW, "AYNI"), account=2)
        assert ((await desk.row(first)).status, (await desk.row(second)).status) == (Status.SENT, Status.READ)

    # -- orders, from everywhere

    @pytest.mark.parametrize("status", Status)
    async def test_cancel_and_give_up_obey_the_table(self, desk: Desk, status: Status) -> None:
        for order in (Order.CANCEL, Order.GIVE_UP):
            message_id = await desk.bring(status)
            before = (await desk.row(message_id), await desk.store.events(message_id))
            ordering = (
                desk.store.cancel(message_id, now=desk.now)
                if order is Order.CANCEL
                else desk.store.give_up(message_id, Code.GIVEN_UP, now=desk.now)
            )
            after = TRANSITIONS[status].get(order)
            if after is None:
                with pytest.raises(IllegalOrder):
                    await ordering
                assert (await desk.row(message_id), await desk.store.events(message_id)) == before
            else:
                assert (await ordering).status is after
                row = await desk.row(message_id)
                assert (row.status, row.reason) == (after, Code.GIVEN_UP if order is Order.GIVE_UP else None)
                assert (await desk.last_event(message_id)).kind is OF_STATUS[after]
            while await desk.claim() is not None:  # leaves nothing for the next one
                pass

    async def test_a_waiting_row_can_be_cancelled(self, desk: Desk) -> None:
        planned = await desk.accept(due_at=NOW + HOUR)
        await desk.accept(BORA)
        deferred = await desk.defer(NOW + HOUR)
        for message_id in (planned, deferred):
            stood = await desk.store.cancel(message_id, now=desk.now)
            row = await desk.row(message_id)
            assert (stood.status, row.status, row.waits_for, row.waits_until, row.reason) == (
                Status.CANCELLED,
                Status.CANCELLED,
                None,
                None,
                None,
            )
        desk.now += DAY
        assert await desk.store.release_due(now=desk.now, limit=100) == 0

    @pytest.mark.parametrize("status", Status)
    async def test_resending_makes_a_new_row_unless_the_old_one_may_still_leave(
        self, desk: Desk, status: Status
    ) -> None:
        old = await desk.bring(status)
        before = (await desk.row(old), await desk.store.events(old))
        resending = desk.store.resend(old, again(before[0], desk.now), token_id=1, now=desk.now, key=None, quota=None)
        if status in (Status.QUEUED, Status.SENDING):
            with pytest.raises(IllegalOrder):
                await resending
            assert len(await desk.rows()) == 1
        else:
            new = standing(await resending)
            assert (new.status, (await desk.row(new.id)).resend_of) == (Status.QUEUED, old)
        row = await desk.row(old)
        if status is Status.UNKNOWN:
            assert (row.status, row.reason) == (Status.FAILED, Code.RESENT)
            assert await desk.store.in_doubt(now=desk.now + DAY, limit=10) == ()
        else:
            assert (row, await desk.store.events(old)) == before

    @pytest.mark.parametrize("status", Status)
    async def test_a_policy_sends_again_only_what_is_still_in_doubt(self, desk: Desk, status: Status) -> None:
        """Its owner may have settled it between the look and the order."""
        old = await desk.row(await desk.bring(status))
        events = await desk.store.events(old.id)
        resending = desk.store.resend(
            old.id, again(old, desk.now), token_id=1, now=desk.now, key=None, quota=None, only_in_doubt=True
        )
        if status is Status.UNKNOWN:
            assert standing(await resending).status is Status.QUEUED
            return
        with pytest.raises(IllegalOrder):
            await resending
        assert (list(await desk.rows()), await desk.store.events(old.id)) == ([old], events)

    async def test_all_of_a_reference_that_has_not_left_is_cancelled(self, desk: Desk) -> None:
        sent = await desk.accept(reference="F-1")
        await desk.next_id()
        mine = [await desk.accept(reference="F-1"), await desk.accept(BORA, reference="F-1", due_at=NOW + HOUR)]
        other = await desk.accept(reference="F-2")
        foreign = await desk.accept(account=2, reference="F-1")
        assert await desk.store.cancel_reference("F-1", frozenset({1}), now=desk.now) == 2
        statuses = {row.id: row.status for row in await desk.rows()}
        assert statuses == {
            sent: Status.SENT,
            mine[0]: Status.CANCELLED,
            mine[1]: Status.CANCELLED,
            other: Status.QUEUED,
            foreign: Status.QUEUED,
        }
        assert await desk.store.cancel_reference("F-1", None, now=desk.now) == 1
        assert await desk.store.cancel_reference("F-1", None, now=desk.now) == 0
        assert await desk.store.cancel_reference("F-9", None, now=desk.now) == 0

    async def test_what_is_not_there_is_not_found(self, desk: Desk) -> None:
        doubt = Doubt(message_id=9, account_id=1, recipient=AYSE, attempt_id=9, secret=b"", started_at=NOW)
        store, now = desk.store, desk.now
        for asking in (
            store.cancel(9, now=now),
            store.give_up(9, Code.GIVEN_UP, now=now),
            store.release(9, now=now),
            store.settle(9, 9, LOST, now=now, retry_at=None),
            store.conclude(doubt, NeverLeft(), now=now),
            store.resend(9, draft(), token_id=1, now=now, key=None, quota=None),
            store.token_of(9),
        ):
            with pytest.raises(GuvercinError, match=Code.NOT_FOUND.value):
                await asking
        assert await store.message(9) is None
        assert await store.standing(9) is None
        assert await store.batch(9) is None
        assert not await store.attempts(9)
        assert not await store.events(9)

    # -- what a commit announces

    async def test_every_move_is_announced_after_it_is_durable(self, desk: Desk) -> None:
        heard: list[tuple[int, Status]] = []
        desk.store.listen(lambda committed: heard.extend((s.id, s.status) for s in committed.standings))
        message_id = await desk.accept()
        claimed = await desk.claim()
        assert claimed is not None
        await desk.settle(claimed, Accepted("D-1", NOW))
        await desk.hear(receipt(ReceiptKind.READ, NOW, "D-1"))
        await desk.hear(receipt(ReceiptKind.READ, NOW, "D-1"))
        statuses = [Status.QUEUED, Status.SENDING, Status.SENT, Status.READ]
        assert heard == [(message_id, status) for status in statuses]
