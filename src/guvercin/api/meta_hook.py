"""The door for Meta's calls: plain routes, because a send costs three of them.

Meta is answered 200 once everything in a call is durable, and calls again for days after anything else. Who can't show
Meta's signature over the very bytes learns nothing and changes nothing.
"""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from guvercin.api import examples, problems
from guvercin.api.answers.ground import Done
from guvercin.api.asking import bad
from guvercin.api.bodies import read_body
from guvercin.api.documented import OPERATIONS, operation_id, succeeds
from guvercin.api.reception import reception_of
from guvercin.api.render.ground import reply
from guvercin.api.wire.ground import LARGEST_INTEGER
from guvercin.core.errors import Code, GuvercinError
from guvercin.locale import sentence

PREFIX = "/meta/webhook/"

_DONE = reply(Done(ok=True))
"""A constant, as nothing in it depends on who asks."""

AccountId = Annotated[int, Path(ge=1, le=LARGEST_INTEGER)]


def _account_id(request: Request) -> int:
    written: str = request.path_params["account_id"]
    if not (written.isascii() and written.isdecimal() and 1 <= int(written[:17]) <= LARGEST_INTEGER):
        raise bad("account_id", "gecersiz")
    return int(written)


async def greet(request: Request) -> Response:
    """`GET`: Meta asks once whether this address is meant; the challenge goes back as plain text."""
    query = request.query_params
    if query.get("hub.mode") != "subscribe":
        raise GuvercinError(Code.WRONG_SIGNATURE)
    meta = reception_of(request).gateway.meta
    answer = meta.greet(_account_id(request), query.get("hub.verify_token", ""), query.get("hub.challenge", ""))
    return PlainTextResponse(answer, headers={"X-Content-Type-Options": "nosniff"})


async def take(request: Request) -> Response:
    """`POST`: statuses and messages, up to a thousand in one call."""
    meta = reception_of(request).gateway.meta
    await meta.take(_account_id(request), await read_body(request), request.headers.get("x-hub-signature-256"))
    return _DONE


HOT = [
    Route(f"{PREFIX}{{account_id}}", greet, methods=["GET"]),
    Route(f"{PREFIX}{{account_id}}", take, methods=["POST"]),
]
"""The routes themselves."""

documented = APIRouter(prefix=PREFIX.rstrip("/"), tags=OPERATIONS, generate_unique_id_function=operation_id)
"""The routes once more, for the OpenAPI document alone."""


async def greet_meta(account_id: AccountId) -> None:
    """Stand in the document for `greet`."""


async def take_from_meta(account_id: AccountId) -> None:
    """Stand in the document for `take`."""


documented.add_api_route(
    "/{account_id}",
    greet_meta,
    methods=["GET"],
    summary=sentence("Meta's first call"),
    description=sentence("Meta asks whether a cloud account's address is meant; hub.challenge goes back as text."),
    responses={
        200: {"description": sentence("The challenge."), "content": {"text/plain": {"schema": {"type": "string"}}}},
        **problems.responses(Code.WRONG_SIGNATURE, Code.NOT_FOUND, Code.INVALID_FIELD, Code.INTERNAL),
    },
)
documented.add_api_route(
    "/{account_id}",
    take_from_meta,
    methods=["POST"],
    summary=sentence("Meta's calls"),
    description=sentence("Statuses and messages of a cloud account, signed by Meta (X-Hub-Signature-256)."),
    responses=succeeds(Done, example=examples.DONE)
    | problems.responses(
        Code.BROKEN_JSON,
        Code.NO_SIGNATURE,
        Code.WRONG_SIGNATURE,
        Code.NOT_FOUND,
        Code.INVALID_FIELD,
        Code.BODY_TOO_LARGE,
        Code.QUEUE_FULL,
        Code.STORE_UNAVAILABLE,
        Code.CLOSING,
        Code.ELSEWHERE,
        Code.INTERNAL,
    ),
)
