"""People's rights, over SQL: what each verb promises stands in store/verbs/rights.py."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial

from guvercin.core.audit import ALL, Chain, Entry, Sought
from guvercin.core.rights import Destruction, Dossier, Forgotten, Hold
from guvercin.store import auditing, rights
from guvercin.store.sql.database import Database


class SqlRights(Database):
    """See guvercin.store.verbs.rights.Rights."""

    async def dossier(self, phone: str) -> Dossier:
        return await self._read(partial(rights.dossier, phone=phone))

    async def tell_of_export(self, phone: str, *, now: datetime) -> None:
        await self._writer.do(lambda tx: rights.tell(tx, phone, now=now))

    async def forget_person(self, phone: str, *, now: datetime) -> Forgotten:
        return await self._writer.do(lambda tx: rights.forget(tx, phone, now=now))

    async def digests_in_use(self, digests: Collection[str]) -> frozenset[str]:
        return await self._read(partial(rights.digests_in_use, digests=digests))

    async def hold_person(self, phone: str, why: str | None, *, now: datetime) -> Hold:
        return await self._writer.do(lambda tx: rights.hold(tx, phone, why, now=now))

    async def let_person_go(self, phone: str, *, now: datetime) -> bool:
        return await self._writer.do(lambda tx: rights.let_go(tx, phone, now=now))

    async def audit(self, *, limit: int, below: int | None, sought: Sought = ALL) -> Sequence[Entry]:
        return await self._read(partial(auditing.page, limit=limit, below=below, sought=sought))

    async def audit_actors(self) -> Mapping[int, str]:
        return await self._read(auditing.actors)

    async def audit_chain(self, *, at_most: int | None) -> Chain | None:
        return await self._read(partial(auditing.chain, at_most=at_most))

    async def destructions(self, *, limit: int, below: int | None) -> Sequence[Destruction]:
        return await self._read(partial(rights.destructions, limit=limit, below=below))
