"""The line of an account: linking a phone, letting it go, how it is, and who is on WhatsApp."""

from io import BytesIO
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from guvercin.api import examples
from guvercin.api.answers.accounts import AccountAnswer
from guvercin.api.answers.ground import Done
from guvercin.api.answers.lines import HealthAnswer, LinkAnswer, LookupAnswer, UnclearList
from guvercin.api.asking import bad
from guvercin.api.auth import AccountOwner, Reader, Sender
from guvercin.api.bodies import read_json, to_model
from guvercin.api.documented import ACCOUNTS, BODY, CHANGES, asks, operation_id, tells
from guvercin.api.manage import AccountId
from guvercin.api.reception import reception_of
from guvercin.api.render.accounts import account_record
from guvercin.api.render.ground import PREFIX, reply
from guvercin.api.render.lines import health_answer, link_answer, lookup_answer, unclear_list
from guvercin.api.wire.accounts import LinkAccount, LinkMethod, LookUp, MarkRead
from guvercin.core.errors import Code, GuvercinError
from guvercin.locale import sentence

accounts = APIRouter(prefix=f"{PREFIX}/hesaplar", tags=ACCOUNTS, generate_unique_id_function=operation_id)
numbers = APIRouter(prefix=PREFIX, tags=ACCOUNTS, generate_unique_id_function=operation_id)

_MOST_UNCLEAR = 100

_NEVER_KEPT = {"Cache-Control": "no-store"}
"""Whoever sees the code takes the account: no cache may hold it."""


@accounts.post(
    "/{account_id}/bagla",
    summary=sentence("Link a phone"),
    description=sentence(
        "Begins to link a phone to the account: by a QR code, or by a code that is typed on the phone. "
        "WhatsApp forbids unofficial and bulk use of linked phones and may close the number."
    ),
    openapi_extra=asks(LinkAccount, example=examples.LINK_ACCOUNT),
    responses=tells(
        LinkAnswer,
        *BODY,
        Code.NOT_FOUND,
        Code.INVALID_PHONE,
        Code.UNSUPPORTED,
        Code.ELSEWHERE,
        Code.ALREADY_LINKED,
        example=examples.LINKING,
    ),
)
async def link_account(request: Request, owner: AccountOwner, account_id: AccountId) -> Response:
    """Begin to link a phone."""
    asked = to_model(LinkAccount, await read_json(request))
    if asked.method is LinkMethod.CODE and asked.phone is None:
        raise bad("phone", "zorunlu")
    phone = asked.phone if asked.method is LinkMethod.CODE else None
    reception = reception_of(request)
    found = await reception.gateway.lines.link(owner, account_id, phone)
    return reply(link_answer(found, reception.zone), headers=_NEVER_KEPT)


@accounts.get(
    "/{account_id}/bagla",
    summary=sentence("How linking stands"),
    description=sentence("State, code and until when it is good, as one: a code that is shown is always good."),
    responses=tells(
        LinkAnswer, Code.NOT_FOUND, Code.INVALID_FIELD, Code.UNSUPPORTED, Code.ELSEWHERE, example=examples.LINKING
    ),
)
async def account_link(request: Request, owner: AccountOwner, account_id: AccountId) -> Response:
    """Tell how linking stands."""
    reception = reception_of(request)
    found = await reception.gateway.lines.linking(owner, account_id)
    return reply(link_answer(found, reception.zone), headers=_NEVER_KEPT)


@accounts.get(
    "/{account_id}/bagla/qr.{kind}",
    summary=sentence("The QR code as a picture"),
    description=sentence("The code to scan, while there is one."),
    responses={
        **tells(Done, Code.NOT_FOUND, Code.INVALID_FIELD, Code.UNSUPPORTED, Code.ELSEWHERE),
        200: {
            "description": sentence("The picture."),
            "content": {
                "image/svg+xml": {"schema": {"type": "string"}},
                "image/png": {"schema": {"type": "string", "contentMediaType": "image/png"}},
            },
        },
    },
)
async def account_link_picture(
    request: Request, owner: AccountOwner, account_id: AccountId, kind: Annotated[Literal["svg", "png"], Path()]
) -> Response:
    """Draw the code to scan."""
    found = await reception_of(request).gateway.lines.linking(owner, account_id)
    if found.link.qr is None:
        raise GuvercinError(Code.NOT_FOUND)
    import segno  # noqa: PLC0415 -- only who links a phone needs it

    drawn = BytesIO()
    segno.make(found.link.qr, error="l").save(drawn, kind=kind, scale=6, border=4)
    media_type = "image/svg+xml" if kind == "svg" else "image/png"
    return Response(drawn.getvalue(), media_type=media_type, headers=_NEVER_KEPT)


@accounts.post(
    "/{account_id}/baglantiyi-kes",
    summary=sentence("Unlink the phone"),
    description=sentence("Takes this device off the phone's list of linked devices. What waits goes on waiting."),
    responses=tells(
        AccountAnswer, *CHANGES, Code.UNSUPPORTED, Code.ELSEWHERE, Code.NOT_CONNECTED, example=examples.ACCOUNT
    ),
)
async def unlink_account(request: Request, owner: AccountOwner, account_id: AccountId) -> Response:
    """Unlink a phone."""
    reception = reception_of(request)
    found = await reception.gateway.lines.unlink(owner, account_id)
    return reply(account_record(found, reception.zone, reception.now()))


@accounts.get(
    "/{account_id}/saglik",
    summary=sentence("Health of a line"),
    description=sentence("Looks at the line this moment, and tells what a person has to do."),
    responses=tells(HealthAnswer, Code.NOT_FOUND, Code.INVALID_FIELD, Code.ELSEWHERE, example=examples.HEALTH),
)
async def account_health(request: Request, reader: Reader, account_id: AccountId) -> Response:
    """Look at a line."""
    reception = reception_of(request)
    found = await reception.gateway.lines.health(reader, account_id)
    use = await reception.gateway.outlook.use(found.account)
    return reply(health_answer(found, use, reception.zone))


@accounts.post(
    "/{account_id}/okundu",
    summary=sentence("Mark a message as read"),
    description=sentence("Lets a customer see that their message was read (two blue ticks)."),
    openapi_extra=asks(MarkRead, example=examples.MARK_READ),
    responses=tells(
        Done,
        *BODY,
        Code.NOT_FOUND,
        Code.UNSUPPORTED,
        Code.ELSEWHERE,
        Code.NOT_CONNECTED,
        Code.WHATSAPP_REFUSED,
        example=examples.DONE,
    ),
)
async def mark_read(request: Request, sender: Sender, account_id: AccountId) -> Response:
    """Tell a customer that they were read."""
    asked = to_model(MarkRead, await read_json(request))
    await reception_of(request).gateway.lines.mark_read(sender, account_id, asked.message_id)
    return reply(Done(ok=True))


@accounts.get(
    "/{account_id}/anlasilmayanlar",
    summary=sentence("What nobody understood"),
    description=sentence(
        "What the network told this account and Güvercin has no use for: the last of it, for a month."
    ),
    responses=tells(UnclearList, Code.NOT_FOUND, Code.INVALID_FIELD, example=examples.UNCLEAR),
)
async def account_unclear(request: Request, owner: AccountOwner, account_id: AccountId) -> Response:
    """List what was not understood."""
    reception = reception_of(request)
    found = await reception.gateway.lines.unclear(owner, account_id, limit=_MOST_UNCLEAR)
    return reply(unclear_list(found, reception.zone))


@numbers.get(
    "/numara-kontrol",
    summary=sentence("Is a number on WhatsApp"),
    description=sentence(
        "Answers from memory, or asks WhatsApp: at most 200 numbers a day and account. Never for lists."
    ),
    responses=tells(
        LookupAnswer,
        Code.NOT_FOUND,
        Code.INVALID_FIELD,
        Code.INVALID_PHONE,
        Code.NO_ACCOUNT,
        Code.UNSUPPORTED,
        Code.ELSEWHERE,
        Code.NOT_CONNECTED,
        Code.CHECKS_SPENT,
        example=examples.LOOKUP,
    ),
)
async def look_up(request: Request, reader: Reader, query: Annotated[LookUp, Query()]) -> Response:
    """Say whether a number is on WhatsApp."""
    found = await reception_of(request).gateway.lines.look_up(reader, query.account_id, query.phone)
    return reply(lookup_answer(found))
