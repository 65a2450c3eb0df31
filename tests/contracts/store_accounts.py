"""Laws of accounts, tokens and uploads."""

import asyncio
from datetime import timedelta

import pytest
from tests.contracts.desk import DAY, HOUR, MINUTE, NOW, SECOND, Desk, draft

from guvercin.core.account import Kind, Line, LineState, OnUnknown
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import EventKind
from guvercin.core.message import File, Lane, Status
from guvercin.core.pacing import SANDBOX_PACE, Gap, Pace
from guvercin.core.token import Permission, TokenRules
from guvercin.store.access import DRAFTS_OF_ONE
from guvercin.store.verbs.uploads import KeptDraft


class AccountLaws:
    async def test_a_new_account_is_wanted_and_connecting(self, desk: Desk) -> None:
        desk.now += SECOND
        added = await desk.store.add_account("Şube ğ", Kind.SANDBOX, "+905000000000", SANDBOX_PACE, now=desk.now)
        assert (added.id, added.name, added.phone, added.kind) == (3, "Şube ğ", "+905000000000", Kind.SANDBOX)
        assert (added.is_enabled, added.is_default, added.on_unknown) == (True, False, OnUnknown.HOLD)
        assert (added.line, added.pace) == (Line(state=LineState.CONNECTING, since=desk.now), SANDBOX_PACE)
        assert (await desk.store.accounts())[-1] == added
        event = (await desk.store.events_after(0, limit=100))[-1]
        assert (event.kind, event.account_id) == (EventKind.ACCOUNT_CHANGED, 3)

    async def test_what_its_owner_decides_is_kept(self, desk: Desk) -> None:
        gap = Gap(least=timedelta(seconds=6), most=timedelta(seconds=14.5))
        pace = Pace(gaps={Lane.SINGLE: gap, Lane.BULK: Gap(least=timedelta(0), most=timedelta(0))})
        store = desk.store
        changed = await store.change_account(1, now=NOW, name="Merkez", pace=pace, on_unknown=OnUnknown.RESEND)
        assert (changed.name, dict(changed.pace.gaps), changed.on_unknown) == (
            "Merkez",
            dict(pace.gaps),
            OnUnknown.RESEND,
        )
        renamed = await store.change_account(1, now=NOW, name="Çarşı")
        assert (renamed.name, renamed.on_unknown, dict(renamed.pace.gaps)) == (
            "Çarşı",
            OnUnknown.RESEND,
            dict(pace.gaps),
        )
        assert [account.name for account in await store.accounts()] == ["Çarşı", "Depo"]

    async def test_there_is_at_most_one_default(self, desk: Desk) -> None:
        store = desk.store
        assert not any(account.is_default for account in await store.accounts())
        await asyncio.gather(*(store.set_default(1 + number % 2, now=NOW) for number in range(10)))
        assert [account.is_default for account in await store.accounts()].count(True) == 1
        assert (await store.set_default(1, now=NOW)).is_default
        assert (await store.set_default(1, now=NOW)).is_default
        assert [account.is_default for account in await store.accounts()] == [True, False]

    async def test_a_line_is_kept_as_last_heard(self, desk: Desk) -> None:
        line = Line(
            state=LineState.BANNED,
            since=NOW,
            code=Code.TEMPORARY_BAN,
            until=NOW + HOUR,
            connected_at=NOW - MINUTE,
        )
        lines: set[int] = set()
        desk.store.listen(lambda committed: lines.update(committed.lines))
        await desk.store.set_line(2, line, now=NOW)
        account = (await desk.store.accounts())[1]
        assert (account.line, account.is_enabled, lines) == (line, True, {2})
        event = (await desk.store.events_after(0, limit=100))[-1]
        assert (event.kind, event.account_id, event.detail) == (
            EventKind.LINE_CHANGED,
            2,
            {"durum": "banned", "kod": "gecici_yasak"},
        )
        stopped = Line(state=LineState.STOPPED, since=NOW)
        await desk.store.set_line(2, stopped, now=NOW, is_enabled=False)
        account = (await desk.store.accounts())[1]
        assert (account.line, account.is_enabled) == (stopped, False)

    @pytest.mark.parametrize("status", Status)
    async def test_an_account_goes_when_nothing_of_it_is_unfinished(self, desk: Desk, status: Status) -> None:
        store = desk.store
        await store.set_default(1, now=NOW)
        message_id = await desk.bring(status)
        await desk.accept(account=2)  # nobody else's business
        before = await store.accounts()
        if status in (Status.QUEUED, Status.SENDING, Status.UNKNOWN):
            with pytest.raises(GuvercinError, match=Code.MESSAGES_WAITING.value):
                await store.remove_account(1, now=NOW)
            assert await store.accounts() == before
            return
        desk.now += SECOND
        await store.remove_account(1, now=desk.now)
        gone = (await store.accounts())[0]
        assert (gone.removed_at, gone.is_default, gone.is_enabled) == (desk.now, False, False)
        assert gone.line.state is LineState.STOPPED
        assert (await desk.row(message_id)).status is status  # the log stays

    @pytest.mark.parametrize("waits", ["planned", "deferred", "held"])
    async def test_a_waiting_row_is_unfinished_too(self, desk: Desk, waits: str) -> None:
        match waits:
            case "planned":
                await desk.accept(due_at=NOW + DAY)
            case "deferred":
                await desk.accept()
                await desk.defer(NOW + DAY)
            case _:
                await desk.accept()
                await desk.store.hold_unfinished(now=NOW)
        with pytest.raises(GuvercinError, match=Code.MESSAGES_WAITING.value):
            await desk.store.remove_account(1, now=NOW)

    async def test_what_is_gone_or_never_was_is_not_found(self, desk: Desk) -> None:
        store = desk.store
        await store.remove_account(2, now=NOW)
        for account_id in (2, 9):
            for asking in (
                store.change_account(account_id, now=NOW, name="x"),
                store.set_default(account_id, now=NOW),
                store.remove_account(account_id, now=NOW),
            ):
                with pytest.raises(GuvercinError, match=Code.NOT_FOUND.value):
                    await asking
        assert [account.name for account in await store.accounts()] == ["Dükkân", "Depo"]


class TokenLaws:
    async def test_a_token_is_found_by_its_hash_and_keeps_its_rules(self, desk: Desk) -> None:
        rules = TokenRules(
            name="Kasa ğ",
            permissions=frozenset({Permission.SEND, Permission.READ}),
            account_ids=frozenset({2, 1}),
            expires_at=NOW + DAY,
            per_minute=60,
            per_day=1000,
            guards_retries=False,
            strict_categories=True,
            counts_accepted=True,
        )
        made = await desk.store.create_token(rules, b"h" * 32, "gv_abc", now=NOW)
        assert (made.id, made.hint, made.rules, made.created_at) == (3, "gv_abc", rules, NOW)
        assert (made.last_used_at, made.revoked_at) == (None, None)
        assert await desk.store.token(b"h" * 32) == made == (await desk.store.tokens())[-1]
        assert await desk.store.token(b"x" * 32) is None

    async def test_a_token_ends_once(self, desk: Desk) -> None:
        ended = await desk.store.revoke_token(1, now=NOW)
        again = await desk.store.revoke_token(1, now=NOW + DAY)
        assert (ended.revoked_at, again.revoked_at) == (NOW, NOW)
        found = await desk.store.token(b"\x01" * 32)
        assert found is not None
        assert not found.is_valid(NOW)
        with pytest.raises(GuvercinError, match=Code.NOT_FOUND.value):
            await desk.store.revoke_token(9, now=NOW)

    async def test_when_tokens_were_used_is_written_together(self, desk: Desk) -> None:
        await desk.store.touch_tokens({1: NOW, 2: NOW + SECOND})
        assert [token.last_used_at for token in await desk.store.tokens()] == [NOW, NOW + SECOND]

    async def test_an_upload_is_its_tokens_own(self, desk: Desk) -> None:
        file = File(digest="ab" * 32, name="fatura.pdf", media_type="application/pdf", size=7)
        await desk.store.keep_upload("u-1", 2, file, now=NOW)
        kept = await desk.store.upload("u-1")
        assert kept is not None
        assert (kept.id, kept.token_id, kept.file) == ("u-1", 2, file)
        assert await desk.store.upload("u-2") is None

    async def test_a_token_has_only_its_newest_drafts(self, desk: Desk) -> None:
        await desk.store.keep_draft("other", 2, b"{}", now=NOW)
        for each in range(DRAFTS_OF_ONE + 1):
            await desk.store.keep_draft(f"d-{each}", 1, b"\x00{}", now=NOW + each * SECOND)
        kept = [await desk.store.draft(f"d-{each}") for each in range(DRAFTS_OF_ONE + 1)]
        assert [draft is not None for draft in kept] == [False, *[True] * DRAFTS_OF_ONE]
        assert kept[1] == KeptDraft(id="d-1", token_id=1, request=b"\x00{}", created_at=NOW + SECOND)
        assert await desk.store.draft("other") is not None


class CareLaws:
    async def test_it_says_that_it_can_be_written(self, desk: Desk) -> None:
        await desk.store.check(NOW)
        await desk.store.check(NOW + SECOND)

    async def test_a_store_that_is_closed_takes_and_answers_nothing(self, desk: Desk) -> None:
        await desk.store.close()
        for asking in (desk.take(draft()), desk.store.message(1), desk.store.check(NOW)):
            with pytest.raises(GuvercinError, match=Code.CLOSING.value):
                await asking
        await desk.store.close()

    async def test_a_store_opens_again_with_all_that_it_was_told(self, desk: Desk) -> None:
        await desk.bring(Status.READ)
        rows, events = await desk.rows(), await desk.store.events_after(0, limit=1000)
        await desk.store.close()
        await desk.store.open()
        assert (await desk.rows(), await desk.store.events_after(0, limit=1000)) == (rows, events)

    async def test_a_clock_set_back_over_a_restart_lets_nobody_overtake(self, desk: Desk) -> None:
        in_line = await desk.accept()
        deferred_first = await desk.accept(lane=Lane.BULK)
        await desk.next_id()
        await desk.defer(NOW + MINUTE)
        await desk.store.close()
        await desk.store.open()
        desk.now = NOW - HOUR
        newcomer = await desk.accept(lane=Lane.BULK)
        desk.now = NOW + MINUTE
        assert await desk.leave_in_order() == [deferred_first, newcomer]
        assert (await desk.row(in_line)).status is Status.SENT
