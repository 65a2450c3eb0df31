"""Lists of people before anything is sent to them: looked through, read from files, and started."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Query
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from guvercin.api import examples
from guvercin.api.answers.batches import BatchSent, BatchStanding, ListRead, ReadColumns, Rehearsed, RowVerdict
from guvercin.api.asking import ask_batch, bad
from guvercin.api.auth import BulkSender, check_permission
from guvercin.api.bodies import body_hash, read_json, to_model
from guvercin.api.documented import (
    RECORDS,
    REFUSES_LISTS,
    SENDS,
    accepts,
    asks,
    leads_to_batch,
    operation_id,
    tells,
)
from guvercin.api.reception import reception_of, visit_of
from guvercin.api.render.ground import PREFIX, clock_time, iso_time, marks, reply
from guvercin.api.whatsapp import answer_batch
from guvercin.api.wire.batches import ChosenColumns, ImportForm, SendBatch, SendList, StartList
from guvercin.core.account import Kind
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.recipients import Person
from guvercin.core.token import Permission
from guvercin.gateway.lists import CustomerList
from guvercin.gateway.rehearsal import Fate, Rehearsal, Verdict
from guvercin.gateway.requests import AskBatch, AskRecipient, IdempotencyKey
from guvercin.locale import Translator, choose_language, sentence, translator
from guvercin.locale.codes import WORDS
from guvercin.locale.faults import TEMPLATE, fault_sentence

MOST_TOLD = 1_000
"""Rows that one answer tells of."""

_MOST_FIELDS = 20
_LONGEST_NAME = 100  # of a variable: a longer head can't be meant by a text
_STARTED = f"{PREFIX}/toplu/taslak"
"""Where the keys of started drafts are kept."""

DraftId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]

_FILL = sentence("Fill the cell, or write a fallback after a bar.")

router = APIRouter(prefix=PREFIX, tags=RECORDS, generate_unique_id_function=operation_id)


@router.post(
    "/toplu/on-kontrol",
    summary=sentence("Check a list"),
    description=sentence(
        "What would become of each row of a toplu-gonder request, and how long it would take. Nothing is sent or kept."
    ),
    openapi_extra=asks(SendBatch, example=examples.SEND_BATCH),
    responses=tells(Rehearsed, *REFUSES_LISTS, example=examples.REHEARSED),
)
async def check_list(request: Request, sender: BulkSender) -> Response:
    """Look a bulk request through."""
    body = await read_json(request)
    asked = to_model(SendBatch, body)
    if asked.has_files:
        check_permission(sender, Permission.FILE)
    reception = reception_of(request)
    found = await reception.gateway.bulk.rehearse(sender, ask_batch(asked, reception.zone, body))
    lines = range(1, len(asked.recipients) + 1)
    return reply(Rehearsed(**told(request, found, lines)), headers={"Vary": "Accept-Language"})


@router.post(
    "/toplu/dosya",
    summary=sentence("Upload a list"),
    description=sentence(
        "Reads an Excel or CSV file, guesses its columns and checks it like on-kontrol. Nothing is sent: the list is "
        "kept for a day, until its taslak_id starts it."
    ),
    openapi_extra=asks(ImportForm, content_type="multipart/form-data"),
    responses=tells(ListRead, *REFUSES_LISTS, Code.UNREADABLE_LIST, example=examples.LIST_READ),
)
async def read_list(request: Request, sender: BulkSender) -> Response:
    """Read an uploaded list, look it through, and keep it as a draft."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise GuvercinError(Code.WRONG_CONTENT_TYPE)
    reception = reception_of(request)
    try:
        async with request.form(max_files=1, max_fields=_MOST_FIELDS) as form:
            file = form.get("dosya")
            if not isinstance(file, UploadFile):
                raise bad("file", "zorunlu")
            written = {name: value for name, value in form.items() if isinstance(value, str) and value}
            asked = to_model(ImportForm, {**written, "dosya": file.filename or ""})
            if asked.file_path is not None:
                check_permission(sender, Permission.FILE)
            read = await reception.gateway.lists.read(file.file, _chosen(asked.columns))
    except HTTPException:  # the form can't be read
        raise bad("file", "gecersiz") from None
    body = _request(asked, written, read.people)
    found = await reception.gateway.bulk.rehearse(
        sender,
        _ask(read.people, body, reception.zone),
        {place: Code.SEVERAL_NUMBERS for place, person in enumerate(read.people) if person.is_first_of_several},
    )
    draft_id, kept_until = None, None
    if found.is_acceptable:
        draft_id, kept_until = await reception.gateway.lists.keep(sender, orjson.dumps(body))
    answer = ListRead(
        **told(request, found, [person.line for person in read.people]),
        draft_id=draft_id,
        kept_until=kept_until and clock_time(kept_until, reception.zone),
        heads=list(read.heads),
        columns=_columns(read),
        places=sorted({*read.columns.variables, *(["isim"] if read.columns.name is not None else [])}),
        is_scarred=read.is_scarred,
    )
    return reply(answer, headers={"Vary": "Accept-Language"})


@router.post(
    "/toplu/taslak/{draft_id}/baslat",
    summary=sentence("Start a list"),
    description=sentence(
        "Makes the toplu-gonder request of a list that was uploaded. Asking twice answers the same bulk request."
    ),
    openapi_extra=asks(makes_rows=True),
    responses=leads_to_batch(
        tells(
            BatchSent | BatchStanding,
            *SENDS,
            Code.DECLARATION_NEEDED,
            Code.TOO_MANY_RECIPIENTS,
            Code.INVALID_TEMPLATE,
            Code.NO_FILE_ROOT,
            example=examples.BATCH_SENT,
        )
        | accepts(BatchSent | BatchStanding, example=examples.BATCH_STANDING)
    ),
)
async def start_list(
    request: Request, sender: BulkSender, draft_id: DraftId, query: Annotated[StartList, Query()]
) -> Response:
    """Send what was uploaded and looked through. The draft's id is the key: it starts once."""
    kept = await reception_of(request).gateway.lists.find(sender, draft_id)
    if query.is_declared is not None:
        kept = b'{"beyan":%b,' % (b"true" if query.is_declared else b"false") + kept[1:]

    def key(body: Any) -> IdempotencyKey:
        asked = {name: value for name, value in body.items() if name != "beyan"}  # declared or not, it is one list
        return IdempotencyKey(method="POST", path=_STARTED, key=draft_id, body_hash=body_hash(asked))

    return await answer_batch(request, sender, kept, key_of=key, model=SendList)


def _chosen(columns: str | None) -> dict[str, str]:
    """Answer which columns the sender chose, by what they are."""
    if columns is None:
        return {}
    try:
        asked = to_model(ChosenColumns, orjson.loads(columns))
    except (orjson.JSONDecodeError, GuvercinError):
        raise bad("columns", "gecersiz") from None
    return {role: head for role, head in asked.model_dump().items() if head}


def _request(asked: ImportForm, written: dict[str, str], people: Sequence[Person]) -> dict[str, Any]:
    """Answer the toplu-gonder request that a list comes to."""
    common: dict[str, Any] = {name: written[name] for name in _COMMON if name in written}
    if asked.is_of_customers:
        common["mevcut_musteriler"] = True
    return {"alicilar": [_line(person) for person in people], "mesaj": asked.text, "sablon": True, **common}


_COMMON = ("dosya_yolu", "tur_id", "hesap_id", "referans", "planlanan_zaman", "gecerlilik_dk")


def _line(person: Person) -> dict[str, Any]:
    line = {
        "telefon": person.typed if person.phone is None else person.phone.e164,
        "isim": person.name,
        "referans": person.reference,
        "degiskenler": {name: value for name, value in person.variables.items() if len(name) <= _LONGEST_NAME},
    }
    return {name: value for name, value in line.items() if value or name == "telefon"}


def _ask(people: Sequence[Person], body: Any, zone: tzinfo) -> AskBatch:
    """Answer the same request as the gateway takes it, a row's own faults and all."""
    shell = {**body, "alicilar": [{"telefon": ""}]}
    rows = [
        AskRecipient(
            phone=person.typed if person.phone is None else person.phone.e164,
            name=person.name,
            reference=person.reference,
            variables=person.variables,
        )
        for person in people
    ]
    return replace(ask_batch(to_model(SendBatch, shell), zone, shell), recipients=rows)


def _columns(read: CustomerList) -> ReadColumns:
    def head(place: int | None) -> str | None:
        return read.heads[place] if place is not None and place < len(read.heads) else None

    columns = read.columns
    return ReadColumns(
        phone=head(columns.phone),
        name=head(columns.name),
        surname=head(columns.surname),
        reference=head(columns.reference),
    )


def told(request: Request, found: Rehearsal, lines: Sequence[int]) -> dict[str, Any]:
    """Answer what is told of a rehearsal, in the caller's language; `lines` are the rows' numbers as people count."""
    visit_of(request).headers |= marks(is_sandbox=found.account.kind is Kind.SANDBOX)
    say = translator(choose_language(request.headers.get("accept-language")))
    zone: tzinfo = reception_of(request).zone
    return {
        "ok": True,
        "total": sum(found.counts.values()),
        "sent": found.counts[Fate.SENT],
        "bad": found.counts[Fate.BAD],
        "repeated": found.counts[Fate.REPEATED],
        "is_acceptable": found.is_acceptable,
        "sample": found.sample,
        "seconds": round(found.duration.total_seconds()),
        "finish_at": found.finish_at and clock_time(found.finish_at, zone),
        "finish_at_iso": found.finish_at and iso_time(found.finish_at, zone),
        "too_late": found.too_late,
        "account_id": found.account.id,
        "warning": found.warning,
        "rows": [_row(say, verdict, lines[verdict.place]) for verdict in found.verdicts[:MOST_TOLD]],
        "untold": max(0, len(found.verdicts) - MOST_TOLD),
        "reason": found.waits_for,
        "waits_until": found.waits_until and clock_time(found.waits_until, zone),
        "waits": [
            {"reason": word, "seconds": round(length.total_seconds())}
            for word, length in sorted(found.waits.items(), key=lambda each: -each[1])
        ],
    }


def _row(say: Translator, verdict: Verdict, line: int) -> RowVerdict:
    words, fault = WORDS[verdict.code], verdict.fault
    return RowVerdict(
        line=line,
        recipient=verdict.recipient,
        fate=verdict.fate,
        code=verdict.code,
        message=say(words.detail) if fault is None else fault_sentence(say, fault),
        remedy=say(_FILL if fault is not None and fault.fault in TEMPLATE else words.todo),
        stops_all=verdict.stops_all,
    )
