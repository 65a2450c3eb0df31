"""What people want, over SQL: what each verb promises stands in store/verbs/optouts.py."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from guvercin.core.consent import Consent, NewConsent
from guvercin.core.errors import Code
from guvercin.core.optout import NewOptOut, OptOut, OptOutScope, OptOutSource
from guvercin.store import consents, optouts, stopping
from guvercin.store.sql.database import Database


class SqlRefusals(Database):
    """See guvercin.store.verbs.optouts.Refusals."""

    async def add_opt_out(self, new: NewOptOut, *, now: datetime) -> OptOut:
        return await self._writer.do(lambda tx: optouts.add(tx, new, now=now))

    async def end_opt_outs(
        self,
        phone: str,
        *,
        accounts: frozenset[int] | None,
        account_id: int | None,
        scope: OptOutScope | None,
        by: OptOutSource,
        why: str | None = None,
        now: datetime,
    ) -> int:
        return await self._writer.do(
            lambda tx: optouts.end(
                tx, phone, accounts=accounts, account_id=account_id, scope=scope, by=by, why=why, now=now
            )
        )

    async def decide_opt_out(
        self, opt_out_id: int, scope: OptOutScope | None, *, by: OptOutSource, token_id: int, now: datetime
    ) -> OptOut | None:
        return await self._writer.do(
            lambda tx: optouts.decide(tx, opt_out_id, scope, by=by, token_id=token_id, now=now)
        )

    async def stop_words(self) -> Sequence[str]:
        return await self._read(stopping.words)

    async def set_stop_words(self, words: Sequence[str], *, now: datetime) -> None:
        await self._writer.do(lambda tx: stopping.set_words(tx, words, now=now))

    async def opt_out(self, opt_out_id: int) -> OptOut | None:
        return await self._read(partial(optouts.one, refusal_id=opt_out_id))

    async def opt_outs(
        self,
        accounts: frozenset[int] | None,
        *,
        phone: str | None = None,
        is_doubtful: bool | None = None,
        is_live: bool | None = None,
        limit: int,
        below: int | None,
    ) -> Sequence[OptOut]:
        return await self._read(
            partial(
                optouts.page,
                accounts=accounts,
                phone=phone,
                is_doubtful=is_doubtful,
                is_live=is_live,
                limit=limit,
                below=below,
            )
        )

    async def keep_consent(self, new: NewConsent, *, now: datetime) -> Consent:
        return await self._writer.do(lambda tx: consents.keep(tx, new, now=now))

    async def consents(self, *, phone: str | None = None, limit: int, below: int | None) -> Sequence[Consent]:
        return await self._read(partial(consents.page, phone=phone, limit=limit, below=below))

    async def objections(
        self, account_id: int, asked: Sequence[tuple[str, int]], *, is_direct: bool
    ) -> Sequence[Code | None]:
        return await self._read(partial(optouts.objections, account_id=account_id, asked=asked, is_direct=is_direct))
