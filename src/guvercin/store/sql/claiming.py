"""Claiming and settling, over SQL: what each verb promises stands in store/verbs/claiming.py."""

from collections.abc import Collection, Sequence
from datetime import datetime

from guvercin.core.event import Standing
from guvercin.core.grant import Allowance
from guvercin.core.message import Lane
from guvercin.core.outcome import Accepted, Deferred, Outcome, Refused
from guvercin.store import claiming, granting, messages
from guvercin.store.sql.database import Database
from guvercin.store.times import to_ms
from guvercin.store.verbs.claiming import NO_TURN, Claimed, Settlement, Turn
from guvercin.store.writer import Tx


class SqlClaiming(Database):
    """See guvercin.store.verbs.claiming.Claiming."""

    async def claim(
        self,
        account_id: int,
        lanes: Sequence[Lane],
        *,
        now: datetime,
        secret: bytes,
        draw: float,
        turn: Turn = NO_TURN,
    ) -> Claimed | None:
        self._line_ms(now)  # as in release_due: a claim releases what is due

        def work(tx: Tx) -> Claimed | None:
            if not claiming.may_claim(tx, account_id, turn):
                return None
            return claiming.claim(tx, account_id, lanes, now=now, secret=secret, draw=draw, turn=turn)

        return await self._writer.do(work)

    async def settle(
        self, message_id: int, attempt_id: int, outcome: Outcome, *, now: datetime, retry_at: datetime | None
    ) -> Standing:
        def work(tx: Tx) -> Standing:
            settled = messages.settle(tx, message_id, attempt_id, outcome, now=now, retry_at=retry_at)
            claiming.may_have_left(tx, settled.account_id, now)
            return settled

        return await self._writer.do(work)

    async def settle_and_claim(
        self,
        message_id: int,
        attempt_id: int,
        outcome: Accepted,
        lanes: Sequence[Lane],
        *,
        now: datetime,
        secret: bytes,
        draw: float,
        turn: Turn = NO_TURN,
    ) -> Claimed | None:
        self._line_ms(now)  # as in release_due: a claim releases what is due

        def work(tx: Tx) -> Claimed | None:
            settled = messages.settle(tx, message_id, attempt_id, outcome, now=now, retry_at=None)
            claimed = None
            if claiming.may_claim(tx, settled.account_id, turn):
                claimed = claiming.claim(tx, settled.account_id, lanes, now=now, secret=secret, draw=draw, turn=turn)
            if claimed is None or claimed.message is None:  # else the claim has noted this moment
                claiming.may_have_left(tx, settled.account_id, now)
            return claimed

        return await self._writer.do(work)

    async def settle_and_claim_more(
        self,
        account_id: int,
        settlements: Sequence[Settlement],
        lanes: Sequence[Lane],
        *,
        now: datetime,
        chances: Sequence[tuple[bytes, float]],
        busy: Collection[str],
        allowance: Allowance | None = None,
        turn: Turn = NO_TURN,
    ) -> Sequence[Claimed]:
        self._line_ms(now)  # as in release_due: a claim releases what is due

        def work(tx: Tx) -> Sequence[Claimed]:
            for each in settlements:
                if allowance is not None and isinstance(each.outcome, Deferred | Refused):
                    allowance.give_back(each.recipient)
                messages.settle(tx, each.message_id, each.attempt_id, each.outcome, now=now, retry_at=each.retry_at)
            claimed: Sequence[Claimed] = ()
            if lanes and claiming.may_claim(tx, account_id, turn):
                claimed = claiming.claim_more(
                    tx, account_id, lanes, now=now, chances=chances, busy=busy, allowance=allowance, turn=turn
                )
            if settlements and not any(each.message for each in claimed):
                claiming.may_have_left(tx, account_id, now)
            return claimed

        return await self._writer.do(work)

    async def take_up(self, account_id: int, allowance: Allowance, *, now: datetime) -> None:
        await self._writer.do(lambda tx: granting.take_up(tx, account_id, allowance, to_ms(now)))
