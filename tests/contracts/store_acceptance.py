"""Laws of acceptance: once, however often its sender asks, and never more than a token may."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.contracts.desk import AYSE, BORA, CEM, DAY, HOUR, MINUTE, NOW, SECOND, Desk, again, draft, key, standing

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import EventKind, Standing
from guvercin.core.message import Content, Draft, File, IllegalOrder, Status
from guvercin.core.outcome import Accepted
from guvercin.store.verbs.accepting import Quota, Repeat

GUARD = 5 * MINUTE
TODAY = "2026-02-23"


def guard(now: datetime, word: bytes = b"fingerprint") -> Repeat:
    return Repeat(fingerprint=word, since=now - GUARD)


def quota(limit: int, day: str = TODAY) -> Quota:
    return Quota(limit=limit, day=day, renews_in=3 * HOUR)


MANY = [f"+90532000{number:04}" for number in range(9)]


def bulk(*recipients: str) -> Sequence[Draft]:
    return [draft(to) for to in recipients]


class KeyLaws:
    async def test_a_repeat_under_a_key_answers_the_first_row_as_it_stands_now(self, desk: Desk) -> None:
        first = await desk.take(draft(), under=key("k"))
        assert (first.replayed, standing(first).status) == (False, Status.QUEUED)
        await desk.attempt(Accepted("D-1", NOW))
        desk.now += DAY
        again_ = await desk.take(draft(now=desk.now), under=key("k"))
        assert (again_.replayed, again_.repeated) == (True, False)
        stood = standing(again_)
        assert (stood.id, stood.status, stood.remote_id) == (standing(first).id, Status.SENT, "D-1")
        assert len(await desk.rows()) == 1

    async def test_another_body_under_a_key_is_refused(self, desk: Desk) -> None:
        await desk.take(draft(), under=key("k"))
        with pytest.raises(GuvercinError, match=Code.KEY_MISMATCH.value):
            await desk.take(draft(BORA), under=key("k", body=b"other"))
        assert len(await desk.rows()) == 1

    async def test_a_key_belongs_to_a_token_and_a_path(self, desk: Desk) -> None:
        for token, path in ((1, "/gonder"), (2, "/gonder"), (1, "/dosya-gonder")):
            accepted = await desk.take(draft(), token=token, under=key("k", body=path.encode(), path=path))
            assert not accepted.replayed
        assert len(await desk.rows()) == 3

    async def test_a_key_is_kept_for_a_week(self, desk: Desk) -> None:
        await desk.take(draft(), under=key("k"))
        for waited, replayed in ((7 * DAY, True), (7 * DAY + SECOND, False)):
            desk.now = NOW + waited
            await desk.store.forget(now=desk.now)
            assert (await desk.take(draft(now=desk.now), under=key("k"))).replayed is replayed

    async def test_a_key_outlives_its_messages_end(self, desk: Desk) -> None:
        """Cancelled or failed: the client is told, and decides itself."""
        first = standing(await desk.take(draft(), under=key("k")))
        await desk.store.cancel(first.id, now=desk.now)
        replay = await desk.take(draft(), under=key("k"))
        assert (replay.replayed, standing(replay).status) == (True, Status.CANCELLED)

    async def test_a_replay_asks_for_no_account_and_spends_no_quota(self, desk: Desk) -> None:
        first = standing(await desk.take(draft(), under=key("k"), quota=quota(1)))
        await desk.attempt(Accepted("D-1", NOW))
        assert (await desk.take(draft(), under=key("k"), quota=quota(1))).replayed
        await desk.store.remove_account(1, now=desk.now)
        assert standing(await desk.take(draft(), under=key("k"), quota=quota(1))).id == first.id

    async def test_what_a_key_stands_for_can_be_asked_without_asking_again(self, desk: Desk) -> None:
        assert await desk.store.accepted_before(1, key("k")) is None
        first = standing(await desk.take(draft(), under=key("k")))
        await desk.attempt(Accepted("D-1", NOW))
        before = await desk.store.accepted_before(1, key("k"))
        assert before is not None
        assert (before.replayed, standing(before).id, standing(before).status) == (True, first.id, Status.SENT)
        assert await desk.store.accepted_before(1, key("k", body=b"other")) is None
        assert await desk.store.accepted_before(2, key("k")) is None
        batch = await desk.accept_batch(bulk(AYSE, BORA), under=key("b"))
        assert await desk.store.accepted_before(1, key("b")) == replace(batch, replayed=True)

    async def test_a_crowd_with_one_key_is_one_message(self, desk: Desk) -> None:
        crowd = await asyncio.gather(*(desk.take(draft(), under=key("k")) for _ in range(50)))
        assert len({standing(one).id for one in crowd}) == len(await desk.rows()) == 1
        assert sum(one.replayed for one in crowd) == 49

    async def test_a_batch_under_a_key_is_one_batch(self, desk: Desk) -> None:
        first = await desk.accept_batch(bulk(AYSE, BORA), under=key("k"))
        await desk.leave_in_order()
        replay = await desk.accept_batch(bulk(AYSE, BORA), under=key("k"))
        assert (replay.replayed, replay.batch_id, replay.standing) == (True, first.batch_id, None)
        with pytest.raises(GuvercinError, match=Code.KEY_MISMATCH.value):
            await desk.accept_batch(bulk(CEM), under=key("k", body=b"other"))
        assert len(await desk.rows()) == 2

    async def test_resending_under_a_key_happens_once(self, desk: Desk) -> None:
        old = await desk.row(await desk.bring(Status.UNKNOWN))
        under = key("k", path=f"/gonderimler/{old.id}/yeniden-gonder")
        store = desk.store
        answers = [
            await store.resend(old.id, again(old, NOW), token_id=1, now=NOW, key=under, quota=None) for _ in range(3)
        ]
        assert len({standing(answer).id for answer in answers}) == 1
        assert [answer.replayed for answer in answers] == [False, True, True]
        assert len(await desk.rows()) == 2


class RetryGuardLaws:
    async def test_a_repeat_without_a_key_answers_the_first_row(self, desk: Desk) -> None:
        first = await desk.take(draft(), repeat=guard(desk.now))
        desk.now += GUARD - timedelta(milliseconds=1)
        second = await desk.take(draft(), repeat=guard(desk.now))
        assert (second.repeated, second.replayed, standing(second).id) == (True, False, standing(first).id)
        assert len(await desk.rows()) == 1

    async def test_after_five_minutes_it_is_a_new_message(self, desk: Desk) -> None:
        await desk.take(draft(), repeat=guard(desk.now))
        desk.now += GUARD
        assert not (await desk.take(draft(), repeat=guard(desk.now))).repeated

    async def test_the_guard_is_a_tokens_own(self, desk: Desk) -> None:
        await desk.take(draft(), repeat=guard(desk.now))
        assert not (await desk.take(draft(), token=2, repeat=guard(desk.now))).repeated

    @pytest.mark.parametrize("status", Status)
    async def test_only_rows_that_may_still_arrive_count(self, desk: Desk, status: Status) -> None:
        first = standing(await desk.take(draft(), repeat=guard(desk.now)))
        match status:
            case Status.CANCELLED:
                await desk.store.cancel(first.id, now=desk.now)
            case Status.FAILED:
                desk.now += DAY
                await desk.store.expire(now=desk.now, limit=10)
                desk.now -= DAY
            case Status.QUEUED:
                pass
            case _:
                claimed = await desk.claim()
                assert claimed is not None
                if status is not Status.SENDING:
                    await desk.settle(claimed, Accepted("D-1", NOW))
        repeated = (await desk.take(draft(), repeat=guard(desk.now))).repeated
        assert repeated is (status not in (Status.FAILED, Status.CANCELLED))

    async def test_the_newest_row_that_counts_answers(self, desk: Desk) -> None:
        """A cancelled one in between doesn't hide the first."""
        off = Repeat(fingerprint=b"f", since=None)
        first = standing(await desk.take(draft(), repeat=off))
        second = standing(await desk.take(draft(), repeat=off))
        await desk.store.cancel(second.id, now=desk.now)
        assert standing(await desk.take(draft(), repeat=guard(desk.now, b"f"))).id == first.id

    async def test_it_can_be_switched_off_and_its_rows_are_still_found(self, desk: Desk) -> None:
        off = Repeat(fingerprint=b"f", since=None)
        for _ in range(2):
            assert not (await desk.take(draft(), repeat=off)).repeated
        assert (await desk.take(draft(), repeat=guard(desk.now, b"f"))).repeated
        assert len(await desk.rows()) == 2

    async def test_a_key_says_more_than_the_guard(self, desk: Desk) -> None:
        """Who sends a key means a new message by a new key; a row under a key counts for those without."""
        for word in ("k1", "k2"):
            assert not (await desk.take(draft(), under=key(word), repeat=guard(desk.now))).repeated
        assert (await desk.take(draft(), repeat=guard(desk.now))).repeated

    async def test_other_requests_are_no_repeats(self, desk: Desk) -> None:
        for word in (b"a", b"b"):
            assert not (await desk.take(draft(), repeat=guard(desk.now, word))).repeated

    async def test_a_row_of_the_time_before_is_the_nearer_kin(self, desk: Desk) -> None:
        """A planned time that has come in between makes no new message."""
        planned = standing(await desk.take(draft(), repeat=guard(desk.now, b"planned")))
        came = Repeat(fingerprint=b"now", since=desk.now - GUARD, other=(b"planned", desk.now - GUARD))
        assert standing(await desk.take(draft(), repeat=came)).id == planned.id
        now = standing(await desk.take(draft(), repeat=guard(desk.now, b"now")))
        assert now.id != planned.id
        assert standing(await desk.take(draft(), repeat=came)).id == planned.id
        await desk.store.cancel(planned.id, now=desk.now)
        assert standing(await desk.take(draft(), repeat=came)).id == now.id

    async def test_a_crowd_of_retries_is_one_message(self, desk: Desk) -> None:
        crowd = await asyncio.gather(*(desk.take(draft(), repeat=guard(desk.now)) for _ in range(50)))
        assert len({standing(one).id for one in crowd}) == len(await desk.rows()) == 1

    async def test_a_repeated_batch_is_the_unfinished_one(self, desk: Desk) -> None:
        first = await desk.accept_batch(bulk(AYSE, BORA), since=NOW - 10 * MINUTE)
        same = await desk.accept_batch(bulk(AYSE, BORA), since=NOW - 10 * MINUTE)
        assert (same.repeated, same.batch_id) == (True, first.batch_id)
        for token, body, since in ((2, b"list", NOW - MINUTE), (1, b"other", NOW - MINUTE), (1, b"list", None)):
            other = await desk.accept_batch(bulk(CEM), token=token, body=body, since=since)
            assert not other.repeated

    async def test_a_finished_or_old_batch_is_no_repeat(self, desk: Desk) -> None:
        first = await desk.accept_batch(bulk(AYSE, BORA), since=NOW - 10 * MINUTE)
        desk.now += 10 * MINUTE
        assert not (await desk.accept_batch(bulk(AYSE, BORA), since=desk.now - 10 * MINUTE)).repeated
        await desk.leave_in_order()
        assert not (await desk.accept_batch(bulk(AYSE, BORA), since=desk.now - 10 * MINUTE)).repeated
        assert first.batch_id is not None


class QuotaLaws:
    async def test_a_token_may_have_so_many_messages_a_day(self, desk: Desk) -> None:
        for _ in range(3):
            await desk.take(draft(), quota=quota(3))
        with pytest.raises(GuvercinError, match=Code.DAILY_QUOTA.value) as refused:
            await desk.take(draft(), quota=quota(3))
        assert refused.value.retry_after == 3 * HOUR
        assert len(await desk.rows()) == 3

    async def test_a_day_and_a_token_have_their_own(self, desk: Desk) -> None:
        await desk.take(draft(), quota=quota(1))
        await desk.take(draft(), token=2, quota=quota(1))
        await desk.take(draft(), quota=quota(1, "2026-02-24"))
        assert len(await desk.rows()) == 3

    async def test_a_batch_is_taken_whole_or_not_at_all(self, desk: Desk) -> None:
        await desk.accept_batch(bulk(AYSE, BORA), quota=quota(3))
        with pytest.raises(GuvercinError, match=Code.DAILY_QUOTA.value):
            await desk.accept_batch(bulk(AYSE, BORA), quota=quota(3))
        assert len(await desk.rows()) == 2
        await desk.accept_batch(bulk(CEM), quota=quota(3))

    async def test_rows_that_fail_at_acceptance_are_not_counted(self, desk: Desk) -> None:
        bad = draft("çöp", reason=Code.INVALID_PHONE)
        await desk.accept_batch([*bulk(AYSE), bad, bad], quota=quota(1))
        assert len(await desk.rows()) == 3

    async def test_repeats_and_refusals_are_not_counted(self, desk: Desk) -> None:
        await desk.take(draft(), repeat=guard(desk.now), quota=quota(2))
        await desk.take(draft(), repeat=guard(desk.now), quota=quota(2))
        await desk.take(draft(BORA), quota=quota(2))
        assert len(await desk.rows()) == 2

    async def test_resending_counts_too(self, desk: Desk) -> None:
        old = await desk.row(await desk.bring(Status.UNKNOWN))
        with pytest.raises(GuvercinError, match=Code.DAILY_QUOTA.value):
            await desk.store.resend(old.id, again(old, NOW), token_id=1, now=NOW, key=None, quota=quota(0))
        assert (await desk.row(old.id)).status is Status.UNKNOWN
        await desk.store.resend(old.id, again(old, NOW), token_id=1, now=NOW, key=None, quota=quota(1))
        with pytest.raises(GuvercinError, match=Code.DAILY_QUOTA.value):
            await desk.take(draft(), quota=quota(1))

    async def test_a_crowd_never_goes_above_the_quota(self, desk: Desk) -> None:
        crowd = await asyncio.gather(*(desk.take(draft(), quota=quota(17)) for _ in range(60)), return_exceptions=True)
        assert sum(not isinstance(one, Exception) for one in crowd) == len(await desk.rows()) == 17


class BatchLaws:
    async def test_a_batch_is_stored_with_all_its_rows(self, desk: Desk) -> None:
        drafts = [*bulk(AYSE, BORA), draft("çöp", reason=Code.INVALID_PHONE), draft(CEM, due_at=NOW + HOUR)]
        accepted = await desk.accept_batch(drafts)
        found = await desk.batch(accepted.batch_id)
        assert (found.batch.total, found.batch.account_id, found.batch.token_id, found.batch.category) == (4, 1, 1, 10)
        assert found.counts.by_status == {Status.QUEUED: 3, Status.FAILED: 1}
        assert (found.counts.scheduled, found.starts_at) == (1, NOW + HOUR)
        assert [row.recipient for row in reversed(await desk.rows())] == [one.recipient for one in drafts]
        events = await desk.store.events_after(0, limit=100)
        told = [(event.kind, event.message_id is None) for event in events if event.batch_id == accepted.batch_id]
        assert told == [
            (EventKind.BATCH_ACCEPTED, True),
            (EventKind.MESSAGE_ACCEPTED, False),
            (EventKind.MESSAGE_ACCEPTED, False),
            (EventKind.MESSAGE_FAILED, False),
            (EventKind.MESSAGE_ACCEPTED, False),
        ]

    async def test_a_row_of_a_batch_is_what_a_single_message_would_be(self, desk: Desk) -> None:
        """However its rows enter: each field of each row, and its event, in the order of the list."""
        file = File(digest="ab" * 32, name='Şubat "son".pdf', media_type="application/pdf", size=5)
        texts = ("0123", "null", "[1]", '"', "çğış\n\t\\", "1e5", "true", "🕊", "7")
        drafts = [
            *(
                replace(draft(to, text=text), recipient_name=text, reference=text)
                for to, text in zip(MANY, texts, strict=True)
            ),
            replace(draft(BORA), content=Content(text=None, file=file), warning=Code.UNLISTED_PREFIX),
            draft("çöp", reason=Code.INVALID_PHONE),
            draft(CEM, due_at=NOW + HOUR),
            draft(AYSE, due_at=NOW - HOUR),
        ]
        alone = [standing(await desk.take(each)).id for each in drafts]
        await desk.accept_batch(drafts)
        together = [row.id for row in reversed(await desk.rows())][len(drafts) :]
        assert together == sorted(together)
        for one, other in zip(alone, together, strict=True):
            row, twin = await desk.row(one), await desk.row(other)
            assert replace(twin, id=one, batch_id=None) == row
            [told], [twin_told] = await desk.store.events(one), await desk.store.events(other)
            assert (twin_told.kind, twin_told.at, twin_told.detail) == (told.kind, told.at, told.detail)

    async def test_a_large_batch_is_told_of_once_and_stands_in_line_whole(self, desk: Desk) -> None:
        heard: list[Standing] = []
        desk.store.listen(lambda committed: heard.extend(committed.standings))
        await desk.accept_batch([draft("çöp", reason=Code.INVALID_PHONE), *bulk(*MANY)])
        assert [(each.status, each.waits_for) for each in heard] == [(Status.QUEUED, None)]
        assert len(await desk.leave_in_order()) == len(MANY)

    async def test_it_is_finished_when_nothing_of_it_is_in_line_or_in_hand(self, desk: Desk) -> None:
        batch_id = (await desk.accept_batch([*bulk(AYSE, BORA), draft("çöp", reason=Code.INVALID_PHONE)])).batch_id
        assert batch_id is not None
        finished = [(await desk.store.batch_rests(batch_id)).is_finished]
        for _ in range(2):
            claimed = await desk.claim()
            assert claimed is not None
            finished.append((await desk.store.batch_rests(batch_id)).is_finished)
            await desk.settle(claimed, Accepted(desk.remote_id(), NOW))
        finished.append((await desk.store.batch_rests(batch_id)).is_finished)
        found = await desk.batch(batch_id)
        assert finished == [False, False, False, found.counts.is_finished] == [False, False, False, True]
        assert (found.counts.sent, found.counts.failed, found.counts.queued, dict(found.left)) == (2, 1, 0, {})

    async def test_a_row_of_a_batch_that_is_sent_again_belongs_to_no_batch(self, desk: Desk) -> None:
        """So the counts of a batch always sum to its total."""
        batch_id = (await desk.accept_batch(bulk(AYSE))).batch_id
        (row,) = await desk.rows()
        with pytest.raises(IllegalOrder):
            await desk.store.resend(row.id, again(row, NOW), token_id=1, now=NOW, key=None, quota=None)
        await desk.leave_in_order()
        new = await desk.store.resend(row.id, again(row, NOW), token_id=1, now=NOW, key=None, quota=None)
        assert standing(new).batch_id is None
        assert (await desk.batch(batch_id)).counts.total == 1
