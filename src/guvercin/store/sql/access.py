"""Access, over SQL: what each verb promises stands in store/verbs/access.py."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from guvercin.core.token import Token, TokenRules
from guvercin.store import access
from guvercin.store.sql.database import Database


class SqlAccess(Database):
    """See guvercin.store.verbs.access.Access."""

    async def create_token(self, rules: TokenRules, secret_hash: bytes, hint: str, *, now: datetime) -> Token:
        return await self._writer.do(lambda tx: access.create(tx, rules, secret_hash, hint, now=now))

    async def tokens(self) -> Sequence[Token]:
        return await self._read(access.every)

    async def token(self, secret_hash: bytes) -> Token | None:
        return await self._read(partial(access.by_hash, secret_hash=secret_hash))

    async def token_of_pass(self, secret_hash: bytes, *, now: datetime) -> Token | None:
        return await self._read(partial(access.by_pass, secret_hash=secret_hash, now=now))

    async def add_pass(self, token_id: int, secret_hash: bytes, *, until: datetime) -> None:
        await self._writer.do(lambda tx: access.add_pass(tx, token_id, secret_hash, until=until))

    async def end_pass(self, secret_hash: bytes) -> bool:
        return await self._writer.do(lambda tx: access.end_pass(tx, secret_hash))

    async def revoke_token(self, token_id: int, *, now: datetime) -> Token:
        return await self._writer.do(lambda tx: access.revoke(tx, token_id, now=now))

    async def touch_tokens(self, used: Mapping[int, datetime]) -> None:
        await self._writer.do(lambda tx: access.touch(tx, used))
