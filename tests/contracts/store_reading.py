"""Laws of reading: pages are complete and disjoint, filters mean what they say, histories and counts are true."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from random import Random  # noqa: TID251 -- seeded
from typing import Any

import pytest
from tests.contracts.desk import AYSE, BORA, CEM, DAY, HOUR, MINUTE, NOW, SECOND, Desk, draft, receipt, standing
from tests.rounds import rounds

from guvercin.core.errors import Code
from guvercin.core.event import Event, EventKind
from guvercin.core.log import Askers, MessageFilter
from guvercin.core.message import Content, Lane, Message, Status, WaitsFor
from guvercin.core.outcome import Accepted, Deferred, Inbound, Lost, ReceiptKind, Refused, Restricted

QUEUED = frozenset({Status.QUEUED})

FILTERS: dict[str, tuple[MessageFilter, Callable[[Message], bool]]] = {
    "all": (MessageFilter(), lambda _: True),
    "one status": (MessageFilter(statuses=frozenset({Status.SENT})), lambda row: row.status is Status.SENT),
    "two statuses": (
        MessageFilter(statuses=frozenset({Status.SENT, Status.FAILED})),
        lambda row: row.status in (Status.SENT, Status.FAILED),
    ),
    "no status": (MessageFilter(statuses=frozenset()), lambda _: False),
    "scheduled": (
        MessageFilter(statuses=QUEUED, scheduled=True),
        lambda row: row.waits_for is WaitsFor.TIME,
    ),
    "queued, not scheduled": (
        MessageFilter(statuses=QUEUED, scheduled=False),
        lambda row: row.status is Status.QUEUED and row.waits_for is not WaitsFor.TIME,
    ),
    "account": (MessageFilter(account_id=2), lambda row: row.account_id == 2),
    "accounts of a token": (MessageFilter(account_ids=frozenset({2})), lambda row: row.account_id == 2),
    "account beyond the token": (MessageFilter(account_id=1, account_ids=frozenset({2})), lambda _: False),
    "no accounts at all": (MessageFilter(account_ids=frozenset()), lambda _: False),
    "category": (MessageFilter(category=5), lambda row: row.category == 5),
    "recipient": (MessageFilter(recipient=BORA), lambda row: row.recipient == BORA),
    "reference": (MessageFilter(reference="F-1"), lambda row: row.reference == "F-1"),
    "batch": (MessageFilter(batch_id=1), lambda row: row.batch_id == 1),
    "since": (MessageFilter(since=NOW + MINUTE), lambda row: row.created_at >= NOW + MINUTE),
    "until": (MessageFilter(until=NOW + MINUTE), lambda row: row.created_at < NOW + MINUTE),
    "all together": (
        MessageFilter(
            statuses=frozenset({Status.QUEUED, Status.SENT}),
            scheduled=False,
            account_id=1,
            account_ids=frozenset({1, 2}),
            category=5,
            recipient=AYSE,
            reference="F-1",
            since=NOW,
            until=NOW + HOUR,
        ),
        lambda row: row.category == 5 and row.reference == "F-1" and row.account_id == 1,
    ),
}


async def many(desk: Desk) -> None:
    """Store rows that differ in everything a filter asks for."""
    asked = draft(AYSE, reference="F-1")
    await desk.take(replace(asked, category=5))
    await desk.take(asked)
    await desk.next_id()
    await desk.accept(BORA, due_at=NOW + HOUR)
    await desk.accept(CEM, account=2, reference="F-1")
    await desk.attempt(Refused(reason=Code.NOT_ON_WHATSAPP), account=2)
    await desk.accept_batch([draft(BORA, lane=Lane.BULK), draft(CEM, lane=Lane.BULK)])
    desk.now += MINUTE
    await desk.accept(CEM, account=2)
    await desk.store.cancel(await desk.accept(AYSE), now=desk.now)
    await desk.attempt(Deferred(reason=Code.PUSHED_BACK, pushed_back=True), retry_at=desk.now + HOUR)


SOUGHT = {"SIPARİŞ": "Sipariş", "siparış": "Sipariş", "fatura": "Fatura", "*": "*", "[a": "[a"}
"""What is searched for, and what it finds."""


def is_wanted(wanted: MessageFilter, row: Message) -> bool:
    """Say of one row what a filter says, one condition at a time."""
    return (
        (wanted.statuses is None or row.status in wanted.statuses)
        and (wanted.scheduled is None or (row.waits_for is WaitsFor.TIME) is wanted.scheduled)
        and wanted.account_id in (None, row.account_id)
        and (wanted.account_ids is None or row.account_id in wanted.account_ids)
        and wanted.category in (None, row.category)
        and wanted.recipient in (None, row.recipient)
        and wanted.reference in (None, row.reference)
        and wanted.batch_id in (None, row.batch_id)
        and (wanted.since is None or row.created_at >= wanted.since)
        and (wanted.until is None or row.created_at < wanted.until)
        and (wanted.text is None or SOUGHT[wanted.text] in (row.content.text or ""))
        and (wanted.is_of_batch is None or (row.batch_id is not None) is wanted.is_of_batch)
        and (wanted.askers is None or wanted.askers.is_one_of_them)
    )


def some_filter(rng: Random) -> MessageFilter:
    """Choose a filter of up to ten conditions."""
    hours = [NOW + rng.randint(-300, 300) * MINUTE for _ in range(2)]
    conditions = {
        "statuses": frozenset(rng.sample(list(Status), rng.randint(1, 3))),
        "scheduled": rng.random() < 0.5,
        "account_id": rng.randint(1, 3),
        "account_ids": frozenset(rng.sample((1, 2, 3), rng.randint(1, 2))),
        "category": rng.choice((5, 10)),
        "recipient": rng.choice((AYSE, BORA, CEM)),
        "reference": rng.choice(("F-1", "F-2")),
        "batch_id": rng.randint(1, 3),
        "since": hours[0],
        "until": hours[1],
        "text": rng.choice(list(SOUGHT)),
        "is_of_batch": rng.random() < 0.5,
        "askers": Askers(token_ids=frozenset({1}), is_one_of_them=rng.random() < 0.8),
    }
    names = rng.sample(list(conditions), rng.choice((0, 1, 1, 2, 2, 3, 4, 12)))
    chosen: dict[str, Any] = {name: conditions[name] for name in names}
    return MessageFilter(**chosen)


class ReadingLaws:
    @pytest.mark.parametrize("name", FILTERS)
    async def test_a_filter_shows_what_it_says_and_nothing_else(self, desk: Desk, name: str) -> None:
        await many(desk)
        wanted, means = FILTERS[name]
        expected = [row for row in await desk.rows() if means(row)]
        found = await desk.store.messages(wanted, limit=100, below=None)
        assert list(found.messages) == expected
        assert found.next_id is None
        assert bool(expected) == (name not in {"no status", "account beyond the token", "no accounts at all"})

    async def test_any_filter_finds_what_looking_at_every_row_finds(self, desk: Desk) -> None:
        """Page by page, in any combination, and over a clock that is set forward and back by hours."""
        rng = Random(42)
        await many(desk)
        for _ in range(60):
            desk.now = NOW + rng.randint(-300, 300) * MINUTE
            due_at = desk.now + rng.choice((0, 0, 1)) * DAY
            some = draft(rng.choice((AYSE, BORA, CEM)), account=rng.randint(1, 2), now=desk.now, due_at=due_at)
            asked = replace(some, category=rng.choice((5, 10)), reference=rng.choice((None, "F-1", "F-2")))
            asked = replace(asked, content=Content(text=rng.choice(("Siparişiniz yolda", "Fatura * [a]", "Merhaba"))))
            await desk.accept_batch([asked] * 2) if rng.random() < 0.1 else await desk.take(asked)
            claimed = await desk.claim(rng.randint(1, 2)) if rng.random() < 0.6 else None
            if claimed is not None:
                accepted, refused = Accepted(desk.remote_id(), desk.now), Refused(reason=Code.NOT_ON_WHATSAPP)
                await desk.settle(claimed, rng.choice((accepted, refused, Lost(Code.ANSWER_LOST))))
        rows = await desk.rows()
        found_some = 0
        for number in range(rounds(300, 3_000)):
            wanted = some_filter(rng)
            found: list[Message] = []
            below: int | None = None
            while True:
                page = await desk.store.messages(wanted, limit=rng.choice((1, 7, 200)), below=below)
                found += page.messages
                below = page.next_id
                if below is None:
                    break
            assert found == [row for row in rows if is_wanted(wanted, row)], f"round {number}: {wanted}"
            found_some += bool(found)
        assert found_some > rounds(100, 1_000)

    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 10, 11])
    async def test_pages_are_complete_and_disjoint(self, desk: Desk, limit: int) -> None:
        ids = [await desk.accept() for _ in range(10)]
        seen: list[int] = []
        below: int | None = None
        while True:
            page = await desk.store.messages(MessageFilter(), limit=limit, below=below)
            seen += [row.id for row in page.messages]
            below = page.next_id
            if below is None:
                break
            assert len(page.messages) == limit
        assert seen == ids[::-1]

    async def test_pages_stand_still_while_others_write(self, desk: Desk) -> None:
        """Every row that was there at the first page is seen exactly once, and none that came later."""
        before = [await desk.accept(AYSE) for _ in range(60)]
        is_over = False

        async def others() -> None:
            while not is_over:
                await asyncio.gather(*(desk.accept(to) for to in (AYSE, BORA, CEM)))
                await desk.store.cancel(await desk.accept(BORA), now=desk.now)

        writing = asyncio.create_task(others())
        page = await desk.store.messages(MessageFilter(recipient=AYSE), limit=7, below=before[-1] + 1)
        seen = [row.id for row in page.messages]
        while page.next_id is not None:
            page = await desk.store.messages(MessageFilter(recipient=AYSE), limit=7, below=page.next_id)
            seen += [row.id for row in page.messages]
        is_over = True
        await writing
        assert seen == before[::-1]

    async def test_a_history_tells_everything_in_order(self, desk: Desk) -> None:
        message_id = await desk.accept()
        await desk.defer(NOW + MINUTE)
        desk.now += MINUTE
        await desk.attempt(Accepted("D-1", desk.now))
        desk.now += SECOND
        await desk.hear(receipt(ReceiptKind.READ, desk.now, "D-1"))
        assert await desk.kinds(message_id) == [
            EventKind.MESSAGE_ACCEPTED,
            EventKind.MESSAGE_CLAIMED,
            EventKind.MESSAGE_DEFERRED,
            EventKind.MESSAGE_CLAIMED,
            EventKind.MESSAGE_SENT,
            EventKind.MESSAGE_READ,
        ]
        tried = await desk.store.attempts(message_id)
        assert [(one.outcome, one.started_at) for one in tried] == [
            ("deferred", NOW),
            ("accepted", NOW + MINUTE),
        ]
        events = await desk.store.events(message_id)
        assert [event.id for event in events] == sorted(event.id for event in events)

    async def test_no_text_and_no_number_stand_in_an_event(self, desk: Desk) -> None:
        await many(desk)
        await desk.store.receive_inbound(1, Inbound(remote_id="I-1", sender=AYSE, text="Selam", at=NOW), now=NOW)
        for event in await desk.store.events_after(0, limit=1000):
            said = str(dict(event.detail))
            assert "Merhaba" not in said
            assert "Selam" not in said
            assert "90532" not in said

    async def test_the_feed_is_read_from_any_cursor(self, desk: Desk) -> None:
        await many(desk)
        whole = await desk.store.events_after(0, limit=1000)
        ids = [event.id for event in whole]
        assert ids == sorted(set(ids))
        assert await desk.store.last_event_id() == ids[-1]
        cursor = 0
        read: list[Event] = []
        while part := await desk.store.events_after(cursor, limit=4):
            assert len(part) <= 4
            read += part
            cursor = part[-1].id
        assert read == list(whole)

    async def test_an_inbound_message_is_told(self, desk: Desk) -> None:
        inbound = Inbound(remote_id="I-1", sender=AYSE, text="Selam", at=NOW)
        await desk.store.receive_inbound(2, inbound, now=NOW)
        (event,) = await desk.store.events_after(await desk.store.last_event_id() - 1, limit=10)
        assert (event.kind, event.account_id, event.detail) == (
            EventKind.MESSAGE_RECEIVED,
            2,
            {"message_id": "I-1", "gelen_id": 1},
        )

    async def test_a_restriction_is_told_and_so_is_its_end(self, desk: Desk) -> None:
        cursor = await desk.store.last_event_id()
        code = Code.NEW_CHATS_RESTRICTED
        told = [Restricted(code=code, is_active=True, until=NOW + HOUR), Restricted(code=code, is_active=False)]
        await desk.store.hear(2, told, now=NOW)
        events = await desk.store.events_after(cursor, limit=10)
        assert {(event.kind, event.account_id) for event in events} == {(EventKind.ACCOUNT_CHANGED, 2)}
        assert [dict(event.detail) for event in events] == [
            {"ne": "kisitlandi", "kod": code.value, "bitis": (NOW + HOUR).isoformat()},
            {"ne": "kisit_kalkti", "kod": code.value},
        ]

    async def test_a_standing_is_the_row_in_short(self, desk: Desk) -> None:
        await many(desk)
        for row in await desk.rows():
            found = await desk.store.standing(row.id)
            assert found is not None
            assert (found.id, found.account_id, found.batch_id, found.status) == (
                row.id,
                row.account_id,
                row.batch_id,
                row.status,
            )
            assert (found.reason, found.remote_id, found.waits_for) == (row.reason, row.remote_id, row.waits_for)

    async def test_depths_count_what_is_unfinished(self, desk: Desk) -> None:
        assert list(await desk.store.depths()) == []
        await desk.bring(Status.SENDING)
        await desk.bring(Status.UNKNOWN)
        await desk.bring(Status.SENT)
        await desk.accept(due_at=NOW + HOUR)
        await desk.accept_batch([draft(BORA, lane=Lane.BULK), draft(CEM, lane=Lane.BULK)])
        desk.now += MINUTE
        await desk.accept(AYSE)
        await desk.accept(AYSE, account=2)
        first, second = await desk.store.depths()
        assert (first.account_id, second.account_id) == (1, 2)
        assert first.by_status == {Status.QUEUED: 4, Status.SENDING: 1, Status.UNKNOWN: 1}
        assert first.in_line == {Lane.BULK: 2, Lane.SINGLE: 1}
        assert (first.oldest_due_at, second.oldest_due_at) == (NOW, NOW + MINUTE)
        assert second.by_status == {Status.QUEUED: 1}

    async def test_a_batch_says_what_is_left_of_it_and_when_it_begins(self, desk: Desk) -> None:
        drafts = [
            draft(AYSE, lane=Lane.BULK),
            draft(BORA, lane=Lane.BULK, due_at=NOW + HOUR),
            draft(CEM, lane=Lane.BULK, due_at=NOW + DAY),
        ]
        batch_id = (await desk.accept_batch(drafts)).batch_id
        found = await desk.batch(batch_id)
        assert (dict(found.left), found.starts_at, found.counts.scheduled) == ({Lane.BULK: 3}, NOW + DAY, 2)
        await desk.leave_in_order()
        desk.now += DAY
        await desk.store.release_due(now=desk.now, limit=10)
        found = await desk.batch(batch_id)
        assert (dict(found.left), found.starts_at, found.counts.scheduled) == ({Lane.BULK: 2}, None, 0)
        assert (found.counts.sent, found.counts.queued, found.counts.total) == (1, 2, 3)

    async def test_reading_is_not_held_up_by_writing(self, desk: Desk) -> None:
        """A crowd of both: every read answers a state that was."""
        stood = standing(await desk.take(draft()))

        async def read() -> None:
            for _ in range(20):
                found = await desk.store.standing(stood.id)
                assert found is not None
                assert found.status is Status.QUEUED

        await asyncio.gather(*(desk.accept(BORA) for _ in range(100)), *(read() for _ in range(4)))

    async def test_drafts_are_told_in_short_until_they_are_started(self, desk: Desk) -> None:
        for draft_id in ("ilk", "son"):
            await desk.store.keep_draft(draft_id, 1, b'{"dosya":"a.csv"}' + b" " * 500, now=desk.now)
            desk.now += MINUTE
        found = await desk.store.drafts(1, since=NOW - HOUR, path="/yeni")
        assert [(each.id, each.size, len(each.beginning)) for each in found] == [("son", 517, 400), ("ilk", 517, 400)]
        assert list(await desk.store.drafts(1, since=NOW + 30 * SECOND, path="/yeni")) == [found[0]]
        assert list(await desk.store.drafts(2, since=NOW - HOUR, path="/yeni")) == []

    async def test_a_batch_is_called_as_its_owner_likes(self, desk: Desk) -> None:
        taken = await desk.accept_batch([draft(BORA, lane=Lane.BULK)])
        assert taken.batch_id is not None
        for name in ("Kasım", None):
            await desk.store.rename_batch(taken.batch_id, name)
            row = await desk.store.batch(taken.batch_id)
            assert row is not None
            assert row.batch.name == name

    async def test_hours_of_reading_are_counted_among_the_newest(self, desk: Desk) -> None:
        for _ in range(3):
            await desk.accept()
            claimed = await desk.claim()
            assert claimed is not None
            remote_id = desk.remote_id()
            await desk.settle(claimed, Accepted(remote_id, desk.now))
            await desk.store.hear(1, (receipt(ReceiptKind.READ, desk.now, remote_id),), now=desk.now)
            desk.now += MINUTE
        whole = NOW.replace(minute=0, second=0, microsecond=0)
        assert await desk.store.reads_by_hour(NOW - HOUR, most=100) == {whole: 3}
        assert await desk.store.reads_by_hour(NOW - HOUR, most=2) == {whole: 2}
        assert await desk.store.reads_by_hour(NOW + HOUR, most=100) == {}
