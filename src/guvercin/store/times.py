"""Moments as the database keeps them: whole milliseconds since 1970, in UTC."""

from datetime import UTC, datetime, timedelta
from typing import overload

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
"""What the database counts in."""

HOUR = timedelta(hours=1) // MILLISECOND
"""An hour in the database's milliseconds."""


@overload
def to_ms(at: datetime) -> int: ...
@overload
def to_ms(at: None) -> None: ...
def to_ms(at: datetime | None) -> int | None:
    """Answer an aware moment as milliseconds."""
    return None if at is None else (at - _EPOCH) // MILLISECOND


@overload
def from_ms(ms: int) -> datetime: ...
@overload
def from_ms(ms: None) -> None: ...
def from_ms(ms: int | None) -> datetime | None:
    """Answer milliseconds as an aware moment in UTC."""
    return None if ms is None else _EPOCH + timedelta(milliseconds=ms)


DAY = 24 * HOUR
"""A day in the database's milliseconds."""
