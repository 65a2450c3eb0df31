"""The official holidays of Türkiye, as far as they are known: days on which nobody is written to about debts.

The feasts follow the moon and are published years ahead; the dates stand here so that nothing is loaded or asked for
them. A test compares every day with the `holidays` library. Years after the last one know the fixed days alone.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from types import MappingProxyType

FIXED: Mapping[tuple[int, int], str] = MappingProxyType(
    {
        (1, 1): "Yılbaşı",
        (4, 23): "Ulusal Egemenlik ve Çocuk Bayramı",
        (5, 1): "Emek ve Dayanışma Günü",
        (5, 19): "Atatürk'ü Anma, Gençlik ve Spor Bayramı",
        (7, 15): "Demokrasi ve Millî Birlik Günü",
        (8, 30): "Zafer Bayramı",
        (10, 29): "Cumhuriyet Bayramı",
    },
)
"""By month and day (Law 2429)."""

RAMAZAN = tuple(
    map(
        date.fromisoformat,
        (
            "2025-03-30",
            "2026-03-20",
            "2027-03-09",
            "2028-02-26",
            "2029-02-14",
            "2030-02-04",
            "2031-01-24",
            "2032-01-14",
            "2033-01-02",
            "2033-12-23",
            "2034-12-12",
            "2035-12-01",
        ),
    )
)
"""First days of the Ramazan Bayramı, which lasts three."""

KURBAN = tuple(
    map(
        date.fromisoformat,
        (
            "2025-06-06",
            "2026-05-27",
            "2027-05-16",
            "2028-05-05",
            "2029-04-24",
            "2030-04-13",
            "2031-04-02",
            "2032-03-22",
            "2033-03-11",
            "2034-03-01",
            "2035-02-18",
        ),
    )
)
"""First days of the Kurban Bayramı, which lasts four."""

KNOWN_UNTIL = 2035
"""The last year whose feasts are known."""

_DAY = timedelta(days=1)


def is_holiday(day: date) -> bool:
    """Say whether a day is a whole holiday."""
    return (day.month, day.day) in FIXED or day in _feasts()


def is_eve(day: date) -> bool:
    """Say whether a day is half a holiday: from 13:00 on, before a feast and before the Cumhuriyet Bayramı."""
    return (day.month, day.day) == (10, 28) or day + _DAY in _firsts()


@lru_cache(maxsize=1)
def _firsts() -> frozenset[date]:
    return frozenset((*RAMAZAN, *KURBAN))


@lru_cache(maxsize=1)
def _feasts() -> frozenset[date]:
    long = ((first, 3) for first in RAMAZAN), ((first, 4) for first in KURBAN)
    return frozenset(first + _DAY * number for feasts in long for first, days in feasts for number in range(days))
