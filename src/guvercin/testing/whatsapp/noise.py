"""The server's side of Noise_XX_25519_AESGCM_SHA256 as WhatsApp Web uses it, and the certificates that it shows.

Laws
1. The chain is made afresh for each server: a root (whose public half is written into the copy of the client's
   library), an intermediate, a leaf. It is what the client checks before it says anything.
2. The XX pattern alone, no rekeying. Nonces: 8 zero bytes and a counter of 4 in the handshake, a counter of 12
   after it.
3. The client's static key is only told, not judged: server.py knows whose it is.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from guvercin.testing.whatsapp import xeddsa
from guvercin.testing.whatsapp.keys import KeyPair, derive
from guvercin.testing.whatsapp.messages import cert, wa6

_NAME = b"Noise_XX_25519_AESGCM_SHA256\0\0\0\0"
_VALID = timedelta(days=365 * 10)


class ServerIdentity:
    """A root and a leaf key certified by it. `chain` is a CertChain as bytes."""

    def __init__(self, now: datetime) -> None:
        self.root, self.static = KeyPair(), KeyPair()
        intermediate = KeyPair()
        chain = cert.CertChain(
            intermediate=_certificate(1, 0, intermediate.public, self.root, now),
            leaf=_certificate(2, 1, self.static.public, intermediate, now),
        )
        self.chain: bytes = chain.SerializeToString()


def _certificate(serial: int, issuer: int, key: bytes, signer: KeyPair, now: datetime) -> Any:
    details = cert.CertChain.NoiseCertificate.Details(
        serial=serial,
        issuerSerial=issuer,
        key=key,
        notBefore=int((now - _VALID).timestamp()),
        notAfter=int((now + _VALID).timestamp()),
    ).SerializeToString()
    return cert.CertChain.NoiseCertificate(details=details, signature=xeddsa.sign(signer.private, details))


class Handshake:
    """One handshake: `server_hello` answers the first frame, `client_finish` reads the second and ends it.

    cryptography.exceptions.InvalidTag: the client holds other keys than it says. `header` is its first 4 bytes.
    """

    def __init__(self, header: bytes) -> None:
        self._hash = self._chain = self._key = _NAME
        self._sealed = 0
        self._ephemeral = KeyPair()
        self._mix_hash(header)

    def server_hello(self, frame: bytes, identity: ServerIdentity) -> bytes:
        """Read ClientHello, answer ServerHello."""
        theirs = wa6.HandshakeMessage.FromString(frame).clientHello.ephemeral
        self._mix_hash(theirs)
        self._mix_hash(self._ephemeral.public)
        self._mix_key(self._ephemeral.agree(theirs))
        static = self._seal(identity.static.public)
        self._mix_key(identity.static.agree(theirs))
        hello = wa6.HandshakeMessage()
        hello.serverHello.ephemeral = self._ephemeral.public
        hello.serverHello.static = static
        hello.serverHello.payload = self._seal(identity.chain)
        return bytes(hello.SerializeToString())

    def client_finish(self, frame: bytes) -> tuple[bytes, Any, "Ciphers"]:
        """Read ClientFinish. Answer the client's static key, its ClientPayload, and the ciphers of what follows."""
        finish = wa6.HandshakeMessage.FromString(frame).clientFinish
        static = self._open(finish.static)
        self._mix_key(self._ephemeral.agree(static))
        payload = wa6.ClientPayload.FromString(self._open(finish.payload))
        keys = derive(b"", 64, salt=self._chain)
        return static, payload, Ciphers(receiving=keys[:32], sending=keys[32:])

    def _mix_hash(self, part: bytes) -> None:
        self._hash = hashlib.sha256(self._hash + part).digest()

    def _mix_key(self, secret: bytes) -> None:
        keys = derive(secret, 64, salt=self._chain)
        self._chain, self._key, self._sealed = keys[:32], keys[32:], 0

    def _nonce(self) -> bytes:
        self._sealed += 1
        return bytes(8) + (self._sealed - 1).to_bytes(4, "big")

    def _seal(self, plain: bytes) -> bytes:
        sealed = AESGCM(self._key).encrypt(self._nonce(), plain, self._hash)
        self._mix_hash(sealed)
        return sealed

    def _open(self, sealed: bytes) -> bytes:
        plain = AESGCM(self._key).decrypt(self._nonce(), sealed, self._hash)
        self._mix_hash(sealed)
        return plain


class Ciphers:
    """What seals and opens the frames after the handshake, in order."""

    def __init__(self, *, receiving: bytes, sending: bytes) -> None:
        self._receiving, self._sending = AESGCM(receiving), AESGCM(sending)
        self._received = self._sent = 0

    def open(self, sealed: bytes) -> bytes:
        """Open the next frame that came."""
        self._received += 1
        return self._receiving.decrypt((self._received - 1).to_bytes(12, "big"), sealed, None)

    def seal(self, plain: bytes) -> bytes:
        """Seal the next frame that goes."""
        self._sent += 1
        return self._sending.encrypt((self._sent - 1).to_bytes(12, "big"), plain, None)
