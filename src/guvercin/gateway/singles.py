"""Single messages on their way into the queue: sent, and sent again."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from guvercin.core.account import Account, Kind
from guvercin.core.category import Category, rules_of
from guvercin.core.errors import Code, FieldFault, GuvercinError
from guvercin.core.event import Standing
from guvercin.core.message import HELD, Draft, IllegalOrder, Lane, Message, Status, WaitsFor, priority
from guvercin.core.optout import REFUSALS
from guvercin.core.token import Token
from guvercin.gateway.accounts import Accounts
from guvercin.gateway.admission import Admission, key_row
from guvercin.gateway.categories import Categories
from guvercin.gateway.clock import Clock
from guvercin.gateway.drafting import Faults, check_phone, draft_one, fingerprint
from guvercin.gateway.messages import Messages
from guvercin.gateway.obstacles import Obstacles
from guvercin.gateway.requests import Ask, IdempotencyKey, Sent
from guvercin.gateway.uploads import Uploads
from guvercin.gateway.waiting import IN_HAND, Waiting
from guvercin.store.store import Store
from guvercin.store.verbs.accepting import Acceptance, Repeat

RETRY_GUARD = timedelta(minutes=5)

_TICK = timedelta(milliseconds=1)
"""What the store's times are rounded to."""

_WAITS_LONG = HELD | {WaitsFor.TIME}
"""What no caller is kept waiting for."""


class Singles:
    """Sends single messages: a row before a packet, then the wait of whoever asked."""

    def __init__(
        self,
        *,
        store: Store,
        admission: Admission,
        accounts: Accounts,
        categories: Categories,
        messages: Messages,
        uploads: Uploads,
        obstacles: Obstacles,
        waiting: Waiting,
        clock: Clock,
    ) -> None:
        self._store = store
        self._admission = admission
        self._accounts = accounts
        self._categories = categories
        self._messages = messages
        self._uploads = uploads
        self._obstacles = obstacles
        self._waiting = waiting
        self._clock = clock

    async def send(self, token: Token, ask: Ask, *, wait: timedelta, key: IdempotencyKey | None = None) -> Sent:
        """Accept one message, then wait up to `wait` for WhatsApp's answer.

        Raises what is wrong with the request, NO_ACCOUNT, QUEUE_FULL, STORE_UNAVAILABLE, CLOSING: nothing was stored.
        """
        self._admission.check_open()
        now = self._clock.now()
        try:
            account = await self._accounts.for_message(token, ask.account_id)
            draft = await self._draft(token, ask, account, now)
        except GuvercinError:
            before = await self._admission.before(token, key)
            if before is None:
                raise
            return await self._sent(before, None, wait)
        guard = now - RETRY_GUARD if token.rules.guards_retries else None
        accepted = await self._admission.patiently(
            self._store.accept(
                draft,
                token_id=token.id,
                now=now,
                key=key_row(key),
                repeat=_repeat(draft, ask, since=guard),
                quota=self._admission.quota(token, now),
            )
        )
        return await self._sent(accepted, account, wait)

    async def _draft(self, token: Token, ask: Ask, account: Account, now: datetime) -> Draft:
        """Answer the row that a request asks for. Raises what is wrong with it."""
        faults = Faults()
        # The file last: whatever else is wrong is told without opening anything.
        known, max_text = await self._categories.known(), self._admission.max_text(account)
        draft = draft_one(ask, account, token, known=known, now=now, max_text=max_text, file=None, faults=faults)
        (draft,) = self._admission.mannered([draft], account, rules_of(ask.category, known), ask.lifetime, now)
        if ask.file is None:
            return draft
        file = await self._uploads.file(token, ask.file, ask.file_name)
        return replace(draft, content=replace(draft.content, file=file))

    async def _sent(self, accepted: Acceptance, account: Account | None, wait: timedelta) -> Sent:
        """Wait for what becomes of an accepted message. `account`: whose it must be, if it is a new one."""
        standing = accepted.standing
        if standing is None:  # the key belongs to a batch: another path would have another key
            raise GuvercinError(Code.KEY_MISMATCH)
        if account is None or standing.account_id != account.id:  # a replay, and its account has changed since
            account = await self._accounts.any(standing.account_id) or account
        standing = await self._wait_for(standing, wait)
        obstacle = await self._obstacles.of(standing) if wait else None  # who doesn't wait isn't sent away early
        return Sent(
            standing=standing,
            is_sandbox=account is not None and account.kind is Kind.SANDBOX,
            waits_for=None if obstacle is None else obstacle.why,
            waits_until=None if obstacle is None else obstacle.until,
            replayed=accepted.replayed,
            repeated=accepted.repeated,
        )

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
                    obstacle = await self._obstacles.of(now)
                    return obstacle is not None and (obstacle.until is None or obstacle.until > end)
            return now.status not in IN_HAND

        if not await self._obstacles.stands_still(standing.account_id, end):
            await self._waiting.for_message(standing.id, wait, look)
        await look()
        return now

    async def resend(self, token: Token, log_id: int, *, wait: timedelta, key: IdempotencyKey | None = None) -> Sent:
        """Send a message again as a new row that names the old one; a row in doubt is settled by it.

        MESSAGES_WAITING while the old row may still leave by itself; FILE_NOT_OPENED when its file is no longer kept.
        """
        self._admission.check_open()
        old, _ = await self._messages.one(token, log_id)
        now = self._clock.now()
        try:
            account = await self._accounts.for_message(token, old.account_id)
            self._check_resend(old)
            known = await self._categories.known()
            (draft,) = self._admission.mannered(
                [_again(old, now, known)], account, rules_of(old.category, known), None, now
            )
            accepted = await self._store.resend(
                old.id, draft, token_id=token.id, now=now, key=key_row(key), quota=self._admission.quota(token, now)
            )
        except IllegalOrder:
            raise GuvercinError(Code.MESSAGES_WAITING, log_id=old.id) from None
        except GuvercinError:
            before = await self._admission.before(token, key)
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
        if old.content.file is not None and not self._uploads.keeps(old.content.file):
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
        account, known = await self._accounts.any(old.account_id), await self._categories.known()
        if account is None:
            return
        (again,) = self._admission.mannered(
            [_again(old, now, known)], account, rules_of(old.category, known), None, now
        )
        try:
            await self._store.resend(old.id, again, token_id=owner, now=now, key=None, quota=None, only_in_doubt=True)
        except GuvercinError as refusal:
            if refusal.code not in REFUSALS:
                raise
            await self._store.give_up(old.id, Code.GIVEN_UP, now=now)  # its recipient wants no more of it


def _repeat(draft: Draft, ask: Ask, *, since: datetime | None) -> Repeat:
    """Answer how to recognise a request that was made before, on whichever side of its planned time that was."""
    other = None
    if ask.planned_at is not None and since is not None:
        if draft.due_at is None:  # its time has come since
            other = fingerprint(replace(draft, due_at=ask.planned_at), ask), since
        else:  # its time had come: the wall clock was set back since, and nothing else is of an hour still to come
            other = fingerprint(replace(draft, due_at=None), ask), max(since, ask.planned_at - _TICK)
    return Repeat(fingerprint=fingerprint(draft, ask), since=since, other=other)


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
