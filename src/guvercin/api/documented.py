"""How routes are documented: the pieces that they declare, and the OpenAPI document that is made of them.

A schema is its model's own, asked of pydantic when somebody wants the document: a route only names its models, because
FastAPI would make a validator of every answer of every route, at every start. Errors are those that `problems`
declares. Nothing is written twice, and tests hold every answer to this document.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from types import UnionType
from typing import Any, TypeAlias, get_args

import orjson
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode
from starlette.routing import BaseRoute

from guvercin import __version__
from guvercin.api import problems
from guvercin.api.answers.kinds import kinds
from guvercin.api.wire.names import bodies
from guvercin.core.errors import Code
from guvercin.locale import sentence

MESSAGES: list[str | Enum] = [sentence("Sending")]
RECORDS: list[str | Enum] = [sentence("Messages and bulk requests")]
ACCOUNTS: list[str | Enum] = [sentence("Accounts")]
INBOX: list[str | Enum] = [sentence("What comes in")]
WEBHOOKS: list[str | Enum] = [sentence("Webhooks")]
SIGNING_IN: list[str | Enum] = [sentence("Signing in with a pair")]
WISHES: list[str | Enum] = [sentence("What people want")]
OPERATIONS: list[str | Enum] = [sentence("Running the server")]
"""The chapters of the API page."""

_REF = "#/components/schemas/{model}"

SIGNED_IN = (
    Code.NO_TOKEN,
    Code.INVALID_TOKEN,
    Code.NOT_ALLOWED,
    Code.TOO_MANY_REQUESTS,
    Code.INTERNAL,
    Code.STORE_UNAVAILABLE,
    Code.CLOSING,
)
"""What every route that wants a token may answer."""

CHANGES = (Code.NOT_FOUND, Code.INVALID_FIELD, Code.QUEUE_FULL)
"""What every route that changes something named in its path may answer besides."""

BODY = (
    Code.BROKEN_JSON,
    Code.NOT_UTF8,
    Code.WRONG_CONTENT_TYPE,
    Code.BODY_TOO_LARGE,
    Code.INVALID_FIELD,
    Code.QUEUE_FULL,
)
"""What every route that reads JSON may answer besides."""

SENDS = (
    *BODY,
    Code.NOT_FOUND,
    Code.UNSUPPORTED,
    Code.INVALID_PHONE,
    Code.INVALID_CATEGORY,
    Code.EMPTY_TEXT,
    Code.LONG_TEXT,
    Code.INVALID_TIME,
    Code.KEY_MISMATCH,
    Code.DAILY_QUOTA,
    Code.NO_ACCOUNT,
    Code.WHATSAPP_REFUSED,
    Code.NOT_ON_WHATSAPP,
    Code.NEW_CHATS_RESTRICTED,
    Code.MONTHLY_LIMIT,
    Code.SANDBOX_NUMBER,
    Code.NEEDS_TEMPLATE,
    Code.TEMPLATE_STOPPED,
    Code.TEMPLATE_PLACE,
    Code.RETRIES_EXHAUSTED,
    Code.EXPIRED,
    Code.RESENT,
    Code.GIVEN_UP,
    Code.OPTED_OUT,
    Code.NO_CONSENT,
    Code.NO_SENDER_TITLE,
)
"""What every route that makes a message may answer besides."""

REFUSES_LISTS = (
    *BODY,
    Code.NOT_FOUND,
    Code.TOO_MANY_RECIPIENTS,
    Code.INVALID_PHONE,
    Code.INVALID_CATEGORY,
    Code.EMPTY_TEXT,
    Code.LONG_TEXT,
    Code.INVALID_TIME,
    Code.INVALID_TEMPLATE,
    Code.NO_ACCOUNT,
    Code.NO_FILE_ROOT,
    Code.NO_SENDER_TITLE,
)
"""What every route that looks a list through may answer besides: what is wrong with the request as a whole."""

_HEADERS: Sequence[dict[str, Any]] = (
    {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": sentence(
            "A request that is repeated with the same key is not sent twice: it answers where the first one stands."
        ),
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        "example": '"8e03978e-40d5-43e8-bc93-6894a57f9324"',
    },
    {
        "name": "Prefer",
        "in": "header",
        "required": False,
        "description": sentence(
            "respond-async: answer 202 at once. wait=n: wait at most n seconds (0 to 120) for WhatsApp."
        ),
        "schema": {"type": "string"},
        "example": "respond-async",
    },
)


def operation_id(route: APIRoute) -> str:
    """Answer the name of an operation in generated clients: that of its function."""
    return route.name


Json: TypeAlias = Mapping[str, Any]
Declared: TypeAlias = dict[int | str, dict[str, Any]]
"""What a route may answer, in FastAPI's form: by status."""


def asks(
    model: type[BaseModel] | None = None,
    *,
    example: Json | None = None,
    content_type: str = "application/json",
    makes_rows: bool = False,
) -> dict[str, Any]:
    """Declare what a route reads: its body, and the two headers of the routes that make rows."""
    declared: dict[str, Any] = {}
    if model is not None:
        media = _media({"schema": {"$ref": _REF.format(model=model.__name__)}}, example)
        declared["requestBody"] = {"required": True, "content": {content_type: media}}
    if makes_rows:
        declared["parameters"] = list(_HEADERS)
    return declared


def tells(model: Any, *codes: Code, example: Json | None = None, status: int = 200) -> Declared:
    """Declare what a route with a token answers: its success, and its errors."""
    return succeeds(model, example=example, status=status) | problems.responses(*SIGNED_IN, *codes)


def succeeds(
    model: Any,
    *,
    example: Json | None = None,
    status: int = 200,
    description: str = sentence("Done."),
) -> Declared:
    """Declare a success."""
    content = {"application/json": _media({"schema": _named(model)}, example)}
    return {status: {"description": description, "content": content}}


def _named(model: Any) -> dict[str, Any]:
    """Answer the schema that names a model, or each of a union."""
    if isinstance(model, UnionType):
        return {"anyOf": [_named(each) for each in get_args(model)]}
    return {"$ref": _REF.format(model=model.__name__)}


def accepts(model: Any, *, example: Json) -> Declared:
    """Declare what `Prefer: respond-async` is answered with."""
    description = sentence("Accepted (Prefer: respond-async); Location says where to look.")
    return succeeds(model, example=example, status=202, description=description)


_OF_A_MESSAGE = {
    "durum": ("status", "logId"),
    "kayit": ("message", "log_id"),
    "iptal": ("cancel", "log_id"),
    "birak": ("release", "log_id"),
    "yeniden-gonder": ("resend", "log_id"),
}
"""What a `log_id` is good for: the name of the link, the operation and its parameter."""

_OF_A_BATCH = {
    "toplu": ("batch", "batch_id"),
    "duraklat": ("pause_batch", "batch_id"),
    "devam": ("resume_batch", "batch_id"),
    "iptal": ("cancel_batch", "batch_id"),
}
"""What a `toplu_id` is good for."""


def leads_to_message(declared: Declared) -> Declared:
    """Declare, as OpenAPI's links, what can be asked next with the `log_id` of a send's answer."""
    return _leads(declared, "log_id", _OF_A_MESSAGE)


def leads_to_batch(declared: Declared) -> Declared:
    """Declare, as OpenAPI's links, what can be asked next with the `toplu_id` of an unfinished batch's answer."""
    return _leads(declared, "toplu_id", _OF_A_BATCH)


def _leads(declared: Declared, key: str, links: Mapping[str, tuple[str, str]]) -> Declared:
    for status in (200, 202):
        declared[status]["links"] = {
            name: {"operationId": operation, "parameters": {parameter: f"$response.body#/{key}"}}
            for name, (operation, parameter) in links.items()
        }
    return declared


def _media(media: dict[str, Any], example: Json | None) -> dict[str, Any]:
    # FastAPI drops every null of its document: an example travels through it as text.
    return media if example is None else {**media, "example": orjson.dumps(example).decode()}


def openapi(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """Make the document of these routes: OpenAPI 3.1, its sentences in English."""
    document = get_openapi(
        title="Güvercin",
        version=__version__,
        description=sentence("WhatsApp messages and accounts, from a server of your own."),
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        routes=routes,
    )
    for media in _media_of(document):
        if "example" in media:
            media["example"] = orjson.loads(media["example"])
    document["components"] = {**document.get("components", {}), "schemas": _schemas()}
    return document


def _schemas() -> dict[str, Any]:
    """Answer the schema of every model that is asked or answered, and of their parts, by name."""
    schemas: dict[str, Any] = {}

    def take(model: type[BaseModel], mode: JsonSchemaMode) -> None:
        schema = model.model_json_schema(mode=mode, ref_template=_REF)
        schemas.update(schema.pop("$defs", {}) | {model.__name__: schema})

    for body in bodies():
        take(body, "validation")
    for answer in kinds():
        take(answer, "serialization")
    take(problems.Problem, "serialization")
    for schema in schemas.values():
        schema.pop("description", None)  # a class's docstring: it speaks to us, not to a client
    return dict(sorted(schemas.items()))


def _media_of(document: Json) -> Iterator[dict[str, Any]]:
    for item in document["paths"].values():
        for operation in item.values():
            for part in (operation.get("requestBody", {}), *operation["responses"].values()):
                yield from part.get("content", {}).values()


_SAID = frozenset({"summary", "description"})


def said(part: Any, say: Callable[[str], str]) -> Any:
    """Answer a document with its sentences in another language. Examples and names stay as they are."""
    match part:
        case dict():
            return {
                key: say(value) if key in _SAID and isinstance(value, str) else _said_below(key, value, say)
                for key, value in part.items()
            }
        case list():
            return [said(each, say) for each in part]
        case _:
            return part


def _said_below(key: str, value: Any, say: Callable[[str], str]) -> Any:
    if key == "tags":
        return [say(tag) for tag in value]
    return value if key in {"example", "examples"} else said(value, say)
