"""A bulk before it is sent: the list, its columns, the text, and what would become of every row.

Laws
1. A draft is never changed: every step keeps a new one, so a second tab and the way back show what they showed.
2. Nothing is sent before somebody has said yes to the number of messages that the button names.
3. The draft's id is the key that makes it start once, however often the button is pressed.
"""

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import orjson
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from guvercin.core.errors import Code, FieldFault, GuvercinError
from guvercin.core.folding import fold
from guvercin.core.recipients import Columns, Person, read_person
from guvercin.core.template import BrokenTemplate, known_values, read_template
from guvercin.gateway.lists import CustomerList
from guvercin.gateway.rehearsal import Fate, Rehearsal, Verdict
from guvercin.gateway.requests import Ask, AskBatch, AskRecipient, IdempotencyKey
from guvercin.gateway.sheets import LARGEST_FILE
from guvercin.locale.codes import WORDS
from guvercin.locale.faults import fault_sentence
from guvercin.panel.bulk import BULK
from guvercin.panel.desk import desk_of, form_of, typed, viewer_of
from guvercin.panel.sending import LONGEST_TEXT
from guvercin.panel.shell import back, errors_of, kinds, show

NEW, DRAFT = f"{BULK}/yeni", f"{BULK}/taslak"
LIMIT = LARGEST_FILE + 1_000_000
_FIRST_ROWS = 5
_MOST_SHOWN = 50
_NONE = "-"
_NAMES = {"text": "mesaj", "account_id": "hesap", "category": "tur", "file": "dosya", "phone": "telefon"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A draft as it is kept. `lines`: each row's number in the file and its cells; `heads` empty: it has none.

    `phone` and `name` are places of columns; -1 for a name that no column has.
    """

    file: str
    heads: Sequence[str]
    lines: Sequence[tuple[int, Sequence[str]]]
    phone: int
    name: int
    text: str = ""
    account_id: int | None = None
    category: int = 10

    @property
    def columns(self) -> Columns:
        """Answer which column is what."""
        variables = {fold(head): place for place, head in enumerate(self.heads) if fold(head)}
        name = self.name if self.name >= 0 else None
        return Columns(phone=self.phone, name=name, variables=variables, has_heads=bool(self.heads))

    def people(self) -> Sequence[Person]:
        """Read the rows."""
        seen: dict[str, int] = {}
        columns = self.columns
        return [read_person(number, cells, columns, seen) for number, cells in self.lines]

    def places(self) -> Sequence[str]:
        """Answer what a text may be filled with."""
        found = [fold(head).replace(" ", "_") for head in self.heads if fold(head)]
        return list(dict.fromkeys([*(["isim"] if self.name >= 0 else []), *found]))


def _pack(kept: Kept) -> bytes:
    return orjson.dumps({name: getattr(kept, name) for name in Kept.__slots__})


def _unpack(raw: bytes) -> Kept:
    found = orjson.loads(raw)
    if "lines" not in found:  # the API's own draft has another form
        raise GuvercinError(Code.NOT_FOUND)
    return Kept(**found)


# -- 1: the list


async def show_new(request: Request) -> Response:
    """Ask for a list."""
    return await show(request, "toplu-yeni.html", errors={}, given={}, largest=LARGEST_FILE)


async def read(request: Request) -> Response:
    """Read an uploaded file or pasted numbers, and keep them as a draft."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    file, pasted = form.get("dosya"), typed(form, "numaralar")
    given = {"numaralar": pasted}
    try:
        if isinstance(file, UploadFile) and file.filename:
            name = file.filename[:100]
            found = await desk.gateway.lists.read(file.file, {})
        elif pasted.strip():
            name = ""
            lines = pasted.replace(",", "\n") if ";" not in pasted else pasted
            found = await desk.gateway.lists.read(io.BytesIO(f"telefon;isim\n{lines}".encode()), {})
        else:
            errors = {"dosya": viewer.say("Choose a file, or paste numbers below.")}
            return await show(request, "toplu-yeni.html", status=422, errors=errors, given=given, largest=LARGEST_FILE)
        draft_id, _ = await desk.gateway.lists.keep(viewer.token, _pack(_kept(name, found)))
    except GuvercinError as refusal:
        where = "dosya" if isinstance(file, UploadFile) and file.filename else "numaralar"
        errors = errors_of(viewer.say, refusal, file=where, columns=where)
        if "form" in errors:
            errors[where] = errors.pop("form")
        return await show(request, "toplu-yeni.html", status=422, errors=errors, given=given, largest=LARGEST_FILE)
    return back(f"{DRAFT}/{draft_id}/sutunlar" if found.heads and name else f"{DRAFT}/{draft_id}")


def _kept(name: str, found: CustomerList) -> Kept:
    columns = found.columns
    if not found.heads:
        lines = [(person.line, [person.typed, person.name or ""]) for person in found.people]
        return Kept(file=name, heads=(), lines=lines, phone=0, name=1)
    keys = [fold(head) for head in found.heads]
    lines = [(person.line, [person.variables.get(key, "") for key in keys]) for person in found.people]
    at = columns.name if columns.name is not None else -1
    return Kept(file=name, heads=found.heads, lines=lines, phone=columns.phone, name=at)


async def _find(request: Request) -> Kept:
    raw = await desk_of(request).gateway.lists.find(viewer_of(request).token, request.path_params["draft_id"])
    return _unpack(raw)


# -- 2: the columns


async def show_columns(request: Request) -> Response:
    """Show the first rows, and what each column is taken for."""
    return await _columns_page(request, await _find(request))


async def _columns_page(
    request: Request, kept: Kept, *, status: int = 200, errors: Mapping[str, str] | None = None
) -> Response:
    return await show(
        request,
        "toplu-sutunlar.html",
        status=status,
        errors=errors or {},
        kept=kept,
        first=kept.lines[:_FIRST_ROWS],
        draft_id=request.path_params["draft_id"],
        places=[fold(head).replace(" ", "_") for head in kept.heads],
    )


async def choose(request: Request) -> Response:
    """Keep what the columns are."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    kept = await _find(request)
    roles = [typed(form, f"sutun-{place}") for place in range(len(kept.heads))]
    if roles.count("telefon") != 1:
        errors = {"sutun": viewer.say("Which column is the phone? Choose exactly one.")}
        return await _columns_page(request, kept, status=422, errors=errors)
    name = roles.index("isim") if "isim" in roles else -1
    chosen = replace(kept, phone=roles.index("telefon"), name=name)
    draft_id, _ = await desk.gateway.lists.keep(viewer.token, _pack(chosen))
    return back(f"{DRAFT}/{draft_id}")


# -- 3: the text and the check


async def show_check(request: Request) -> Response:
    """Show the text, who would get it, and how it would read."""
    return await _check_page(request, await _find(request))


async def check(request: Request) -> Response:
    """Keep the text and look everything through again."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    kept = replace(
        await _find(request),
        text=typed(form, "mesaj"),
        account_id=int(typed(form, "hesap")) if typed(form, "hesap").isdecimal() else None,
        category=int(typed(form, "tur")) if typed(form, "tur").isdecimal() else 10,
    )
    draft_id, _ = await desk.gateway.lists.keep(viewer.token, _pack(kept))
    return back(f"{DRAFT}/{draft_id}")


async def _check_page(
    request: Request, kept: Kept, *, status: int = 200, errors: Mapping[str, str] | None = None
) -> Response:
    desk, viewer = desk_of(request), viewer_of(request)
    people = kept.people()
    told, found = dict(errors or {}), None
    if kept.text.strip():
        told |= _template_errors(request, kept)
        try:
            found = await desk.gateway.rehearse(viewer.token, ask_of(kept, people), _notes(people))
        except GuvercinError as refusal:
            told |= errors_of(viewer.say, refusal, **_NAMES)
    shown = request.query_params.get("goster", "")
    good = [place for place, person in enumerate(people) if person.is_good]
    which = request.query_params.get("kisi", "1")
    at = min(max(1, int(which) if which.isdecimal() and len(which) < 6 else 1), max(1, len(good)))
    person = people[good[at - 1]] if good else None
    accounts = await desk.gateway.accounts.seen(viewer.token)
    return await show(
        request,
        "toplu-kontrol.html",
        status=status,
        errors=told,
        kept=kept,
        draft_id=request.path_params["draft_id"],
        accounts=accounts,
        account_id=kept.account_id or next((each.id for each in accounts if each.is_default), None),
        categories=(await kinds(request)).items(),
        longest=LONGEST_TEXT,
        rows=_rows(request, people, found, shown),
        shown=shown,
        counts=_counts(people, found),
        found=found,
        person=person,
        at=at,
        good=len(good),
        preview=_filled(kept.text, person) if person is not None else "",
        is_same=kept.text.strip() != "" and not read_or_none(kept.text),
        tried=request.query_params.get("denendi", ""),
        goes=found.counts[Fate.SENT] if found is not None and found.is_acceptable else 0,
    )


def ask_of(kept: Kept, people: Sequence[Person]) -> AskBatch:
    """Answer a draft as the gateway takes it."""
    return AskBatch(
        recipients=[
            AskRecipient(
                phone=person.typed if person.phone is None else person.phone.e164,
                name=person.name,
                reference=person.reference,
                variables=person.variables,
            )
            for person in people
        ],
        text=kept.text,
        is_template=True,
        body_hash=hashlib.sha256(_pack(kept)).digest(),
        category=kept.category,
        account_id=kept.account_id,
    )


def _notes(people: Sequence[Person]) -> Mapping[int, Code]:
    return {place: Code.SEVERAL_NUMBERS for place, person in enumerate(people) if person.is_first_of_several}


def _template_errors(request: Request, kept: Kept) -> dict[str, str]:
    """Say which place of the text no column fills, and which one may have been meant."""
    say = viewer_of(request).say
    try:
        slots = read_template(kept.text).slots
    except BrokenTemplate as broken:
        fault = FieldFault("text", broken.fault, {"at": broken.at})
        return {"mesaj": fault_sentence(say, fault)}
    known = {fold(place) for place in kept.places()} | {fold(place.replace("_", " ")) for place in kept.places()}
    for slot in slots:
        if slot.key not in known and slot.fallback is None:
            near = _nearest(slot.key, kept.places())
            what = say("There is no column for {place}.", place=f"{{{slot.name}}}")
            meant = say("Did you mean {place}?", place=f"{{{near}}}") if near else ""
            return {"mesaj": f"{what} {meant}".strip()}
    return {}


def _nearest(key: str, places: Sequence[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 -- for a slip alone

    return next(iter(get_close_matches(key, places, n=1, cutoff=0.6)), "")


def read_or_none(text: str) -> bool:
    """Say whether a text has places to fill: without any, everybody gets the very same."""
    try:
        return bool(read_template(text).slots)
    except BrokenTemplate:
        return True


def _filled(text: str, person: Person) -> str:
    """Answer a text as one person will read it; one that can't be read stays as it is."""
    values = known_values({**person.variables, **({"isim": person.name} if person.name else {})})
    try:
        return read_template(text).fill(values)
    except BrokenTemplate:
        return text


@dataclass(frozen=True, slots=True)
class Row:
    """One row as the check shows it: `kind` of its pill, `why` and `todo` said already."""

    line: int
    typed: str
    person: Person
    kind: str
    word: str
    why: str = ""


def _counts(people: Sequence[Person], found: Rehearsal | None) -> Mapping[str, int]:
    if found is not None:
        return {fate.value: found.counts[fate] for fate in Fate}
    repeats = sum(person.phone is not None and person.repeats is not None for person in people)
    bad = sum(person.phone is None for person in people)
    return {Fate.SENT.value: len(people) - repeats - bad, Fate.BAD.value: bad, Fate.REPEATED.value: repeats}


def _rows(request: Request, people: Sequence[Person], found: Rehearsal | None, shown: str) -> Sequence[Row]:
    viewer = viewer_of(request)
    say = viewer.say
    verdicts: Mapping[int, Verdict] = {each.place: each for each in found.verdicts} if found is not None else {}
    rows = []
    for place, person in enumerate(people):
        fate, why = Fate.SENT, ""
        if person.phone is None:
            fate = Fate.BAD
            why = fault_sentence(say, FieldFault("phone", person.fault.value if person.fault else "gecersiz"))
        elif person.repeats is not None:
            fate = Fate.REPEATED
            why = say("The same number as in row {n}. One message goes.", n=str(person.repeats))
        elif (verdict := verdicts.get(place)) is not None:
            fate, words = verdict.fate, WORDS[verdict.code]
            why = fault_sentence(say, verdict.fault) if verdict.fault is not None else say(words.detail)
        if shown in {"", fate.value}:
            kind, word = _OF_FATE.get(fate, ("wait", "skip"))
            rows.append(Row(person.line, person.typed, person, kind, word, why))
        if len(rows) >= _MOST_SHOWN:
            break
    return rows


_OF_FATE = {Fate.SENT: ("ok", "ready"), Fate.BAD: ("bad", "skip"), Fate.REPEATED: ("wait", "skip")}


# -- 4: the start


async def try_one(request: Request) -> Response:
    """Send the text of one person to the owner's own number."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    kept, draft_id = await _find(request), request.path_params["draft_id"]
    good = [person for person in kept.people() if person.is_good]
    text = _filled(kept.text, good[0]) if good else kept.text
    ask = Ask(phone=typed(form, "benim"), text=text, account_id=kept.account_id, category=kept.category)
    try:
        sent = await desk.gateway.send(viewer.token, ask, wait=timedelta(0))
    except GuvercinError as refusal:
        errors = errors_of(viewer.say, refusal, phone="benim", text="mesaj")
        return await _check_page(request, kept, status=422, errors=errors)
    return back(f"{DRAFT}/{draft_id}", denendi=str(sent.standing.id))


async def start(request: Request) -> Response:
    """Start a draft. Its id is the key: it starts once."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    kept, draft_id = await _find(request), request.path_params["draft_id"]
    if not typed(form, "izin"):
        errors = {"izin": viewer.say("Say that these people agreed to get messages from you.")}
        return await _check_page(request, kept, status=422, errors=errors)
    ask = ask_of(kept, kept.people())
    key = IdempotencyKey(method="POST", path=f"{DRAFT}/baslat", key=draft_id, body_hash=ask.body_hash)
    try:
        found = await desk.gateway.send_batch(viewer.token, ask, wait=timedelta(0), key=key)
    except GuvercinError as refusal:
        if refusal.code in {Code.CLOSING, Code.STORE_UNAVAILABLE}:
            raise
        errors = errors_of(viewer.say, refusal, **_NAMES)
        return await _check_page(request, kept, status=422, errors=errors)
    return back(f"{BULK}/{found.batch.id}")


_ONE = f"{DRAFT}/{{draft_id}}"

routes = [
    Route(NEW, show_new),
    Route(NEW, read, methods=["POST"]),
    Route(_ONE, show_check),
    Route(_ONE, check, methods=["POST"]),
    Route(f"{_ONE}/sutunlar", show_columns),
    Route(f"{_ONE}/sutunlar", choose, methods=["POST"]),
    Route(f"{_ONE}/dene", try_one, methods=["POST"]),
    Route(f"{_ONE}/baslat", start, methods=["POST"]),
]
