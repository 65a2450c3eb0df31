"""What an owner decides about hooks, and what is told of them.

Laws
1. What a token can't see does not exist for it. A hook that a limited token makes hears of that token's accounts alone.
2. A secret is told once, when it is made, and kept sealed.
3. An address that is forbidden by itself is refused at once; where its name leads is judged at each call.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random  # noqa: TID251 -- the type alone: chance comes in as an argument

from guvercin.core.account import Account
from guvercin.core.address import ForbiddenAddress, Neighbours, read_url
from guvercin.core.call import Called
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.hook import (
    KEY_BYTES,
    CloseReason,
    Delivery,
    Heard,
    Hook,
    HookEvent,
    Notice,
    Secrets,
    Tally,
    notice_id,
    read_secret,
    write_secret,
)
from guvercin.core.token import Token
from guvercin.gateway.clock import Clock
from guvercin.gateway.couriers import PURPOSE, Couriers, headers_of, keys_of
from guvercin.gateway.drafting import Faults
from guvercin.gateway.requests import HookAsk
from guvercin.sealing import Seal, Unreadable
from guvercin.store.store import Store
from guvercin.store.verbs.hooks import NewHook

MOST_HOOKS = 50
"""Hooks that one installation has at the most: each is a loop of its own."""

_POLL = 1.0

BOTH_SIGN = timedelta(hours=24)
"""How long the secret before signs too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A delivery that was only tried: what was sent, and what came back."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    called: Called


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """One delivery, the body in which it travels, and what came back last as far as this process remembers."""

    delivery: Delivery
    body: bytes
    heard: Heard | None


class Hooks:
    """The hooks of one business."""

    def __init__(
        self,
        *,
        store: Store,
        couriers: Couriers,
        seal: Seal,
        neighbours: Neighbours,
        write_trial: Callable[[datetime], bytes],
        clock: Clock,
        rng: Random,
    ) -> None:
        """Take whom the owner allows besides the public internet, and how the body of a trial is written."""
        self._store = store
        self._couriers = couriers
        self._seal = seal
        self._neighbours = neighbours
        self._write_trial = write_trial
        self._clock = clock
        self._rng = rng
        self._waiters: set[asyncio.Event] = set()
        self._is_closing = False

    @property
    def tally(self) -> Tally:
        """Answer what the couriers of this process have done."""
        return self._couriers.tally

    # -- looking

    async def seen(self, token: Token) -> Sequence[Hook]:
        """Answer the hooks that this token sees."""
        return [hook for hook in await self._store.hooks() if hook.is_seen_by(token)]

    async def one(self, token: Token, hook_id: int) -> Hook:
        """Answer one hook. NOT_FOUND."""
        for hook in await self.seen(token):
            if hook.id == hook_id:
                return hook
        raise GuvercinError(Code.NOT_FOUND)

    async def deliveries(
        self, token: Token, hook_id: int, *, below: int | None, limit: int
    ) -> tuple[Sequence[Delivery], int]:
        """Answer a page of a hook's deliveries, newest first, and the event below which to go on (0: nowhere)."""
        return await self._store.deliveries(await self.one(token, hook_id), below=below, limit=limit)

    async def delivery(self, token: Token, hook_id: int, event_id: int) -> Carried:
        """Answer one delivery of a hook with what went and what came back. NOT_FOUND."""
        hook = await self.one(token, hook_id)
        found, _ = await self._store.deliveries(hook, below=event_id + 1, limit=1)
        if not found or found[0].notice.id != event_id or event_id < hook.first_id:
            raise GuvercinError(Code.NOT_FOUND)
        heard = self.tally.heard.get(hook.id, {}).get(event_id)
        return Carried(delivery=found[0], body=self._couriers.body_of(found[0].notice), heard=heard)

    async def tries(self) -> Mapping[int, tuple[int, int]]:
        """Answer by hook how many tries of the last 24 hours were taken, and how many not."""
        return await self._store.hook_tries(now=self._clock.now())

    async def newest(self) -> int:
        """Answer the place after everything that has happened."""
        return await self._store.last_event_id()

    async def feed(
        self, token: Token, after: int, kinds: Collection[HookEvent], *, limit: int, wait: timedelta
    ) -> tuple[Sequence[Notice], int]:
        """Answer what this token may hear of that happened after an event, and from where to go on.

        With nothing to tell it waits up to `wait`: a commit ends the wait early, and a look once a second does too.
        """
        until = self._clock.monotonic() + wait.total_seconds()
        bell = asyncio.Event()
        self._waiters.add(bell)
        try:
            while True:
                bell.clear()
                found, after = await self._store.feed(after, kinds, token.rules.account_ids, limit=limit)
                at = self._clock.monotonic()
                if found or at >= until or self._is_closing:
                    return found, after
                await self._clock.wait(min(until, at + _POLL), bell)
        finally:
            self._waiters.discard(bell)

    def heard(self) -> None:
        """Hear that something was committed: whoever waits looks again."""
        for bell in self._waiters:
            bell.set()

    def dismiss(self) -> None:
        """Let nobody wait any more."""
        self._is_closing = True
        self.heard()

    # -- deciding

    async def add(self, token: Token, ask: HookAsk, seen: Sequence[Account]) -> tuple[Hook, str]:
        """Add a hook; answers it and its secret. `seen`: the accounts that the token sees.

        NOT_FOUND: an account that the token doesn't see; INVALID_FIELD names what is wrong with address or secret.
        """
        self._check(ask, seen)
        if len(await self._store.hooks()) >= MOST_HOOKS:
            raise GuvercinError(Code.TOO_MANY_HOOKS, params={"limit": MOST_HOOKS})
        key = self._rng.randbytes(KEY_BYTES) if ask.secret is None else read_secret(ask.secret)
        new = NewHook(
            token_id=token.id,
            url=ask.url or "",
            events=ask.events or tuple(HookEvent),
            account_ids=ask.account_ids or token.rules.account_ids,
            sealed=self._sealed(key),
        )
        hook = await self._store.add_hook(new, now=self._clock.now())
        self._couriers.bell.set()
        return hook, write_secret(key)

    async def change(self, token: Token, hook_id: int, ask: HookAsk, seen: Sequence[Account]) -> Hook:
        """Change what is asked of a hook; closing and opening it is told by `is_open`. NOT_FOUND; raises as `add`."""
        hook = await self.one(token, hook_id)
        self._check(ask, seen)
        now = self._clock.now()
        if ask.url is not None or ask.events is not None or ask.account_ids is not None:
            hook = await self._store.change_hook(
                hook_id, url=ask.url, events=ask.events, account_ids=ask.account_ids, now=self._clock.now()
            )
        if ask.is_open is True and hook.closed_at is not None:
            hook = await self._store.reopen_hook(hook_id, now=now)
        if ask.is_open is False:
            hook = await self._store.close_hook(hook_id, CloseReason.OWNER, now=now)
        self._couriers.bell.set()
        return hook

    async def renew_secret(self, token: Token, hook_id: int, secret: str | None) -> tuple[Hook, str]:
        """Give a hook a new secret; the one before signs beside it for a day. NOT_FOUND, INVALID_FIELD."""
        hook = await self.one(token, hook_id)
        self._check(HookAsk(secret=secret), ())
        now = self._clock.now()
        key = self._rng.randbytes(KEY_BYTES) if secret is None else read_secret(secret)
        secrets = Secrets(sealed=self._sealed(key), before=hook.secrets.sealed, before_until=now + BOTH_SIGN)
        try:
            self._seal.open(hook.secrets.sealed, PURPOSE)
        except Unreadable:  # it came from another folder: it signs nothing any more
            secrets = Secrets(sealed=secrets.sealed)
        hook = await self._store.change_hook(hook_id, secrets=secrets, now=self._clock.now())
        self._couriers.bell.set()
        return hook, write_secret(key)

    async def remove(self, token: Token, hook_id: int) -> None:
        """Remove a hook. NOT_FOUND."""
        await self.one(token, hook_id)
        await self._store.remove_hook(hook_id, now=self._clock.now())
        self._couriers.bell.set()

    async def replay(self, token: Token, hook_id: int, event_id: int) -> None:
        """Deliver one event once more. NOT_FOUND."""
        hook = await self.one(token, hook_id)
        await self._store.replay(hook, event_id, now=self._clock.now())
        self._couriers.bell.set()

    async def replay_since(self, token: Token, hook_id: int, moment: datetime) -> None:
        """Deliver everything since a moment once more, from before the hook was made nothing. NOT_FOUND."""
        await self.one(token, hook_id)
        await self._store.replay_since(hook_id, moment)
        self._couriers.bell.set()

    async def try_out(self, token: Token, hook_id: int) -> Trial:
        """Hand over a body that tells of nothing, now and once, whatever the hook's state; answers what came back."""
        hook = await self.one(token, hook_id)
        now = self._clock.now()
        try:
            keys = keys_of(self._seal, hook.secrets, now)
        except Unreadable:
            raise GuvercinError(Code.SECRET_UNREADABLE) from None
        body = self._write_trial(now)
        name = notice_id(self._rng.randrange(2**48), "deneme")
        headers = headers_of(name, now, body, keys)
        called = await self._couriers.calls.post(hook.url, body, headers)
        return Trial(url=hook.url, headers=headers, body=body, called=called)

    # -- inside

    def _check(self, ask: HookAsk, seen: Sequence[Account]) -> None:
        if ask.account_ids is not None and not set(ask.account_ids) <= {account.id for account in seen}:
            raise GuvercinError(Code.NOT_FOUND)
        faults = Faults()
        if ask.url is not None:
            try:
                read_url(ask.url, self._neighbours)
            except ForbiddenAddress as refusal:
                faults.add(Code.INVALID_FIELD, "url", refusal.fault.value)
        if ask.secret is not None:
            try:
                read_secret(ask.secret)
            except ValueError:
                faults.add(Code.INVALID_FIELD, "secret", "gecersiz_sir")
        faults.check()

    def _sealed(self, key: bytes) -> bytes:
        try:
            return self._seal.close(key, PURPOSE)
        except OSError as trouble:
            raise GuvercinError(Code.STORE_UNAVAILABLE) from trouble
