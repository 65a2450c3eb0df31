"""The files of messages that came in: Meta names a short-lived address for its id of a file, and the file lies there.

Source: «media» of the WhatsApp Business Platform. Ids of webhooks are good for a week, addresses for minutes.
"""

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from guvercin.core.errors import Code, GuvercinError
from guvercin.transports.cloud import payloads
from guvercin.transports.cloud.graph import Answer, Graph, TooLarge, Written

_NO_SUCH_OBJECT = 100
_GONE = frozenset({403, 404, 410})


async def fetch(graph: Graph, number_id: str, source: Mapping[str, Any], into: Path, *, limit: int) -> None:
    """Write a file to `into`. `source` is what `contents.source_of` made. Raises as `FetchesFiles.fetch`."""
    told = await graph.get(str(source["id"]), phone_number_id=number_id)
    if not isinstance(told, Answer):
        raise GuvercinError(Code.INBOUND_FILE_AWAY)
    error = payloads.error_of(told.body)
    if error is not None:
        is_gone = error.code == _NO_SUCH_OBJECT  # Meta's word for «no such file, or not yours»
        raise GuvercinError(Code.INBOUND_FILE_GONE if is_gone else Code.INBOUND_FILE_AWAY)
    address, size = _address_in(told.body)
    if address is None:
        raise GuvercinError(Code.INBOUND_FILE_AWAY)
    if size > limit:
        raise GuvercinError(Code.INBOUND_FILE_LARGE)
    came = await graph.download(address, into, limit=limit)
    match came:
        case Written():
            wanted = digest_of(source.get("sha256")) or digest_of(told.body.get("sha256"))
            if wanted is not None and wanted != came.digest:  # cut short, or damaged on the way
                raise GuvercinError(Code.INBOUND_FILE_AWAY)
        case TooLarge():
            raise GuvercinError(Code.INBOUND_FILE_LARGE)
        case Answer() if came.status in _GONE:
            raise GuvercinError(Code.INBOUND_FILE_GONE)
        case _:
            raise GuvercinError(Code.INBOUND_FILE_AWAY)


def digest_of(written: object) -> str | None:
    """Read a SHA-256 as Meta writes it, in hex or in base64; answers hex, null if it is neither."""
    if not isinstance(written, str):
        return None
    for read in (bytes.fromhex, lambda word: base64.b64decode(word, validate=True)):
        try:
            digest = read(written)
        except (ValueError, binascii.Error):
            continue
        if len(digest) == 32:
            return digest.hex()
    return None


def _address_in(body: Any) -> tuple[str | None, int]:
    if not isinstance(body, Mapping) or not isinstance(body.get("url"), str):
        return None, 0
    size = body.get("file_size")
    if isinstance(size, str) and size.isdecimal() and len(size) < 16:
        size = int(size)
    return body["url"], size if type(size) is int else 0
