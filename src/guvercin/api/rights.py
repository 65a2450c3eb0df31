"""What people may ask about themselves, and who did what: export, erasure, legal holds, the audit, the destructions."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from guvercin.api import examples
from guvercin.api.answers.ground import Done
from guvercin.api.answers.rights import AuditPage, DestructionPage, DossierAnswer, ErasureAnswer, HoldAnswer
from guvercin.api.asking import cursor, read_cursor
from guvercin.api.auth import Owner
from guvercin.api.bodies import read_json, to_model
from guvercin.api.documented import BODY, CHANGES, WISHES, asks, operation_id, tells
from guvercin.api.reception import reception_of
from guvercin.api.records import next_url
from guvercin.api.render.ground import PREFIX, reply
from guvercin.api.render.rights import audit_page, destruction_page, dossier_answer, erasure_answer, hold_answer
from guvercin.api.wire.people import HoldPerson, ListEntries
from guvercin.core.errors import Code
from guvercin.locale import sentence

router = APIRouter(prefix=PREFIX, tags=WISHES, generate_unique_id_function=operation_id)


@router.get(
    "/kisiler/{telefon}",
    summary=sentence("What is held of a person"),
    description=sentence("Everything that is held of one number, for a person who asks what you know of them (KVKK)."),
    responses=tells(DossierAnswer, Code.INVALID_FIELD, Code.INVALID_PHONE, Code.QUEUE_FULL, example=examples.DOSSIER),
)
async def export_person(
    request: Request, owner: Owner, phone: Annotated[str, Path(alias="telefon", max_length=100)]
) -> Response:
    """Tell everything that is held of a number."""
    reception = reception_of(request)
    found = await reception.gateway.rights.dossier(owner, phone)
    accounts = {told.message.account_id for told in found.messages}
    sandboxes = frozenset([each for each in accounts if await reception.gateway.accounts.is_sandbox(each)])
    return reply(dossier_answer(found, reception.zone, sandboxes=sandboxes))


@router.delete(
    "/kisiler/{telefon}",
    summary=sentence("Forget a person"),
    description=sentence(
        "Destroys texts, name and number wherever they are held; what waits for the person is withdrawn. Of a refusal "
        "a keyed hash stays, so that it goes on holding. It can't be undone."
    ),
    responses=tells(
        ErasureAnswer,
        *CHANGES,
        Code.INVALID_PHONE,
        Code.IN_HAND,
        Code.ON_HOLD,
        example=examples.ERASURE,
    ),
)
async def forget_person(
    request: Request, owner: Owner, phone: Annotated[str, Path(alias="telefon", max_length=100)]
) -> Response:
    """Forget a person."""
    return reply(erasure_answer(await reception_of(request).gateway.rights.forget(owner, phone)))


@router.post(
    "/kisiler/{telefon}/saklama",
    summary=sentence("Hold a person's data"),
    description=sentence(
        "Keeps everything of a number whatever else is asked, because the law wants it (a dispute, an order of a "
        "court). Asking twice changes the note."
    ),
    openapi_extra=asks(HoldPerson, example=examples.HOLD_PERSON),
    responses=tells(HoldAnswer, *BODY, Code.INVALID_PHONE, example=examples.HOLD),
)
async def hold_person(
    request: Request, owner: Owner, phone: Annotated[str, Path(alias="telefon", max_length=100)]
) -> Response:
    """Hold a person's data."""
    asked = to_model(HoldPerson, await read_json(request))
    reception = reception_of(request)
    return reply(hold_answer(await reception.gateway.rights.hold(owner, phone, asked.reason), reception.zone))


@router.delete(
    "/kisiler/{telefon}/saklama",
    summary=sentence("End a hold"),
    description=sentence("Lets a person's data end as all other does."),
    responses=tells(Done, *CHANGES, Code.INVALID_PHONE, example=examples.DONE),
)
async def end_hold(
    request: Request, owner: Owner, phone: Annotated[str, Path(alias="telefon", max_length=100)]
) -> Response:
    """End a hold."""
    await reception_of(request).gateway.rights.let_go(owner, phone)
    return reply(Done(ok=True))


@router.get(
    "/denetim",
    summary=sentence("Who did what"),
    description=sentence(
        "Every decision with who made it, from where and when, newest first. Entries are chained; doktor looks whether "
        "one was touched."
    ),
    responses=tells(AuditPage, Code.INVALID_FIELD, example=examples.AUDIT),
)
async def audit(request: Request, owner: Owner, query: Annotated[ListEntries, Query()]) -> Response:
    """List who did what."""
    reception = reception_of(request)
    below = None if query.after is None else read_cursor(query.after)
    found = await reception.gateway.rights.audit(owner, limit=query.limit, below=below)
    after = cursor(found[-1].id) if len(found) == query.limit else None
    return reply(audit_page(found, after, reception.zone), headers=_link(request, after))


@router.get(
    "/imha",
    summary=sentence("What was destroyed"),
    description=sentence("Every destruction: when, why and how much, newest first. Nothing says of whom."),
    responses=tells(DestructionPage, Code.INVALID_FIELD, example=examples.DESTRUCTIONS),
)
async def destructions(request: Request, owner: Owner, query: Annotated[ListEntries, Query()]) -> Response:
    """List destructions."""
    reception = reception_of(request)
    below = None if query.after is None else read_cursor(query.after)
    found = await reception.gateway.rights.destructions(owner, limit=query.limit, below=below)
    after = cursor(found[-1].id) if len(found) == query.limit else None
    return reply(destruction_page(found, after, reception.zone), headers=_link(request, after))


def _link(request: Request, after: str | None) -> dict[str, str]:
    return {} if after is None else {"Link": f'<{next_url(request, after)}>; rel="next"'}
