"""Linking a client to a phone: by QR, by a typed code, and the passkey that WhatsApp sometimes wants first.

Stanza shapes: docs of the client's own protocol core, as it accepts them. The device identity is signed twice: the
phone signs `06 00 ‖ details ‖ client's identity`, the client answers with a signature over `06 01 ‖ details ‖ its
identity ‖ phone's`.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from guvercin.locale import sentence
from guvercin.testing.whatsapp import xeddsa
from guvercin.testing.whatsapp.binxml import SERVER_JID, Attr, Node
from guvercin.testing.whatsapp.connection import CodeOffer, Connection
from guvercin.testing.whatsapp.devices import LinkedDevice
from guvercin.testing.whatsapp.faults import Act, Point
from guvercin.testing.whatsapp.keys import KeyPair, derive
from guvercin.testing.whatsapp.messages import adv
from guvercin.testing.whatsapp.signal import DJB

if TYPE_CHECKING:
    from guvercin.testing.whatsapp.phones import Phone

REFERENCES = 6
"""Codes that a client may show, one after the other, before it must ask anew."""

_PATIENCE = 15.0
_ROUNDS = 2 << 16
"""PBKDF2 rounds between a typed code and its key."""


class LinkingError(Exception):
    """The linking came to nothing; a sentence of the catalogue says why: a passkey that WhatsApp wants, say."""


async def offer(connection: Connection) -> None:
    """Give a client that wants to be linked the references for its QR codes (`pair-device`)."""
    keys = connection.keys
    if keys is None or not xeddsa.verify(keys.identity, DJB + keys.signed.public, keys.signed.signature):
        raise ValueError("the client's signed prekey has a wrong signature")
    references = [f"2@{secrets.token_urlsafe(24)}" for _ in range(REFERENCES)]
    connection.server.offers |= dict.fromkeys(references, connection)
    children = [Node("ref", {}, reference.encode()) for reference in references]
    asked: dict[str, Attr] = {"from": SERVER_JID, "id": connection.next_id(), "type": "set", "xmlns": "md"}
    await connection.send(Node("iq", asked, [Node("pair-device", {}, children)]))


async def scan(phone: "Phone", code: str) -> LinkedDevice:
    """Link the client that shows this QR text: `[https://…#]REF,NOISE,IDENTITY,SECRET[,TYPE]`, the keys in base64.

    LinkingError: the code is none, or stale; WhatsApp wants a passkey; the client refuses the phone's signature.
    """
    try:
        reference, _, identity, secret, *_ = code.strip().rpartition("#")[2].split(",")
        connection = phone.server.offers[reference]
        keys = base64.b64decode(identity, validate=True), base64.b64decode(secret, validate=True)
    except (ValueError, KeyError):
        raise LinkingError(sentence("This is not a code that a client shows now.")) from None
    return await _link(phone, connection, *keys)


async def type_code(phone: "Phone", code: str) -> LinkedDevice:
    """Link the client that asked for this phone's number and shows this code (8 letters and digits, a dash or none).

    LinkingError: nobody asked for this phone, or the code is mistyped.
    """
    connection = phone.server.code_offers.pop(phone.number, None)
    if connection is None or connection.code_offer is None:
        raise LinkingError(sentence("No client has asked to be linked to this number."))
    typed, wanted = code.replace("-", "").upper(), connection.code_offer
    theirs = _wrap(typed, wanted.wrapped[:32], wanted.wrapped[32:48], wanted.wrapped[48:80])
    ephemeral, salt, iv = KeyPair(), secrets.token_bytes(32), secrets.token_bytes(16)
    hello = [
        Node("link_code_pairing_ref", {}, wanted.reference),
        Node(
            "link_code_pairing_wrapped_primary_ephemeral_pub",
            {},
            salt + iv + _wrap(typed, salt, iv, ephemeral.public),
        ),
        Node("primary_identity_pub", {}, phone.signal.identity.public),
    ]
    await _notify(
        connection,
        "link_code_companion_reg",
        Node("link_code_companion_reg", {"stage": "primary_hello"}, hello),
    )
    try:
        async with asyncio.timeout(_PATIENCE):
            bundle, identity = await wanted.finished
        shared = ephemeral.agree(theirs)
        key = derive(shared, 32, salt=bundle[:32], info=b"link_code_pairing_key_bundle_encryption_key")
        plain = AESGCM(key).decrypt(bundle[32:44], bundle[44:], None)
    except (InvalidTag, TimeoutError):
        raise LinkingError(sentence("The code is mistyped.")) from None
    if plain[:64] != identity + phone.signal.identity.public:
        raise LinkingError(sentence("The client's keys are not those of the code."))
    secret = derive(shared + phone.signal.identity.agree(identity) + plain[64:], 32, info=b"adv_secret")
    return await _link(phone, connection, identity, secret)


async def hear_code(connection: Connection, node: Node) -> Node | None:
    """Answer `<link_code_companion_reg stage>` of a client: a wish for a code, or the end of one."""
    if node.text("stage") != "companion_hello":
        if connection.code_offer is not None and not connection.code_offer.finished.done():
            bundle = node.get("link_code_pairing_wrapped_key_bundle").body
            connection.code_offer.finished.set_result((bundle, node.get("companion_identity_public").body))
        return None
    reference = secrets.token_urlsafe(16).encode()
    wrapped = node.get("link_code_pairing_wrapped_companion_ephemeral_pub").body
    connection.code_offer = CodeOffer(reference, wrapped)
    connection.server.code_offers[node.jid("jid").user] = connection
    answer = Node("link_code_pairing_ref", {}, reference)
    return Node("link_code_companion_reg", {"stage": "companion_hello"}, [answer])


def _wrap(code: str, salt: bytes, iv: bytes, key: bytes) -> bytes:
    secret = hashlib.pbkdf2_hmac("sha256", code.encode(), salt, _ROUNDS)
    return Cipher(algorithms.AES(secret), modes.CTR(iv)).encryptor().update(key)


async def _notify(connection: Connection, kind: str, child: Node) -> None:
    attrs: dict[str, Attr] = {"from": SERVER_JID, "id": connection.next_id(), "type": kind}
    await connection.send(Node("notification", {**attrs, "t": connection.server.seconds()}, [child]))


async def _link(phone: "Phone", connection: Connection, identity: bytes, secret: bytes) -> LinkedDevice:
    server, keys = phone.server, connection.keys
    if keys is None or identity != keys.identity:
        raise LinkingError(sentence("The client's keys are not those of the code."))
    fault = await server.faults.meet(Point.LINKING, account=phone.number)
    if fault is not None and fault.act is Act.PASSKEY:
        await _ask_for_passkey(connection)
        raise LinkingError(sentence("WhatsApp wants a passkey of this account before it links."))
    phone.devices_linked += 1
    number = phone.devices_linked
    details = adv.ADVDeviceIdentity(
        rawID=secrets.randbits(31), timestamp=server.seconds(), keyIndex=number
    ).SerializeToString()
    own = phone.signal.identity
    signed = adv.ADVSignedDeviceIdentity(
        details=details,
        accountSignatureKey=own.public,
        accountSignature=xeddsa.sign(own.private, b"\x06\x00" + details + identity),
    ).SerializeToString()
    sealed_with = secret if fault is None else bytes(32)
    box = adv.ADVSignedDeviceIdentityHMAC(details=signed, HMAC=hmac.digest(sealed_with, signed, "sha256"))
    device = LinkedDevice(keys=keys, phone=phone, number=number, signed=keys.signed)
    success = [
        Node("device-identity", {}, box.SerializeToString()),
        Node("biz", {"name": ""}),
        Node("device", {"jid": device.pn_jid, "lid": device.lid_jid}),
        Node("platform", {"name": "android"}),
    ]
    answer = await connection.ask("md", [Node("pair-success", {}, success)], t=server.seconds())
    signature = answer.find("pair-device-sign", "device-identity")
    if answer.text("type") != "result" or signature is None:
        raise LinkingError(sentence("The client refuses to be linked."))
    theirs = adv.ADVSignedDeviceIdentity.FromString(signature.body).deviceSignature
    if not xeddsa.verify(identity, b"\x06\x01" + details + identity + own.public, theirs):
        raise LinkingError(sentence("The client's signature is wrong."))
    server.forget_offers(connection)
    await server.admit(device)
    await connection.stream_error(code="515")
    return device


async def _ask_for_passkey(connection: Connection) -> None:
    """Ask for a WebAuthn assertion, as WhatsApp does when it links some accounts: options as JSON, no credentials."""
    options = {
        "challenge": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("="),
        "timeout": 600_000,
        "rpId": "whatsapp.com",
        "allowCredentials": [],
        "userVerification": "required",
        "extensions": {},
    }
    await _notify(
        connection,
        "passkey_prologue_request",
        Node("passkey_request_options", {}, json.dumps(options).encode()),
    )
