"""A plan for a bulk looked through: its text against its rows, and each row in words.

Laws
1. Every row is in one group; the groups add up to all rows, and the first of them is what would be sent.
2. A text is never half right: a place that no column fills is told, with the one that may have been meant.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from typing import Any

from starlette.datastructures import FormData

from guvercin.core.errors import Code, FieldFault
from guvercin.core.folding import fold
from guvercin.core.recipients import Person
from guvercin.core.template import BrokenTemplate, Template, known_values, read_template
from guvercin.gateway.rehearsal import Fate, Rehearsal, Verdict
from guvercin.gateway.requests import AskBatch, AskRecipient
from guvercin.locale import Translator, sentence
from guvercin.locale.codes import WORDS
from guvercin.locale.faults import fault_sentence
from guvercin.panel.desk import typed
from guvercin.panel.listing import NAME, PHONE, Listing

SENT, BAD, REPEATED, REFUSED = "gonderilecek", "hatali", "mukerrer", "istemiyor"
GROUPS: Mapping[str, str] = {
    SENT: sentence("to be sent"),
    BAD: sentence("left out"),
    REPEATED: sentence("repeated"),
    REFUSED: sentence("want no messages"),
}

ONCE_EACH = (PHONE, NAME, "soyad", "referans")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was decided until now."""

    listing: Listing
    roles: Sequence[str]
    text: str

    @property
    def places(self) -> Mapping[str, str]:
        """Answer what the text can name: folded name -> as it is written."""
        named = {key: key.replace(" ", "_") for key in self.listing.columns(self.roles).variables}
        return ({NAME: NAME} if NAME in self.roles else {}) | named


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A plan looked through. `slip` is about the text; `asked` holds every row; `blanks`: place -> rows without it."""

    plan: Plan
    people: Sequence[Person]
    verdicts: Mapping[int, Verdict]
    found: Rehearsal
    asked: AskBatch
    template: Template | None
    slip: str
    blanks: Mapping[str, int]

    @property
    def counts(self) -> Mapping[str, int]:
        """Answer the rows by group; they add up to all of them."""
        return {group: sum(self.group(at) == group for at in range(len(self.people))) for group in GROUPS}

    def group(self, place: int) -> str:
        """Answer what becomes of a row."""
        verdict = self.verdicts.get(place)
        if verdict is None:
            return SENT
        return REFUSED if verdict.code is Code.OPTED_OUT else verdict.fate.value

    @property
    def good(self) -> Sequence[int]:
        """Answer the places of the rows that are sent to."""
        return [place for place in range(len(self.people)) if self.group(place) == SENT]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row as the table shows it. `kind` is its pill's: ok, wait or bad."""

    line: int
    number: str
    typed: str
    name: str
    kind: str
    word: str
    why: str


def with_fallback(text: str, key: str, say: Translator) -> str:
    """Answer a text in which a place says what stands there if a row has nothing for it."""
    if not key:
        return text
    try:
        template = read_template(text)
    except BrokenTemplate:
        return text
    for slot in template.slots:
        if slot.key == key and slot.fallback is None:
            word = say("dear customer") if key == NAME else "–"
            text = text.replace(f"{{{slot.name}}}", f"{{{slot.name}|{word}}}")
    return text


def read_text(say: Translator, text: str, places: Mapping[str, str]) -> tuple[Template | None, str]:
    """Answer a text's places, and what is wrong with them."""
    try:
        template = read_template(text)
    except BrokenTemplate as broken:
        return None, fault_sentence(say, FieldFault("text", broken.fault, {"at": broken.at}))
    unknown = next((slot for slot in template.slots if slot.key not in places and slot.fallback is None), None)
    if unknown is None:
        return template, ""
    near = get_close_matches(unknown.key, list(places), n=1, cutoff=0.5)
    name, meant = f"{{{unknown.name}}}", f"{{{places[near[0]]}}}" if near else ""
    if meant:
        return None, say("There is no column {name}. Did you mean {meant}?", name=name, meant=meant)
    return None, say("There is no column {name}.", name=name)


def recipient(person: Person) -> AskRecipient:
    """Answer a row as the gateway takes it."""
    return AskRecipient(
        phone=person.typed if person.phone is None else person.phone.e164,
        name=person.name,
        reference=person.reference,
        variables=person.variables,
    )


def values_of(person: Person) -> Mapping[str, str]:
    """Answer what fills the places of a text for one person."""
    return known_values({**person.variables, NAME: person.name or ""})


def number(text: str, otherwise: int) -> int:
    """Read a number of a form."""
    return int(text) if text.isdecimal() and len(text) < 10 else otherwise


def row(say: Translator, check: Check, place: int) -> Row:
    """Answer a row as the table shows it."""
    person, verdict = check.people[place], check.verdicts.get(place)
    group = check.group(place)
    kind, word = ("ok", say("Ready")) if group == SENT else ("bad", say("Left out"))
    if group == REPEATED:
        kind = "wait"
    return Row(
        line=person.line,
        number="" if person.phone is None else person.phone.e164,
        typed=person.typed,
        name=person.name or "",
        kind=kind,
        word=word,
        why="" if verdict is None else why(say, person, verdict),
    )


def why(say: Translator, person: Person, verdict: Verdict) -> str:
    """Answer in words what there is to say of a row."""
    if verdict.fate is Fate.REPEATED and person.repeats is not None:
        return say("The same number as in row {n}: one message goes.", n=str(person.repeats))
    if verdict.fault is not None:
        return fault_sentence(say, verdict.fault)
    words = WORDS[verdict.code]
    return say(words.detail)


def chips(plan: Plan) -> Sequence[str]:
    """Answer the places that are offered by a press: the person's own column says its name already."""
    own = {fold(plan.listing.head(place)) for place, role in enumerate(plan.roles) if role in ONCE_EACH[:3]}
    return [name for key, name in plan.places.items() if key == NAME or key not in own]


def is_same(check: Check) -> bool:
    """Say whether many people would get one and the same text."""
    return (
        bool(check.plan.text.strip())
        and check.template is not None
        and not check.template.slots
        and len(check.good) > 1
    )


def bubble(form: FormData, good: Sequence[Person], template: Template) -> Mapping[str, Any] | None:
    """Answer the message of the person that is looked at, as they will see it; null: nobody gets any."""
    if not good:
        return None
    step = {"1": 1, "-1": -1}.get(typed(form, "kisi_git"), 0)
    at = min(max(number(typed(form, "kisi"), 0) + step, 0), len(good) - 1)
    return {**_told(good[at], template), "at": at, "of": len(good)}


def first_bubble(plan: Plan, template: Template, at: int) -> Mapping[str, Any] | None:
    """Answer the message of the good row at place `at`, without reading on; null: there is none."""
    people = plan.listing.people(plan.roles)
    good = (person for person in people if person.is_good and not template.missing(values_of(person)))
    person = next(islice(good, at, None), None)
    return None if person is None else _told(person, template)


def _told(person: Person, template: Template) -> Mapping[str, str]:
    return {
        "who": person.name or "",
        "number": "" if person.phone is None else person.phone.e164,
        "text": template.fill(values_of(person)),
    }
