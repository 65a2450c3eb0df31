"""The error door: whatever goes wrong leaves the server as one kind of body.

It is the seed's `{"ok": false, "hata": …}` and a problem document (RFC 9457) in one. Laws
1. Every refusal has a code of the closed list, a status that fits it, and sentences in the reader's language.
2. An unexpected error tells its reader a number and nothing else; the log has the rest under that number.
3. What is documented is what is sent: `Problem` is both.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from math import ceil
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from guvercin.api.faults import field_code, invalid
from guvercin.core.errors import Code, GuvercinError
from guvercin.locale import Language, choose_language, translator, weights
from guvercin.locale.codes import WORDS
from guvercin.locale.faults import SAYS_NOTHING, fault_sentence
from guvercin.locale.words import told

PROBLEM_JSON = "application/problem+json"
_JSON = "application/json"

STATUS: Mapping[Code, int | None] = MappingProxyType(
    {
        Code.BROKEN_JSON: 400,
        Code.NOT_UTF8: 400,
        Code.NO_TOKEN: 401,
        Code.INVALID_TOKEN: 401,
        Code.NO_SIGNATURE: 401,
        Code.NOT_ALLOWED: 403,
        Code.WRONG_SIGNATURE: 403,
        Code.NOT_FOUND: 404,
        Code.UNKNOWN_METHOD: 405,
        Code.NOT_CANCELLABLE: 409,
        Code.OPTED_OUT: 409,
        Code.NO_CONSENT: 409,
        Code.NO_SENDER_TITLE: 409,
        Code.DECLARATION_NEEDED: 409,
        Code.MESSAGES_WAITING: 409,
        Code.IN_HAND: 409,
        Code.ON_HOLD: 409,
        Code.CONTENT_GONE: 409,
        Code.ALREADY_LINKED: 409,
        Code.NOT_CONNECTED: 409,
        Code.INBOUND_FILE_GONE: 410,
        Code.BODY_TOO_LARGE: 413,
        Code.TOO_MANY_RECIPIENTS: 413,
        Code.WRONG_CONTENT_TYPE: 415,
        Code.INVALID_FIELD: 422,
        Code.INVALID_PHONE: 422,
        Code.INVALID_CATEGORY: 422,
        Code.EMPTY_TEXT: 422,
        Code.LONG_TEXT: 422,
        Code.INVALID_TIME: 422,
        Code.INVALID_TEMPLATE: 422,
        Code.UNREADABLE_LIST: 422,
        Code.FILE_NOT_OPENED: 422,
        Code.FILE_TYPE: 422,
        Code.FILE_TOO_LARGE: 422,
        Code.INBOUND_FILE_LARGE: 422,
        Code.KEY_MISMATCH: 422,
        Code.SANDBOX_NUMBER: 422,
        # A message that failed while its caller waited: the reason of the row is the code of the answer.
        Code.DUPLICATE: 422,
        Code.EXPIRED: 422,
        Code.WHATSAPP_REFUSED: 422,
        Code.NOT_ON_WHATSAPP: 422,
        Code.NEW_CHATS_RESTRICTED: 422,
        Code.MONTHLY_LIMIT: 422,
        Code.NEEDS_TEMPLATE: 422,
        Code.TEMPLATE_STOPPED: 422,
        Code.TEMPLATE_PLACE: 422,
        Code.RETRIES_EXHAUSTED: 422,
        Code.RESENT: 422,
        Code.GIVEN_UP: 422,
        Code.TOO_MANY_HOOKS: 409,
        Code.SECRET_UNREADABLE: 409,
        Code.TOO_MANY_REQUESTS: 429,
        Code.DAILY_QUOTA: 429,
        Code.CHECKS_SPENT: 429,
        Code.INTERNAL: 500,
        Code.UNSUPPORTED: 501,
        Code.NO_ACCOUNT: 503,
        Code.QUEUE_FULL: 503,
        Code.STORE_UNAVAILABLE: 503,
        Code.CLOSING: 503,
        Code.ELSEWHERE: 503,
        Code.NO_FILE_ROOT: 503,
        Code.META_UNREACHABLE: 503,
        Code.INBOUND_FILE_AWAY: 503,
        # These stand on records only: no request is answered with them.
        Code.PUSHED_BACK: None,
        Code.LINE_DOWN: None,
        Code.ANSWER_LOST: None,
        Code.CUT_SHORT: None,
        Code.UNKNOWN_CATEGORY: None,
        Code.SOUNDS_COMMERCIAL: None,
        Code.SENT_LATELY: None,
        Code.UNLISTED_PREFIX: None,
        Code.NOT_MOBILE: None,
        Code.LEFT_OUT: None,
        Code.STILL_ON_PHONE: None,
        Code.SEVERAL_NUMBERS: None,
        Code.SWITCHED_OFF: None,
        Code.MANY_FAILED: None,
        Code.MANY_NOT_ON_WHATSAPP: None,
        Code.FEW_DELIVERED: None,
        Code.MANY_REFUSALS: None,
        Code.MONTHLY_WARNING: None,
        Code.TEMPORARY_BAN: None,
        Code.BANNED_FOR_STRANGERS: None,
        Code.BANNED_FOR_BLOCKS: None,
        Code.BANNED_FOR_GROUPS: None,
        Code.BANNED_FOR_SAME_TEXT: None,
        Code.BANNED_FOR_BROADCAST: None,
        Code.NOT_LINKED: None,
        Code.REMOVED: None,
        Code.OPENED_ELSEWHERE: None,
        Code.SESSION_HELD: None,
        Code.ENGINE_OUTDATED: None,
        Code.ENGINE_DOWN: None,
        Code.LINKING_TIMED_OUT: None,
        Code.LINKING_FAILED: None,
        Code.PASSKEY_NEEDED: None,
        Code.NO_DELIVERIES: None,
        Code.RENEW_MEDIA: None,
        Code.PEOPLE_LIMIT: None,
        Code.LOCKED: None,
        Code.CLOSED: None,
        Code.UNPAID: None,
        Code.NOT_REGISTERED: None,
        # The server says this in the terminal and doesn't start.
        Code.SCHEMA_TOO_NEW: None,
    },
)
"""The HTTP status of each code; null for those that no request is answered with."""

_PATIENCE: Mapping[Code, timedelta] = MappingProxyType(
    {
        Code.TOO_MANY_REQUESTS: timedelta(minutes=1),
        Code.DAILY_QUOTA: timedelta(hours=1),
        Code.NO_ACCOUNT: timedelta(minutes=1),
        Code.NO_FILE_ROOT: timedelta(minutes=1),
        Code.INBOUND_FILE_AWAY: timedelta(seconds=30),
    },
)
_LEAST_PATIENCE = timedelta(seconds=5)
"""Retry-After of a 429 or 503 whose raiser knows no better moment."""

_OF_STATUS: Mapping[int, Code] = MappingProxyType(
    {
        400: Code.BROKEN_JSON,
        401: Code.NO_TOKEN,
        403: Code.NOT_ALLOWED,
        404: Code.NOT_FOUND,
        405: Code.UNKNOWN_METHOD,
        413: Code.BODY_TOO_LARGE,
        415: Code.WRONG_CONTENT_TYPE,
    },
)
"""What the framework's own refusals are called here."""

_MOST_FAULTS = 100
"""Faults that one answer lists. A bulk request can have ten thousand of them, and nobody reads the rest."""

_MOST_NAMED = 3
"""Fields that the sentence names; the list has them all."""

WireName: TypeAlias = Callable[[str], str]
"""Translate one English attribute name to its wire name; an unknown one answers as it is."""


class Fault(BaseModel):
    """What is wrong with one field."""

    model_config = ConfigDict(populate_by_name=True, defer_build=True)

    field: str = Field(alias="alan")
    code: str = Field(alias="kod")
    message: str = Field(alias="mesaj")


class Problem(BaseModel):
    """Every error of this API. Turkish names carry the seed's habit, English ones RFC 9457's: one body, two readers."""

    model_config = ConfigDict(populate_by_name=True, defer_build=True)

    ok: Literal[False] = False
    message: str = Field(alias="hata")
    code: Code = Field(alias="kod")
    type: str
    title: str
    status: int
    detail: str
    instance: str
    faults: list[Fault] = Field(alias="alanlar")
    request_id: str = Field(alias="istek_id")
    log_id: int | SkipJsonSchema[None] = None


def problem(
    error: GuvercinError,
    *,
    language: Language,
    instance: str,
    request_id: str,
    accept: str,
    wire_name: WireName,
) -> Response:
    """Answer an error as its response. `instance` is the path that was asked for, `accept` the request's header."""
    document = describe(error, language=language, instance=instance, request_id=request_id, wire_name=wire_name)
    response = Response(
        document.model_dump_json(by_alias=True, exclude_none=True),
        status_code=document.status,
        media_type=PROBLEM_JSON if _prefers_problem(accept) else _JSON,
        headers={"Content-Language": language, "Vary": "Accept, Accept-Language"},
    )
    if (wait := _patience(error, document)) is not None:
        response.headers["Retry-After"] = str(_seconds(wait))
    if document.status == 401:
        hint = ', error="invalid_token"' if error.code is Code.INVALID_TOKEN else ""
        response.headers["WWW-Authenticate"] = f'Bearer realm="guvercin"{hint}'
    return response


def describe(
    error: GuvercinError,
    *,
    language: Language,
    instance: str,
    request_id: str,
    wire_name: WireName,
) -> Problem:
    """Answer an error as its document."""
    say = translator(language)
    code = field_code(error)
    faults = [
        Fault(field=_wire_path(fault.where, wire_name), code=fault.fault, message=fault_sentence(say, fault))
        for fault in error.faults[:_MOST_FAULTS]
    ]
    words = WORDS[code]
    message = told(say, words.detail, words.exact, _known(error, code, faults, request_id))
    if len(faults) == 1 and faults[0].code not in {code, SAYS_NOTHING}:
        message = f"{message} {faults[0].message}"
    return Problem(
        message=message,
        code=code,
        type=f"/hatalar/{code}",
        title=say(words.title),
        # A code without a status of its own can only be the reason of a message: a refusal like the others.
        status=STATUS[code] or 422,
        detail=message,
        instance=instance,
        faults=faults,
        request_id=request_id,
        log_id=error.log_id,
    )


def responses(*codes: Code) -> dict[int | str, dict[str, Any]]:
    """Declare, in FastAPI's form, the errors that a route may answer: one entry a status, with its codes."""
    declared: dict[int | str, dict[str, Any]] = {}
    for code in codes:
        entry = declared.setdefault(
            STATUS[code] or 422,
            {
                "content": {
                    kind: {"schema": {"$ref": "#/components/schemas/Problem"}} for kind in (_JSON, PROBLEM_JSON)
                },
                "x-kodlar": [],
            },
        )
        entry["x-kodlar"].append(code.value)
        entry["description"] = ", ".join(entry["x-kodlar"])
    return declared


def install(app: Starlette, *, field_names: Mapping[str, str], request_id: Callable[[Request], str]) -> None:
    """Lead everything that an app raises through this door.

    `field_names` maps English attribute names to wire names; `request_id` answers the id that the request goes by.
    Raises CatalogueMissing at once, not when the first error comes.
    """
    for language in Language:
        translator(language)
    attributes = {wire: attribute for attribute, wire in field_names.items()}
    log = logging.getLogger(__name__)

    async def answer(request: Request, raised: Exception) -> Response:
        if isinstance(raised, ClientDisconnect) or isinstance(raised.__cause__, ClientDisconnect):
            return Response(status_code=400)  # nobody is there to read it
        error = _as_error(raised, attributes)
        id_ = request_id(request)
        if error.code is Code.INTERNAL:
            # The path may hold a phone number: the log gets the route's pattern instead.
            route = getattr(request.scope.get("route"), "path", None)
            log.error(
                "unexpected_error", extra={"request_id": id_, "method": request.method, "route": route}, exc_info=raised
            )
        response = problem(
            error,
            language=choose_language(_header(request, "accept-language")),
            instance=request.url.path,
            request_id=id_,
            accept=_header(request, "accept"),
            wire_name=lambda name: field_names.get(name, name),
        )
        if isinstance(raised, HTTPException) and raised.headers and "Allow" in raised.headers:
            response.headers["Allow"] = raised.headers["Allow"]
        if error.code is Code.INTERNAL:
            # Made outside of every middleware: nobody else adds the id.
            response.headers["X-Request-Id"] = id_
        return response

    for kind in (GuvercinError, HTTPException, RequestValidationError, ClientDisconnect, Exception):
        app.add_exception_handler(kind, answer)


def _as_error(raised: Exception, attributes: Mapping[str, str]) -> GuvercinError:
    """Say in our words what the framework, or a slip of ours, has raised."""
    match raised:
        case GuvercinError():
            return raised
        case RequestValidationError():
            return invalid(raised.errors(), attributes)
        # The framework calls everything that stops the reading of a body a 400: the cause knows better.
        case HTTPException(__cause__=GuvercinError() as cause):
            return cause
        case HTTPException(__cause__=UnicodeDecodeError()):
            return GuvercinError(Code.NOT_UTF8)
        case HTTPException():
            return GuvercinError(_OF_STATUS.get(raised.status_code, Code.INTERNAL))
        case _:
            return GuvercinError(Code.INTERNAL)


def _known(error: GuvercinError, code: Code, faults: Sequence[Fault], request_id: str) -> Mapping[str, str | int]:
    """Answer what an error's sentence may name: its fields, the seconds to wait, its number, and what it brings."""
    known: dict[str, str | int] = {"id": request_id}
    if faults:
        fields = list(dict.fromkeys(fault.field for fault in faults))
        known["fields"] = ", ".join(fields[:_MOST_NAMED]) + (" …" if len(fields) > _MOST_NAMED else "")
    if error.retry_after is not None:
        known["seconds"] = _seconds(error.retry_after)
    for fault in error.faults[:1]:
        if fault.fault == code:
            known.update(fault.params)
    return {**known, **error.params}


def _patience(error: GuvercinError, document: Problem) -> timedelta | None:
    if error.retry_after is not None or document.status not in {429, 503}:
        return error.retry_after
    return _PATIENCE.get(error.code, _LEAST_PATIENCE)


def _seconds(wait: timedelta) -> int:
    return max(1, ceil(wait.total_seconds()))


def _prefers_problem(accept: str) -> bool:
    """Say whether a client names problem documents and doesn't like plain JSON better."""
    wishes = weights(accept)
    plain = next((wishes[kind] for kind in (_JSON, "application/*", "*/*") if kind in wishes), 0.0)
    return 0 < wishes.get(PROBLEM_JSON, 0) >= plain


def _wire_path(where: str, wire_name: WireName) -> str:
    return ".".join(wire_name(part) for part in where.split("."))


def _header(request: Request, name: str) -> str:
    return ", ".join(request.headers.getlist(name))
