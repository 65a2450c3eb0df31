"""Laws of what ends because its time is over: finished messages and nothing else, in parts, with a row that says so."""

from dataclasses import replace
from datetime import datetime, timedelta

from tests.contracts.desk import AYSE, BORA, DAY, NOW, Desk, draft
from tests.contracts.store_optouts import entered, says

from guvercin.core.audit import ACTOR, Actor, Way
from guvercin.core.message import Content, File, Status
from guvercin.core.rights import Cause, Destruction
from guvercin.store.retention import SPAN

PDF = File(digest="a" * 64, name="gizli.pdf", media_type="application/pdf", size=9)
MONTHS = timedelta(days=90)
YEAR = timedelta(days=365)


async def night(desk: Desk, *, texts: datetime | None = None, records: datetime | None = None) -> Destruction:
    """Destroy in parts, as the night does."""
    number = await desk.store.begin_destruction(now=desk.now)
    if texts is not None:
        above: int | None = 0
        while above is not None:
            above = await desk.store.destroy_contents(number, above=above, before=texts)
    if records is not None:
        above = 0
        while above is not None:
            above = await desk.store.destroy_records(number, above=above, before=records)
        while await desk.store.destroy_beside(number, before=records):
            pass
    await desk.store.end_destruction(number, now=desk.now)
    found = await desk.store.last_night()
    assert found is not None
    return found


class RetentionLaws:
    async def test_texts_end_and_their_records_stay(self, desk: Desk) -> None:
        wanted = replace(draft(reference="FTR-1"), content=Content(text="Gizli", file=PDF), variables={"borc": "1"})
        old = await desk.lead(wanted, Status.READ)
        desk.now += MONTHS
        young = await desk.bring(Status.READ)
        done = await night(desk, texts=desk.now - DAY)
        row = await desk.row(old)
        assert (row.content, row.variables) == (Content(text=""), None)
        assert (row.recipient, row.reference, row.status) == (AYSE, "FTR-1", Status.READ)
        assert (await desk.row(young)).content.text == "Merhaba"
        assert (done.cause, done.texts, done.records) == (Cause.NIGHT, 1, 0)
        assert (await night(desk, texts=desk.now - DAY)).texts == 0, "once"

    async def test_what_may_still_leave_or_may_have_left_is_never_touched(self, desk: Desk) -> None:
        doubt = await desk.bring(Status.UNKNOWN)
        held = [await desk.accept(), await desk.accept(due_at=NOW + 2 * YEAR)]
        desk.now += 2 * YEAR
        done = await night(desk, texts=desk.now, records=desk.now)
        assert (done.texts, done.records) == (0, 0)
        assert {(await desk.row(each)).content.text for each in (doubt, *held)} == {"Merhaba"}

    async def test_records_end_with_everything_that_names_them(self, desk: Desk) -> None:
        old = await desk.bring(Status.READ)
        await desk.store.add_opt_out(entered(BORA), now=desk.now)
        await desk.store.end_opt_outs(
            BORA, accounts=None, account_id=None, scope=None, by=entered(BORA).source, now=desk.now
        )
        await says(desk, "Merhaba", who=BORA)
        desk.now += YEAR
        young = await desk.bring(Status.READ)
        done = await night(desk, records=desk.now - DAY)
        assert await desk.store.message(old) is None
        assert [row.id for row in await desk.rows()] == [young]
        assert (await desk.store.attempts(old), await desk.store.events(old)) == ((), ())
        assert await desk.store.events(young)
        bora = await desk.store.dossier(BORA)
        assert (bora.refusals, bora.seen) == ((), [])
        assert (done.records, done.others > 0) == (1, True)
        assert await desk.store.first_message_at() is not None

    async def test_a_bulk_ends_with_the_last_of_its_rows(self, desk: Desk) -> None:
        batch = (await desk.accept_batch([draft(AYSE), draft(BORA)])).batch_id
        assert batch is not None
        await desk.leave_in_order()
        desk.now += YEAR
        await desk.bring(Status.SENT)
        await night(desk, records=desk.now - DAY)
        assert await desk.store.batch(batch) is None

    async def test_what_the_law_wants_kept_stays_as_it_is(self, desk: Desk) -> None:
        number = await desk.bring(Status.READ)
        await says(desk, "Merhaba")
        await desk.store.hold_person(AYSE, None, now=desk.now)
        before = await desk.store.dossier(AYSE)
        desk.now += 2 * YEAR
        await night(desk, texts=desk.now, records=desk.now)
        assert await desk.store.dossier(AYSE) == before
        await desk.store.let_person_go(AYSE, now=desk.now)
        await desk.bring(Status.READ, to=BORA)
        await night(desk, texts=desk.now - DAY, records=desk.now - DAY)
        assert await desk.store.message(number) is None

    async def test_long_logs_end_in_parts(self, desk: Desk) -> None:
        await desk.accept_batch([draft(f"+90532{n:07}") for n in range(2 * SPAN + 10)])
        await desk.leave_in_order()
        desk.now += MONTHS
        number = await desk.store.begin_destruction(now=desk.now)
        places: list[int | None] = [0]
        while places[-1] is not None:
            places.append(await desk.store.destroy_contents(number, above=places[-1], before=desk.now))
        assert places == [0, SPAN, 2 * SPAN, None]
        assert (await desk.store.destructions(limit=1, below=None))[0].texts == 2 * SPAN + 10

    async def test_a_night_that_was_cut_short_goes_on_in_its_row(self, desk: Desk) -> None:
        await desk.bring(Status.READ)
        desk.now += MONTHS
        number = await desk.store.begin_destruction(now=desk.now)
        await desk.store.destroy_contents(number, above=0, before=desk.now)
        assert await desk.store.begin_destruction(now=desk.now) == number
        assert (await night(desk, texts=desk.now)).texts == 1
        assert len(await desk.store.destructions(limit=9, below=None)) == 1

    async def test_the_newest_event_stays_however_old(self, desk: Desk) -> None:
        await desk.bring(Status.READ)
        newest = await desk.store.last_event_id()
        desk.now += 2 * YEAR
        await night(desk, texts=desk.now, records=desk.now)
        assert await desk.store.last_event_id() == newest
        assert not await desk.store.is_older_copy()

    async def test_the_audit_ends_by_its_own_time(self, desk: Desk) -> None:
        before = ACTOR.set(Actor(way=Way.API, token_id=1))
        for _ in range(2):
            await desk.store.add_opt_out(entered(), now=desk.now)
            await desk.store.set_default(1, now=desk.now)
            desk.now += 4 * YEAR
        ACTOR.reset(before)
        gone = await desk.store.shorten_audit(before=desk.now - 5 * YEAR, now=desk.now, limit=100)
        left = await desk.store.audit(limit=99, below=None)
        assert gone == 4, "two tokens, a refusal and a choice"
        assert [entry.what for entry in left] == ["denetim.kisaltildi", "hesap.degisti"]
