"""Laws of refusals and consents: after a refusal nothing that it covers leaves, save the one confirmation."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.contracts.desk import AYSE, BORA, HOUR, NOW, SECOND, Desk, draft, in_hand, standing

from guvercin.core.account import Manners
from guvercin.core.category import GENERAL
from guvercin.core.consent import ConsentSource, NewConsent, Proof, RecipientKind
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import EventKind
from guvercin.core.message import Content, Draft, Lane, Status, WaitsFor
from guvercin.core.optout import NewOptOut, OptOut, OptOutScope, OptOutSource, Replies
from guvercin.core.outcome import Accepted, Deferred, Inbound, Preference, Receipt, ReceiptKind, Refused

REPLIES = Replies(
    stopped=draft("", text="Durduruldu"),
    stopped_but_notices=draft("", text="Bildirimler sürebilir"),
    started=draft("", text="Başladı"),
)


_PUSHED_BACK = Deferred(reason=Code.PUSHED_BACK, pushed_back=True)


async def says(desk: Desk, text: str, *, who: str = AYSE, account: int = 1) -> None:
    """Let somebody write to us."""
    desk.now += SECOND
    inbound = Inbound(remote_id=desk.remote_id(), sender=who, text=text, at=desk.now)
    await desk.store.receive_inbound(account, inbound, now=desk.now, replies=REPLIES)


async def live(desk: Desk) -> list[OptOut]:
    return list(await desk.store.opt_outs(None, is_live=True, limit=100, below=None))


def entered(phone: str = AYSE, scope: OptOutScope = OptOutScope.EVERYTHING, *, account: int | None = None) -> NewOptOut:
    return NewOptOut(account_id=account, phone=phone, scope=scope, source=OptOutSource.PANEL, token_id=1)


async def refused_with(desk: Desk, wanted: Draft) -> Code:
    before = len(await desk.rows())
    with pytest.raises(GuvercinError) as refused:
        await desk.take(wanted)
    assert len(await desk.rows()) == before, "nothing is stored"
    return refused.value.code


class OptOutLaws:
    async def test_words_of_the_owners_own_refuse_beside_the_fixed_ones(self, desk: Desk) -> None:
        assert await desk.store.stop_words() == ()
        await says(desk, "Vazgeçtim")
        assert await live(desk) == []
        await desk.store.set_stop_words(["Vazgeçtim", "İstemem"], now=desk.now)
        await desk.store.set_stop_words(["vazgeçtim"], now=desk.now)
        assert await desk.store.stop_words() == ("vazgeçtim",)
        await says(desk, "İstemem")
        assert await live(desk) == []
        await says(desk, "VAZGEÇTİM!")
        assert [(each.phone, each.scope) for each in await live(desk)] == [(AYSE, OptOutScope.EVERYTHING)]

    async def test_who_refuses_hears_so_once_and_nothing_else(self, desk: Desk) -> None:
        number = await desk.accept(AYSE)
        waiting = await desk.accept(AYSE, due_at=desk.now + HOUR)
        await says(desk, "Dur!")
        for each in (number, waiting):
            row = await desk.row(each)
            assert (row.status, row.reason, row.waits_for) == (Status.FAILED, Code.OPTED_OUT, None)
        (refusal,) = await live(desk)
        assert (refusal.phone, refusal.account_id, refusal.scope, refusal.source, refusal.said) == (
            *(AYSE, 1, OptOutScope.EVERYTHING, OptOutSource.MESSAGE),
            "Dur!",
        )
        await says(desk, "DUR")
        await says(desk, "ret")
        (reply,) = await desk.leave_in_order()
        assert (await desk.row(reply)).content.text == "Durduruldu"
        assert (await desk.row(reply)).recipient == AYSE
        assert await refused_with(desk, draft(AYSE)) is Code.OPTED_OUT
        events = await desk.store.events_after(0, limit=1_000)
        (told,) = [event for event in events if event.kind is EventKind.OPTED_OUT]
        assert told.detail == {"ret_id": refusal.id, "kapsam": "her_sey", "kaynak": "mesaj"}

    async def test_a_refusal_is_of_one_account(self, desk: Desk) -> None:
        await says(desk, "DUR", account=2)
        number = await desk.accept(AYSE, account=1)
        assert await desk.leave_in_order(1) == [number]
        assert await refused_with(desk, draft(AYSE, account=2)) is Code.OPTED_OUT
        await desk.accept(BORA, account=2)

    async def test_who_comes_back_hears_so_once(self, desk: Desk) -> None:
        await says(desk, "BAŞLA")
        assert await desk.leave_in_order() == [], "there was nothing to restore"
        await says(desk, "DUR")
        await says(desk, "başla")
        assert await live(desk) == []
        texts = [(await desk.row(each)).content.text for each in await desk.leave_in_order()]
        assert texts == ["Durduruldu", "Başladı"]
        assert await desk.leave_in_order() == []
        number = await desk.accept(AYSE)
        assert await desk.leave_in_order() == [number]
        (ended,) = await desk.store.opt_outs(None, is_live=False, limit=9, below=None)
        assert (ended.ended_by, ended.ended_at) == (OptOutSource.MESSAGE, desk.now)
        await says(desk, "DUR")
        assert len(await desk.leave_in_order()) == 1, "a new refusal is confirmed anew"

    async def test_what_was_written_last_counts_whatever_comes_last(self, desk: Desk) -> None:
        async def heard(text: str, minute: int, remote_id: str) -> None:
            inbound = Inbound(remote_id=remote_id, sender=AYSE, text=text, at=NOW + minute * SECOND)
            await desk.store.receive_inbound(1, inbound, now=desk.now, replies=REPLIES)

        desk.now += HOUR
        await heard("DUR", 1, "A")
        await heard("BAŞLA", 2, "B")
        assert len(await desk.leave_in_order()) == 2
        for text, minute, remote_id in (("DUR", 1, "A"), ("RET", 0, "Z"), ("yanlış numara", 1, "Y")):
            await heard(text, minute, remote_id)
            assert await live(desk) == [], f"{text} is old"
        await heard("DUR", 4, "D")
        await heard("BAŞLA", 2, "B")
        await heard("BAŞLA", 3, "C")
        (refusal,) = await live(desk)
        assert refusal.created_at == NOW + 4 * SECOND, "it stands under the time at which it was written"
        texts = [(await desk.row(each)).content.text for each in await desk.leave_in_order()]
        assert texts == ["Durduruldu"], "what is old is not answered either"
        await heard("DUR", 6, "E")
        await heard("BAŞLA", 5, "F")
        (again,) = await live(desk)
        assert (again.id, again.created_at) == (refusal.id, NOW + 6 * SECOND), "said once more, after the BAŞLA"

    async def test_an_owner_s_word_is_not_undone_by_a_message_that_comes_twice(self, desk: Desk) -> None:
        await says(desk, "DUR")
        said_at = desk.now
        desk.now += HOUR
        await desk.store.end_opt_outs(
            AYSE, accounts=None, account_id=None, scope=None, by=OptOutSource.PANEL, now=desk.now
        )
        again = Inbound(remote_id="again", sender=AYSE, text="DUR", at=said_at)
        await desk.store.receive_inbound(1, again, now=desk.now, replies=REPLIES)
        assert await live(desk) == []
        await says(desk, "DUR")
        assert len(await live(desk)) == 1

    async def test_a_refusal_without_a_number_is_for_a_person_to_look_at(self, desk: Desk) -> None:
        await says(desk, "DUR", who="98765432101234@lid")
        (doubt,) = await live(desk)
        assert (doubt.phone, doubt.scope, doubt.said) == ("98765432101234@lid", OptOutScope.DOUBTFUL, "DUR")
        assert not await desk.rows(), "nobody can be answered who has no number"

    async def test_what_iys_says_ends_at_iys(self, desk: Desk) -> None:
        of_iys = replace(entered(scope=OptOutScope.COMMERCIAL), source=OptOutSource.IYS)
        await desk.store.add_opt_out(of_iys, now=desk.now)
        await says(desk, "BAŞLA")
        assert [each.source for each in await live(desk)] == [OptOutSource.IYS]

    async def test_a_claim_finds_what_an_acceptance_could_not_know(self, desk: Desk) -> None:
        """A row that comes back in line after a refusal never leaves: the claim itself asks."""
        number = await desk.accept(AYSE)
        claimed = await desk.claim()
        await says(desk, "DUR")
        assert (await desk.row(number)).status is Status.SENDING, "it was in hand already"
        deferred = await desk.store.settle(
            number,
            claimed.attempt_id if claimed else 0,
            _PUSHED_BACK,
            now=desk.now,
            retry_at=desk.now + SECOND,
        )
        assert deferred.status is Status.QUEUED
        desk.now += HOUR
        (reply,) = await desk.leave_in_order()
        assert reply != number
        row = await desk.row(number)
        assert (row.status, row.reason) == (Status.FAILED, Code.OPTED_OUT)

    async def test_in_a_batch_the_others_go_on(self, desk: Desk) -> None:
        await desk.store.add_opt_out(entered(BORA), now=desk.now)
        taken = await desk.accept_batch([draft(each, lane=Lane.BULK) for each in (AYSE, BORA)])
        counts = (await desk.batch(taken.batch_id)).counts
        assert (counts.total, counts.failed, counts.queued) == (2, 1, 1)
        (ayse,) = await desk.leave_in_order()
        assert (await desk.row(ayse)).recipient == AYSE
        bora = next(row for row in await desk.rows() if row.recipient == BORA)
        assert (bora.status, bora.reason) == (Status.FAILED, Code.OPTED_OUT)

    async def test_in_the_middle_of_a_batch_too(self, desk: Desk) -> None:
        taken = await desk.accept_batch([draft(each, lane=Lane.BULK) for each in (AYSE, BORA)])
        first = await desk.next_id()
        await says(desk, "RET", who=BORA)
        (reply,) = await desk.leave_in_order()
        assert (await desk.row(reply)).batch_id is None
        counts = (await desk.batch(taken.batch_id)).counts
        assert (counts.sent, counts.failed) == (1, 1)
        assert first is not None

    async def test_notices_go_on_one_by_one_if_their_owner_wants_it(self, desk: Desk) -> None:
        account = await desk.store.set_manners(1, Manners(keeps_notices=True), now=desk.now)
        assert account.manners.keeps_notices
        invoice = replace(draft(AYSE), category=1)
        waiting = standing(await desk.take(invoice)).id
        balance = standing(await desk.take(replace(draft(AYSE, text="b"), category=5))).id
        await says(desk, "DUR")
        assert (await desk.row(waiting)).status is Status.QUEUED
        assert (await desk.row(balance)).status is Status.FAILED
        reply, sent = sorted(await desk.leave_in_order(), reverse=True)
        assert sent == waiting
        assert (await desk.row(reply)).content.text == "Bildirimler sürebilir"
        for category in (1, 3, 4, 6, 8):
            await desk.take(replace(draft(AYSE, text=f"{category}"), category=category))
        for category in (2, 5, 7, 10, 11, 4711):
            assert await refused_with(desk, replace(draft(AYSE), category=category)) is Code.OPTED_OUT
        taken = await desk.accept_batch([replace(draft(AYSE, lane=Lane.BULK), category=1)])
        assert (await desk.batch(taken.batch_id)).counts.failed == 1

    async def test_a_wrong_number_hears_of_nobodys_debts(self, desk: Desk) -> None:
        owed = standing(await desk.take(replace(draft(AYSE), category=7))).id
        await says(desk, "yanlış numara")
        assert (await desk.row(owed)).reason is Code.OPTED_OUT
        assert await refused_with(desk, replace(draft(AYSE), category=5)) is Code.OPTED_OUT
        number = await desk.accept(AYSE)
        assert await desk.leave_in_order() == [number], "no answer is written to a stranger"
        await says(desk, "BAŞLA")
        assert [each.scope for each in await live(desk)] == [OptOutScope.WRONG_NUMBER]

    async def test_a_doubt_holds_bulk_until_a_person_decides(self, desk: Desk) -> None:
        taken = await desk.accept_batch([draft(each, lane=Lane.BULK) for each in (AYSE, BORA)])
        await says(desk, "bir daha mesaj atmayın")
        await says(desk, "bana bir daha mesaj atmayın lütfen")
        single = await desk.accept(AYSE)
        left = await desk.leave_in_order()
        assert single in left
        assert len(left) == 2
        held = next(row for row in await desk.rows() if row.recipient == AYSE and row.batch_id)
        assert (held.status, held.waits_for) == (Status.QUEUED, WaitsFor.REVIEW)
        later = await desk.accept_batch([draft(AYSE, lane=Lane.BULK)], body=b"later")
        assert await desk.leave_in_order() == []
        (doubt,) = await live(desk)
        assert (doubt.scope, doubt.said) == (OptOutScope.DOUBTFUL, "bir daha mesaj atmayın")

        ended = await desk.store.decide_opt_out(doubt.id, None, by=OptOutSource.PANEL, token_id=1, now=desk.now)
        assert ended is None
        assert len(await desk.leave_in_order()) == 2
        assert (await desk.batch(taken.batch_id)).counts.is_finished
        assert (await desk.batch(later.batch_id)).counts.sent == 1
        with pytest.raises(GuvercinError) as again:
            await desk.store.decide_opt_out(doubt.id, None, by=OptOutSource.PANEL, token_id=1, now=desk.now)
        assert again.value.code is Code.NOT_FOUND

    async def test_a_doubt_may_turn_out_a_refusal(self, desk: Desk) -> None:
        taken = await desk.accept_batch([draft(AYSE, lane=Lane.BULK)])
        await says(desk, "beni listeden çıkarın")
        assert await desk.leave_in_order() == []
        (doubt,) = await live(desk)
        made = await desk.store.decide_opt_out(
            doubt.id, OptOutScope.EVERYTHING, by=OptOutSource.PANEL, token_id=2, now=desk.now
        )
        assert made is not None
        assert (made.account_id, made.said, made.token_id) == (1, "beni listeden çıkarın", 2)
        assert (await desk.batch(taken.batch_id)).counts.failed == 1
        assert await desk.leave_in_order() == []

    async def test_a_clear_word_ends_the_doubt_before_it(self, desk: Desk) -> None:
        await says(desk, "bir daha mesaj atmayın")
        await says(desk, "DUR")
        assert [each.scope for each in await live(desk)] == [OptOutScope.EVERYTHING]
        await says(desk, "mesaj atmayın dedim")
        assert len(await live(desk)) == 1, "there is nothing to decide any more"

    async def test_a_doubt_that_became_clear_is_no_coming_back(self, desk: Desk) -> None:
        """Heard hours late and all at once, as after a full disk."""
        written = ("bir daha mesaj atmayın", "DUR", "BAŞLA", "RET")
        desk.now += HOUR
        for minute, text in enumerate(written):
            inbound = Inbound(remote_id=text, sender=AYSE, text=text, at=NOW + minute * SECOND)
            await desk.store.receive_inbound(1, inbound, now=desk.now, replies=REPLIES)
        (refusal,) = await live(desk)
        assert (refusal.scope, refusal.said) == (OptOutScope.EVERYTHING, "RET")

    async def test_a_batch_that_is_paused_stays_so_after_a_decision(self, desk: Desk) -> None:
        taken = await desk.accept_batch([draft(AYSE, lane=Lane.BULK)])
        await says(desk, "bir daha mesaj atmayın")
        assert await desk.leave_in_order() == []
        assert taken.batch_id is not None
        await desk.store.pause_batch(taken.batch_id, now=desk.now)
        (doubt,) = await live(desk)
        await desk.store.decide_opt_out(doubt.id, None, by=OptOutSource.PANEL, token_id=1, now=desk.now)
        assert await desk.leave_in_order() == []
        await desk.store.resume_batch(taken.batch_id, now=desk.now)
        assert len(await desk.leave_in_order()) == 1

    async def test_the_list_is_kept_once_and_ended_by_whom_it_concerns(self, desk: Desk) -> None:
        first = await desk.store.add_opt_out(entered(), now=desk.now)
        assert await desk.store.add_opt_out(entered(), now=desk.now + HOUR) == first
        of_two = await desk.store.add_opt_out(entered(account=2), now=desk.now)
        assert await live(desk) == [of_two, first]
        assert list(await desk.store.opt_outs(frozenset({1}), limit=9, below=None)) == [first]
        assert list(await desk.store.opt_outs(None, limit=1, below=of_two.id)) == [first]
        assert list(await desk.store.opt_outs(None, phone=BORA, limit=9, below=None)) == []

        async def end(accounts: frozenset[int] | None, account_id: int | None) -> int:
            return await desk.store.end_opt_outs(
                AYSE,
                accounts=accounts,
                account_id=account_id,
                scope=None,
                by=OptOutSource.PANEL,
                why="Yanlışlık",
                now=desk.now,
            )

        assert await end(frozenset({1}), None) == 0, "whoever sees one account ends nothing that holds for all"
        assert await end(None, 2) == 1
        assert await end(None, None) == 1
        assert await live(desk) == []
        ended = await desk.store.opt_out(first.id)
        assert ended is not None
        assert ended.ended_why == "Yanlışlık"
        await desk.accept(AYSE)

    async def test_what_people_choose_in_whatsapp_is_about_advertising(self, desk: Desk) -> None:
        chosen = Preference(sender=AYSE, wants_advertising=False, at=desk.now)
        await desk.store.hear(1, (chosen, chosen), now=desk.now)
        assert [each.scope for each in await live(desk)] == [OptOutScope.COMMERCIAL]
        await desk.accept(AYSE)
        assert await refused_with(desk, replace(draft(AYSE), category=9)) is Code.OPTED_OUT
        await desk.store.hear(1, (replace(chosen, wants_advertising=True),), now=desk.now)
        assert await live(desk) == []

    async def test_so_is_what_the_network_answers(self, desk: Desk) -> None:
        await desk.accept(AYSE)
        await desk.attempt(Refused(reason=Code.OPTED_OUT))
        assert [(each.phone, each.scope) for each in await live(desk)] == [(AYSE, OptOutScope.COMMERCIAL)]
        await desk.accept(BORA)
        await desk.attempt(Accepted("REMOTE-B", desk.now))
        late = Receipt(remote_id="REMOTE-B", kind=ReceiptKind.FAILED, at=desk.now, reason=Code.OPTED_OUT)
        await desk.store.receive(1, (late, late), now=desk.now)
        assert {each.phone for each in await live(desk)} == {AYSE, BORA}

    async def test_sending_again_asks_too(self, desk: Desk) -> None:
        number = await desk.bring(Status.UNKNOWN)
        await says(desk, "DUR")
        again = replace(draft(AYSE), resend_of=number)
        with pytest.raises(GuvercinError) as refused:
            await desk.store.resend(number, again, token_id=1, now=desk.now, key=None, quota=None)
        assert refused.value.code is Code.OPTED_OUT
        assert (await desk.row(number)).status is Status.UNKNOWN

    async def test_a_person_who_never_got_anything_may_refuse_all_the_same(self, desk: Desk) -> None:
        await says(desk, "STOP", who="+905391234567")
        assert len(await desk.leave_in_order()) == 1

    async def test_a_look_beforehand_says_what_the_request_would(self, desk: Desk) -> None:
        await desk.store.add_opt_out(entered(BORA), now=desk.now)
        asked = [(AYSE, 10), (BORA, 10), (AYSE, 9)]
        found = await desk.store.objections(1, asked, is_direct=False)
        assert list(found) == [None, Code.OPTED_OUT, Code.NO_CONSENT]


def agreed(phone: str = AYSE) -> NewConsent:
    return NewConsent(
        phone=phone,
        recipient_kind=RecipientKind.PERSON,
        source=ConsentSource.WEB,
        given_at=NOW - HOUR,
        text_version="2026-01",
        proof=Proof(digest="a" * 64, name="onay.pdf"),
        token_id=1,
    )


class ConsentLaws:
    async def test_advertising_waits_for_a_consent(self, desk: Desk) -> None:
        campaign = replace(draft(AYSE), category=9)
        assert await refused_with(desk, campaign) is Code.NO_CONSENT
        kept = await desk.store.keep_consent(agreed(), now=desk.now)
        assert (kept.phone, kept.given_at, kept.proof) == (AYSE, NOW - HOUR, Proof(digest="a" * 64, name="onay.pdf"))
        number = standing(await desk.take(campaign)).id
        assert await desk.leave_in_order() == [number]
        assert list(await desk.store.consents(limit=9, below=None)) == [kept]
        assert list(await desk.store.consents(phone=BORA, limit=9, below=None)) == []
        assert kept.proof is not None
        assert kept.proof.digest in await desk.store.spool_digests(), "a proof is kept"

    async def test_of_a_batch_those_go_who_have_agreed(self, desk: Desk) -> None:
        await desk.store.keep_consent(agreed(BORA), now=desk.now)
        rows = [replace(draft(each, lane=Lane.BULK), category=9) for each in (AYSE, BORA)]
        taken = await desk.accept_batch(rows)
        (sent,) = await desk.leave_in_order()
        assert (await desk.row(sent)).recipient == BORA
        assert (await desk.batch(taken.batch_id)).counts.failed == 1

    async def test_a_refusal_wins_over_a_consent(self, desk: Desk) -> None:
        await says(desk, "RET")
        await desk.leave_in_order()
        await desk.store.keep_consent(agreed(), now=desk.now)
        assert await refused_with(desk, replace(draft(AYSE), category=9)) is Code.OPTED_OUT

    async def test_ones_own_commercial_category_is_one(self, desk: Desk) -> None:
        own = replace(GENERAL, id=20, code="davet", name="Davet", is_commercial=True)
        await desk.store.keep_category(own, now=desk.now)
        assert await refused_with(desk, replace(draft(AYSE), category=20)) is Code.NO_CONSENT
        await desk.store.drop_category(20, now=desk.now)
        await desk.take(replace(draft(AYSE), category=20))

    async def test_nobody_gets_the_same_text_again_while_the_guard_is_up(self, desk: Desk) -> None:
        def rows() -> list[Draft]:
            return [
                draft(AYSE, lane=Lane.BULK),
                draft(BORA, lane=Lane.BULK),
                replace(draft(AYSE, lane=Lane.BULK), content=Content(text="Başka")),
            ]

        await desk.accept_batch(rows()[:1])
        taken = await desk.accept_batch(rows(), body=b"2")
        assert (await desk.batch(taken.batch_id)).counts.failed == 0, "the guard is off by default"
        await desk.leave_in_order()
        await desk.store.set_manners(1, Manners(repeat_guard=timedelta(hours=24)), now=desk.now)
        desk.now += 23 * HOUR
        taken = await desk.accept_batch(rows(), body=b"3")
        assert (await desk.batch(taken.batch_id)).counts.failed == 3
        assert {row.reason for row in await desk.rows() if row.batch_id == taken.batch_id} == {Code.SENT_LATELY}
        desk.now += 2 * HOUR
        taken = await desk.accept_batch([replace(each, expires_at=desk.now + HOUR) for each in rows()], body=b"4")
        assert (await desk.batch(taken.batch_id)).counts.failed == 0

    async def test_nothing_is_in_hand_twice_for_a_confirmation(self, desk: Desk) -> None:
        await says(desk, "DUR")
        claimed = await desk.claim()
        await says(desk, "DUR")
        assert in_hand(claimed).content.text == "Durduruldu"
        assert await desk.claim() is None
