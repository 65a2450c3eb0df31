"""Laws of receipts: they come twice, late, early and in any order, and the end is the same."""

from datetime import timedelta
from itertools import permutations
from random import Random  # noqa: TID251 -- seeded
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contracts.desk import DAY, HOUR, NOW, SECOND, Desk, in_hand, receipt
from tests.rounds import rounds

from guvercin.core.errors import Code
from guvercin.core.event import EventKind
from guvercin.core.message import Message, Status, WaitsFor
from guvercin.core.outcome import Accepted, Lost, NeverLeft, Receipt, ReceiptKind

OF_KIND = [
    (ReceiptKind.SERVER, Status.SENT),
    (ReceiptKind.DELIVERED, Status.DELIVERED),
    (ReceiptKind.READ, Status.READ),
    (ReceiptKind.FAILED, Status.FAILED),
]

SEVERAL = st.lists(
    st.tuples(st.sampled_from(ReceiptKind), st.integers(-5, 30)),
    min_size=1,
    max_size=6,
)
"""Receipts of one message: what, and how many seconds after its acknowledgement. One kind may come with several times:
a recipient has several phones."""

Play: TypeAlias = tuple[Random, int, bool, bool]
PLAY: st.SearchStrategy[Play] = st.tuples(
    st.builds(Random, st.integers(0, 999_999)), st.integers(0, 8), st.booleans(), st.booleans()
)
"""How they come: chance for order and repetition; how many before the answer; whether that is evidence; in one call."""


def end_of(row: Message) -> tuple[object, ...]:
    """Answer all that receipts may decide about a row."""
    return (row.status, row.reason, row.sent_at, row.delivered_at, row.read_at, row.attempts, row.remote_id)


class ReceiptLaws:
    @pytest.mark.parametrize(("kind", "status"), OF_KIND)
    async def test_a_receipt_moves_what_was_sent(self, desk: Desk, kind: ReceiptKind, status: Status) -> None:
        message_id = await desk.bring(Status.SENT, remote_id="D-1")
        desk.now += HOUR
        await desk.hear(receipt(kind, NOW + SECOND, "D-1"))
        row = await desk.row(message_id)
        assert row.status is status
        assert row.sent_at == NOW
        assert row.delivered_at == (NOW + SECOND if kind is ReceiptKind.DELIVERED else None)
        assert row.read_at == (NOW + SECOND if kind is ReceiptKind.READ else None)
        assert row.reason is (Code.WHATSAPP_REFUSED if kind is ReceiptKind.FAILED else None)
        assert (await desk.last_event(message_id)).at == (NOW if kind is ReceiptKind.SERVER else desk.now)

    async def test_a_failed_receipt_says_why(self, desk: Desk) -> None:
        message_id = await desk.bring(Status.SENT, remote_id="D-1")
        await desk.hear(receipt(ReceiptKind.FAILED, NOW, "D-1", Code.NOT_ON_WHATSAPP))
        assert (await desk.row(message_id)).reason is Code.NOT_ON_WHATSAPP

    async def test_a_time_that_was_missing_is_filled_in_silently(self, desk: Desk) -> None:
        message_id = await desk.bring(Status.READ, remote_id="D-1")
        events = await desk.store.events(message_id)
        await desk.hear(receipt(ReceiptKind.DELIVERED, NOW - SECOND, "D-1"))
        row = await desk.row(message_id)
        assert (row.status, row.delivered_at, row.read_at) == (Status.READ, NOW - SECOND, NOW)
        assert await desk.store.events(message_id) == events

    async def test_a_receipt_beats_our_verdict(self, desk: Desk) -> None:
        """WhatsApp says failed, then a phone says delivered."""
        message_id = await desk.bring(Status.SENT, remote_id="D-1")
        await desk.hear(receipt(ReceiptKind.FAILED, NOW, "D-1"))
        await desk.hear(receipt(ReceiptKind.DELIVERED, NOW, "D-1"))
        row = await desk.row(message_id)
        assert (row.status, row.reason) == (Status.DELIVERED, None)

    async def test_a_receipt_of_another_accounts_message_is_not_ours(self, desk: Desk) -> None:
        message_id = await desk.bring(Status.SENT, remote_id="D-1")
        await desk.hear(receipt(ReceiptKind.READ, NOW, "D-1"), account=2)
        assert (await desk.row(message_id)).status is Status.SENT

    # -- before the answer

    async def test_a_receipt_may_overtake_the_answer(self, desk: Desk) -> None:
        await desk.accept()
        claimed = await desk.claim()
        assert claimed is not None
        await desk.hear(receipt(ReceiptKind.READ, NOW + 2 * SECOND, "D-1"))
        await desk.hear(receipt(ReceiptKind.DELIVERED, NOW + SECOND, "D-1"))
        stood = await desk.settle(claimed, Accepted("D-1", NOW))
        row = await desk.row(stood.id)
        assert (stood.status, row.status) == (Status.READ, Status.READ)
        assert (row.sent_at, row.delivered_at, row.read_at) == (NOW, NOW + SECOND, NOW + 2 * SECOND)
        assert (await desk.kinds(row.id))[-3:] == [
            EventKind.MESSAGE_SENT,
            EventKind.MESSAGE_DELIVERED,
            EventKind.MESSAGE_READ,
        ]

    async def test_an_early_receipt_waits_for_evidence_too(self, desk: Desk) -> None:
        message_id = await desk.bring(Status.UNKNOWN)
        await desk.hear(receipt(ReceiptKind.DELIVERED, NOW, "D-1"))
        assert (await desk.row(message_id)).status is Status.UNKNOWN
        await desk.store.conclude(await desk.doubt(message_id), Accepted("D-1", NOW - SECOND), now=desk.now)
        row = await desk.row(message_id)
        assert (row.status, row.sent_at, row.delivered_at, row.attempts) == (
            Status.DELIVERED,
            NOW - SECOND,
            NOW,
            1,
        )

    async def test_an_early_receipt_is_kept_for_a_day(self, desk: Desk) -> None:
        await desk.hear(receipt(ReceiptKind.DELIVERED, NOW, "OLD"))
        await desk.hear(receipt(ReceiptKind.DELIVERED, NOW, "NEW"))
        for word, waited, status in (("NEW", DAY, Status.DELIVERED), ("OLD", DAY + SECOND, Status.SENT)):
            desk.now = NOW + waited
            await desk.store.forget(now=desk.now)
            await desk.accept(lifetime=2 * DAY)
            message_id = await desk.attempt(Accepted(word, desk.now))
            assert (await desk.row(message_id)).status is status, word

    @pytest.mark.parametrize(
        ("waited", "status"), [(DAY + SECOND, Status.DELIVERED), (30 * DAY, Status.DELIVERED), (31 * DAY, Status.SENT)]
    )
    async def test_an_early_receipt_is_kept_for_a_month_while_something_is_in_doubt(
        self, desk: Desk, waited: timedelta, status: Status
    ) -> None:
        message_id = await desk.bring(Status.UNKNOWN)
        await desk.hear(receipt(ReceiptKind.DELIVERED, NOW, "D-1"))
        doubt = await desk.doubt(message_id)
        desk.now = NOW + waited
        await desk.store.forget(now=desk.now)
        await desk.store.conclude(doubt, Accepted("D-1", NOW), now=desk.now)
        assert (await desk.row(message_id)).status is status

    async def test_what_waits_for_something_is_not_disturbed(self, desk: Desk) -> None:
        """A row may be in line again under no id at all: nothing that is heard then concerns it."""
        message_id = await desk.bring(Status.UNKNOWN)
        await desk.store.conclude(await desk.doubt(message_id), NeverLeft(), now=desk.now)
        await desk.defer(NOW + HOUR)
        await desk.hear(receipt(ReceiptKind.READ, NOW, "D-1"))
        row = await desk.row(message_id)
        assert (row.status, row.waits_for, row.waits_until) == (Status.QUEUED, WaitsFor.RETRY, NOW + HOUR)

    # -- any order, any number

    @settings(
        max_examples=rounds(60, 3_000),
        suppress_health_check=[HealthCheck.function_scoped_fixture],  # every example has a message of its own
    )
    @given(said=SEVERAL, plays=st.tuples(PLAY, PLAY))
    async def test_any_order_and_repetition_ends_the_same(
        self, desk: Desk, said: list[tuple[ReceiptKind, int]], plays: tuple[Play, Play]
    ) -> None:
        """The answer may come anywhere among them, as an answer or as evidence."""
        ends = set()
        for rng, before, by_evidence, together in plays:
            remote_id = desk.remote_id()
            receipts = [receipt(kind, NOW + seconds * SECOND, remote_id) for kind, seconds in said]
            receipts += rng.choices(receipts, k=rng.randrange(3))
            rng.shuffle(receipts)
            message_id = await self._play(desk, remote_id, receipts, before, by_evidence=by_evidence, together=together)
            ends.add(end_of(await desk.row(message_id))[:-1])
        assert len(ends) == 1

    async def _play(
        self, desk: Desk, remote_id: str, receipts: list[Receipt], before: int, *, by_evidence: bool, together: bool
    ) -> int:
        message_id = await desk.accept()
        claimed = await desk.claim()
        assert claimed is not None
        assert in_hand(claimed).id == message_id
        if by_evidence:
            await desk.settle(claimed, Lost(Code.ANSWER_LOST))
        await self._hear(desk, receipts[:before], together=together)
        answer = Accepted(remote_id, NOW)
        if by_evidence:
            await desk.store.conclude(await desk.doubt(message_id), answer, now=desk.now)
        else:
            await desk.settle(claimed, answer)
        await self._hear(desk, receipts[before:], together=together)
        return message_id

    async def _hear(self, desk: Desk, receipts: list[Receipt], *, together: bool) -> None:
        if together:
            await desk.hear(*receipts)
        else:
            for one in receipts:
                await desk.hear(one)

    async def test_all_orders_of_all_kinds(self, desk: Desk) -> None:
        """Exhaustive where the property above draws: four receipts and the answer in all 120 orders."""
        ends = set()
        for order in permutations([None, *ReceiptKind]):
            remote_id = desk.remote_id()
            message_id = await desk.accept()
            claimed = await desk.claim()
            assert claimed is not None
            for kind in order:
                if kind is None:
                    await desk.settle(claimed, Accepted(remote_id, NOW))
                else:
                    await desk.hear(receipt(kind, NOW + len(kind) * SECOND, remote_id))
            ends.add(end_of(await desk.row(message_id))[:-1])
        delivered_at, read_at = NOW + len("delivered") * SECOND, NOW + len("read") * SECOND
        assert ends == {(Status.READ, None, NOW, delivered_at, read_at, 1)}
