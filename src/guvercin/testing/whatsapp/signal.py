"""The part of Signal's protocol that a simulated phone needs: X3DH and the Double Ratchet, in WhatsApp's framing.

Laws
1. One device, 1:1 sessions, in memory: no sender keys (groups), one signed prekey, keys that were skipped are kept
   without bound. For tests only.
2. What can't be read raises ValueError, and the session stays usable: a phone then asks for the message again.
3. A message is `0x33 ‖ protobuf ‖ MAC (8 bytes)`; the first ones of a session are wrapped with the keys that begin
   it. Plain text is padded with 1 to 15 bytes of their own count.
"""

import hmac
import secrets
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from guvercin.testing.whatsapp import xeddsa
from guvercin.testing.whatsapp.keys import KeyPair, derive

DJB = b"\x05"
"""Stands before a public key wherever Signal signs or sends one."""
VERSION = b"\x33"
_MAC = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPrekey:
    """A signed prekey as published: number (3 bytes on the wire), public half, XEdDSA signature of 05 ‖ public."""

    number: int
    public: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What a device publishes, so that others can begin a session. `prekey` (number, public) is given out once."""

    registration: int
    identity: bytes
    signed: SignedPrekey
    prekey: tuple[int, bytes] | None


def encrypt_cbc(plain: bytes, key: bytes, iv: bytes) -> bytes:
    """AES-CBC with PKCS#7 padding."""
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()


def decrypt_cbc(sealed: bytes, key: bytes, iv: bytes) -> bytes:
    """Undo `encrypt_cbc`. ValueError: the padding is wrong."""
    decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    unpadder = padding.PKCS7(128).unpadder()
    return unpadder.update(decryptor.update(sealed) + decryptor.finalize()) + unpadder.finalize()


@dataclass(slots=True)
class Session:
    """One ratchet. `receiving` maps the peer's ratchet keys to (chain key, next number)."""

    own: KeyPair
    peer: bytes
    root: bytes
    ratchet: KeyPair
    sending: bytes
    begun_with: bytes
    sent: int = 0
    sent_before: int = 0
    receiving: dict[bytes, tuple[bytes, int]] = field(default_factory=dict)
    skipped: dict[tuple[bytes, int], bytes] = field(default_factory=dict)
    unanswered: tuple[int | None, int, bytes] | None = None
    """Until the peer answers, every message carries: prekey number, signed prekey number, base key."""

    def encrypt(self, plain: bytes, registration: int) -> tuple[str, bytes]:
        """Seal one message. Answer its `enc` type and the bytes."""
        self.sending, seed = _next_link(self.sending)
        key, mac_key, iv = _message_keys(seed)
        fields: list[tuple[int, int | bytes]] = [
            (1, DJB + self.ratchet.public),
            (2, self.sent),
            (3, self.sent_before),
            (4, encrypt_cbc(plain, key, iv)),
        ]
        body = VERSION + _write(fields)
        self.sent += 1
        message = body + _mac(mac_key, self.own.public, self.peer, body)
        if self.unanswered is None:
            return "msg", message
        prekey, signed, base = self.unanswered
        outer: list[tuple[int, int | bytes]] = [] if prekey is None else [(1, prekey)]
        outer += [(2, DJB + base), (3, DJB + self.own.public), (4, message), (5, registration), (6, signed)]
        return "pkmsg", VERSION + _write(outer)

    def decrypt(self, message: bytes) -> bytes:
        """Open one message. ValueError: it isn't for this session, or came before."""
        body, mac = message[:-_MAC], message[-_MAC:]
        fields = _read(body[1:])
        ratchet, number = _bytes(fields, 1)[1:], _int(fields, 2)
        tried = replace(self, receiving=dict(self.receiving), skipped=dict(self.skipped))
        key, mac_key, iv = _message_keys(tried.seed_of(ratchet, number))
        if not hmac.compare_digest(_mac(mac_key, self.peer, self.own.public, body), mac):
            raise ValueError("the message's MAC is wrong")
        plain = decrypt_cbc(_bytes(fields, 4), key, iv)
        for name in ("root", "ratchet", "sending", "sent", "sent_before", "receiving", "skipped"):
            setattr(self, name, getattr(tried, name))
        self.unanswered = None
        return plain

    def seed_of(self, ratchet: bytes, number: int) -> bytes:
        """Move on to the message of a number under a ratchet key, and answer what its keys are made of."""
        if (ratchet, number) in self.skipped:
            return self.skipped.pop((ratchet, number))
        if ratchet not in self.receiving:
            self._turn(ratchet)
        link, at = self.receiving[ratchet]
        if number < at:
            raise ValueError("the message came before")
        while at < number:
            link, self.skipped[ratchet, at] = _next_link(link)
            at += 1
        link, seed = _next_link(link)
        self.receiving[ratchet] = (link, at + 1)
        return seed

    def _turn(self, ratchet: bytes) -> None:
        root, link = _next_root(self.root, self.ratchet.agree(ratchet))
        self.receiving[ratchet] = (link, 0)
        self.sent_before, self.sent = max(self.sent - 1, 0), 0
        self.ratchet = KeyPair()
        self.root, self.sending = _next_root(root, self.ratchet.agree(ratchet))


class SignalDevice:
    """Keys and sessions of one simulated device. Peers are named by their address, `user[:device]@lid`."""

    def __init__(self) -> None:
        self.identity, self._signed_prekey = KeyPair(), KeyPair()
        self.registration = secrets.randbelow(16380) + 1
        signature = xeddsa.sign(self.identity.private, DJB + self._signed_prekey.public)
        self.signed = SignedPrekey(number=1, public=self._signed_prekey.public, signature=signature)
        self._prekeys: dict[int, KeyPair] = {}
        self._given = 0
        self._sessions: dict[str, Session] = {}

    def bundle(self) -> Bundle:
        """Publish the keys, with a fresh prekey."""
        self._given += 1
        prekey = self._prekeys[self._given] = KeyPair()
        return Bundle(
            registration=self.registration,
            identity=self.identity.public,
            signed=self.signed,
            prekey=(self._given, prekey.public),
        )

    def knows(self, peer: str) -> bool:
        """Say whether there is a session with a peer."""
        return peer in self._sessions

    def forget(self, peer: str) -> None:
        """Drop the session with a peer, as a phone does that was set up anew."""
        self._sessions.pop(peer, None)

    def begin(self, peer: str, bundle: Bundle) -> None:
        """Begin a session as the sender. ValueError: the bundle is forged."""
        signed = bundle.signed
        if not xeddsa.verify(bundle.identity, DJB + signed.public, signed.signature):
            raise ValueError("the signed prekey's signature is wrong")
        base, ratchet = KeyPair(), KeyPair()
        secret = self.identity.agree(signed.public) + base.agree(bundle.identity) + base.agree(signed.public)
        number = None
        if bundle.prekey is not None:
            number, public = bundle.prekey
            secret += base.agree(public)
        root, link = _first_keys(secret)
        sending_root, sending = _next_root(root, ratchet.agree(signed.public))
        self._sessions[peer] = Session(
            own=self.identity,
            peer=bundle.identity,
            root=sending_root,
            ratchet=ratchet,
            sending=sending,
            begun_with=base.public,
            receiving={signed.public: (link, 0)},
            unanswered=(number, signed.number, base.public),
        )

    def encrypt(self, peer: str, plain: bytes) -> tuple[str, bytes]:
        """Pad and seal for a peer. Answer the `enc` type (pkmsg, msg) and the bytes. KeyError: there is no session."""
        count = secrets.randbelow(15) + 1
        return self._sessions[peer].encrypt(plain + bytes((count,)) * count, self.registration)

    def decrypt(self, peer: str, kind: str, message: bytes) -> bytes:
        """Open what a peer sent. ValueError: it can't be read with the keys that are here."""
        if kind == "pkmsg":
            fields = _read(message[1:])
            self._answer(peer, fields)
            message = _bytes(fields, 4)
        if peer not in self._sessions:
            raise ValueError("there is no session with the sender")
        padded = self._sessions[peer].decrypt(message)
        return padded[: -padded[-1]]

    def _answer(self, peer: str, fields: dict[int, int | bytes]) -> None:
        base, identity = _bytes(fields, 2)[1:], _bytes(fields, 3)[1:]
        known = self._sessions.get(peer)
        if known is not None and known.begun_with == base:
            return
        secret = self._signed_prekey.agree(identity) + self.identity.agree(base) + self._signed_prekey.agree(base)
        if 1 in fields:
            prekey = self._prekeys.pop(_int(fields, 1), None)
            if prekey is None:
                raise ValueError("the prekey was used before")
            secret += prekey.agree(base)
        root, link = _first_keys(secret)
        self._sessions[peer] = Session(
            own=self.identity,
            peer=identity,
            root=root,
            ratchet=self._signed_prekey,
            sending=link,
            begun_with=base,
        )


def _first_keys(secret: bytes) -> tuple[bytes, bytes]:
    keys = derive(b"\xff" * 32 + secret, 64, salt=bytes(32), info=b"WhisperText")
    return keys[:32], keys[32:]


def _next_root(root: bytes, secret: bytes) -> tuple[bytes, bytes]:
    keys = derive(secret, 64, salt=root, info=b"WhisperRatchet")
    return keys[:32], keys[32:]


def _next_link(link: bytes) -> tuple[bytes, bytes]:
    return hmac.digest(link, b"\x02", "sha256"), hmac.digest(link, b"\x01", "sha256")


def _message_keys(seed: bytes) -> tuple[bytes, bytes, bytes]:
    keys = derive(seed, 80, info=b"WhisperMessageKeys")
    return keys[:32], keys[32:64], keys[64:]


def _mac(key: bytes, sender: bytes, receiver: bytes, body: bytes) -> bytes:
    return hmac.digest(key, DJB + sender + DJB + receiver + body, "sha256")[:_MAC]


def _write(fields: list[tuple[int, int | bytes]]) -> bytes:
    """Write protobuf fields: numbers as varints, bytes with their length."""
    parts = [
        _varint(number << 3) + _varint(value)
        if isinstance(value, int)
        else _varint(number << 3 | 2) + _varint(len(value)) + value
        for number, value in fields
    ]
    return b"".join(parts)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read(body: bytes) -> dict[int, int | bytes]:
    """Read protobuf fields. ValueError: they end too early."""
    fields: dict[int, int | bytes] = {}
    at = 0
    while at < len(body):
        key, at = _read_varint(body, at)
        value, at = _read_varint(body, at)
        if key & 7 == 0:
            fields[key >> 3] = value
        else:
            fields[key >> 3] = body[at : at + value]
            at += value
    return fields


def _read_varint(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    for byte in body[at:]:
        value |= (byte & 127) << shift
        shift += 7
        at += 1
        if byte < 128:
            return value, at
    raise ValueError("the message ends too early")


def _bytes(fields: dict[int, int | bytes], number: int) -> bytes:
    value = fields.get(number)
    if not isinstance(value, bytes):
        raise ValueError(f"the message has no field {number}")  # noqa: TRY004 -- what the peer wrote is wrong
    return value


def _int(fields: dict[int, int | bytes], number: int) -> int:
    value = fields.get(number, 0)
    if not isinstance(value, int):
        raise ValueError(f"field {number} of the message is no number")  # noqa: TRY004 -- as above
    return value
