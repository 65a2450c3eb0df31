"""What people want: the list of those who refuse messages, what has to be looked at, and consents."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from guvercin.api import examples
from guvercin.api.answers.ground import Done
from guvercin.api.answers.messages import Cancelled
from guvercin.api.answers.people import (
    ConsentAnswer,
    ConsentPage,
    OptOutAnswer,
    OptOutPage,
)
from guvercin.api.asking import aware, cursor, read_cursor, recipient_of
from guvercin.api.auth import Owner, Reader
from guvercin.api.bodies import read_json, to_model
from guvercin.api.documented import BODY, CHANGES, WISHES, asks, operation_id, tells
from guvercin.api.reception import reception_of
from guvercin.api.records import next_url
from guvercin.api.render.ground import PREFIX, reply
from guvercin.api.render.people import consent_record, opt_out_record
from guvercin.api.wire.ground import LARGEST_INTEGER
from guvercin.api.wire.people import (
    MEANINGS,
    AddConsent,
    AddOptOut,
    DecideOptOut,
    EndOptOuts,
    ListedOptOuts,
    ListOptOuts,
    ListPeople,
)
from guvercin.core.errors import Code
from guvercin.core.optout import OptOut, OptOutScope, OptOutSource
from guvercin.gateway.iys import consents_csv
from guvercin.gateway.requests import AskConsent, AskOptOut
from guvercin.locale import sentence

router = APIRouter(prefix=PREFIX, tags=WISHES, generate_unique_id_function=operation_id)

OptOutId = Annotated[int, Path(ge=1, le=LARGEST_INTEGER)]


@router.get(
    "/ret-listesi",
    summary=sentence("Who refuses messages"),
    description=sentence("People who want no messages, newest first. Nothing that a refusal covers goes to them."),
    responses=tells(OptOutPage, Code.INVALID_FIELD, Code.INVALID_PHONE, example=examples.OPT_OUTS),
)
async def opt_outs(request: Request, reader: Reader, query: Annotated[ListOptOuts, Query()]) -> Response:
    """List refusals."""
    is_live = {ListedOptOuts.LIVE: True, ListedOptOuts.ENDED: False}.get(query.which)
    found = await reception_of(request).gateway.wishes.opt_outs(
        reader,
        phone=None if query.phone is None else recipient_of(query.phone),
        is_doubtful=False,
        is_live=is_live,
        limit=query.limit,
        below=None if query.after is None else read_cursor(query.after),
    )
    return _opt_out_page(request, found, query.limit)


@router.post(
    "/ret-listesi",
    summary=sentence("Add a refusal"),
    description=sentence(
        "From now on nothing that it covers goes to this person; what waits for them fails. Asking twice adds one."
    ),
    openapi_extra=asks(AddOptOut, example=examples.ADD_OPT_OUT),
    responses=tells(OptOutAnswer, *BODY, Code.INVALID_PHONE, Code.NOT_FOUND, example=examples.OPT_OUT),
)
async def add_opt_out(request: Request, owner: Owner) -> Response:
    """Keep a refusal."""
    asked = to_model(AddOptOut, await read_json(request))
    reception = reception_of(request)
    kept = await reception.gateway.wishes.refuse(
        owner,
        AskOptOut(
            phone=asked.phone,
            scope=OptOutScope(asked.scope.value),
            source=OptOutSource(asked.source.value),
            account_id=asked.account_id,
            said=asked.said,
        ),
    )
    return reply(OptOutAnswer(ok=True, data=opt_out_record(kept, reception.zone)))


@router.delete(
    "/ret-listesi",
    summary=sentence("End a refusal"),
    description=sentence("Ends this person's refusals, or those of one account or scope. Answers how many."),
    responses=tells(Cancelled, *CHANGES, Code.INVALID_PHONE, example=examples.ENDED),
)
async def end_opt_outs(request: Request, owner: Owner, query: Annotated[EndOptOuts, Query()]) -> Response:
    """End refusals."""
    ended = await reception_of(request).gateway.wishes.allow(
        owner,
        query.phone,
        account_id=query.account_id,
        scope=None if query.scope is None else OptOutScope(query.scope.value),
        by=OptOutSource(query.source.value),
        why=query.reason,
    )
    return reply(Cancelled(ok=True, count=ended))


@router.get(
    "/bakilacaklar",
    summary=sentence("What to look at"),
    description=sentence(
        "Messages that sound like a refusal, newest first. Bulk to these people waits until you decide."
    ),
    responses=tells(OptOutPage, Code.INVALID_FIELD, Code.INVALID_PHONE, example=examples.DOUBTED),
)
async def doubted(request: Request, reader: Reader, query: Annotated[ListPeople, Query()]) -> Response:
    """List what a person has to decide."""
    found = await reception_of(request).gateway.wishes.opt_outs(
        reader,
        phone=None if query.phone is None else recipient_of(query.phone),
        is_doubtful=True,
        is_live=True,
        limit=query.limit,
        below=None if query.after is None else read_cursor(query.after),
    )
    return _opt_out_page(request, found, query.limit)


@router.post(
    "/bakilacaklar/{opt_out_id}/karar",
    summary=sentence("Decide what was meant"),
    description=sentence("Makes a refusal of it, or lets the bulk messages that waited for this go on."),
    openapi_extra=asks(DecideOptOut, example=examples.DECIDE_OPT_OUT),
    responses=tells(OptOutAnswer, *BODY, Code.NOT_FOUND, example=examples.OPT_OUT),
)
async def decide(request: Request, owner: Owner, opt_out_id: OptOutId) -> Response:
    """Decide what somebody meant."""
    asked = to_model(DecideOptOut, await read_json(request))
    reception = reception_of(request)
    stands = await reception.gateway.wishes.decide(
        owner, opt_out_id, MEANINGS[asked.meaning], OptOutSource(asked.source.value)
    )
    return reply(OptOutAnswer(ok=True, data=opt_out_record(stands, reception.zone)))


@router.get(
    "/onaylar",
    summary=sentence("Consents"),
    description=sentence("Who has agreed to be advertised to, newest first."),
    responses=tells(ConsentPage, Code.INVALID_FIELD, Code.INVALID_PHONE, example=examples.CONSENTS),
)
async def consents(request: Request, _reader: Reader, query: Annotated[ListPeople, Query()]) -> Response:
    """List consents."""
    reception = reception_of(request)
    found = await reception.gateway.wishes.consents(
        phone=None if query.phone is None else recipient_of(query.phone),
        limit=query.limit,
        below=None if query.after is None else read_cursor(query.after),
    )
    after = cursor(found[-1].id) if len(found) == query.limit else None
    page = ConsentPage(ok=True, data=[consent_record(each, reception.zone) for each in found], next=after)
    return reply(page, headers=_link(request, after))


@router.post(
    "/onaylar",
    summary=sentence("Add a consent"),
    description=sentence(
        "Records that somebody has agreed to be advertised to. Category 9 goes to them from now on, unless they refuse."
    ),
    openapi_extra=asks(AddConsent, example=examples.ADD_CONSENT),
    responses=tells(
        ConsentAnswer,
        *BODY,
        Code.INVALID_PHONE,
        Code.INVALID_TIME,
        Code.FILE_NOT_OPENED,
        example=examples.CONSENT,
    ),
)
async def add_consent(request: Request, owner: Owner) -> Response:
    """Keep a consent."""
    asked = to_model(AddConsent, await read_json(request))
    reception = reception_of(request)
    kept = await reception.gateway.wishes.consent(
        owner,
        AskConsent(
            phone=asked.phone,
            source=asked.consent_source,
            given_at=aware(asked.given_at, reception.zone),
            recipient_kind=asked.recipient_kind,
            text_version=asked.text_version,
            proof_id=asked.proof_id,
        ),
    )
    return reply(ConsentAnswer(ok=True, data=consent_record(kept, reception.zone)))


@router.get(
    "/onaylar.csv",
    summary=sentence("Consents for İYS"),
    description=sentence("All consents as CSV, in the columns that İYS takes."),
    responses={
        200: {
            "description": sentence("Done."),
            "content": {"text/csv": {"schema": {"type": "string", "contentEncoding": "utf-8"}}},
        },
        **{status: each for status, each in tells(Done).items() if status != 200},
    },
)
async def export_consents(request: Request, _reader: Reader) -> Response:
    """Write all consents for İYS: the newest of a person last, as they are taken in order."""
    reception = reception_of(request)
    found = await reception.gateway.wishes.consents_for_iys()
    return Response(
        consents_csv(found, reception.zone),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="onaylar.csv"'},
    )


def _opt_out_page(request: Request, found: Sequence[OptOut], limit: int) -> Response:
    zone = reception_of(request).zone
    after = cursor(found[-1].id) if len(found) == limit else None
    page = OptOutPage(ok=True, data=[opt_out_record(each, zone) for each in found], next=after)
    return reply(page, headers=_link(request, after))


def _link(request: Request, after: str | None) -> dict[str, str]:
    return {} if after is None else {"Link": f'<{next_url(request, after)}>; rel="next"'}
