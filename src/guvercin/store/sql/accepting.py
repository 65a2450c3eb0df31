"""Accepting, over SQL: what each verb promises stands in store/verbs/accepting.py."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from guvercin.core.message import Draft
from guvercin.store import accepting, reading
from guvercin.store.sql.database import Database
from guvercin.store.verbs.accepting import Acceptance, BatchAsk, KeyRow, Quota, Repeat
from guvercin.store.writer import Tx


class SqlAccepting(Database):
    """See guvercin.store.verbs.accepting.Accepting."""

    async def accept(
        self,
        draft: Draft,
        *,
        token_id: int,
        now: datetime,
        key: KeyRow | None,
        repeat: Repeat | None,
        quota: Quota | None,
    ) -> Acceptance:
        line_ms = self._line_ms(now)

        def work(tx: Tx) -> Acceptance:
            return accepting.accept(
                tx, draft, token_id=token_id, now=now, line_ms=line_ms, key=key, repeat=repeat, quota=quota
            )

        return await self._writer.admit(work)

    async def accept_batch(
        self,
        ask: BatchAsk,
        drafts: Sequence[Draft],
        *,
        token_id: int,
        now: datetime,
        key: KeyRow | None,
        repeats_since: datetime | None,
        quota: Quota | None,
    ) -> Acceptance:
        line_ms = self._line_ms(now)

        def work(tx: Tx) -> Acceptance:
            return accepting.accept_batch(
                tx,
                ask,
                drafts,
                token_id=token_id,
                now=now,
                line_ms=line_ms,
                key=key,
                repeats_since=repeats_since,
                quota=quota,
            )

        return await self._writer.admit(work)

    async def accepted_before(self, token_id: int, key: KeyRow) -> Acceptance | None:
        return await self._read(partial(reading.accepted_before, token_id=token_id, key=key))

    async def resend(
        self,
        message_id: int,
        draft: Draft,
        *,
        token_id: int,
        now: datetime,
        key: KeyRow | None,
        quota: Quota | None,
        only_in_doubt: bool = False,
    ) -> Acceptance:
        line_ms = self._line_ms(now)

        def work(tx: Tx) -> Acceptance:
            return accepting.resend(
                tx,
                message_id,
                draft,
                token_id=token_id,
                now=now,
                line_ms=line_ms,
                key=key,
                quota=quota,
                only_in_doubt=only_in_doubt,
            )

        return await self._writer.admit(work)
