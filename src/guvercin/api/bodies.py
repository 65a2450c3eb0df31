"""How a request's body becomes a model, and what is said when it can't.

Laws
1. Nothing is read before its sender is known and its length is bounded (api/door.py counts the bytes).
2. One reader for everything: what is validated is what the Idempotency-Key's hash is taken of. Of a repeated key the
   last one counts, in both.
3. UTF-8, unless the Content-Type declares one of the two Turkish charsets that old desktop software still writes.
"""

import hashlib
from collections.abc import Mapping
from email.message import Message
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request

from guvercin.api.faults import invalid
from guvercin.api.wire.ground import MOST_RECIPIENTS
from guvercin.api.wire.names import ATTRIBUTES
from guvercin.core.errors import Code, GuvercinError

Model = TypeVar("Model", bound=BaseModel)

_CHARSETS: Mapping[str, str] = MappingProxyType(
    {
        "utf-8": "utf-8",
        "utf8": "utf-8",
        "us-ascii": "utf-8",
        "windows-1254": "cp1254",
        "cp1254": "cp1254",
        "iso-8859-9": "iso8859-9",
        "latin5": "iso8859-9",
    },
)
_BOM = b"\xef\xbb\xbf"


async def read_body(request: Request) -> bytes:
    """Read a body as it comes, once. ClientDisconnect: its sender went away. The framework's way costs the double."""
    chunks = []
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


async def read_json(request: Request) -> Any:
    """Read a JSON body. Raises WRONG_CONTENT_TYPE, NOT_UTF8, BROKEN_JSON."""
    return to_json(await read_utf8(request))


async def read_utf8(request: Request) -> bytes:
    """Read a JSON body in UTF-8, whatever it was written in. Raises WRONG_CONTENT_TYPE, BROKEN_JSON."""
    headers = request.headers
    if headers.get("content-encoding", "identity") != "identity":
        raise GuvercinError(Code.WRONG_CONTENT_TYPE)
    charset = _charset(headers.get("content-type"))
    raw = await read_body(request)
    return raw.removeprefix(_BOM) if charset == "utf-8" else _to_utf8(raw, charset)


def to_json(raw: bytes) -> Any:
    """Decode a JSON body. Raises NOT_UTF8, BROKEN_JSON."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise GuvercinError(_why_unreadable(raw)) from None


def to_model(model: type[Model], body: Any) -> Model:
    """Check a decoded body against its model. Raises the refusal that names every bad field."""
    try:
        return model.model_validate(body)
    except ValidationError as trouble:
        raise _refusal(trouble) from None


def body_hash(body: Any) -> bytes:
    """Answer the SHA-256 of a decoded body in canonical form: order of keys and white space don't count."""
    try:
        canonical = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        # Nested deeper than can be written again; no request of ours has a fourth level.
        raise GuvercinError(Code.BROKEN_JSON) from None
    return hashlib.sha256(canonical).digest()


@lru_cache(maxsize=64)
def _charset(content_type: str | None) -> str:
    """Answer the codec of a JSON body. A missing Content-Type is read as JSON in UTF-8: many old clients send none."""
    if content_type is None or content_type == "application/json":
        return "utf-8"
    header = Message()
    header["content-type"] = content_type
    subtype = header.get_content_subtype()
    codec = _CHARSETS.get((header.get_content_charset() or "utf-8").lower())
    is_json = header.get_content_maintype() == "application" and (subtype == "json" or subtype.endswith("+json"))
    if not is_json or codec is None:
        raise GuvercinError(Code.WRONG_CONTENT_TYPE)
    return codec


def _to_utf8(raw: bytes, charset: str) -> bytes:
    try:
        return raw.decode(charset).encode()
    except UnicodeDecodeError:
        raise GuvercinError(Code.BROKEN_JSON) from None


def _why_unreadable(raw: bytes) -> Code:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return Code.NOT_UTF8
    return Code.BROKEN_JSON


def _refusal(trouble: ValidationError) -> GuvercinError:
    errors = trouble.errors(include_url=False, include_input=False)
    if any(error["type"] == "too_long" and error["loc"] == ("alicilar",) for error in errors):
        return GuvercinError(Code.TOO_MANY_RECIPIENTS, params={"limit": MOST_RECIPIENTS})
    return invalid(errors, ATTRIBUTES)
