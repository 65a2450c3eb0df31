"""The verbs that API, terminal and panel share.

Laws
1. A message is a row before it is a packet: `send` answers nothing good before its row is durable.
2. What a token can't see does not exist for it: NOT_FOUND, never «forbidden».
3. Nothing here sends. The dispatchers do; a caller may wait for them, and going away changes nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from random import Random  # noqa: TID251 -- the type alone: chance comes in as an argument
from typing import BinaryIO, TypeVar
from zoneinfo import ZoneInfo

from guvercin.core.account import Account, Kind
from guvercin.core.batch import Batch, Counts
from guvercin.core.category import Category, rules_of
from guvercin.core.errors import Code, FieldFault, GuvercinError
from guvercin.core.event import Event, EventKind, Standing
from guvercin.core.log import MessageFilter, Page
from guvercin.core.message import HELD, Courtesy, Draft, File, IllegalOrder, Lane, Message, Status, WaitsFor, priority
from guvercin.core.optout import REFUSALS
from guvercin.core.restriction import RestrictionKind
from guvercin.core.token import Token
from guvercin.gateway.access import Access
from guvercin.gateway.accounts import Accounts
from guvercin.gateway.batches import Batches, Obstacle, closed_line
from guvercin.gateway.categories import Categories
from guvercin.gateway.clock import Clock
from guvercin.gateway.courses import hours_in
from guvercin.gateway.drafting import BatchLine, Faults, check_phone, draft_batch, draft_one, examine_batch, fingerprint
from guvercin.gateway.files import Files
from guvercin.gateway.hooks import Hooks
from guvercin.gateway.inbox import Inbox
from guvercin.gateway.lines import Lines
from guvercin.gateway.lists import Lists
from guvercin.gateway.manners import mannered
from guvercin.gateway.meta import Meta
from guvercin.gateway.outlook import Outlook
from guvercin.gateway.pulse import Pulse
from guvercin.gateway.rehearsal import NO_NOTES, Rehearsal, foreseen, rehearse
from guvercin.gateway.requests import (
    Allowance,
    Ask,
    AskBatch,
    BatchView,
    Figures,
    FilePath,
    History,
    IdempotencyKey,
    Readiness,
    Sent,
    Upload,
    UploadedFile,
)
from guvercin.gateway.rights import Elsewhere, Rights
from guvercin.gateway.sessions import Sessions
from guvercin.gateway.waiting import IN_HAND, Waiting
from guvercin.gateway.wishes import Wishes
from guvercin.store.store import Store
from guvercin.store.verbs.accepting import Acceptance, BatchAsk, KeyRow, Quota, Repeat
from guvercin.store.verbs.messages import Depth
from guvercin.store.writer import Committed

T = TypeVar("T")

RETRY_GUARD = timedelta(minutes=5)
BATCH_GUARD = timedelta(minutes=10)

_TICK = timedelta(milliseconds=1)
"""What the store's times are rounded to."""

TURNED_AWAY_AFTER = 1.0
"""Seconds until a newcomer hears that the queue is full."""

_FILES_AT_ONCE = 8
"""Files of one batch that are read at the same time."""

_OF_ONE_FILE = frozenset({Code.FILE_NOT_OPENED, Code.FILE_TYPE, Code.FILE_TOO_LARGE})
"""What is the matter with one file and no reason to refuse the others."""

_WAITS_LONG = HELD | {WaitsFor.TIME}
"""What no caller is kept waiting for."""

_NEVER = datetime.max.replace(tzinfo=UTC)

_MAX_TEXT = 4_096
"""What a message may hold while its account's transport is not there yet to say so."""


class Gateway:
    """One business's messages and files; its accounts, batches and lists have rooms of their own."""

    def __init__(
        self,
        *,
        store: Store,
        sessions: Sessions,
        access: Access,
        files: Files,
        waiting: Waiting,
        clock: Clock,
        rng: Random,
        timezone: ZoneInfo,
        meta: Meta,
        hooks: Hooks,
        elsewhere: Elsewhere | None = None,
        reaches_nobody: bool = False,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._access = access
        self._files = files
        self._waiting = waiting
        self._clock = clock
        self._rng = rng
        self._timezone = timezone
        self._hours = hours_in(timezone)
        self.accounts = Accounts(store=store, sessions=sessions, meta=meta, clock=clock, reaches_nobody=reaches_nobody)
        self.meta = meta
        self.categories = Categories(store=store, clock=clock)
        self.hooks = hooks
        self.outlook = Outlook(store=store, hours=self._hours, clock=clock)
        self.batches = Batches(store=store, accounts=self.accounts, outlook=self.outlook, clock=clock)
        self.lines = Lines(store=store, sessions=sessions, accounts=self.accounts, clock=clock)
        self.inbox = Inbox(store=store, clock=clock)
        self.wishes = Wishes(store=store, accounts=self.accounts, spool=files.spool, clock=clock)
        self.rights = Rights(store=store, spool=files.spool, elsewhere=elsewhere or Elsewhere(), clock=clock)
        self.lists = Lists(store=store, clock=clock, rng=rng)
        self._pulse = Pulse(store.check, clock)
        self._is_closing = False
        self._at_close: list[Callable[[], None]] = []

    # -- who asks

    async def authenticate(self, secret: str | None) -> Token:
        """Answer whose secret this is. NO_TOKEN, INVALID_TOKEN."""
        return await self._access.authenticate(secret)

    async def open_pass(self, api_key: str, api_secret: str) -> tuple[str, datetime]:
        """Answer a pass of a day for a pair, and when it ends. INVALID_TOKEN."""
        return await self._access.open_pass(api_key, api_secret, self._rng.randbytes(32))

    async def end_pass(self, secret: str) -> bool:
        """End a pass; says whether it was one."""
        return await self._access.end_pass(secret)

    def spend(self, token: Token) -> Allowance | None:
        """Count one request against a token's limit; null for a token without one. TOO_MANY_REQUESTS."""
        return self._access.spend(token)

    # -- sending

    async def send(self, token: Token, ask: Ask, *, wait: timedelta, key: IdempotencyKey | None = None) -> Sent:
        """Accept one message, then wait up to `wait` for WhatsApp's answer.

        Raises what is wrong with the request, NO_ACCOUNT, QUEUE_FULL, STORE_UNAVAILABLE, CLOSING: nothing was stored.
        """
        self._check_open()
        now = self._clock.now()
        try:
            account = await self.accounts.for_message(token, ask.account_id)
            draft = await self._draft(token, ask, account, now)
        except GuvercinError:
            before = await self._accepted_before(token, key)
            if before is None:
                raise
            return await self._sent(before, None, wait)
        guard = now - RETRY_GUARD if token.rules.guards_retries else None
        accepted = await self._patiently(
            self._store.accept(
                draft,
                token_id=token.id,
                now=now,
                key=_key_row(key),
                repeat=_repeat(draft, ask, since=guard),
                quota=self._quota(token, now),
            )
        )
        return await self._sent(accepted, account, wait)

    async def _draft(self, token: Token, ask: Ask, account: Account, now: datetime) -> Draft:
        """Answer the row that a request asks for. Raises what is wrong with it."""
        faults = Faults()
        # The file last: whatever else is wrong is told without opening anything.
        known, max_text = await self.categories.known(), self._max_text(account)
        draft = draft_one(ask, account, token, known=known, now=now, max_text=max_text, file=None, faults=faults)
        (draft,) = self._mannered([draft], account, rules_of(ask.category, known), ask.lifetime, now)
        if ask.file is None:
            return draft
        file = await self._file(token, ask.file, ask.file_name)
        return replace(draft, content=replace(draft.content, file=file))

    def _mannered(
        self, drafts: Sequence[Draft], account: Account, category: Category, lifetime: timedelta | None, now: datetime
    ) -> Sequence[Draft]:
        return mannered(drafts, account, category, self._hours, lifetime=lifetime, now=now)

    async def _accepted_before(self, token: Token, key: IdempotencyKey | None) -> Acceptance | None:
        """Answer what a request was accepted as that would be refused now: what was accepted under a key stays so.

        Its time may be over since, its account or its file gone; only a request that is refused pays for the question.
        """
        row = _key_row(key)
        return None if row is None else await self._store.accepted_before(token.id, row)

    async def _sent(self, accepted: Acceptance, account: Account | None, wait: timedelta) -> Sent:
        """Wait for what becomes of an accepted message. `account`: whose it must be, if it is a new one."""
        standing = accepted.standing
        if standing is None:  # the key belongs to a batch: another path would have another key
            raise GuvercinError(Code.KEY_MISMATCH)
        if account is None or standing.account_id != account.id:  # a replay, and its account has changed since
            account = await self.accounts.any(standing.account_id) or account
        standing = await self._wait_for(standing, wait)
        obstacle = await self._obstacle(standing) if wait else None  # who doesn't wait isn't sent away early
        return Sent(
            standing=standing,
            is_sandbox=account is not None and account.kind is Kind.SANDBOX,
            waits_for=None if obstacle is None else obstacle.why,
            waits_until=None if obstacle is None else obstacle.until,
            replayed=accepted.replayed,
            repeated=accepted.repeated,
        )

    async def _patiently(self, asking: Awaitable[Acceptance]) -> Acceptance:
        """Ask the store to take something. Whoever comes to a full queue hears so with some delay.

        A client that comes again at once costs as much as one that is served: sent away quickly, a few hundred of them
        would keep the machine from the work that they wait for.
        """
        try:
            return await asking
        except GuvercinError as refusal:
            if refusal.code is Code.QUEUE_FULL:
                await self._clock.sleep_until(self._clock.monotonic() + TURNED_AWAY_AFTER)
            raise

    async def _wait_for(self, standing: Standing, wait: timedelta) -> Standing:
        """Answer where the message stands when waiting ends: at once for one that won't leave before that."""
        if wait <= timedelta(0) or standing.status not in IN_HAND or standing.waits_for in _WAITS_LONG:
            return standing
        now, end = standing, self._clock.now() + wait

        async def look() -> bool:
            nonlocal now
            with suppress(GuvercinError):  # it is accepted: trouble with reading is no reason to say otherwise
                now = await self._store.standing(standing.id) or now
                if now.status is Status.QUEUED:
                    obstacle = await self._obstacle(now)
                    return obstacle is not None and (obstacle.until is None or obstacle.until > end)
            return now.status not in IN_HAND

        if not await self._stands_still(standing.account_id, end):
            await self._waiting.for_message(standing.id, wait, look)
        await look()
        return now

    async def _obstacle(self, standing: Standing) -> Obstacle | None:
        """Answer what keeps a queued message longest from leaving, where that is more than its place in line."""
        if standing.status is not Status.QUEUED or standing.waits_for is WaitsFor.TIME:
            return None
        with suppress(GuvercinError):  # trouble with reading is no reason to say nothing of an accepted message
            obstacles = [await self._closed(standing.account_id)]
            if standing.waits_for is not None:
                row = await self._store.message(standing.id)
                if row is not None and row.waits_for is not None:
                    obstacles.append(Obstacle(row.waits_for, row.waits_until))
            return max((one for one in obstacles if one), key=lambda one: one.until or _NEVER, default=None)
        return None

    async def _stands_still(self, account_id: int, end: datetime) -> bool:
        """Say whether nothing leaves over an account's line before `end`, unless a human acts."""
        with suppress(GuvercinError):
            obstacle = await self._closed(account_id)
            return obstacle is not None and (obstacle.until is None or obstacle.until > end)
        return False

    async def _closed(self, account_id: int) -> Obstacle | None:
        """Answer why nothing at all leaves over an account's line: it is down, or it rests because it was too fast."""
        account, now = await self.accounts.any(account_id), self._clock.now()
        if account is None:
            return None
        closed = closed_line(account, now)
        if closed is None and account.pace.rules is not None:
            for one in await self._store.restrictions(account_id):
                if one.kind is RestrictionKind.BACKS_OFF and one.until is not None and one.until > now:
                    return Obstacle(one.code, one.until)
        return closed

    async def send_batch(
        self, token: Token, ask: AskBatch, *, wait: timedelta, key: IdempotencyKey | None = None
    ) -> BatchView:
        """Accept a batch whole, then wait up to `wait` until it is finished. Raises as `send` does."""
        self._check_open()
        taken, is_new = await self._accept_batch(token, ask, key)
        del ask  # thousands of lines are not kept while their sender waits
        batch_id, counts = taken.batch.id, taken.counts

        account_id, end = taken.batch.account_id, self._clock.now() + wait

        async def look() -> bool:
            with suppress(GuvercinError):  # as for one message
                return (await self._store.batch_rests(batch_id)).outlasts(end)
            return False

        may_move = counts.queued and not counts.scheduled and not await self._stands_still(account_id, end)
        if wait > timedelta(0) and may_move and (is_new or not await look()):
            await self._waiting.for_batch(batch_id, counts.queued, wait, look)
        try:
            view = await self.batches.one(token, batch_id)
        except GuvercinError:
            if not is_new:
                raise
            return taken  # trouble with reading doesn't undo it
        return replace(view, replayed=taken.replayed, repeated=taken.repeated)

    async def _accept_batch(self, token: Token, ask: AskBatch, key: IdempotencyKey | None) -> tuple[BatchView, bool]:
        """Accept a batch; answers it as it was stored and true, or the one that its sender already has and false."""
        now = self._clock.now()
        try:
            account = await self.accounts.for_message(token, ask.account_id)
            known, max_text = await self.categories.known(), self._max_text(account)
            draft = partial(draft_batch, ask, account, token, known=known, now=now, max_text=max_text)
            lines = await self.lists.aside(draft)
            note = _declaration(ask, lines)
            with_files = await self._with_files(lines)
            drafts = self._mannered(with_files, account, rules_of(ask.category, known), ask.lifetime, now)
        except GuvercinError:
            before = await self._accepted_before(token, key)
            if before is None or before.batch_id is None:
                raise
            return replace(await self.batches.one(token, before.batch_id), replayed=True), False
        accepted = await self._patiently(
            self._store.accept_batch(
                BatchAsk(
                    account_id=account.id,
                    category=ask.category,
                    body_hash=ask.body_hash,
                    is_of_customers=ask.is_of_customers,
                    note=note,
                ),
                drafts,
                token_id=token.id,
                now=now,
                key=_key_row(key),
                repeats_since=now - BATCH_GUARD if token.rules.guards_retries else None,
                quota=self._quota(token, now),
            )
        )
        if accepted.batch_id is None:
            raise GuvercinError(Code.KEY_MISMATCH)
        taken = _as_accepted(accepted.batch_id, token, account, drafts, now)
        is_new = not (accepted.replayed or accepted.repeated)
        return replace(taken, replayed=accepted.replayed, repeated=accepted.repeated), is_new

    async def _with_files(self, lines: Sequence[BatchLine]) -> Sequence[Draft]:
        """Answer the rows of a batch with their files; a row whose file can't be taken fails, and the others go on."""
        found = await _each_path(lines, self._files.from_path)
        return [_with_file(line.draft, found[line.file_path] if line.file_path else None) for line in lines]

    async def rehearse(self, token: Token, ask: AskBatch, notes: Mapping[int, Code] = NO_NOTES) -> Rehearsal:
        """Answer what `send_batch` would make of a request, row by row; nothing is stored.

        `notes`: what is doubtful about a row (by its place) already, from the list that it was read from.

        Raises what is wrong with the request as a whole, and NO_ACCOUNT.
        """
        self._check_open()
        now = self._clock.now()
        account = await self.accounts.for_message(token, ask.account_id)
        known, max_text = await self.categories.known(), self._max_text(account)
        look_through = partial(examine_batch, ask, account, token, known=known, now=now, max_text=max_text)
        lines = await self.lists.aside(look_through)
        looked_at = await _each_path(lines, self._files.look)
        asked = [(line.draft.recipient, line.draft.category) for line in lines]
        objections = await self._store.objections(account.id, asked, is_direct=False)
        found = rehearse(ask, account, lines, looked_at, objections=objections, notes=notes, now=now)
        good = [
            line.draft.recipient
            for line, objection in zip(lines, objections, strict=True)
            if line.draft.reason is None and objection is None
        ]
        rules = rules_of(ask.category, known)
        ahead = await self.outlook.of_list(
            account,
            good,
            courtesy=Courtesy.QUIET if rules.keeps_quiet_hours else None,
            level=rules.level,
            is_of_customers=ask.is_of_customers,
            starts_at=lines[0].draft.due_at,
        )
        return foreseen(found, ahead, lifetime=ask.lifetime, starts_at=lines[0].draft.due_at, now=now)

    async def resend(self, token: Token, log_id: int, *, wait: timedelta, key: IdempotencyKey | None = None) -> Sent:
        """Send a message again as a new row that names the old one; a row in doubt is settled by it.

        MESSAGES_WAITING while the old row may still leave by itself; FILE_NOT_OPENED when its file is no longer kept.
        """
        self._check_open()
        old, _ = await self.message(token, log_id)
        now = self._clock.now()
        try:
            account = await self.accounts.for_message(token, old.account_id)
            self._check_resend(old)
            known = await self.categories.known()
            (draft,) = self._mannered([_again(old, now, known)], account, rules_of(old.category, known), None, now)
            accepted = await self._store.resend(
                old.id, draft, token_id=token.id, now=now, key=_key_row(key), quota=self._quota(token, now)
            )
        except IllegalOrder:
            raise GuvercinError(Code.MESSAGES_WAITING, log_id=old.id) from None
        except GuvercinError:
            before = await self._accepted_before(token, key)
            if before is None:
                raise
            return await self._sent(before, None, wait)
        return await self._sent(accepted, account, wait)

    def _check_resend(self, old: Message) -> None:
        """Raise why a message can't be sent again, whatever its state: its number, or its file."""
        if old.content.text == "":  # no message is accepted without a text or a file: it had one once
            raise GuvercinError(Code.CONTENT_GONE, log_id=old.id)
        faults = Faults()
        check_phone(faults, old.recipient)  # a row that failed because nobody could read its number
        faults.check()
        if old.content.file is not None and not self._files.spool.has(old.content.file.digest):
            raise GuvercinError(Code.FILE_NOT_OPENED, faults=(FieldFault("file", Code.FILE_NOT_OPENED.value),))

    async def resend_by_policy(self, message_id: int) -> None:
        """Send a message in doubt again because its account's owner chose so beforehand.

        IllegalOrder when news has settled it in the meantime: then nothing is sent.
        """
        old = await self._store.message(message_id)
        if old is None:
            return
        now = self._clock.now()
        owner = await self._store.token_of(message_id)
        account, known = await self.accounts.any(old.account_id), await self.categories.known()
        if account is None:
            return
        (again,) = self._mannered([_again(old, now, known)], account, rules_of(old.category, known), None, now)
        try:
            await self._store.resend(old.id, again, token_id=owner, now=now, key=None, quota=None, only_in_doubt=True)
        except GuvercinError as refusal:
            if refusal.code not in REFUSALS:
                raise
            await self._store.give_up(old.id, Code.GIVEN_UP, now=now)  # its recipient wants no more of it

    async def cancel(self, token: Token, log_id: int) -> Sent:
        """Withdraw a message that has not left; NOT_CANCELLABLE otherwise. Withdrawing twice is no error."""
        old, is_sandbox = await self.message(token, log_id)
        if old.status is Status.CANCELLED:
            return Sent(standing=_standing(old), is_sandbox=is_sandbox)
        try:
            standing = await self._store.cancel(log_id, now=self._clock.now())
        except IllegalOrder as illegal:
            if illegal.status is Status.CANCELLED:  # somebody else was a little faster
                return Sent(standing=replace(_standing(old), status=Status.CANCELLED), is_sandbox=is_sandbox)
            raise GuvercinError(Code.NOT_CANCELLABLE, log_id=log_id) from None
        return Sent(standing=standing, is_sandbox=is_sandbox)

    async def cancel_reference(self, token: Token, reference: str) -> int:
        """Withdraw everything of a reference that has not left; answers how many."""
        return await self._store.cancel_reference(reference.strip(), token.rules.account_ids, now=self._clock.now())

    async def give_up(self, token: Token, log_id: int) -> Sent:
        """Call a message in doubt failed, because its owner waits for no evidence any more; NOT_CANCELLABLE otherwise.

        A receipt that comes all the same still says the truth. Giving up twice is no error.
        """
        old, is_sandbox = await self.message(token, log_id)
        if old.status is Status.FAILED and old.reason is Code.GIVEN_UP:
            return Sent(standing=_standing(old), is_sandbox=is_sandbox)
        try:
            standing = await self._store.give_up(log_id, Code.GIVEN_UP, now=self._clock.now())
        except IllegalOrder:
            raise GuvercinError(Code.NOT_CANCELLABLE, log_id=log_id) from None
        return Sent(standing=standing, is_sandbox=is_sandbox)

    async def release(self, token: Token, log_id: int) -> Sent:
        """Put a held message back in line."""
        _, is_sandbox = await self.message(token, log_id)
        return Sent(standing=await self._store.release(log_id, now=self._clock.now()), is_sandbox=is_sandbox)

    # -- reading

    async def message(self, token: Token, log_id: int) -> tuple[Message, bool]:
        """Answer a message, and whether the sandbox carries it."""
        found = await self._store.message(log_id)
        if found is None or not token.sees(found.account_id):
            raise GuvercinError(Code.NOT_FOUND)
        return found, await self.accounts.is_sandbox(found.account_id)

    async def history(self, token: Token, log_id: int) -> History:
        """Answer a message with its attempts and events."""
        found, is_sandbox = await self.message(token, log_id)
        attempts = await self._store.attempts(log_id)
        events = await self._store.events(log_id)
        return History(message=found, is_sandbox=is_sandbox, attempts=attempts, events=events)

    async def asker(self, log_id: int) -> int:
        """Answer the id of the token that asked for a message. NOT_FOUND. Whoever asks has seen the message."""
        return await self._store.token_of(log_id)

    async def messages(self, token: Token, wanted: MessageFilter, *, limit: int, below: int | None) -> Page:
        """Answer a page of the messages that this token sees."""
        seen = replace(wanted, account_ids=token.rules.account_ids)
        return await self._store.messages(seen, limit=limit, below=below)

    async def events_after(self, cursor: int, *, limit: int) -> Sequence[Event]:
        """Answer what happened after an event, oldest first. Codes and ids alone: who asks looks the rest up."""
        return await self._store.events_after(cursor, limit=limit)

    async def last_event_id(self) -> int:
        """Answer the cursor of the newest event."""
        return await self._store.last_event_id()

    # -- files

    async def upload(self, token: Token, stream: BinaryIO, name: str) -> Upload:
        """Keep an uploaded file for a week; its id stands where a path would."""
        self._check_open()
        file = await self._files.from_upload(stream, name)
        upload_id = self._rng.randbytes(16).hex()
        await self._store.keep_upload(upload_id, token.id, file, now=self._clock.now())
        return Upload(id=upload_id, name=file.name, media_type=file.media_type, size=file.size)

    async def _file(self, token: Token, asked: FilePath | UploadedFile, name: str | None) -> File:
        if isinstance(asked, FilePath):
            return await self._files.from_path(asked.path, name)
        kept = await self._store.upload(asked.id)
        if kept is None or kept.token_id != token.id or not self._files.spool.has(kept.file.digest):
            raise GuvercinError(Code.FILE_NOT_OPENED, faults=(FieldFault("file_id", Code.FILE_NOT_OPENED.value),))
        return kept.file if name is None else self._files.renamed(kept.file, name)

    # -- operations

    async def ready(self) -> Readiness:
        """Say whether messages can be accepted now: what a write found out less than a second ago."""
        if self._is_closing:
            return Readiness(is_ready=False, troubles=(Code.CLOSING.value,))
        return await self._pulse.feel()

    async def figures(self) -> Figures:
        """Answer what those who watch over the whole want to see beside the queues."""
        alerts = [alert for alert in await self._store.alerts() if alert.told_at is not None]
        uses = {account.id: await self.outlook.use(account) for account in await self.accounts.live()}
        return Figures(
            lags=await self._store.hook_lags(),
            tally=self.hooks.tally,
            alerts=alerts,
            unwritten=self._store.waiting,
            limits={account_id: use.limits for account_id, use in uses.items() if use is not None},
        )

    async def depths(self) -> Sequence[Depth]:
        """Answer every account's queue at a glance."""
        return await self._store.depths()

    def now(self) -> datetime:
        """Answer the time that this gateway lives by."""
        return self._clock.now()

    def close(self) -> None:
        """Accept nothing more and send waiting callers away with what is known."""
        self._is_closing = True
        self._waiting.dismiss()
        self.hooks.dismiss()
        for act in self._at_close:
            act()

    def when_closing(self, act: Callable[[], None]) -> None:
        """Call `act` when nothing more is accepted: whoever keeps callers of its own lets them go."""
        self._at_close.append(act)

    # -- inside

    def _check_open(self) -> None:
        if self._is_closing:
            raise GuvercinError(Code.CLOSING, retry_after=timedelta(seconds=10))

    def heard(self, committed: Committed) -> None:
        """Hear what a commit changed."""
        for standing in committed.standings:
            self._waiting.tell(standing)
        if committed.lines:
            self.accounts.forget()
        self.hooks.heard()

    def _max_text(self, account: Account) -> int:
        transport = self._sessions.transport(account.id)
        return _MAX_TEXT if transport is None else transport.features.max_text

    def _quota(self, token: Token, now: datetime) -> Quota | None:
        if token.rules.per_day is None:
            return None
        local = now.astimezone(self._timezone)
        tomorrow = local.date() + timedelta(days=1)
        midnight = datetime.combine(tomorrow, time.min, self._timezone)
        return Quota(limit=token.rules.per_day, day=local.date().isoformat(), renews_in=midnight.astimezone(UTC) - now)


async def _each_path(lines: Sequence[BatchLine], take: Callable[[str], Awaitable[T]]) -> dict[str, T | Code]:
    """Answer what became of each path of a batch: what `take` answered, or why it could not.

    Each path is opened once, a few at a time.
    """
    turns = asyncio.Semaphore(_FILES_AT_ONCE)
    found: dict[str, T | Code] = {}

    async def one(path: str) -> None:
        async with turns:
            try:
                found[path] = await take(path)
            except GuvercinError as refusal:
                if refusal.code not in _OF_ONE_FILE:
                    raise
                found[path] = refusal.code

    paths = dict.fromkeys(line.file_path for line in lines if line.file_path is not None)
    async with asyncio.TaskGroup() as group:
        for path in paths:
            group.create_task(one(path))
    return found


def _as_accepted(batch_id: int, token: Token, account: Account, drafts: Sequence[Draft], now: datetime) -> BatchView:
    """Answer a batch as it was just stored."""
    counts = Counter(Status.QUEUED if draft.reason is None else Status.FAILED for draft in drafts)
    planned = sum(draft.reason is None and draft.due_at is not None for draft in drafts)
    batch = Batch(
        id=batch_id,
        account_id=account.id,
        token_id=token.id,
        category=drafts[0].category,
        total=len(drafts),
        created_at=now,
    )
    is_sandbox = account.kind is Kind.SANDBOX
    return BatchView(batch=batch, counts=Counts(counts, planned), finish_at=None, is_sandbox=is_sandbox)


def _declaration(ask: AskBatch, lines: Sequence[BatchLine]) -> EventKind | None:
    """Answer what is to be recorded of a bulk that sounds like advertising and isn't sent as such.

    DECLARATION_NEEDED: its sender was shown that and has not said that it is none.
    """
    if not any(line.draft.warning is Code.SOUNDS_COMMERCIAL for line in lines):
        return None
    if ask.is_declared is None:
        return EventKind.BATCH_SOUNDS_COMMERCIAL
    if not ask.is_declared:
        raise GuvercinError(Code.DECLARATION_NEEDED)
    return EventKind.BATCH_DECLARED


def _with_file(draft: Draft, found: File | Code | None) -> Draft:
    match found:
        case None:
            return draft
        case File():
            return replace(draft, content=replace(draft.content, file=found))
        case _:
            return replace(draft, reason=found)


def _repeat(draft: Draft, ask: Ask, *, since: datetime | None) -> Repeat:
    """Answer how to recognise a request that was made before, on whichever side of its planned time that was."""
    other = None
    if ask.planned_at is not None and since is not None:
        if draft.due_at is None:  # its time has come since
            other = fingerprint(replace(draft, due_at=ask.planned_at), ask), since
        else:  # its time had come: the wall clock was set back since, and nothing else is of an hour still to come
            other = fingerprint(replace(draft, due_at=None), ask), max(since, ask.planned_at - _TICK)
    return Repeat(fingerprint=fingerprint(draft, ask), since=since, other=other)


def _key_row(key: IdempotencyKey | None) -> KeyRow | None:
    return None if key is None else KeyRow(method=key.method, path=key.path, key=key.key, body_hash=key.body_hash)


def _again(old: Message, now: datetime, known: Mapping[int, Category]) -> Draft:
    rules = rules_of(old.category, known)
    return Draft(
        account_id=old.account_id,
        recipient=old.recipient,
        recipient_name=old.recipient_name,
        content=old.content,
        category=old.category,
        lane=Lane.SINGLE,
        priority=priority(rules.level, Lane.SINGLE),
        expires_at=now + rules.lifetime,
        reference=old.reference,
        resend_of=old.id,
        warning=old.warning,
        variables=old.variables,
    )


def _standing(message: Message) -> Standing:
    return Standing(
        id=message.id,
        account_id=message.account_id,
        batch_id=message.batch_id,
        status=message.status,
        reason=message.reason,
        remote_id=message.remote_id,
        waits_for=message.waits_for,
    )
