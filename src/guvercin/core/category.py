"""The categories of messages (the wire's `tur_id`): how long each may wait and how urgent it is.

Only 1, 5 and 10 are fixed by the contract; the rest is a preset for Turkish small businesses. An unknown id is kept as
given and follows the rules of GENERAL, with a warning on the record.

Laws
1. What a preset is (its code, its name, whether it is commercial) stays; how it is sent (quiet hours, lifetime,
   urgency) its owner may change.
2. An owner's own categories have the ids of OWN; nothing about them is fixed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from guvercin.core.message import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One kind of message. `lifetime` is how long it may wait in line; `name` is Turkish, as its users call it."""

    id: int
    code: str
    name: str
    is_commercial: bool
    keeps_quiet_hours: bool
    lifetime: timedelta
    level: Level


def _preset(id_: int, code: str, name: str, hours: int, level: Level, *, commercial: bool, quiet: bool) -> Category:
    return Category(
        id=id_,
        code=code,
        name=name,
        is_commercial=commercial,
        keeps_quiet_hours=quiet,
        lifetime=timedelta(hours=hours),
        level=level,
    )


GENERAL = _preset(10, "genel", "Genel", 24, Level.NORMAL, commercial=False, quiet=False)

CATEGORIES: Mapping[int, Category] = MappingProxyType(
    {
        category.id: category
        for category in (
            _preset(1, "fatura", "Fatura", 48, Level.NORMAL, commercial=False, quiet=False),
            _preset(2, "teklif", "Teklif / proforma", 48, Level.NORMAL, commercial=False, quiet=True),
            _preset(3, "siparis", "Sipariş durumu", 12, Level.HIGH, commercial=False, quiet=False),
            _preset(4, "teslimat", "Sevk / teslimat", 6, Level.HIGH, commercial=False, quiet=False),
            _preset(5, "bakiye", "Bakiye / borç hatırlatma", 24, Level.LOW, commercial=False, quiet=True),
            _preset(6, "tahsilat", "Tahsilat alındı makbuzu", 24, Level.NORMAL, commercial=False, quiet=False),
            _preset(7, "ekstre", "Cari ekstre / mutabakat", 48, Level.LOW, commercial=False, quiet=True),
            _preset(8, "randevu", "Randevu", 12, Level.HIGH, commercial=False, quiet=False),
            _preset(9, "kampanya", "Kampanya / kutlama / duyuru", 24, Level.LOWEST, commercial=True, quiet=True),
            GENERAL,
        )
    },
)

LARGEST_ID = 999_999

OWN = range(11, 100)
"""The ids that an owner may give to categories of their own."""


def with_kept(kept: Iterable[Category]) -> Mapping[int, Category]:
    """Answer every category by id, in order: the presets, with what the owner keeps laid over them."""
    known = dict(CATEGORIES) | {category.id: category for category in kept}
    return MappingProxyType(dict(sorted(known.items())))


def rules_of(category_id: int, known: Mapping[int, Category]) -> Category:
    """Answer the rules that a category id follows; an unknown id follows those of GENERAL."""
    return known.get(category_id) or known[GENERAL.id]
