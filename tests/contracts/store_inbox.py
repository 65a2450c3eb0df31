"""Laws of the inbox: what somebody wrote is kept once, whole, with its event in the same change."""

from dataclasses import replace

import pytest
from tests.contracts.desk import AYSE, BORA, HOUR, NOW, SECOND, Desk

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import EventKind
from guvercin.core.hook import HookEvent, Notice
from guvercin.core.inbound import LONGEST_TEXT, InboundKind, InboxFilter, Media, Received
from guvercin.core.outcome import Inbound

ALL = InboxFilter()
PICTURE = Inbound(
    remote_id="I-1",
    sender=AYSE,
    text="Bu renkten var mı?",
    at=NOW - HOUR,
    kind=InboundKind.IMAGE,
    sender_name="Ayşe",
    media=Media(type="image/jpeg", size=48_213),
)


async def hear(desk: Desk, inbound: Inbound, *, account: int = 1) -> None:
    desk.now += SECOND
    await desk.store.receive_inbound(account, inbound, now=desk.now)


async def texts(desk: Desk, number: int = 3) -> None:
    """Let Ayşe and Bora take turns to write."""
    for each in range(number):
        who = (AYSE, BORA)[each % 2]
        await hear(desk, Inbound(remote_id=f"T-{each}", sender=who, text=str(each), at=desk.now))


async def inbox(desk: Desk, wanted: InboxFilter = ALL, *, limit: int = 100, below: int | None = None) -> list[Received]:
    return list((await desk.store.inbox(wanted, limit=limit, below=below)).messages)


async def notices(desk: Desk) -> list[Notice]:
    found, _ = await desk.store.feed(0, [HookEvent.RECEIVED], None, limit=100)
    return list(found)


class InboxLaws:
    async def test_what_somebody_wrote_is_kept_whole(self, desk: Desk) -> None:
        await hear(desk, PICTURE)
        (kept,) = await inbox(desk)
        assert kept == Received(
            id=kept.id,
            account_id=1,
            remote_id="I-1",
            sender=AYSE,
            sender_name="Ayşe",
            kind=InboundKind.IMAGE,
            text="Bu renkten var mı?",
            media=Media(type="image/jpeg", size=48_213),
            wrote_at=NOW - HOUR,
            received_at=desk.now,
            read_at=None,
        )
        assert await desk.store.received(kept.id) == kept
        assert await desk.store.received(kept.id + 1) is None
        (notice,) = await notices(desk)
        assert notice.received == kept
        assert dict(notice.detail) == {"message_id": "I-1", "gelen_id": kept.id}

    async def test_told_again_it_is_one_row_and_one_event_and_asks_for_nothing_more(self, desk: Desk) -> None:
        stop = replace(PICTURE, text="DUR", kind=InboundKind.TEXT)
        await hear(desk, stop)
        await hear(desk, Inbound(remote_id="I-2", sender=AYSE, text="BAŞLA", at=desk.now))
        await hear(desk, stop)
        assert [each.remote_id for each in await inbox(desk)] == ["I-2", "I-1"]
        assert len(await notices(desk)) == 2
        assert not await desk.store.opt_outs(None, is_live=True, limit=10, below=None), "what she said last holds"
        await hear(desk, stop, account=2)
        assert len(await inbox(desk)) == 3, "another account has a name space of its own"

    async def test_only_a_persons_own_words_refuse(self, desk: Desk) -> None:
        silent = (InboundKind.CONTACT, InboundKind.LOCATION, InboundKind.REACTION)
        for number, kind in enumerate(silent):
            await hear(desk, replace(PICTURE, remote_id=f"K-{number}", text="DUR", kind=kind))
        assert not await desk.store.opt_outs(None, is_live=True, limit=10, below=None)
        await hear(desk, replace(PICTURE, remote_id="K-9", text="DUR", kind=InboundKind.CHOICE))
        assert len(await desk.store.opt_outs(None, is_live=True, limit=10, below=None)) == 1

    async def test_a_text_is_kept_as_far_as_whatsapp_itself_goes(self, desk: Desk) -> None:
        long = "ş" * (LONGEST_TEXT + 1)
        await hear(desk, replace(PICTURE, text=long, sender_name="a" * 5_000, media=Media(name="b" * 5_000)))
        (kept,) = await inbox(desk)
        assert kept.text == "ş" * LONGEST_TEXT
        assert (len(kept.sender_name or ""), kept.media) == (255, Media(name="b" * 255))

    async def test_it_is_read_in_pages_newest_first(self, desk: Desk) -> None:
        await texts(desk, 5)
        first = await desk.store.inbox(ALL, limit=2, below=None)
        second = await desk.store.inbox(ALL, limit=2, below=first.next_id)
        third = await desk.store.inbox(ALL, limit=2, below=second.next_id)
        pages = [[each.text for each in page.messages] for page in (first, second, third)]
        assert pages == [["4", "3"], ["2", "1"], ["0"]]
        assert third.next_id is None
        assert (await desk.store.inbox(ALL, limit=5, below=None)).next_id is None

    async def test_it_is_narrowed_by_account_person_time_and_what_was_read(self, desk: Desk) -> None:
        await texts(desk, 4)
        await hear(desk, replace(PICTURE, sender=BORA), account=2)
        asked = {
            InboxFilter(account_id=2): ["I-1"],
            InboxFilter(account_ids=frozenset({1})): ["T-3", "T-2", "T-1", "T-0"],
            InboxFilter(account_ids=frozenset({1}), account_id=2): [],
            InboxFilter(account_ids=frozenset()): [],
            InboxFilter(sender=BORA): ["I-1", "T-3", "T-1"],
            InboxFilter(sender=BORA, account_id=1): ["T-3", "T-1"],
            InboxFilter(since=desk.now): ["I-1"],
        }
        for wanted, found in asked.items():
            assert [each.remote_id for each in await inbox(desk, wanted)] == found, wanted
        oldest = (await inbox(desk))[-1].id
        await desk.store.mark_read(oldest, now=desk.now)
        assert [each.id for each in await inbox(desk, InboxFilter(is_unread=False))] == [oldest]
        assert len(await inbox(desk, InboxFilter(is_unread=True))) == 4

    async def test_read_once_it_stays_read(self, desk: Desk) -> None:
        await texts(desk, 1)
        (kept,) = await inbox(desk)
        first = await desk.store.mark_read(kept.id, now=desk.now)
        assert first == replace(kept, read_at=desk.now)
        desk.now += SECOND
        assert await desk.store.mark_read(kept.id, now=desk.now) == first
        events = await desk.store.events_after(0, limit=100)
        assert [event.kind for event in events].count(EventKind.INBOX_READ) == 1
        with pytest.raises(GuvercinError) as refused:
            await desk.store.mark_read(kept.id + 1, now=desk.now)
        assert refused.value.code is Code.NOT_FOUND

    async def test_all_is_read_up_to_what_was_seen(self, desk: Desk) -> None:
        await texts(desk, 4)
        await hear(desk, PICTURE, account=2)
        newest = await inbox(desk)
        assert await desk.store.unread(None) == 5
        assert await desk.store.unread(frozenset({2})) == 1
        assert await desk.store.mark_all_read(InboxFilter(sender=BORA), newest[0].id, now=desk.now) == 2
        only_first = InboxFilter(account_ids=frozenset({1}))
        assert await desk.store.mark_all_read(only_first, newest[2].id, now=desk.now) == 2
        assert [each.remote_id for each in await inbox(desk, InboxFilter(is_unread=True))] == ["I-1"]
        assert await desk.store.mark_all_read(only_first, newest[0].id, now=desk.now) == 0
        assert await desk.store.mark_all_read(ALL, newest[0].id, now=desk.now) == 1
        assert await desk.store.unread(None) == 0
