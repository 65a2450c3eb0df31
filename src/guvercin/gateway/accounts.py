"""The accounts of the business: which a token sees, which a message takes, and what their owner decides about them.

Laws
1. What a token can't see does not exist for it: NOT_FOUND, never «forbidden».
2. Removed accounts are known for their messages' sake and for nothing else.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

from guvercin.core.account import Account, IllegalLineOrder, Kind, LineOrder, Manners
from guvercin.core.errors import Code, FieldFault, GuvercinError
from guvercin.core.pacing import CLOUD_PACE, NO_RULES, SANDBOX_PACE, WEB_BOUNDS, Pace
from guvercin.core.presets import WEB_PACE
from guvercin.core.token import Token
from guvercin.gateway.clock import Clock
from guvercin.gateway.drafting import Faults, check_word
from guvercin.gateway.meta import Meta
from guvercin.gateway.paces import changed_pace, is_about_pace
from guvercin.gateway.recent import Recent
from guvercin.gateway.requests import AccountChange, CloudAsk, MannersChange, NewAccount
from guvercin.gateway.sessions import Sessions
from guvercin.store.store import Store

SANDBOX_PHONE = "+905000000000"
LONGEST_ACCOUNT_NAME = 100
LONGEST_TITLE = 120
LONGEST_GUARD = timedelta(days=30)

_BEGINNINGS: Mapping[Kind, tuple[str | None, Pace]] = MappingProxyType(
    {Kind.SANDBOX: (SANDBOX_PHONE, SANDBOX_PACE), Kind.WEB: (None, WEB_PACE)},
)
"""The number and the pace that a new account of each kind begins with; null until a phone is linked."""

_FRESH = 1.0
"""Seconds for which the list of accounts is believed without being told of a change."""


class Accounts:
    """One business's accounts. `reaches_nobody`: linked phones lead to a test server, and may keep no rules."""

    def __init__(
        self, *, store: Store, sessions: Sessions, meta: Meta, clock: Clock, reaches_nobody: bool = False
    ) -> None:
        self._reaches_nobody = reaches_nobody
        self._store = store
        self._sessions = sessions
        self._meta = meta
        self._clock = clock
        self._recent: Recent[None, Sequence[Account]] = Recent(
            lambda _: store.accounts(), clock=clock, fresh=_FRESH, most=1
        )

    def forget(self) -> None:
        """Read the accounts anew when they are next asked for: something about them has changed."""
        self._recent.forget(None)

    # -- looking

    async def live(self) -> Sequence[Account]:
        """Answer all accounts that were not removed, for those who watch over the whole."""
        return [account for account in await self._recent.get(None) if account.removed_at is None]

    async def any(self, account_id: int) -> Account | None:
        """Answer an account, removed ones among them."""
        return next((account for account in await self._recent.get(None) if account.id == account_id), None)

    async def is_sandbox(self, account_id: int) -> bool:
        """Say whether an account is carried by the sandbox."""
        account = await self.any(account_id)
        return account is not None and account.kind is Kind.SANDBOX

    async def seen(self, token: Token) -> Sequence[Account]:
        """Answer the accounts that this token sees."""
        return [account for account in await self.live() if token.sees(account.id)]

    async def one(self, token: Token, account_id: int) -> Account:
        """Answer one account. NOT_FOUND."""
        for account in await self.seen(token):
            if account.id == account_id:
                return account
        raise GuvercinError(Code.NOT_FOUND)

    async def for_message(self, token: Token, account_id: int | None) -> Account:
        """Answer the account that a message takes: the named one, or the default. NOT_FOUND, NO_ACCOUNT."""
        if account_id is not None:
            return await self.one(token, account_id)
        chosen = next((account for account in await self.seen(token) if account.is_default), None)
        # Once a phone is linked, a message that names no account is meant for people, not for the simulator.
        if chosen is None or (chosen.kind is Kind.SANDBOX and any(map(_is_real, await self.live()))):
            raise GuvercinError(Code.NO_ACCOUNT)
        return chosen

    # -- deciding

    async def add(self, token: Token, new: NewAccount) -> Account:
        """Add an account. A token limited to some accounts can't: it would not see it. NOT_ALLOWED.

        A Cloud account's set-up is tried on Meta first: INVALID_FIELD, META_UNREACHABLE.
        """
        if token.rules.account_ids is not None:
            raise GuvercinError(Code.NOT_ALLOWED)
        name = _checked_name(new.name)
        if new.kind is Kind.CLOUD:
            return await self._add_cloud(name, new.cloud)
        phone, pace = _BEGINNINGS[new.kind]
        if new.kind is Kind.WEB and self._reaches_nobody:
            pace = replace(pace, rules=NO_RULES)
        added = await self._store.add_account(name, new.kind, phone, pace, now=self._clock.now())
        self.forget()
        return added

    async def _add_cloud(self, name: str, ask: CloudAsk | None) -> Account:
        setup, number = await self._meta.checked(ask)
        added = await self._store.add_account(name, Kind.CLOUD, number.phone, CLOUD_PACE, now=self._clock.now())
        self._meta.keep(added.id, setup)
        try:
            return await self._redialled(added.id)
        except GuvercinError as refusal:
            if refusal.code is not Code.ELSEWHERE:  # there it is dialled as any new one
                raise
            return added

    async def _redialled(self, account_id: int) -> Account:
        """Let a line begin anew with its new set-up, if it is wanted."""
        self.forget()
        account = await self.any(account_id)
        if account is not None and account.is_enabled:
            for order in (LineOrder.DISABLE, LineOrder.ENABLE):
                await self._sessions.order(account_id, order)
            self.forget()
            account = await self.any(account_id)
        if account is None:
            raise GuvercinError(Code.NOT_FOUND)
        return account

    async def change(self, token: Token, account_id: int, change: AccountChange) -> Account:
        """Rename an account, change its pace, what happens to messages in doubt, or a Cloud account's set-up."""
        account = await self.one(token, account_id)
        if change.cloud is not None and account.kind is not Kind.CLOUD:
            raise GuvercinError(Code.UNSUPPORTED, faults=(FieldFault("cloud", Code.UNSUPPORTED.value),))
        setup = None if change.cloud is None else (await self._meta.checked(change.cloud, account_id))[0]
        name = None if change.name is None else _checked_name(change.name)
        bounds = WEB_BOUNDS if account.kind is Kind.WEB and not self._reaches_nobody else None
        pace = changed_pace(account, change, bounds) if is_about_pace(change) else None
        changed = await self._store.change_account(
            account_id, now=self._clock.now(), name=name, pace=pace, on_unknown=change.on_unknown
        )
        if change.manners is not None:
            manners = _changed_manners(account.manners, change.manners)
            changed = await self._store.set_manners(account_id, manners, now=self._clock.now())
        self.forget()
        if setup is None:
            return changed
        self._meta.keep(account_id, setup)
        return await self._redialled(account_id)

    async def remove(self, token: Token, account_id: int) -> Code | None:
        """Remove an account, its session and all; MESSAGES_WAITING while it has unfinished rows.

        STILL_ON_PHONE is no refusal: it was done, but the phone could not be told.
        """
        await self.one(token, account_id)
        is_told = await self._sessions.remove(account_id)
        self._meta.forget(account_id)
        self.forget()
        return None if is_told else Code.STILL_ON_PHONE

    async def make_default(self, token: Token, account_id: int) -> Account:
        """Make an account the one that messages without hesap_id take.

        A token limited to some accounts can't: the messages of all the others would leave from its own.
        """
        await self.one(token, account_id)
        if token.rules.account_ids is not None:
            raise GuvercinError(Code.NOT_ALLOWED)
        account = await self._store.set_default(account_id, now=self._clock.now())
        self.forget()
        return account

    async def pause(self, token: Token, account_id: int) -> Account:
        """Stop an account's line. Messages are still accepted, and wait."""
        return await self._order(token, account_id, LineOrder.DISABLE)

    async def resume(self, token: Token, account_id: int) -> Account:
        """Start an account's line again."""
        return await self._order(token, account_id, LineOrder.ENABLE)

    async def _order(self, token: Token, account_id: int, order: LineOrder) -> Account:
        await self.one(token, account_id)
        with suppress(IllegalLineOrder):  # already as its owner wants it
            await self._sessions.order(account_id, order)
        self.forget()
        return await self.one(token, account_id)


def _is_real(account: Account) -> bool:
    return account.kind is not Kind.SANDBOX and account.phone is not None


def _checked_name(name: str) -> str:
    faults = Faults()
    checked = check_word(faults, name, "name", LONGEST_ACCOUNT_NAME)
    if checked is None:
        faults.add(Code.INVALID_FIELD, "name", "bos")
    faults.check()
    return checked or name


def _changed_manners(manners: Manners, change: MannersChange) -> Manners:
    faults = Faults()
    title, guard = change.sender_title, change.repeat_guard
    if title is not None:
        title = check_word(faults, title, "sender_title", LONGEST_TITLE)
    if guard is not None and not timedelta(0) <= guard <= LONGEST_GUARD:
        faults.add(
            Code.INVALID_FIELD, "repeat_guard_hours", "aralik", wanted=f"0–{LONGEST_GUARD // timedelta(hours=1)}"
        )
    faults.check()
    return Manners(
        keeps_notices=manners.keeps_notices if change.keeps_notices is None else change.keeps_notices,
        sender_title=manners.sender_title if change.sender_title is None else title,
        repeat_guard=manners.repeat_guard if guard is None else guard or None,
    )
