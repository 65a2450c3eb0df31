"""Signing in with a pair, for software that was written for the vendor: api_key and api_secret buy a token of a day.

The pair is one of our own tokens in two halves (`guvercin anahtar uret --cift`), and what it buys stands for that
token: the same permissions and accounts, the same messages, and an end with it. Guesses count as failed sign-ins.
"""

from datetime import UTC

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from guvercin.api import examples, problems
from guvercin.api.answers.access import PassAnswer, PassRecord
from guvercin.api.answers.ground import SucceededWith
from guvercin.api.auth import client_address, secret_of, sign_in
from guvercin.api.bodies import read_json, to_model
from guvercin.api.documented import BODY, SIGNED_IN, SIGNING_IN, asks, operation_id, succeeds
from guvercin.api.reception import reception_of
from guvercin.api.render.ground import reply
from guvercin.api.wire.access import SignIn
from guvercin.core.errors import Code, GuvercinError
from guvercin.locale import choose_language, sentence, translator

router = APIRouter(prefix="/api/v1/auth", tags=SIGNING_IN, generate_unique_id_function=operation_id)

_MAY_FAIL = (
    Code.INVALID_TOKEN,
    Code.TOO_MANY_REQUESTS,
    Code.INTERNAL,
    Code.STORE_UNAVAILABLE,
    Code.CLOSING,
)


@router.post(
    "/token",
    summary=sentence("Sign in for a day"),
    description=sentence("Answers a token for 24 hours to a pair that «guvercin anahtar uret --cift» made."),
    openapi_extra=asks(SignIn, example=examples.SIGN_IN),
    responses=succeeds(PassAnswer, example=examples.PASS) | problems.responses(*_MAY_FAIL, *BODY),
)
async def open_pass(request: Request) -> Response:
    """Buy a token of a day with a pair."""
    asked = to_model(SignIn, await read_json(request))
    reception = reception_of(request)
    try:
        secret, until = await reception.gateway.open_pass(asked.api_key, asked.api_secret)
    except GuvercinError as refusal:
        if refusal.code is Code.INVALID_TOKEN and (wait := reception.throttle.fail(client_address(request))):
            raise GuvercinError(Code.TOO_MANY_REQUESTS, retry_after=wait) from None
        raise
    ends = until.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    record = PassRecord(token=secret, expires_at=ends, token_type="Bearer")  # noqa: S106 -- the wire's word
    return reply(PassAnswer(success=True, data=record), headers={"Cache-Control": "no-store"})


@router.post(
    "/revoke",
    summary=sentence("Sign out"),
    description=sentence("Ends the token of a day that signs this request. A token that its owner made stays."),
    responses=succeeds(SucceededWith, example=examples.SIGNED_OUT) | problems.responses(*SIGNED_IN),
)
async def end_pass(request: Request) -> Response:
    """End the token of a day that signs this request."""
    await sign_in(request)
    if not await reception_of(request).gateway.end_pass(secret_of(request) or ""):
        raise GuvercinError(Code.NOT_ALLOWED)
    say = translator(choose_language(request.headers.get("accept-language")))
    return reply(SucceededWith(success=True, message=say("Token revoked.")))
