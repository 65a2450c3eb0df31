"""From the rows of a customer list to people who can be written to: which column is what, and what is wrong where.

Laws
1. Nobody is guessed at: of several numbers in a cell the first mobile one is taken and that is told; a number that
   lost digits is refused.
2. Every row gets one verdict; good ones, bad ones and repeated ones add up to all of them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from guvercin.core.folding import fold
from guvercin.core.phone import InvalidPhone, Phone, PhoneFault, PhoneKind, parse_phone

PHONE_HEADS = (
    "telefon",
    "cep telefonu",
    "telefon no",
    "telefon numarasi",
    "cep tel",
    "cep",
    "gsm",
    "gsm no",
    "whatsapp",
    "mobil",
    "tel",
    "tel no",
    "telnrs1",
    "phone",
    "mobile",
    "numara",
    "no",
)
NAME_HEADS = (
    "isim",
    "ad soyad",
    "adi soyadi",
    "musteri adi",
    "cari adi",
    "cari unvan",
    "unvan",
    "unvani",
    "musteri",
    "yetkili",
    "ad",
    "adi",
    "name",
)
SURNAME_HEADS = ("soyad", "soyadi", "surname")
REFERENCE_HEADS = ("referans", "fatura no", "belge no", "cari kodu", "cari kod", "kod", "reference")
"""As folded, the surest first: beside «telefon», «no» only counts the rows."""

_BETWEEN_NUMBERS = re.compile(r"[;,|/\n]|\s-\s")
_AS_FLOAT = re.compile(r"(?<=[0-9]{9})[.,]0+$")
"""What other programs make of a column of numbers: 905321234567.0, with all its digits."""

_LOOKED_AT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which column is what, by place from 0. `variables`: folded head of every column -> its place."""

    phone: int
    name: int | None = None
    surname: int | None = None
    reference: int | None = None
    variables: Mapping[str, int] = field(default_factory=dict)
    has_heads: bool = True


def guess_columns(first: Sequence[str], sample: Sequence[Sequence[str]]) -> Columns | None:
    """Read the heads, or find the column of numbers in a list without them; null when no column looks like numbers."""
    heads = [fold(cell) for cell in first]
    phone = _place(heads, PHONE_HEADS)
    if phone is not None and not _is_number(first[phone]):
        name, surname = _place(heads, NAME_HEADS), _place(heads, SURNAME_HEADS)
        reference = _place(heads, REFERENCE_HEADS)
        variables = {head: place for place, head in enumerate(heads) if head}
        return Columns(phone=phone, name=name, surname=surname, reference=reference, variables=variables)
    rows = [first, *sample[:_LOOKED_AT]]
    width = max(len(row) for row in rows)
    share = [sum(_is_number(_cell(row, place)) for row in rows) for place in range(width)]
    best = max(range(width), key=lambda place: (share[place], -place))
    if share[best] * 2 < len(rows):
        return None
    has_heads = not _is_number(_cell(first, best)) and len(rows) > 1
    variables = {fold(cell): place for place, cell in enumerate(first) if has_heads and fold(cell)}
    name = next((place for place in range(width) if place != best), None)
    return Columns(phone=best, name=name, variables=variables, has_heads=has_heads)


class UnknownColumn(ValueError):  # noqa: N818 -- what was chosen
    """A column was chosen by a head that the list doesn't have."""

    def __init__(self, head: str) -> None:
        super().__init__(head)
        self.head = head


def choose_columns(
    first: Sequence[str],
    sample: Sequence[Sequence[str]],
    *,
    phone: str | None = None,
    name: str | None = None,
    reference: str | None = None,
) -> Columns | None:
    """Take the columns that a person chose by their heads, and guess the others. Null as `guess_columns`.

    Raises UnknownColumn.
    """
    guessed = guess_columns(first, sample)
    if phone is None and name is None and reference is None:
        return guessed
    heads = [fold(cell) for cell in first]
    phone_at = guessed.phone if phone is None and guessed is not None else None
    if phone is not None:
        phone_at = _chosen(heads, phone)
    if phone_at is None:
        return None
    base = guessed or Columns(phone=phone_at)
    name_at = base.name if name is None else _chosen(heads, name)
    return Columns(
        phone=phone_at,
        name=None if name_at == phone_at and name is None else name_at,
        surname=base.surname if name is None else None,
        reference=base.reference if reference is None else _chosen(heads, reference),
        variables={head: place for place, head in enumerate(heads) if head},
    )


def _chosen(heads: Sequence[str], head: str) -> int:
    folded = fold(head)
    if not folded or folded not in heads:
        raise UnknownColumn(head)
    return heads.index(folded)


def _place(heads: Sequence[str], known: Sequence[str]) -> int | None:
    return next((heads.index(name) for name in known if name in heads), None)


def _cell(row: Sequence[str], place: int | None) -> str:
    return row[place].strip() if place is not None and place < len(row) else ""


def _is_number(text: str) -> bool:
    try:
        return _several(text)[0] is not None
    except InvalidPhone:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One row: whom it names and what is wrong or doubtful about it.

    `fault` is a PhoneFault; `repeats` the line of the row that has the same number; `is_first_of_several` when the cell
    held more numbers than the one that was taken.
    """

    line: int
    typed: str
    phone: Phone | None = None
    fault: PhoneFault | None = None
    repeats: int | None = None
    is_first_of_several: bool = False
    name: str | None = None
    reference: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        """Say whether this row would be sent to."""
        return self.phone is not None and self.repeats is None


def read_person(line: int, cells: Sequence[str], columns: Columns, seen: dict[str, int]) -> Person:
    """Read one row. `seen` remembers which line brought a number first."""
    typed = _cell(cells, columns.phone)
    name = " ".join(filter(None, (_cell(cells, columns.name), _cell(cells, columns.surname)))) or None
    person = Person(
        line=line,
        typed=typed,
        name=name,
        reference=_cell(cells, columns.reference) or None,
        variables={head: value for head, place in columns.variables.items() if (value := _cell(cells, place))},
    )
    try:
        phone, is_first = _several(typed)
    except InvalidPhone as invalid:
        return replace(person, fault=invalid.fault)
    first = seen.setdefault(phone.e164, line)
    return replace(person, phone=phone, is_first_of_several=is_first, repeats=first if first != line else None)


def _several(typed: str) -> tuple[Phone, bool]:
    """Read a cell's number; of several the first mobile one, else the first good one, and say that there were more."""
    typed = _AS_FLOAT.sub("", typed)
    try:
        return parse_phone(typed), False
    except InvalidPhone as invalid:
        if invalid.fault is not PhoneFault.SEVERAL:
            raise
    found: list[Phone] = []
    for part in _BETWEEN_NUMBERS.split(typed):
        try:
            found.append(parse_phone(part))
        except InvalidPhone:
            continue
    if not found:
        raise InvalidPhone(PhoneFault.SEVERAL)
    return next((phone for phone in found if phone.kind is PhoneKind.MOBILE), found[0]), True
