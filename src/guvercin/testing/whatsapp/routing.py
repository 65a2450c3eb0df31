"""What becomes of the messages and receipts that clients send.

Laws
1. A message is for devices: each `<to jid>` of `participants` has its own ciphertext. Phones open theirs, linked
   devices get theirs through their queue. The copies for the sender's own devices hold a deviceSentMessage.
2. A message whose id the same device has sent before is acknowledged and goes nowhere: so a client may send again.
3. Of the faults of the plan, those that say that a message arrives let it arrive first, whatever comes after.
"""

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from guvercin.testing.whatsapp.binxml import JID, LID, Attr, Node
from guvercin.testing.whatsapp.connection import Connection
from guvercin.testing.whatsapp.devices import LinkedDevice
from guvercin.testing.whatsapp.faults import Act, Fault, Point
from guvercin.testing.whatsapp.phones import Phone, Received

if TYPE_CHECKING:
    from guvercin.testing.whatsapp.server import WhatsApp

_ARRIVES_NOT = {Act.CUT, Act.LOST, Act.REFUSE}

_FORWARDED = {"", "read", "played", "inactive", "retry"}
"""Types of a client's receipts that go on to whoever wrote the message; the rest is for its own account."""


async def message(server: "WhatsApp", connection: Connection, node: Node) -> None:
    """Take `<message id to type><participants/></message>` from a linked device, or its answer to a retry."""
    sender = connection.device
    if sender is None:
        raise ValueError("a message came before the login")
    recipient = server.find(node.jid("to"))
    to = recipient.number if recipient else node.jid("to").user
    fault = await server.faults.meet(Point.MESSAGE, account=sender.phone.number, to=to)
    if fault is not None and fault.act in _ARRIVES_NOT:
        await _refuse(connection, node, fault)
        return
    if node.find("enc") is not None:
        await _retried(server, sender, node)
        await connection.send(_ack(server, node))
        return
    received = None if node.text("id") in sender.sent else await _take(server, sender, recipient, node)
    if fault is not None and fault.act is Act.DELAY:
        server.in_background(_answer(connection, node, fault))
    else:
        await _answer(connection, node, fault)
    if received is not None:
        await _confirm(received, fault)


async def _take(server: "WhatsApp", sender: LinkedDevice, recipient: Phone | None, node: Node) -> Received:
    received = Received(id=node.text("id"), sender=sender, to=recipient, stanza=node, at=server.now())
    for to in node.get("participants").children:
        address, enc = to.jid("jid"), to.find("enc")
        phone = server.find(address)
        if phone is None or enc is None:
            continue
        if address.device == 0:
            _open(received, phone, enc)
        elif device := phone.devices.get(address.device):
            await device.put(_forwarded(received, device, enc))
    sender.sent[received.id] = received
    server.received.append(received)
    if recipient is not None:
        recipient.inbox.append(received)
    return received


def _open(received: Received, phone: Phone, enc: Node) -> None:
    try:
        opened = phone.open(received.sender, enc)
    except ValueError as error:
        received.error = str(error)
        return
    if phone is received.sender.phone:
        received.own_copy = opened
    if phone is received.to:
        is_copy = phone is received.sender.phone and opened.HasField("deviceSentMessage")
        received.message = opened.deviceSentMessage.message if is_copy else opened


def _forwarded(received: Received, device: LinkedDevice, enc: Node) -> Node:
    """Answer the stanza that another linked device gets: the sender's address in place of its own."""
    sender, node = received.sender, received.stanza
    attrs: dict[str, Attr] = {
        "from": sender.lid_jid,
        "id": received.id,
        "t": int(received.at.timestamp()),
        "type": node.text("type"),
        "notify": sender.phone.name,
        "addressing_mode": "lid",
    }
    if device.phone is sender.phone:
        attrs |= {"recipient": node.attrs["to"], "peer_recipient_pn": received.to.pn_jid if received.to else None}
    else:
        attrs["sender_pn"] = sender.phone.pn_jid
    identity = node.find("device-identity")
    return Node("message", attrs, [enc] if identity is None else [enc, identity])


async def _refuse(connection: Connection, node: Node, fault: Fault) -> None:
    if fault.act is Act.CUT:
        connection.server.leave_for(timedelta(seconds=fault.seconds))
        await connection.cut()
    elif fault.act is Act.REFUSE:
        await connection.send(_ack(connection.server, node, error=fault.code))


async def _answer(connection: Connection, node: Node, fault: Fault | None) -> None:
    server, act = connection.server, fault.act if fault else None
    if fault is not None and act in (Act.CUT_AFTER, Act.DELAY):
        if act is Act.CUT_AFTER:
            server.leave_for(timedelta(seconds=fault.seconds))
            await connection.cut()
            return
        await server.clock.sleep_until(server.clock.monotonic() + fault.seconds)
    if act is not Act.SILENT:
        await connection.send(_ack(server, node))
    if act is Act.REPLACED:
        await connection.stream_error(conflict="replaced")
    elif act is Act.REMOVED and connection.device is not None:
        await connection.device.phone.unlink(connection.device)


def _ack(server: "WhatsApp", node: Node, error: str = "") -> Node:
    """Answer `<ack class=message id from t [error] [phash]>`. A phash says that the client's list of devices is old."""
    attrs: dict[str, Attr] = {
        "class": "message",
        "id": node.text("id"),
        "from": node.jid("to"),
        "t": server.seconds(),
        "error": error,
    }
    participants = node.find("participants")
    recipient = server.find(node.jid("to"))
    if participants is not None and recipient is not None:
        written = {to.jid("jid").device for to in participants.children if server.find(to.jid("jid")) is recipient}
        known = {0, *recipient.devices}
        if not known <= written:
            attrs["phash"] = devices_hash(JID(recipient.lid, LID, number) for number in known)
    return Node("ack", attrs)


async def _confirm(received: Received, fault: Fault | None) -> None:
    """Let the phones say what they got."""
    sender, recipient = received.sender, received.to
    if received.own_copy is not None and sender.phone.is_online:
        await sender.phone.tell_sender(received)
    if recipient is None:
        return
    if fault is not None and fault.act is Act.RECEIPT:
        await recipient.tell_receipt(received, fault.code)
    if fault is not None and fault.act is Act.UNREADABLE:
        received.message = None
        await recipient.ask_again(received)
    elif received.error and received.message is None:
        await recipient.ask_again(received)
    elif received.message is not None:
        await _acknowledge(received)


async def _acknowledge(received: Received) -> None:
    if received.to is not None:
        for kind in received.to.receipts:
            await received.to.tell_receipt(received, kind)


async def _retried(server: "WhatsApp", sender: LinkedDevice, node: Node) -> None:
    """Take a message that was sent again because a device had asked: its `enc` stands alone, with a count."""
    address, enc = node.jid("to"), node.get("enc")
    phone = server.find(address)
    received = sender.sent.get(node.text("id"))
    if phone is None or received is None:
        return
    if address.device:
        if device := phone.devices.get(address.device):
            await device.put(_forwarded(received, device, enc))
        return
    _open(received, phone, enc)
    if phone is received.to and received.message is not None:
        received.error = ""
        await _acknowledge(received)


async def receipt(server: "WhatsApp", connection: Connection, node: Node) -> None:
    """Take a receipt from a client: it has a message (which leaves its queue), read it, or can't read it (`retry`)."""
    client = connection.device
    if client is None:
        raise ValueError("a receipt came before the login")
    kind, address = node.text("type"), node.jid("to")
    server.client_receipts.append(node)
    if kind not in ("read", "played"):
        client.has_acknowledged("message", node.text("id"))
    await connection.send(
        Node("ack", {"class": "receipt", "id": node.text("id"), "from": address, "type": node.attrs.get("type")}),
    )
    writer = server.find(address)
    if writer is None or kind not in _FORWARDED:
        return
    if address.device == 0:
        if kind == "retry":
            await writer.answer_retry(client, node)
    elif device := writer.devices.get(address.device):
        attrs: dict[str, Attr] = {"from": client.lid_jid, "id": node.text("id"), "t": server.seconds(), "type": kind}
        await device.put(replace(node, attrs=attrs))


async def hand_over(device: LinkedDevice) -> None:
    """Give a client that came back what waited for it, between `offline_preview` and `offline`."""
    connection, server = device.connection, device.phone.server
    if connection is None:
        return
    waiting = list(device.queue.values())
    tags = ("message", "receipt", "notification")
    counted: dict[str, Attr] = {tag: sum(node.tag == tag for node in waiting) for tag in tags}
    preview: dict[str, Attr] = {"count": len(waiting), "appdata": 0}
    await connection.send(server.told("ib", Node("offline_preview", preview | counted)))
    for node in waiting:
        await connection.send(replace(node, attrs={**node.attrs, "offline": "0"}))
    await connection.send(server.told("ib", Node("offline", {"count": len(waiting)})))
    device.is_active = True


def devices_hash(devices: Iterable[JID]) -> str:
    """Answer the hash by which client and server compare lists of devices."""
    listed = "".join(sorted(f"{jid.user}.0:{jid.device}@{jid.server}" for jid in devices))
    digest = hashlib.sha256(listed.encode()).digest()[:6]
    return f"2:{base64.b64encode(digest).decode().rstrip('=')}"


async def announce(server: "WhatsApp", changed: LinkedDevice, change: str) -> None:
    """Tell every linked device that somebody's list of devices has changed (change: add, remove).

    `<notification type=devices from lid><add|remove device_hash device_lid_hash><device jid lid key-index/></…>`; the
    account's own devices get the whole list instead (`type=account_sync`).
    """
    phone = changed.phone
    numbers = [0, *phone.devices]
    by_pn, by_lid = ([replace(jid, device=number) for number in numbers] for jid in (phone.pn_jid, phone.lid_jid))
    device: dict[str, Attr] = {"jid": changed.pn_jid, "lid": changed.lid_jid, "key-index": changed.number}
    hashes: dict[str, Attr] = {"device_hash": devices_hash(by_pn), "device_lid_hash": devices_hash(by_lid)}
    news = Node(change, hashes, [Node("device", device)])
    own = Node("devices", {"dhash": devices_hash(by_pn)}, [Node("device", {"jid": jid}) for jid in by_pn])
    for other in server.devices():
        if other is changed:
            continue
        kind, child = ("account_sync", own) if other.phone is phone else ("devices", news)
        attrs: dict[str, Attr] = {"from": phone.pn_jid, "id": server.next_id(), "type": kind, "t": server.seconds()}
        attrs |= {} if other.phone is phone else {"lid": phone.lid_jid}
        await other.put(Node("notification", attrs, [child]))
