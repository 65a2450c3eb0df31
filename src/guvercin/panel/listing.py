"""A list of customers on its way through the wizard: its rows as they were given, and what its columns are.

Laws
1. The rows are kept once, as a draft of the person who gave them. What is decided about them travels in the form.
2. A row is judged by the same eyes as everywhere (core/recipients.py, gateway/rehearsal.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from guvercin.core.errors import Code, FieldFault, GuvercinError
from guvercin.core.folding import fold
from guvercin.core.recipients import Columns, Person, guess_columns, read_person
from guvercin.gateway.sheets import Line, Sheet
from guvercin.locale import sentence

PHONE, NAME, SURNAME, REFERENCE, VARIABLE, IGNORED = "telefon", "isim", "soyad", "referans", "degisken", "yok"

ROLES: Mapping[str, str] = {
    PHONE: sentence("Phone"),
    NAME: sentence("Name"),
    SURNAME: sentence("Surname"),
    REFERENCE: sentence("Reference"),
    VARIABLE: sentence("A value of its own"),
    IGNORED: sentence("Leave out"),
}
"""What a column may be: the form's word, and ours."""

LONGEST_PLACE = 100
"""Letters of a head that a text can mean."""

_SAMPLE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The rows of a list. `heads` is empty for one without a first line of heads; `lines` are its people.

    `text`: the message to begin with, for the copy of a bulk.
    """

    name: str
    heads: Sequence[str]
    lines: Sequence[Line]
    is_scarred: bool
    text: str = ""

    @property
    def width(self) -> int:
        """Answer the number of columns."""
        return max((len(line.cells) for line in self.lines), default=0) or len(self.heads)

    def head(self, place: int) -> str:
        """Answer the head of a column; empty if it has none."""
        return self.heads[place] if place < len(self.heads) else ""

    def guess(self) -> Sequence[str]:
        """Answer what each column seems to be."""
        lines = [line.cells for line in self.lines[:_SAMPLE]]
        found = guess_columns(self.heads or lines[0], lines if self.heads else lines[1:])
        known: dict[int | None, str] = {}
        if found is not None:
            known = {found.reference: REFERENCE, found.surname: SURNAME, found.name: NAME, found.phone: PHONE}
        return [known.get(place, VARIABLE if fold(self.head(place)) else IGNORED) for place in range(self.width)]

    def columns(self, roles: Sequence[str]) -> Columns:
        """Answer which column is what. One of them must be the phone."""

        def place(role: str) -> int | None:
            return roles.index(role) if role in roles else None

        variables = {
            fold(self.head(at)): at
            for at, role in enumerate(roles)
            if role != IGNORED and fold(self.head(at)) and len(self.head(at)) <= LONGEST_PLACE
        }
        return Columns(
            phone=roles.index(PHONE),
            name=place(NAME),
            surname=place(SURNAME),
            reference=place(REFERENCE),
            variables=variables,
            has_heads=bool(self.heads),
        )

    def people(self, roles: Sequence[str]) -> Iterator[Person]:
        """Read the rows as people, one by one."""
        columns, seen = self.columns(roles), dict[str, int]()
        for line in self.lines:
            yield read_person(line.number, line.cells, columns, seen)


def listing_of(sheet: Sheet, name: str) -> Listing:
    """Answer a list that was read. Its first line is a head unless it holds a number. UNREADABLE_LIST without rows."""
    first, rest = sheet.lines[0].cells, [line.cells for line in sheet.lines[1 : _SAMPLE + 1]]
    found = guess_columns(first, rest)
    has_heads = found.has_heads if found is not None else len(sheet.lines) > 1
    if has_heads and not rest:
        raise GuvercinError(Code.UNREADABLE_LIST, faults=(FieldFault("file", "bos_liste"),))
    return Listing(
        name=name,
        heads=first if has_heads else (),
        lines=sheet.lines[1:] if has_heads else sheet.lines,
        is_scarred=sheet.is_scarred,
    )


def place_name(head: str) -> str:
    """Answer a head as a text names it: «Son Ödeme Tarihi» is `son_odeme_tarihi`."""
    return fold(head).replace(" ", "_")


def pack(listing: Listing) -> bytes:
    """Write a list down."""
    return orjson.dumps(
        {
            "dosya": listing.name,
            "basliklar": listing.heads,
            "satirlar": [(line.number, line.cells) for line in listing.lines],
            "bozuk_harf": listing.is_scarred,
            "mesaj": listing.text,
        },
    )


def unpack(kept: bytes) -> Listing:
    """Read a list that was written down. KeyError for what is no list of the wizard's."""
    told = orjson.loads(kept)
    return Listing(
        name=told["dosya"],
        heads=tuple(told["basliklar"]),
        lines=tuple(Line(number=number, cells=tuple(cells)) for number, cells in told["satirlar"]),
        is_scarred=told["bozuk_harf"],
        text=told.get("mesaj", ""),
    )
