"""The real engine in a process of its own: commands as JSON lines on stdin, answers and events as JSON lines on stdout.

It is nothing of the product's: it holds the test server to what the engine itself does.
"""

import asyncio
import base64
import ctypes
import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

OUT = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)  # the engine's library prints to standard output
LOCK = threading.Lock()
CALLBACKS: list[Any] = []
"""Of every connection: the engine drops those of the one before, and crashes when its library still calls them."""


def tell(**said: Any) -> None:
    with LOCK:
        OUT.write(json.dumps(said, default=str) + "\n")


from guvercin.transports.web.unused import leave_out  # noqa: E402 -- as below

leave_out()

from google.protobuf.json_format import MessageToDict, ParseDict  # noqa: E402 -- after standard output is out of the way
from neonize import events  # noqa: E402 -- as above
from neonize.aioze import client as engine  # noqa: E402 -- as above
from neonize.proto.Neonize_pb2 import JID  # noqa: E402 -- as above
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message  # noqa: E402 -- as above
from neonize.utils import build_jid  # noqa: E402 -- as above
from neonize.utils.enum import ReceiptType  # noqa: E402 -- as above


def make(folder: str, name: str) -> Any:
    client = engine.NewAClient(f"{folder}/{name}.db", uuid=name)

    async def code(_: Any, text: bytes) -> None:
        tell(event="code", client=name, data=text.decode())

    client.qr(code)
    client._NewAClient__onLoginStatus = lambda _, status: tell(
        event="status", client=name, data=ctypes.string_at(status).decode()
    )
    for kind, number in events.EVENT_TO_INT.items():
        if number:

            async def heard(_: Any, event: Any, kind: type = kind) -> None:
                tell(event=kind.__name__, client=name, data=MessageToDict(event))

            client.event(kind)(heard)
    return client


async def connect(clients: dict[str, Any], folder: str, asked: dict[str, Any]) -> None:
    name = asked["client"]
    if name not in clients:
        clients[name] = make(folder, name)
    client = clients[name]
    if device := asked.get("device"):
        client.jid = JID(User=device[0], Device=device[1], RawAgent=0, Integrator=0, Server="s.whatsapp.net")
    task = await client.connect()
    CALLBACKS.append(client._connect_refs)
    task.add_done_callback(lambda ended: tell(event="ended", client=name, data=repr(ended.exception())))


async def send(client: Any, asked: dict[str, Any]) -> Any:
    message = Message(conversation=asked["text"])
    message.messageContextInfo.messageSecret = os.urandom(32)
    return MessageToDict(await client.send_message(build_jid(asked["to"]), message))


async def document(client: Any, asked: dict[str, Any]) -> Any:
    content = base64.b64decode(asked["content"])
    sent = client.send_document(
        build_jid(asked["to"]), content, caption=asked["caption"], filename="a.pdf", mimetype="application/pdf"
    )
    return MessageToDict(await sent)


async def look_up(client: Any, asked: dict[str, Any]) -> Any:
    return [MessageToDict(found) for found in await client.is_on_whatsapp(*asked["numbers"])]


async def code(client: Any, asked: dict[str, Any]) -> Any:
    return await client.PairPhone(asked["phone"], True)


async def download(client: Any, asked: dict[str, Any]) -> Any:
    return base64.b64encode(await client.download_any(ParseDict(asked["message"], Message()))).decode()


async def read(client: Any, asked: dict[str, Any]) -> Any:
    chat = build_jid(asked["chat"], "lid")
    await client.mark_read(asked["message"], chat=chat, sender=chat, receipt=ReceiptType.READ)


async def stop(client: Any, _: dict[str, Any]) -> Any:
    await client.stop()


ACTS = {act.__name__: act for act in (send, document, look_up, code, download, read, stop)}


async def main(folder: str) -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(64))  # each client keeps one of them for good
    clients: dict[str, Any] = {}

    async def act(asked: dict[str, Any]) -> Any:
        if asked["do"] == "connect":
            return await connect(clients, folder, asked)
        return await ACTS[asked["do"]](clients[asked["client"]], asked)

    async def answer(asked: dict[str, Any]) -> None:
        try:
            tell(number=asked["number"], result=await act(asked))
        except Exception as error:  # noqa: BLE001 -- whatever it is, the test judges it
            tell(number=asked["number"], error=f"{type(error).__name__}: {error}")

    reader = asyncio.StreamReader(limit=1 << 24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    tell(event="ready", client="")
    tasks = set()
    while line := await reader.readline():
        tasks.add(asyncio.ensure_future(answer(json.loads(line))))


asyncio.run(main(sys.argv[1]))
