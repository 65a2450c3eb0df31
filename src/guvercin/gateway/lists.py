"""Lists of customers that somebody gave us: read, and kept for a day as the request that they are to become.

Laws
1. A list is read in a thread, few at a time: the loop that sends waits for no spreadsheet. So is a bulk request, one
   at a time: thousands of lines fill memory and keep the interpreter busy.
2. A draft belongs to the token that made it; for all others it isn't there.
3. A draft sends nothing. It is started by its id, which is also the key that makes it start once.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random  # noqa: TID251 -- the type alone: chance comes in as an argument
from types import MappingProxyType
from typing import BinaryIO, TypeVar

from guvercin.core.errors import Code, FieldFault, GuvercinError
from guvercin.core.recipients import Columns, Person, UnknownColumn, choose_columns, read_person
from guvercin.core.token import Token
from guvercin.gateway.clock import Clock
from guvercin.gateway.sheets import LARGEST_FILE, Sheet, UnreadableSheet, read_sheet
from guvercin.store.store import Store
from guvercin.store.verbs.uploads import DraftInShort

T = TypeVar("T")

DRAFTS_KEPT = timedelta(hours=24)

LARGEST_DRAFT = 16_000_000
"""Bytes of a request: twice as many as toplu-gonder takes, for twice as many people."""

_READ_AT_ONCE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerList:
    """A list that was read. `heads`: its first line as written, empty for a list without one.

    `is_scarred`: its letters look as if Turkish had been saved in a wrong encoding.
    """

    heads: Sequence[str]
    columns: Columns
    people: Sequence[Person]
    is_scarred: bool


_GUESSED: Mapping[str, str] = MappingProxyType({})


def read_list(raw: bytes, chosen: Mapping[str, str] = _GUESSED) -> CustomerList:
    """Read the bytes of an Excel or CSV file; `chosen` names columns by their heads (`phone`, `name`, `reference`).

    Raises UNREADABLE_LIST with the fault, and the field that it is about.
    """
    sheet = _open(raw)
    first = sheet.lines[0].cells
    try:
        columns = choose_columns(first, [line.cells for line in sheet.lines[1:]], **chosen)
    except UnknownColumn as unknown:
        raise _unreadable("columns", "sutun_yok", name=unknown.head[:100]) from unknown
    if columns is None:
        raise _unreadable("file", "telefon_sutunu_yok")
    seen: dict[str, int] = {}
    body = sheet.lines[1:] if columns.has_heads else sheet.lines
    if not body:
        raise _unreadable("file", "bos_liste")
    people = [read_person(line.number, line.cells, columns, seen) for line in body]
    return CustomerList(
        heads=first if columns.has_heads else (), columns=columns, people=people, is_scarred=sheet.is_scarred
    )


def _open(raw: bytes) -> Sheet:
    try:
        return read_sheet(raw)
    except UnreadableSheet as unreadable:
        raise _unreadable("file", unreadable.fault.value) from unreadable


def _unreadable(where: str, fault: str, **params: str) -> GuvercinError:
    return GuvercinError(Code.UNREADABLE_LIST, faults=(FieldFault(where, fault, params),))


class Lists:
    """The lists of one business, until they are started or a day has passed."""

    def __init__(self, *, store: Store, clock: Clock, rng: Random) -> None:
        self._store = store
        self._clock = clock
        self._rng = rng
        self._turns = asyncio.Semaphore(_READ_AT_ONCE)
        self._requests = asyncio.Semaphore(1)

    async def read(self, stream: BinaryIO, chosen: Mapping[str, str]) -> CustomerList:
        """Read an uploaded list. Raises as `read_list`."""
        async with self._turns:
            return await asyncio.to_thread(lambda: read_list(stream.read(LARGEST_FILE + 1), chosen))

    async def aside(self, work: Callable[[], T]) -> T:
        """Do something with every line of a bulk request, after whoever came before; answers what it answers."""
        async with self._requests:
            return await asyncio.to_thread(work)

    async def open(self, stream: BinaryIO) -> Sheet:
        """Answer the rows of an uploaded list as they are, before anybody says which column is what.

        Raises as `read`.
        """
        async with self._turns:
            return await asyncio.to_thread(lambda: _open(stream.read(LARGEST_FILE + 1)))

    async def keep(self, token: Token, request: bytes) -> tuple[str, datetime]:
        """Keep a request that is not made yet; answers its id and until when it is kept. BODY_TOO_LARGE."""
        if len(request) > LARGEST_DRAFT:
            raise GuvercinError(Code.BODY_TOO_LARGE, params={"limit": f"{LARGEST_DRAFT // 1_000_000} MB"})
        draft_id = self._rng.randbytes(16).hex()
        now = self._clock.now()
        await self._store.keep_draft(draft_id, token.id, request, now=now)
        return draft_id, now + DRAFTS_KEPT

    async def waiting(self, token: Token, path: str) -> Sequence[DraftInShort]:
        """Answer a token's drafts that are still kept, but for those that were started by a request to `path`."""
        return await self._store.drafts(token.id, since=self._clock.now() - DRAFTS_KEPT, path=path)

    async def find(self, token: Token, draft_id: str) -> bytes:
        """Answer the request of a draft. NOT_FOUND."""
        kept = await self._store.draft(draft_id)
        if kept is None or kept.token_id != token.id or kept.created_at <= self._clock.now() - DRAFTS_KEPT:
            raise GuvercinError(Code.NOT_FOUND)
        return kept.request
