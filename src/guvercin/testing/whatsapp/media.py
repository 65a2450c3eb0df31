"""Files on their way: sealed with a key of their own, kept by the server, opened by whoever got the key in a message.

A sealed file is AES-CBC ciphertext ‖ 10 bytes of MAC. The server knows no key and looks at nothing.
"""

import hashlib
import hmac
import os
import secrets
from typing import Any

from aiohttp import web

from guvercin.testing.whatsapp.faults import Act, Plan, Point
from guvercin.testing.whatsapp.keys import derive
from guvercin.testing.whatsapp.signal import decrypt_cbc, encrypt_cbc

KINDS = {"image": "Image", "document": "Document", "video": "Video", "audio": "Audio", "md-msg-hist": "History"}
"""The kinds of file as they stand in addresses, and as their keys are derived."""

_MAC = 10
LARGEST = 256 << 20


def _keys(key: bytes, kind: str) -> tuple[bytes, bytes, bytes]:
    keys = derive(key, 112, info=f"WhatsApp {KINDS[kind]} Keys".encode())
    return keys[:16], keys[16:48], keys[48:80]


def seal(plain: bytes, kind: str) -> tuple[bytes, bytes]:
    """Answer a file sealed, and its fresh key (32 bytes)."""
    key = os.urandom(32)
    iv, cipher_key, mac_key = _keys(key, kind)
    sealed = encrypt_cbc(plain, cipher_key, iv)
    return sealed + hmac.digest(mac_key, iv + sealed, "sha256")[:_MAC], key


def unseal(blob: bytes, key: bytes, kind: str) -> bytes:
    """Answer the file in a sealed one. ValueError: it was sealed with another key, or damaged."""
    iv, cipher_key, mac_key = _keys(key, kind)
    sealed, mac = blob[:-_MAC], blob[-_MAC:]
    if not hmac.compare_digest(hmac.digest(mac_key, iv + sealed, "sha256")[:_MAC], mac):
        raise ValueError("the file's MAC is wrong")
    return decrypt_cbc(sealed, cipher_key, iv)


class MediaStore:
    """WhatsApp's file server: takes what clients upload, gives what they ask for, says no when the plan does."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._files: dict[str, bytes] = {}
        self.port = 0

    def routes(self) -> list[web.AbstractRouteDef]:
        """Answer the addresses that clients use: POST and DELETE /mms/KIND/HASH, GET /v/NAME."""
        return [
            web.post("/mms/{kind}/{hash}", self._upload),
            web.delete("/mms/{kind}/{hash}", self._delete),
            web.get("/v/{name}", self._download),
        ]

    def put(self, blob: bytes) -> str:
        """Keep a sealed file and answer its direct path (with a query: the client appends to it)."""
        name = secrets.token_hex(8)
        self._files[name] = blob
        return f"/v/{name}?ccb=1"

    def address(self, path: str) -> str:
        """Answer the whole address of a direct path."""
        return f"https://127.0.0.1:{self.port}{path}"

    def share(self, plain: bytes, kind: str) -> dict[str, Any]:
        """Upload a file as a simulated phone does. Answer the fields of the message that names it."""
        blob, key = seal(plain, kind)
        path = self.put(blob)
        return {
            "directPath": path,
            "mediaKey": key,
            "fileSHA256": hashlib.sha256(plain).digest(),
            "fileEncSHA256": hashlib.sha256(blob).digest(),
            "fileLength": len(plain),
        }

    def forget(self) -> None:
        """Delete every file, as WhatsApp does after some weeks."""
        self._files.clear()

    def fetch(self, part: Any, kind: str) -> bytes:
        """Answer the file that a message names, as a phone opens it. ValueError: it isn't what the message says."""
        blob = self._files[part.directPath.partition("?")[0].rpartition("/")[2]]
        plain = unseal(blob, part.mediaKey, kind)
        told = (part.fileEncSHA256, part.fileSHA256, part.fileLength)
        if told != (hashlib.sha256(blob).digest(), hashlib.sha256(plain).digest(), len(plain)):
            raise ValueError("the file isn't the one that the message describes")
        return plain

    async def _upload(self, request: web.Request) -> web.Response:
        body = await request.read()
        fault = await self._plan.meet(Point.UPLOAD)
        if fault and fault.act is Act.REFUSE:
            return web.Response(status=int(fault.code))
        path = self.put(body)
        return web.json_response({"url": self.address(path), "direct_path": path})

    async def _download(self, request: web.Request) -> web.Response:
        fault = await self._plan.meet(Point.DOWNLOAD)
        if fault and fault.act is Act.REFUSE:
            return web.Response(status=int(fault.code))
        blob = self._files.get(request.match_info["name"])
        return web.Response(status=404) if blob is None else web.Response(body=blob)

    async def _delete(self, _: web.Request) -> web.Response:
        return web.Response()
