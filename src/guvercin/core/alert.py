"""Alerts: what the owner has to know soon, said once, repeated sparingly, and taken back once when all is well.

Laws
1. A trouble is told once it has lasted its PATIENCE, and again after AGAIN while it lasts: not each time it is seen.
2. Whatever is to be told at one moment is told together.
3. All clear is said once, when nothing that was told is left, and only after CALM: a line that comes and goes is down.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

AGAIN = timedelta(hours=24)
CALM = timedelta(seconds=60)

BACKUP_MARK = "son-yedek"
"""A file in the data folder: its time is that of the last backup."""


class AlertKind(StrEnum):
    """What may be the matter, in the wire's words."""

    LINE = "hat"
    BATCH = "toplu_durdu"
    HOOK = "webhook_kapandi"
    DISK = "disk_doluyor"
    BACKUP = "yedek_eski"


PATIENCE: Mapping[AlertKind, timedelta] = MappingProxyType(
    {
        AlertKind.LINE: timedelta(seconds=20),
        AlertKind.BATCH: timedelta(0),
        AlertKind.HOOK: timedelta(0),
        AlertKind.DISK: timedelta(seconds=20),
        AlertKind.BACKUP: timedelta(0),
    },
)
"""How long a trouble may last untold: most lines are back by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that is the matter now. `key` is the same as long as it lasts; `about` fills its sentence."""

    key: str
    kind: AlertKind
    about: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A trouble and what was said of it. `gone_since`: it is not seen any more, and that was not said yet."""

    trouble: Trouble
    since: datetime
    told_at: datetime | None = None
    gone_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is to be kept and said now: `tell` is the matter, `well` was the matter and nothing else is."""

    alerts: Sequence[Alert]
    tell: Sequence[Trouble]
    well: Sequence[Trouble]


def judge(known: Sequence[Alert], seen: Sequence[Trouble], now: datetime) -> Judgement:
    """Answer what is to be kept and said, from what was kept and what is seen now."""
    by_key = {alert.trouble.key: alert for alert in known}
    present = {trouble.key for trouble in seen}
    alerts = [_seen(by_key.get(trouble.key), trouble, now) for trouble in seen]
    alerts += [_unseen(alert, now) for alert in known if alert.trouble.key not in present and alert.told_at is not None]
    tell = [alert.trouble for alert in alerts if alert.told_at == now]
    told = [alert for alert in alerts if alert.told_at is not None]
    if told and all(alert.gone_since is not None and now - alert.gone_since >= CALM for alert in told):
        well = [alert.trouble for alert in told]
        return Judgement(alerts=[alert for alert in alerts if alert.told_at is None], tell=(), well=well)
    return Judgement(alerts=alerts, tell=tell, well=())


def _seen(before: Alert | None, trouble: Trouble, now: datetime) -> Alert:
    alert = Alert(trouble=trouble, since=now) if before is None else replace(before, trouble=trouble, gone_since=None)
    is_due = now - alert.since >= PATIENCE[trouble.kind] if alert.told_at is None else now - alert.told_at >= AGAIN
    return replace(alert, told_at=now) if is_due else alert


def _unseen(alert: Alert, now: datetime) -> Alert:
    return alert if alert.gone_since is not None else replace(alert, gone_since=now)
