"""What only Cloud accounts need: a set-up that Meta has confirmed, and the door for Meta's calls.

Laws
1. Nothing is kept that Meta doesn't know: ids and token are tried on the number before they are written.
2. Secrets go in and never come out.
3. A call is answered once everything in it is durable; who can't show that it is Meta is told nothing.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import cast

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.grant import Grant
from guvercin.gateway.drafting import Faults
from guvercin.gateway.requests import CloudAsk
from guvercin.gateway.sessions import Sessions
from guvercin.transports.base import HookFault, IsGranted, ReceivesHooks, Transport
from guvercin.transports.cloud.payloads import NumberState
from guvercin.transports.cloud.setup import Setup, Setups, Template

_NEEDED = ("number_id", "business_id", "access_token", "app_secret", "verify_token")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is no secret of a Cloud account's set-up: its ids at Meta, and the template of each category."""

    number_id: str
    business_id: str
    templates: Mapping[int, Template]


class Meta:
    """The set-ups of one business's Cloud accounts, and what Meta calls to tell."""

    def __init__(
        self, *, setups: Setups, look: Callable[[Setup], Awaitable[NumberState | Code]], sessions: Sessions
    ) -> None:
        """Take where set-ups are kept. `look` asks Meta about the number of one."""
        self._setups = setups
        self._look = look
        self._sessions = sessions

    # -- what the owner gives

    async def checked(self, ask: CloudAsk | None, account_id: int | None = None) -> tuple[Setup, NumberState]:
        """Answer the set-up that is asked for, on top of the account's own, and what Meta says of its number.

        INVALID_FIELD names what is missing or what Meta doesn't know; META_UNREACHABLE.
        """
        ask = ask or CloudAsk()
        before = None if account_id is None else self._setups.read(account_id)
        faults = Faults()
        if before is None:
            for name in _NEEDED:
                if not getattr(ask, name):
                    faults.add(Code.INVALID_FIELD, f"cloud.{name}", "zorunlu")
            faults.check()
        setup = _merged(before, ask)
        found = await self._look(setup)
        if isinstance(found, NumberState):
            return setup, found
        if found is Code.META_UNREACHABLE:
            raise GuvercinError(found)
        wrong = "number_id" if found is Code.NOT_REGISTERED else "access_token"
        faults.add(Code.INVALID_FIELD, f"cloud.{wrong}", "gecersiz")
        faults.check()
        raise GuvercinError(Code.INVALID_FIELD)

    def keep(self, account_id: int, setup: Setup) -> None:
        """Keep an account's set-up. STORE_UNAVAILABLE."""
        try:
            self._setups.write(account_id, setup)
        except OSError as trouble:
            raise GuvercinError(Code.STORE_UNAVAILABLE) from trouble

    def forget(self, account_id: int) -> None:
        """Forget the set-up of an account that is gone."""
        self._setups.remove(account_id)

    def told(self, account_id: int) -> Told | None:
        """Answer what is no secret of an account's set-up; null if there is none that can be read."""
        setup = self._setups.read(account_id)
        if setup is None:
            return None
        return Told(number_id=setup.number_id, business_id=setup.business_id, templates=setup.templates)

    def granted(self, account_id: int) -> Grant | None:
        """Answer what Meta grants an account's number now; null: it has not said yet."""
        transport: object = self._sessions.transport(account_id)
        return transport.granted() if isinstance(transport, IsGranted) else None

    # -- what Meta calls to tell

    def greet(self, account_id: int, word: str, challenge: str) -> str:
        """Answer Meta's first call to an account's address. NOT_FOUND, WRONG_SIGNATURE."""
        answer = self._door(account_id).greet(word, challenge)
        if answer is None:
            raise GuvercinError(Code.WRONG_SIGNATURE)
        return answer

    async def take(self, account_id: int, body: bytes, signature: str | None) -> None:
        """Store what a call tells. NOT_FOUND, NO_SIGNATURE, WRONG_SIGNATURE, BROKEN_JSON; what the store raises."""
        told = self._door(account_id).read(body, signature)
        if isinstance(told, HookFault):
            raise GuvercinError(_REFUSALS[told])
        await self._sessions.tell(account_id, told)

    def _door(self, account_id: int) -> ReceivesHooks:
        transport = self._sessions.transport(account_id)
        if transport is None or not _receives_hooks(type(transport)):
            raise GuvercinError(Code.NOT_FOUND)
        return cast("ReceivesHooks", transport)


@cache
def _receives_hooks(kind: type[Transport]) -> bool:
    """Say whether a kind of transport has the ability. Remembered: the question costs as much as a signature."""
    return issubclass(kind, ReceivesHooks)


_REFUSALS = {
    HookFault.CLOSED: Code.WRONG_SIGNATURE,
    HookFault.NO_SIGNATURE: Code.NO_SIGNATURE,
    HookFault.WRONG_SIGNATURE: Code.WRONG_SIGNATURE,
    HookFault.BROKEN: Code.BROKEN_JSON,
}


def _merged(before: Setup | None, ask: CloudAsk) -> Setup:
    if before is None:
        before = Setup(number_id="", business_id="", token="", app_secret="", verify_token="")
    return replace(
        before,
        number_id=ask.number_id or before.number_id,
        business_id=ask.business_id or before.business_id,
        token=ask.access_token or before.token,
        app_secret=ask.app_secret or before.app_secret,
        verify_token=ask.verify_token or before.verify_token,
        templates=before.templates if ask.templates is None else ask.templates,
    )
