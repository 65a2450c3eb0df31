"""Laws of what people may ask about themselves: all is told, all is forgotten, and a refusal outlives it."""

from dataclasses import replace

import orjson
import pytest
from tests.contracts.desk import AYSE, BORA, HOUR, Desk, draft
from tests.contracts.store_optouts import entered, live, refused_with, says

from guvercin.core.audit import ACTOR, Actor, Sought, Way
from guvercin.core.consent import ConsentSource, NewConsent, RecipientKind
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.message import Status
from guvercin.core.outcome import Inbound
from guvercin.core.rights import FORGOTTEN, Cause


async def refused_to_forget(desk: Desk) -> Code:
    with pytest.raises(GuvercinError) as refused:
        await desk.store.forget_person(AYSE, now=desk.now)
    return refused.value.code


async def fill(desk: Desk) -> None:
    """Leave AYSE in every place that holds people, and BORA beside her."""
    for who in (AYSE, BORA):
        named = replace(
            draft(who, text=f"Borç {who}", reference=f"R{who}"),
            recipient_name="Ad Soyad",
            variables={"borc": "Gizli 1.250 TL"},
        )
        await desk.lead(named, Status.READ)
        await desk.store.learn_number(1, who, is_registered=True, now=desk.now)
        consent = NewConsent(
            phone=who,
            recipient_kind=RecipientKind.PERSON,
            source=ConsentSource.WEB,
            given_at=desk.now,
            text_version=None,
            proof=None,
            token_id=1,
        )
        await desk.store.keep_consent(consent, now=desk.now)
        await says(desk, "Merhaba", who=who)
    people = [{"telefon": "0532 123 45 67", "isim": "Ad"}, {"telefon": BORA}]
    request = orjson.dumps({"alicilar": people, "mesaj": "Selam"})
    await desk.store.keep_draft("taslak", 1, request, now=desk.now)


class RightsLaws:
    async def test_everything_that_is_held_is_told(self, desk: Desk) -> None:
        await fill(desk)
        await desk.store.add_opt_out(entered(), now=desk.now)
        told = await desk.store.dossier(AYSE)
        (message,) = told.messages
        assert message.message.content.text == f"Borç {AYSE}"
        assert len(message.attempts) == 1
        assert [event.kind.value for event in message.events][-1] == "mesaj.okundu"
        assert [len(part) for part in (told.refusals, told.consents, told.seen, told.checks)] == [1, 1, 1, 1]
        assert (told.drafts, told.hold) == (1, None)
        nobody = await desk.store.dossier("+905399999999")
        assert (nobody.messages, nobody.refusals, nobody.drafts) == ([], (), 0)

    async def test_who_is_forgotten_is_nowhere_and_nobody_else_is_touched(self, desk: Desk) -> None:
        await fill(desk)
        others = await desk.store.dossier(BORA)
        gone = await desk.store.forget_person(AYSE, now=desk.now)
        assert (gone.messages, gone.refusals) == (1, 0)
        told = await desk.store.dossier(AYSE)
        assert not any((told.messages, told.refusals, told.consents, told.seen, told.checks, told.drafts, told.wrote))
        assert await desk.store.dossier(BORA) == others
        row = next(row for row in await desk.rows() if row.recipient == FORGOTTEN)
        assert (row.recipient_name, row.content.text, row.reference, row.variables) == (None, "", None, None)
        assert row.status is Status.READ, "that there was a message, and what became of it, stays"
        kept = await desk.store.draft("taslak")
        assert kept is not None
        assert orjson.loads(kept.request)["alicilar"] == [{"telefon": BORA}]

    async def test_a_refusal_outlives_its_person(self, desk: Desk) -> None:
        await desk.store.add_opt_out(entered(), now=desk.now)
        gone = await desk.store.forget_person(AYSE, now=desk.now)
        assert gone.refusals == 1
        (kept,) = await live(desk)
        assert kept.phone.startswith("gizli:")
        assert AYSE[3:] not in kept.phone
        assert await refused_with(desk, draft(AYSE)) is Code.OPTED_OUT
        assert await desk.store.objections(1, [(AYSE, 10), (BORA, 10)], is_direct=True) == (Code.OPTED_OUT, None)
        assert [each.id for each in await desk.store.opt_outs(None, phone=AYSE, limit=9, below=None)] == [kept.id]
        await desk.accept(BORA)

    async def test_who_was_forgotten_may_come_back(self, desk: Desk) -> None:
        await desk.store.add_opt_out(entered(account=1), now=desk.now)
        await desk.store.forget_person(AYSE, now=desk.now)
        await says(desk, "BAŞLA")
        assert await live(desk) == []
        await desk.accept(AYSE)

    async def test_a_refusal_after_the_forgetting_is_one_more_and_forgotten_like_the_first(self, desk: Desk) -> None:
        for _ in range(2):
            await desk.store.add_opt_out(entered(account=1), now=desk.now)
            await says(desk, "DUR")
            await desk.store.forget_person(AYSE, now=desk.now)
            assert len(await live(desk)) == 1
            assert await refused_with(desk, draft(AYSE)) is Code.OPTED_OUT

    async def test_what_waits_is_withdrawn_and_doubts_are_given_up(self, desk: Desk) -> None:
        doubt = await desk.bring(Status.UNKNOWN)
        waiting = [await desk.accept(AYSE), await desk.accept(AYSE, due_at=desk.now + HOUR)]
        await desk.store.forget_person(AYSE, now=desk.now)
        assert [(await desk.row(each)).status for each in waiting] == [Status.CANCELLED] * 2
        row = await desk.row(doubt)
        assert (row.status, row.reason) == (Status.FAILED, Code.GIVEN_UP)
        assert await desk.claim() is None

    async def test_nobody_is_forgotten_while_a_message_is_on_its_way(self, desk: Desk) -> None:
        await desk.accept(AYSE)
        claimed = await desk.claim()
        assert claimed is not None
        assert await refused_to_forget(desk) is Code.IN_HAND
        assert (await desk.store.dossier(AYSE)).messages, "nothing was destroyed"
        assert await desk.store.destructions(limit=9, below=None) == ()

    async def test_what_the_law_wants_kept_is_kept(self, desk: Desk) -> None:
        await fill(desk)
        await desk.store.hold_person(AYSE, "2026/114 E.", now=desk.now)
        assert await refused_to_forget(desk) is Code.ON_HOLD
        hold = (await desk.store.dossier(AYSE)).hold
        assert hold is not None
        assert (hold.why, hold.since) == ("2026/114 E.", desk.now)
        assert await desk.store.let_person_go(AYSE, now=desk.now) is True
        assert await desk.store.let_person_go(AYSE, now=desk.now) is False
        assert (await desk.store.forget_person(AYSE, now=desk.now)).messages == 1

    async def test_every_forgetting_stands_in_the_log_of_destructions(self, desk: Desk) -> None:
        await fill(desk)
        await desk.store.forget_person(AYSE, now=desk.now)
        (row,) = await desk.store.destructions(limit=9, below=None)
        assert (row.cause, row.began_at, row.ended_at, row.texts) == (Cause.PERSON, desk.now, desk.now, 1)

    async def test_what_is_done_for_people_stands_in_the_audit_without_their_numbers(self, desk: Desk) -> None:
        await desk.store.tell_of_export(AYSE, now=desk.now)
        await desk.store.hold_person(AYSE, None, now=desk.now)
        await desk.store.let_person_go(AYSE, now=desk.now)
        await desk.store.forget_person(AYSE, now=desk.now)
        newest = await desk.store.audit(limit=4, below=None)
        words = ["kisi.silindi", "kisi.saklama_bitti", "kisi.saklandi", "kisi.disa_aktarildi"]
        assert [entry.what for entry in newest] == words
        assert len({entry.about for entry in newest}) == 1, "one person has one name there"
        assert {entry.way for entry in newest} == {Way.ITSELF}
        assert AYSE[3:] not in repr(newest)

    async def test_the_audit_is_narrowed_and_looked_through(self, desk: Desk) -> None:
        began = desk.now + HOUR
        ACTOR.set(Actor(way=Way.PANEL, token_id=1))
        await desk.store.hold_person(AYSE, None, now=began)
        ACTOR.set(None)
        await desk.store.let_person_go(AYSE, now=began + HOUR)

        async def found(sought: Sought) -> list[str]:
            page = await desk.store.audit(limit=2, below=None, sought=sought)
            return [entry.what for entry in page if entry.at >= began]

        held, over = "kisi.saklandi", "kisi.saklama_bitti"
        assert await found(Sought()) == [over, held]
        assert await found(Sought(token_id=1)) == [held]
        assert await found(Sought(is_nobodys=True, since=began)) == [over]
        assert await found(Sought(since=began + HOUR)) == [over]
        assert await found(Sought(since=began, until=began + HOUR)) == [held]
        assert await found(Sought(token_id=2**40)) == []
        assert 1 in await desk.store.audit_actors()
        chain = await desk.store.audit_chain(at_most=None)
        assert chain is not None
        assert (chain.broken_at, chain.count >= 2) == (None, True)
        assert await desk.store.audit_chain(at_most=chain.count) == chain
        assert await desk.store.audit_chain(at_most=chain.count - 1) is None

    async def test_who_writes_after_that_is_somebody_new(self, desk: Desk) -> None:
        await fill(desk)
        await desk.store.forget_person(AYSE, now=desk.now)
        inbound = Inbound(remote_id="W-9", sender=AYSE, text="Merhaba", at=desk.now)
        await desk.store.receive_inbound(1, inbound, now=desk.now)
        assert len((await desk.store.dossier(AYSE)).seen) == 1
