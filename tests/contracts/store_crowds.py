"""Laws of what comes in crowds: receipts that name our own id, calls that tell many things, and claims of several."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from tests.contracts.desk import AYSE, BORA, BOTH, HOUR, NOW, SECOND, Desk, draft, in_hand, receipt

from guvercin.core.errors import Code
from guvercin.core.event import EventKind
from guvercin.core.grant import Allowance, Grant, Held, People
from guvercin.core.message import Status, WaitsFor
from guvercin.core.outcome import (
    Accepted,
    Acquainted,
    Inbound,
    Lost,
    NotUnderstood,
    NumberNews,
    Receipt,
    ReceiptKind,
    Refused,
    TemplateNews,
    Told,
)
from guvercin.store.times import to_ms
from guvercin.store.verbs.claiming import Claimed, Settlement

DAY = timedelta(hours=24)


def ours(kind: ReceiptKind, message_id: int, remote_id: str = "W-1", *, after: timedelta = SECOND) -> Receipt:
    return Receipt(remote_id=remote_id, kind=kind, at=NOW + after, message_id=message_id)


async def take(
    desk: Desk, most: int, *, busy: Sequence[str] = (), settlements: Sequence[Settlement] = ()
) -> Sequence[Claimed]:
    """Claim several, and again while the line was only tidied."""
    chances = [(desk.rng.randbytes(32), 0.5) for _ in range(most)]
    claimed = await desk.store.settle_and_claim_more(
        1, settlements, BOTH, now=desk.now, chances=chances, busy=frozenset(busy)
    )
    return [each for each in claimed if each.message is not None]


class CrowdLaws:
    @pytest.mark.parametrize(
        ("kind", "status"),
        [
            (ReceiptKind.SERVER, Status.SENT),
            (ReceiptKind.DELIVERED, Status.DELIVERED),
            (ReceiptKind.READ, Status.READ),
            (ReceiptKind.FAILED, Status.FAILED),
        ],
    )
    async def test_a_receipt_with_our_id_settles_a_doubt(self, desk: Desk, kind: ReceiptKind, status: Status) -> None:
        message_id = await desk.bring(Status.UNKNOWN)
        await desk.hear(ours(kind, message_id))
        row = await desk.row(message_id)
        assert (row.status, row.remote_id, row.attempts) == (status, "W-1", 1)
        await desk.hear(receipt(ReceiptKind.READ, NOW + HOUR, "W-1"))  # from now on the network's id is enough
        assert (await desk.row(message_id)).status is Status.READ

    async def test_it_settles_what_is_still_in_hand_and_the_answer_changes_nothing(self, desk: Desk) -> None:
        message_id = await desk.accept()
        claimed = await desk.claim()
        assert claimed is not None
        await desk.hear(ours(ReceiptKind.DELIVERED, message_id))
        assert (await desk.row(message_id)).status is Status.DELIVERED
        await desk.settle(claimed, Lost(Code.ANSWER_LOST))
        row = await desk.row(message_id)
        assert (row.status, row.remote_id) == (Status.DELIVERED, "W-1")

    async def test_the_early_ones_of_its_id_come_with_it(self, desk: Desk) -> None:
        message_id = await desk.bring(Status.UNKNOWN)
        await desk.hear(receipt(ReceiptKind.READ, NOW + HOUR, "W-1"))  # without our id: whose it is nobody knows yet
        await desk.hear(ours(ReceiptKind.SERVER, message_id))
        assert (await desk.row(message_id)).status is Status.READ

    async def test_another_accounts_row_is_not_ours(self, desk: Desk) -> None:
        message_id = await desk.bring(Status.UNKNOWN)
        await desk.hear(ours(ReceiptKind.READ, message_id), account=2)
        assert (await desk.row(message_id)).status is Status.UNKNOWN

    async def test_a_row_that_has_an_id_takes_no_other(self, desk: Desk) -> None:
        message_id = await desk.bring(Status.SENT, remote_id="W-0")
        await desk.hear(ours(ReceiptKind.READ, message_id))
        row = await desk.row(message_id)
        assert (row.status, row.remote_id) == (Status.SENT, "W-0")

    async def test_an_id_of_nobody_is_kept_like_any_early_one(self, desk: Desk) -> None:
        await desk.hear(ours(ReceiptKind.READ, 4_711))
        message_id = await desk.accept()
        claimed = await desk.claim()
        assert claimed is not None
        await desk.settle(claimed, Accepted("W-1", NOW))
        assert (await desk.row(message_id)).status is Status.READ

    async def test_a_call_tells_many_things(self, desk: Desk) -> None:
        message_id = await desk.bring(Status.SENT, remote_id="W-1")
        told: list[Told] = [
            NotUnderstood(what="messages.system", body='{"a":1}'),
            receipt(ReceiptKind.DELIVERED, NOW + SECOND, "W-1"),
            Inbound(remote_id="I-1", sender=AYSE, text="Selam", at=NOW),
            receipt(ReceiptKind.READ, NOW + SECOND, "W-1"),
        ]
        cursor = await desk.store.last_event_id()
        await desk.store.hear(1, told, now=desk.now)
        events = await desk.store.events_after(cursor, limit=10)
        assert [event.kind for event in events] == [
            EventKind.NOT_UNDERSTOOD,
            EventKind.MESSAGE_DELIVERED,
            EventKind.MESSAGE_RECEIVED,
            EventKind.MESSAGE_READ,
        ]
        assert events[0].detail == {"ne": "messages.system"}, "what customers write stands in no event"
        assert (await desk.row(message_id)).status is Status.READ

    async def test_what_nobody_understood_is_kept_the_newest_of_it(self, desk: Desk) -> None:
        announced: list[int] = []
        desk.store.listen(lambda committed: announced.append(committed.unclear))
        for start in range(0, 1_100, 100):
            told = [NotUnderstood(what="x", body=str(number)) for number in range(start, start + 100)]
            await desk.store.hear(1, told, now=desk.now)
        kept = await desk.store.unclear(1, limit=2_000)
        assert [each.body for each in kept] == [str(number) for number in range(1_099, 99, -1)]
        assert {each.at for each in kept} == {desk.now}
        assert sum(announced) == 1_100, "all of it is counted"
        assert await desk.store.unclear(2, limit=10) == ()
        desk.now += timedelta(days=31)
        await desk.store.forget(now=desk.now)
        assert await desk.store.unclear(1, limit=10) == ()

    async def test_news_of_templates_and_of_the_number_stand_in_the_log(self, desk: Desk) -> None:
        cursor = await desk.store.last_event_id()
        told: list[Told] = [
            TemplateNews(name="fatura_hazir", language="tr", is_usable=False, why="PAUSED"),
            TemplateNews(name="fatura_hazir", language="tr", is_usable=True, why="APPROVED"),
            NumberNews(what="phone_number_quality_update.FLAGGED"),
        ]
        await desk.store.hear(1, told, now=desk.now)
        events = await desk.store.events_after(cursor, limit=10)
        assert {event.kind for event in events} == {EventKind.ACCOUNT_CHANGED}
        assert [event.detail["ne"] for event in events] == ["sablon_durdu", "sablon_acildi", "meta"]
        assert [event.detail["neden"] for event in events] == ["PAUSED", "APPROVED", told[2].what]  # type: ignore[union-attr]
        assert events[0].detail["sablon"] == "fatura_hazir:tr"

    async def test_what_a_grant_has_no_room_for_waits_with_a_moment_and_a_reason(self, desk: Desk) -> None:
        mine = Allowance(Grant(per_second=80, people=1, burst=1), People())
        first, again, stranger = [await desk.accept(to) for to in (AYSE, AYSE, BORA)]
        chances = [(desk.rng.randbytes(32), 0.5) for _ in range(5)]

        async def claim(*settled: Settlement) -> list[int]:
            claimed = await desk.store.settle_and_claim_more(
                1, settled, BOTH, now=desk.now, chances=chances, busy=(), allowance=mine
            )
            ids.update({in_hand(each).id: each.attempt_id for each in claimed if each.message is not None})
            return [in_hand(each).id for each in claimed if each.message is not None]

        ids: dict[int, int] = {}
        assert await claim() == [first]
        row = await desk.row(stranger)
        assert (row.waits_for, row.reason, row.waits_until) == (WaitsFor.RETRY, Code.PEOPLE_LIMIT, desk.now + DAY)
        desk.now += SECOND
        assert await claim(Settlement(first, ids[first], Accepted("W-1", desk.now), None, AYSE)) == []
        row = await desk.row(again)
        assert (row.waits_for, row.reason) == (WaitsFor.EARLIER, None)
        assert row.waits_until == desk.now + 5 * SECOND, "six seconds after the first one was claimed"
        desk.now += 5 * SECOND
        assert await claim() == [again]
        wrote = Inbound(remote_id="I-1", sender=BORA, text="Selam", at=desk.now)
        await desk.store.receive_inbound(1, wrote, now=desk.now)
        desk.now += SECOND
        assert await claim() == [stranger], "who has written needs no place"
        assert (await desk.row(stranger)).reason is None

    async def test_what_has_not_left_takes_nobodys_place(self, desk: Desk) -> None:
        mine = Allowance(Grant(per_second=80, people=1), People())
        refused, other = [await desk.accept(to) for to in (AYSE, BORA)]
        chances = [(desk.rng.randbytes(32), 0.5)]
        (claimed,) = await desk.store.settle_and_claim_more(
            1, (), BOTH, now=desk.now, chances=chances, busy=(), allowance=mine
        )
        assert in_hand(claimed).id == refused
        no = Settlement(refused, claimed.attempt_id, Refused(reason=Code.NEEDS_TEMPLATE), None, AYSE)
        (claimed,) = await desk.store.settle_and_claim_more(
            1, (no,), BOTH, now=desk.now, chances=chances, busy=(), allowance=mine
        )
        assert in_hand(claimed).id == other

    async def test_what_was_sent_before_is_taken_up_from_the_log(self, desk: Desk) -> None:
        for number in range(40):
            await desk.bring(Status.SENT, remote_id=f"W-{number}")
            desk.now += timedelta(hours=1)
        mine = Allowance(Grant(per_second=80, people=1), People())
        await desk.store.take_up(1, mine, now=desk.now)
        newest = desk.now - timedelta(hours=1)
        until, held = mine.opens_at("+905320000000", to_ms(desk.now), is_first=True)
        assert (until, held) == (to_ms(newest + DAY), Held.BY_PEOPLE)
        other = Allowance(Grant(per_second=80, people=1), People())
        await desk.store.take_up(2, other, now=desk.now)
        assert other.opens_at("+905320000000", to_ms(desk.now), is_first=True)[1] is None, "another number's sends"

    async def test_several_are_claimed_in_order_and_each_for_another_recipient(self, desk: Desk) -> None:
        first, second, other = [await desk.accept(to) for to in (AYSE, AYSE, BORA)]
        claimed = await take(desk, 5)
        assert [in_hand(each).id for each in claimed] == [first, other]
        assert (await desk.row(second)).waits_for is WaitsFor.EARLIER
        desk.now += SECOND
        assert await take(desk, 5, busy=[AYSE]) == []
        desk.now += SECOND
        (last,) = await take(desk, 5)
        assert in_hand(last).id == second

    async def test_no_more_are_claimed_than_asked_for(self, desk: Desk) -> None:
        for number in range(4):
            await desk.accept(f"+9053212345{number:02}")
        assert len(await take(desk, 3)) == 3
        assert await take(desk, 0) == []
        assert len(await take(desk, 3)) == 1

    async def test_answers_are_written_before_anything_is_claimed(self, desk: Desk) -> None:
        ids = [await desk.accept(to) for to in (AYSE, BORA)]
        claimed = await take(desk, 2)
        later = await desk.accept(AYSE)
        settlements = [
            Settlement(in_hand(each).id, each.attempt_id, Accepted(f"W-{number}", NOW), None)
            for number, each in enumerate(claimed)
        ]
        (next_one,) = await take(desk, 2, settlements=settlements)
        assert in_hand(next_one).id == later
        assert [(await desk.row(number)).status for number in ids] == [Status.SENT] * 2

    async def test_a_claim_of_several_knows_who_wrote_when(self, desk: Desk) -> None:
        for hours in (3, 1, 2):
            wrote = Inbound(remote_id=f"I-{hours}", sender=AYSE, text="", at=NOW - hours * HOUR)
            await desk.store.receive_inbound(1, wrote, now=NOW)
        history = Acquainted(sender=AYSE, at=NOW - 30 * HOUR)
        await desk.store.hear(1, [history], now=NOW)
        await desk.store.receive_inbound(2, Inbound(remote_id="I-9", sender=BORA, text="", at=NOW), now=NOW)
        for to in (AYSE, BORA):
            await desk.take(draft(to, now=NOW))
        assert [each.heard_at for each in await take(desk, 2)] == [NOW - HOUR, None]
