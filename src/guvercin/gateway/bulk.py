"""Lists on their way into the queue: looked through, accepted whole, and waited for."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from guvercin.core.account import Account, Kind
from guvercin.core.batch import Batch, Counts
from guvercin.core.category import rules_of
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import EventKind
from guvercin.core.message import Courtesy, Draft, File, Status
from guvercin.core.token import Token
from guvercin.gateway.accounts import Accounts
from guvercin.gateway.admission import Admission, key_row
from guvercin.gateway.batches import Batches
from guvercin.gateway.categories import Categories
from guvercin.gateway.clock import Clock
from guvercin.gateway.drafting import BatchLine, draft_batch, examine_batch
from guvercin.gateway.files import Files
from guvercin.gateway.lists import Lists
from guvercin.gateway.obstacles import Obstacles
from guvercin.gateway.outlook import Outlook
from guvercin.gateway.rehearsal import NO_NOTES, Rehearsal, foreseen, rehearse
from guvercin.gateway.requests import AskBatch, BatchView, IdempotencyKey
from guvercin.gateway.waiting import Waiting
from guvercin.store.store import Store
from guvercin.store.verbs.accepting import BatchAsk

T = TypeVar("T")

BATCH_GUARD = timedelta(minutes=10)

_FILES_AT_ONCE = 8
"""Files of one batch that are read at the same time."""

_OF_ONE_FILE = frozenset({Code.FILE_NOT_OPENED, Code.FILE_TYPE, Code.FILE_TOO_LARGE})
"""What is the matter with one file and no reason to refuse the others."""


class Bulk:
    """Sends lists, and says beforehand what would become of one."""

    def __init__(
        self,
        *,
        store: Store,
        admission: Admission,
        accounts: Accounts,
        categories: Categories,
        batches: Batches,
        lists: Lists,
        files: Files,
        outlook: Outlook,
        obstacles: Obstacles,
        waiting: Waiting,
        clock: Clock,
    ) -> None:
        self._store = store
        self._admission = admission
        self._accounts = accounts
        self._categories = categories
        self._batches = batches
        self._lists = lists
        self._files = files
        self._outlook = outlook
        self._obstacles = obstacles
        self._waiting = waiting
        self._clock = clock

    async def send(
        self, token: Token, ask: AskBatch, *, wait: timedelta, key: IdempotencyKey | None = None
    ) -> BatchView:
        """Accept a batch whole, then wait up to `wait` until it is finished. Raises as `send` does."""
        self._admission.check_open()
        taken, is_new = await self._accept(token, ask, key)
        del ask  # thousands of lines are not kept while their sender waits
        batch_id, counts = taken.batch.id, taken.counts

        account_id, end = taken.batch.account_id, self._clock.now() + wait

        async def look() -> bool:
            with suppress(GuvercinError):  # as for one message
                return (await self._store.batch_rests(batch_id)).outlasts(end)
            return False

        may_move = counts.queued and not counts.scheduled and not await self._obstacles.stands_still(account_id, end)
        if wait > timedelta(0) and may_move and (is_new or not await look()):
            await self._waiting.for_batch(batch_id, counts.queued, wait, look)
        try:
            view = await self._batches.one(token, batch_id)
        except GuvercinError:
            if not is_new:
                raise
            return taken  # trouble with reading doesn't undo it
        return replace(view, replayed=taken.replayed, repeated=taken.repeated)

    async def _accept(self, token: Token, ask: AskBatch, key: IdempotencyKey | None) -> tuple[BatchView, bool]:
        """Accept a batch; answers it as it was stored and true, or the one that its sender already has and false."""
        now = self._clock.now()
        try:
            account = await self._accounts.for_message(token, ask.account_id)
            known, max_text = await self._categories.known(), self._admission.max_text(account)
            draft = partial(draft_batch, ask, account, token, known=known, now=now, max_text=max_text)
            lines = await self._lists.aside(draft)
            note = _declaration(ask, lines)
            with_files = await self._with_files(lines)
            drafts = self._admission.mannered(with_files, account, rules_of(ask.category, known), ask.lifetime, now)
        except GuvercinError:
            before = await self._admission.before(token, key)
            if before is None or before.batch_id is None:
                raise
            return replace(await self._batches.one(token, before.batch_id), replayed=True), False
        accepted = await self._admission.patiently(
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
                key=key_row(key),
                repeats_since=now - BATCH_GUARD if token.rules.guards_retries else None,
                quota=self._admission.quota(token, now),
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
        self._admission.check_open()
        now = self._clock.now()
        account = await self._accounts.for_message(token, ask.account_id)
        known, max_text = await self._categories.known(), self._admission.max_text(account)
        look_through = partial(examine_batch, ask, account, token, known=known, now=now, max_text=max_text)
        lines = await self._lists.aside(look_through)
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
        ahead = await self._outlook.of_list(
            account,
            good,
            courtesy=Courtesy.QUIET if rules.keeps_quiet_hours else None,
            level=rules.level,
            is_of_customers=ask.is_of_customers,
            starts_at=lines[0].draft.due_at,
        )
        return foreseen(found, ahead, lifetime=ask.lifetime, starts_at=lines[0].draft.due_at, now=now)


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
