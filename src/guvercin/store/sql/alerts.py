"""Alerts, over SQL: what each verb promises stands in store/verbs/alerts.py."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from guvercin.core.alert import Alert, Judgement
from guvercin.store import alerts
from guvercin.store.sql.database import Database


class SqlAlerts(Database):
    """See guvercin.store.verbs.alerts.Alerts."""

    async def alerts(self) -> Sequence[Alert]:
        return await self._read(alerts.every)

    async def stopped_batches(self) -> Sequence[tuple[int, str]]:
        return await self._read(alerts.stopped_batches)

    async def keep_alerts(self, judgement: Judgement, *, now: datetime) -> None:
        await self._writer.do(lambda tx: alerts.keep(tx, judgement, now=now))

    async def alert_place(self, channel: str) -> int:
        place = await self._read(partial(alerts.place, channel=channel))
        return await self._writer.do(lambda tx: alerts.begin(tx, channel)) if place is None else place

    async def alert_carried(self, channel: str, upto: int) -> None:
        await self._writer.do(lambda tx: alerts.carried(tx, channel, upto))
