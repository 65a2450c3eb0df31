"""What clients ask (`<iq type xmlns>`), and what WhatsApp answers.

Laws
1. Every question is answered: a `set` that isn't known with an empty result, a `get` with 404; both are kept in
   `server.unhandled`, so that a test can see what a newer client began to ask.
2. A user is found by phone number, by hidden number, or by the number that a person wrote (`<contact>+90…</contact>`).
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from guvercin.testing.whatsapp import linking, routing
from guvercin.testing.whatsapp.binxml import JID, PN, SERVER_JID, Attr, Node
from guvercin.testing.whatsapp.connection import Connection
from guvercin.testing.whatsapp.faults import Act, Point
from guvercin.testing.whatsapp.signal import Bundle, SignedPrekey

if TYPE_CHECKING:
    from guvercin.testing.whatsapp.phones import Phone
    from guvercin.testing.whatsapp.server import WhatsApp

_PRIVACY = ("readreceipts", "last", "online", "profile", "status", "groupadd")


async def answer(server: "WhatsApp", connection: Connection, node: Node) -> None:
    """Answer one `iq`, or give it to whoever waits for it."""
    kind, space = node.text("type"), node.text("xmlns")
    if kind in ("result", "error"):
        connection.is_answered(node)
        return
    first = node.children[0] if node.children else Node("")
    known = _ANSWERS.get((space, first.tag)) or _ANSWERS.get((space, kind)) or _ANSWERS.get((space, ""))
    if known is not None:
        await known(server, connection, node, first)
        return
    server.unhandled.append(node)
    if kind == "set":
        await _reply(connection, node)
    else:
        error = Node("error", {"code": "404", "text": "item-not-found"})
        attrs: dict[str, Attr] = {"from": SERVER_JID, "id": node.text("id"), "type": "error"}
        await connection.send(Node("iq", attrs, [error]))


async def _reply(connection: Connection, asked: Node, *children: Node) -> None:
    attrs: dict[str, Attr] = {"from": SERVER_JID, "id": asked.text("id"), "type": "result"}
    await connection.send(Node("iq", attrs, list(children) or None))


async def _nothing(_: "WhatsApp", connection: Connection, asked: Node, __: Node) -> None:
    await _reply(connection, asked)


async def _count_prekeys(_: "WhatsApp", connection: Connection, asked: Node, __: Node) -> None:
    count = len(connection.device.prekeys) if connection.device else 0
    await _reply(connection, asked, Node("count", {"value": count}))


async def _take_prekeys(_: "WhatsApp", connection: Connection, asked: Node, __: Node) -> None:
    """Take `<list><key><id/><value/></key>…</list>` (812 at first) and, if it came, a new signed prekey."""
    if (device := connection.device) is not None:
        keys, signed = asked.find("list"), asked.find("skey")
        for key in keys.children if keys else []:
            device.prekeys[int.from_bytes(key.get("id").body, "big")] = key.get("value").body
        if signed is not None:
            device.signed = SignedPrekey(
                number=int.from_bytes(signed.get("id").body, "big"),
                public=signed.get("value").body,
                signature=signed.get("signature").body,
            )
    await _reply(connection, asked)


async def _give_keys(server: "WhatsApp", connection: Connection, asked: Node, first: Node) -> None:
    users = [await _keys_of(server, user.jid("jid")) for user in first.all("user")]
    await _reply(connection, asked, Node("list", {}, users))


async def _keys_of(server: "WhatsApp", jid: JID) -> Node:
    phone = server.find(jid)
    fault = await server.faults.meet(Point.PREKEYS, to=phone.number if phone else jid.user)
    device = phone.signal if phone and jid.device == 0 else phone.devices.get(jid.device) if phone else None
    if device is None or (fault and fault.act is Act.MISSING):
        return Node("user", {"jid": jid}, [Node("error", {"code": "404", "text": "item-not-found"})])
    bundle = device.bundle()
    keys = key_nodes(bundle, is_forged=fault is not None)
    registration = Node("registration", {}, bundle.registration.to_bytes(4, "big"))
    return Node("user", {"jid": jid, "t": server.seconds()}, [registration, *keys])


def key_nodes(bundle: Bundle, *, is_forged: bool = False) -> list[Node]:
    """Answer a bundle as it stands on the wire: type, identity, signed prekey, prekey."""
    signed = bundle.signed
    signature = bytes(64) if is_forged else signed.signature
    nodes = [
        Node("type", {}, b"\x05"),
        Node("identity", {}, bundle.identity),
        Node(
            "skey",
            {},
            [
                Node("id", {}, signed.number.to_bytes(3, "big")),
                Node("value", {}, signed.public),
                Node("signature", {}, signature),
            ],
        ),
    ]
    if bundle.prekey is not None:
        number, public = bundle.prekey
        nodes.append(Node("key", {}, [Node("id", {}, number.to_bytes(3, "big")), Node("value", {}, public)]))
    return nodes


async def _go_active(_: "WhatsApp", connection: Connection, asked: Node, first: Node) -> None:
    """Hear `<active/>`: only now does the client count as connected, and gets what waited for it."""
    await _reply(connection, asked)
    device = connection.device
    if device is not None and first.tag == "active":
        if not device.was_greeted:
            await device.phone.greet(device)
        await routing.hand_over(device)


async def _look_up(server: "WhatsApp", connection: Connection, asked: Node, usync: Node) -> None:
    """Answer usync: `<usync sid mode><query/><list><user jid><contact/></user>…</list></usync>`."""
    wanted = [node.tag for node in usync.get("query").children]
    by_lid = any(node.text("addressing_mode") == "lid" for node in usync.get("query").children)
    users = [await _looked_up(server, user, wanted, by_lid=by_lid) for user in usync.get("list").children]
    attrs: dict[str, Attr] = {"sid": usync.text("sid"), "mode": usync.text("mode"), "index": "0", "last": "true"}
    result = Node("result", {}, [Node(tag) for tag in wanted])
    await _reply(connection, asked, Node("usync", attrs, [result, Node("list", {}, users)]))


async def _looked_up(server: "WhatsApp", user: Node, wanted: list[str], *, by_lid: bool) -> Node:
    contact = user.find("contact")
    written = contact.body.decode() if contact is not None and contact.content else ""
    jid = user.jid("jid") if "jid" in user.attrs else JID(written.partition("@")[0].lstrip("+"), PN)
    phone = server.find(jid)
    fault = await server.faults.meet(Point.LOOKUP, to=phone.number if phone else jid.user)
    if fault is not None:
        phone = None
    attrs: dict[str, Attr] = {"jid": jid if jid.server != "c.us" else JID(jid.user.lstrip("+"), PN)}
    if phone is not None and "contact" in wanted and by_lid:
        attrs = {"jid": phone.lid_jid, "pn_jid": phone.pn_jid}
    return Node("user", attrs, _facts(phone, wanted, written))


def _facts(phone: "Phone | None", wanted: list[str], written: str) -> list[Node]:
    facts = []
    if "contact" in wanted:
        facts.append(Node("contact", {"type": "in" if phone else "out"}, written or None))
    if phone is not None and "devices" in wanted:
        listed = [Node("device", {"id": "0"})]
        listed += [Node("device", {"id": number, "key-index": number}) for number in phone.devices]
        hashed = routing.devices_hash(JID(phone.number, PN, number) for number in (0, *phone.devices))
        facts.append(Node("devices", {}, [Node("device-list", {"hash": hashed}, listed)]))
    if phone is not None and "lid" in wanted:
        facts.append(Node("lid", {"val": phone.lid_jid}))
    return facts


async def _media_hosts(server: "WhatsApp", connection: Connection, asked: Node, _: Node) -> None:
    attrs: dict[str, Attr] = {"auth": "test", "ttl": 300, "auth_ttl": 21600, "max_buckets": 12}
    host = Node("host", {"hostname": f"127.0.0.1:{server.media.port}", "type": "primary"})
    await _reply(connection, asked, Node("media_conn", attrs, [host]))


async def _privacy(_: "WhatsApp", connection: Connection, asked: Node, __: Node) -> None:
    settings = [Node("category", {"name": name, "value": "all"}) for name in _PRIVACY]
    await _reply(connection, asked, Node("privacy", {}, settings))


async def _link_by_code(_: "WhatsApp", connection: Connection, asked: Node, first: Node) -> None:
    told = await linking.hear_code(connection, first)
    await _reply(connection, asked, *([] if told is None else [told]))


async def _remove_device(server: "WhatsApp", connection: Connection, asked: Node, _: Node) -> None:
    """Hear that the client leaves the account by itself (logout)."""
    await _reply(connection, asked)
    if connection.device is not None:
        await server.dismiss(connection.device)


_ANSWERS: dict[tuple[str, str], Callable[["WhatsApp", Connection, Node, Node], Awaitable[None]]] = {
    ("w:p", ""): _nothing,
    ("urn:xmpp:ping", ""): _nothing,
    ("encrypt", "count"): _count_prekeys,
    ("encrypt", "key"): _give_keys,
    ("encrypt", "set"): _take_prekeys,
    ("passive", ""): _go_active,
    ("usync", ""): _look_up,
    ("w:m", ""): _media_hosts,
    ("privacy", "get"): _privacy,
    ("md", "link_code_companion_reg"): _link_by_code,
    ("md", "remove-companion-device"): _remove_device,
}
"""By namespace and first child, else by namespace and type, else by namespace."""
