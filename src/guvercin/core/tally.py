"""How many messages of a day stand where: what charts and the first page are drawn from."""

from dataclasses import dataclass
from datetime import date

from guvercin.core.errors import Code
from guvercin.core.message import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCount:
    """`n` messages that were accepted on `day` (the business's own date) and stand in one status for one reason."""

    day: date
    account_id: int
    category: int
    token_id: int
    status: Status
    reason: Code | None
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HourCount:
    """`n` messages that were accepted in an hour (from 0) of a day and stand in one status."""

    hour: int
    status: Status
    n: int
