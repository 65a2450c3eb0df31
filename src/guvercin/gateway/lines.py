"""What can be asked of one account's line: to link a phone, to let it go, to look at itself, to look a number up.

And to tell customers that they were read, and what it heard and nobody understood.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from guvercin.core.account import Account
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.log import Unclear
from guvercin.core.token import Token
from guvercin.gateway.accounts import Accounts
from guvercin.gateway.clock import Clock
from guvercin.gateway.drafting import Faults, check_phone
from guvercin.gateway.sessions import Sessions
from guvercin.store.store import Store
from guvercin.transports.base import ChecksNumbers, Link, LinkState, MarksRead, Pairs, Probes


@dataclass(frozen=True, slots=True, kw_only=True)
class Linking:
    """How the linking of an account stands. A code whose time is over is not in it."""

    account: Account
    link: Link


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a line is this moment. `is_alive`: it was asked, and takes sends."""

    account: Account
    is_alive: bool
    looked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """Whether a number (E.164) is on the network."""

    number: str
    is_registered: bool
    account: Account


class Lines:
    """The verbs of lines. Every one of them names an account that its token sees: NOT_FOUND otherwise."""

    def __init__(
        self,
        *,
        store: Store,
        sessions: Sessions,
        accounts: Accounts,
        clock: Clock,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._accounts = accounts
        self._clock = clock

    async def link(self, token: Token, account_id: int, phone: str | int | None) -> Linking:
        """Begin to link a phone: by a code typed on `phone`, or by QR codes if it is null.

        UNSUPPORTED where there is no phone to link; ALREADY_LINKED; INVALID_PHONE.
        """
        await self._accounts.one(token, account_id)
        faults = Faults()
        checked = None if phone is None else check_phone(faults, phone)
        faults.check()
        await self._sessions.pair(account_id, None if checked is None else checked.e164)
        return await self.linking(token, account_id)

    async def linking(self, token: Token, account_id: int) -> Linking:
        """Answer how linking stands. UNSUPPORTED where there is no phone to link."""
        account = await self._accounts.one(token, account_id)
        transport = await self._sessions.meet(account_id)
        if not isinstance(transport, Pairs):
            raise GuvercinError(Code.UNSUPPORTED)
        link = transport.link
        if link.state is LinkState.SHOWING and (link.valid_until is None or link.valid_until <= self._clock.now()):
            link = Link(state=LinkState.STARTING)  # the next code is on its way
        return Linking(account=account, link=link)

    async def unlink(self, token: Token, account_id: int) -> Account:
        """Log out at WhatsApp's side. UNSUPPORTED; NOT_CONNECTED: WhatsApp can't be told now."""
        await self._accounts.one(token, account_id)
        await self._sessions.unlink(account_id)
        return await self._accounts.one(token, account_id)

    async def health(self, token: Token, account_id: int) -> Health:
        """Look at a line this moment, not at what was last heard of it."""
        account = await self._accounts.one(token, account_id)
        transport = await self._sessions.meet(account_id)
        is_open = self._sessions.is_open(account_id)
        is_alive = is_open
        if isinstance(transport, Probes):
            is_alive = await transport.probe()
        return Health(
            account=await self._accounts.one(token, account_id) if is_alive is not is_open else account,
            is_alive=is_alive,
            looked_at=self._clock.now(),
        )

    async def look_up(self, token: Token, account_id: int | None, phone: str) -> Lookup:
        """Say whether a number is on the network. UNSUPPORTED where nobody can tell; NOT_CONNECTED, CHECKS_SPENT."""
        account = await self._accounts.for_message(token, account_id)
        faults = Faults()
        checked = check_phone(faults, phone)
        faults.check()
        transport = await self._sessions.meet(account.id)
        if checked is None or not isinstance(transport, ChecksNumbers):
            raise GuvercinError(Code.UNSUPPORTED)
        is_registered = await transport.is_on_network(checked.e164)
        return Lookup(number=checked.e164, is_registered=is_registered, account=account)

    async def mark_read(self, token: Token, account_id: int, remote_id: str) -> None:
        """Let a customer see that their message was read. UNSUPPORTED; NOT_CONNECTED, WHATSAPP_REFUSED."""
        await self._accounts.one(token, account_id)
        transport = await self._sessions.meet(account_id)
        if not isinstance(transport, MarksRead):
            raise GuvercinError(Code.UNSUPPORTED)
        await transport.mark_read(remote_id)

    async def unclear(self, token: Token, account_id: int, *, limit: int) -> Sequence[Unclear]:
        """Answer what the network told an account and nobody understood, the newest first."""
        await self._accounts.one(token, account_id)
        return await self._store.unclear(account_id, limit=limit)
