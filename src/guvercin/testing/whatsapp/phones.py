"""Simulated phones: the people with WhatsApp, who link clients, write, read, and ask again for what they can't.

Laws
1. A phone is device 0 of its account. It does at once what it is told, and by itself only what its fields say:
   which receipts it sends for a message, whether it is online.
2. What it received it keeps, in order, decrypted; nothing here reaches a log.
3. What it writes goes to every linked device of the recipient and, as a copy, to its own: WhatsApp sends to
   devices.
"""

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from guvercin.testing.whatsapp import linking
from guvercin.testing.whatsapp.binxml import JID, LID, PN, SERVER_JID, Attr, Node
from guvercin.testing.whatsapp.devices import LinkedDevice
from guvercin.testing.whatsapp.histories import notice
from guvercin.testing.whatsapp.messages import e2e
from guvercin.testing.whatsapp.signal import SignalDevice

if TYPE_CHECKING:
    from guvercin.testing.whatsapp.server import WhatsApp

DELIVERED, READ = "", "read"
"""Types of receipt as they stand on the wire."""


@dataclass(slots=True, eq=False, kw_only=True)
class Received:
    """A message that a linked device sent, as the recipient's phone has it."""

    id: str
    sender: LinkedDevice
    to: "Phone | None"
    """None: the number has no WhatsApp, and the client sent all the same."""
    stanza: Node
    at: datetime
    message: Any = None
    """The waE2E.Message; None while it couldn't be read."""
    own_copy: Any = None
    """What the sender's own phone got: a Message with a deviceSentMessage."""
    error: str = ""
    """Why a phone couldn't read its part."""
    retries: int = 0
    """How often the phone asked for it again."""

    @property
    def text(self) -> str:
        """Answer its text, or the caption of its file."""
        message = self.message
        if message is None:
            return ""
        if message.HasField("documentWithCaptionMessage"):
            message = message.documentWithCaptionMessage.message
        parts = (
            message.conversation,
            message.extendedTextMessage.text,
            message.documentMessage.caption,
            message.imageMessage.caption,
        )
        return str(next(filter(None, parts), ""))


@dataclass(slots=True, eq=False, kw_only=True)
class Phone:
    """Somebody with WhatsApp. `number` is without a plus; `lid` is the hidden number that WhatsApp gave it."""

    server: "WhatsApp"
    number: str
    lid: str
    name: str
    receipts: tuple[str, ...] = (DELIVERED,)
    """The receipts that it sends for every message, in order: "" is delivered."""
    is_registered: bool = True
    """False: the number isn't on WhatsApp."""
    hides_number: bool = False
    """True: what it writes comes without its number, under its hidden address alone."""
    is_online: bool = True
    """An online phone confirms the copies of what its own linked devices send (receipts of type `sender`)."""
    history: tuple[tuple["Phone", datetime], ...] = ()
    """Who wrote last to it, and when: told to a client when it is linked (HistorySync)."""
    signal: SignalDevice = field(default_factory=SignalDevice)
    devices: dict[int, LinkedDevice] = field(default_factory=dict)
    devices_linked: int = 0
    inbox: list[Received] = field(default_factory=list)
    """What it received from linked devices."""
    sent: dict[str, Any] = field(default_factory=dict)
    """What it wrote, by id: the waE2E.Message, for those who ask again."""

    @property
    def pn_jid(self) -> JID:
        """Answer its address by phone number."""
        return JID(self.number, PN)

    @property
    def lid_jid(self) -> JID:
        """Answer its hidden address."""
        return JID(self.lid, LID)

    async def scan(self, code: str) -> LinkedDevice:
        """Scan the QR text that a client shows. LinkingError: it came to nothing."""
        return await linking.scan(self, code)

    async def type_code(self, code: str) -> LinkedDevice:
        """Type the code that a client shows. LinkingError: it came to nothing."""
        return await linking.type_code(self, code)

    async def unlink(self, device: LinkedDevice) -> None:
        """Remove a linked device, as its owner does on the phone."""
        await self.server.dismiss(device)
        if device.connection is not None:
            await device.connection.stream_error(code="401", conflict="device_removed")

    async def write(self, to: "Phone", text: str) -> str:
        """Send a text and answer its id."""
        return await self.send(to, e2e.Message(conversation=text))

    async def send_file(self, to: "Phone", content: bytes, kind: str, **fields: Any) -> str:
        """Send a file (kind: image, document, video, audio) with further fields of its message, and answer its id."""
        shared = self.server.media.share(content, kind)
        parts = {
            "image": e2e.ImageMessage,
            "document": e2e.DocumentMessage,
            "video": e2e.VideoMessage,
            "audio": e2e.AudioMessage,
        }
        part = parts[kind](URL=self.server.media.address(shared["directPath"]), **shared, **fields)
        return await self.send(to, e2e.Message(**{f"{kind}Message": part}), kind="media", mediatype=kind)

    async def send(self, to: "Phone", message: Any, *, kind: str = "text", mediatype: str = "") -> str:
        """Send a waE2E.Message to every linked device of `to`, with copies for the own ones. Answer its id."""
        number = "3A" + secrets.token_hex(9).upper()
        self.sent[number] = message
        attrs: dict[str, Attr] = {"id": number, "type": kind, "t": self.server.seconds(), "notify": self.name}
        incoming: dict[str, Attr] = {"from": self.lid_jid, "addressing_mode": "lid"}
        if not self.hides_number:
            incoming["sender_pn"] = self.pn_jid
        for device in list(to.devices.values()):
            await self._put(device, message, attrs | incoming, mediatype)
        copied = e2e.DeviceSentMessage(destinationJID=str(to.lid_jid), message=message)
        copy = e2e.Message(deviceSentMessage=copied)
        outgoing: dict[str, Attr] = {
            "from": self.lid_jid,
            "recipient": to.lid_jid,
            "peer_recipient_pn": to.pn_jid,
        }
        for device in list(self.devices.values()):
            await self._put(device, copy, attrs | outgoing, mediatype)
        return number

    async def tell_receipt(self, of: Received, kind: str = DELIVERED, *, child: Node | None = None) -> None:
        """Send a receipt for a message: delivered, read, retry, or a type that no client knows."""
        attrs: dict[str, Attr] = {"from": self.lid_jid, "id": of.id, "t": self.server.seconds(), "type": kind}
        await of.sender.put(Node("receipt", attrs, None if child is None else [child]))

    async def read(self, received: Received) -> None:
        """Open the chat: the sender is told that the message was read."""
        await self.tell_receipt(received, READ)

    async def tell_sender(self, received: Received) -> None:
        """Confirm the copy of what an own linked device sent (`type=sender`)."""
        to = received.stanza.jid("to")
        attrs: dict[str, Attr] = {"from": self.lid_jid, "recipient": to, "id": received.id, "type": "sender"}
        await received.sender.put(Node("receipt", {**attrs, "t": self.server.seconds()}))

    async def ask_again(self, received: Received) -> None:
        """Ask for a message that can't be read: `<receipt type=retry><retry/><registration/><keys/></receipt>`."""
        received.retries += 1
        self.signal.forget(str(received.sender.lid_jid))
        bundle = self.signal.bundle()
        attrs: dict[str, Attr] = {
            "count": received.retries,
            "id": received.id,
            "t": received.stanza.text("t") or self.server.seconds(),
            "v": 1,
        }
        children = [
            Node("retry", attrs),
            Node("registration", {}, bundle.registration.to_bytes(4, "big")),
            Node("keys", {}, self.server.key_nodes(bundle)),
        ]
        stanza: dict[str, Attr] = {"from": self.lid_jid, "id": received.id, "type": "retry"}
        await received.sender.put(Node("receipt", {**stanza, "t": self.server.seconds()}, children))

    async def answer_retry(self, device: LinkedDevice, receipt: Node) -> None:
        """Send a message again to a linked device that couldn't read it, in a fresh session."""
        number = receipt.text("id")
        message = self.sent.get(number)
        if message is None:
            return
        self.signal.forget(str(device.lid_jid))
        attrs: dict[str, Attr] = {
            "id": number,
            "type": "text",
            "t": self.server.seconds(),
            "notify": self.name,
            "from": self.lid_jid,
            "sender_pn": self.pn_jid,
            "addressing_mode": "lid",
        }
        await self._put(device, message, attrs, "", count=receipt.get("retry").text("count"))

    async def is_told(self, device: LinkedDevice, name: str, told: dict[str, Any]) -> None:
        """Let WhatsApp tell a linked device of a restriction (`<notification type=mex><update op_name/>`)."""
        update = Node("update", {"op_name": name}, json.dumps({"data": told}).encode())
        attrs: dict[str, Attr] = {"from": SERVER_JID, "type": "mex", "id": self.server.next_id()}
        await device.put(Node("notification", attrs | {"t": self.server.seconds()}, [update]))

    async def greet(self, device: LinkedDevice) -> None:
        """Send a client that was just linked the history: who wrote last, and when."""
        device.was_greeted = True
        if self.history:
            message = notice(self.server.media, self.history)
            attrs: dict[str, Attr] = {"from": self.lid_jid, "id": secrets.token_hex(10).upper(), "type": "text"}
            peer: dict[str, Attr] = {"category": "peer", "t": self.server.seconds()}
            await self._put(device, message, attrs | peer, "")

    def open(self, sender: LinkedDevice, enc: Node) -> Any:
        """Decrypt an `<enc v=2 type>` for this phone. Answer the waE2E.Message. ValueError: it can't be read."""
        plain = self.signal.decrypt(str(sender.lid_jid), enc.text("type"), enc.body)
        return e2e.Message.FromString(plain)

    async def _put(
        self,
        device: LinkedDevice,
        message: Any,
        attrs: dict[str, Attr],
        mediatype: str,
        count: str = "",
    ) -> None:
        peer = str(device.lid_jid)
        if not self.signal.knows(peer):
            self.signal.begin(peer, device.bundle())
        kind, sealed = self.signal.encrypt(peer, message.SerializeToString())
        enc = Node("enc", {"v": "2", "type": kind, "mediatype": mediatype, "count": count}, sealed)
        await device.put(Node("message", attrs, [enc]))


def devices_of(phones: Iterable[Phone]) -> list[LinkedDevice]:
    """Answer every linked device of these people."""
    return [device for phone in phones for device in phone.devices.values()]
