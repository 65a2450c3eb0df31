"""What people may ask about themselves, as those who run the business answer it.

Laws
1. These verbs reach across accounts: who sees only some of them may use none.
2. What a database can't forget by itself (copies of files, the sandbox's and the engines' own logs) is forgotten after
   it: a crash in between leaves what the next call, or the night, takes.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from guvercin.core.audit import ALL, Chain, Entry, Sought
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.rights import Destruction, Dossier, Forgotten, Hold
from guvercin.core.token import Token
from guvercin.gateway.clock import Clock
from guvercin.gateway.drafting import Faults, check_phone, check_word
from guvercin.gateway.files import Spool
from guvercin.store.store import Store

LONGEST_WHY = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What an erasure took. `has_traces`: unused space of the database may show some until the night's work.

    `copies`: older copies of the database that lie in the data folder and still hold the person.
    """

    forgotten: Forgotten
    files: int
    has_traces: bool
    copies: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """What of a number stands outside the database. Both block: call them in a thread."""

    forget: Callable[[str], None] = lambda _: None
    copies: Callable[[], Sequence[str]] = tuple


class Rights:
    """The rights of the people of one business."""

    def __init__(self, *, store: Store, spool: Spool, elsewhere: Elsewhere, clock: Clock) -> None:
        self._store = store
        self._spool = spool
        self._elsewhere = elsewhere
        self._clock = clock

    async def dossier(self, token: Token, phone: str) -> Dossier:
        """Answer everything that is held of a number, and write down that it was asked. NOT_ALLOWED, INVALID_PHONE."""
        number = _number(token, phone)
        found = await self._store.dossier(number)
        await self._store.tell_of_export(number, now=self._clock.now())
        return found

    async def forget(self, token: Token, phone: str) -> Erasure:
        """Forget a person. NOT_ALLOWED, INVALID_PHONE, IN_HAND, ON_HOLD."""
        number = _number(token, phone)
        began = self._clock.now()
        gone = await self._store.forget_person(number, now=began)
        files = await self._forget_files(gone.digests, began)
        await asyncio.to_thread(self._elsewhere.forget, number)
        has_traces = await self._store.scrub(now=self._clock.now())
        copies = await asyncio.to_thread(self._elsewhere.copies)
        return Erasure(forgotten=gone, files=files, has_traces=has_traces, copies=copies)

    async def _forget_files(self, digests: frozenset[str], began: datetime) -> int:
        """Remove copies of files that are nobody's any more; what was taken since then is spared."""
        if not digests:
            return 0
        free = digests - await self._store.digests_in_use(digests)
        return await asyncio.to_thread(self._spool.discard, free, taken_before=began)

    async def hold(self, token: Token, phone: str, why: str | None) -> Hold:
        """Keep everything of a number whatever else is asked. NOT_ALLOWED, INVALID_PHONE."""
        number = _number(token, phone)
        faults = Faults()
        note = check_word(faults, why, "reason", LONGEST_WHY)
        faults.check()
        return await self._store.hold_person(number, note, now=self._clock.now())

    async def let_go(self, token: Token, phone: str) -> None:
        """End a hold. NOT_FOUND; NOT_ALLOWED, INVALID_PHONE."""
        if not await self._store.let_person_go(_number(token, phone), now=self._clock.now()):
            raise GuvercinError(Code.NOT_FOUND)

    async def audit(self, token: Token, *, limit: int, below: int | None, sought: Sought = ALL) -> Sequence[Entry]:
        """Answer a page of who did what, newest first. NOT_ALLOWED."""
        _check_sees_all(token)
        return await self._store.audit(limit=limit, below=below, sought=sought)

    async def actors(self, token: Token) -> Mapping[int, str]:
        """Answer whoever stands in the audit, by token. NOT_ALLOWED."""
        _check_sees_all(token)
        return await self._store.audit_actors()

    async def chain(self, token: Token, *, at_most: int | None) -> Chain | None:
        """Look whether the audit is whole; null: it has more than `at_most` entries, and nobody looked. NOT_ALLOWED."""
        _check_sees_all(token)
        return await self._store.audit_chain(at_most=at_most)

    async def destructions(self, token: Token, *, limit: int, below: int | None) -> Sequence[Destruction]:
        """Answer a page of what was destroyed, newest first. NOT_ALLOWED."""
        _check_sees_all(token)
        return await self._store.destructions(limit=limit, below=below)


def _number(token: Token, phone: str) -> str:
    _check_sees_all(token)
    faults = Faults()
    checked = check_phone(faults, phone)
    faults.check()
    assert checked is not None  # noqa: S101 -- a fault otherwise, raised above
    return checked.e164


def _check_sees_all(token: Token) -> None:
    if token.rules.account_ids is not None:
        raise GuvercinError(Code.NOT_ALLOWED)
