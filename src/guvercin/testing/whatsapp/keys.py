"""Curve25519 keys and the one derivation that everything here is made of. For tests only: nothing is hardened."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class KeyPair:
    """A fresh X25519 key: `private` and `public` are 32 bytes each."""

    def __init__(self) -> None:
        self._key = X25519PrivateKey.generate()
        self.private = self._key.private_bytes_raw()
        self.public = self._key.public_key().public_bytes_raw()

    def agree(self, public: bytes) -> bytes:
        """Answer the secret (32 bytes) shared with the holder of another key."""
        return self._key.exchange(X25519PublicKey.from_public_bytes(public))


def derive(secret: bytes, length: int, *, salt: bytes | None = None, info: bytes = b"") -> bytes:
    """HKDF-SHA256 (RFC 5869): `length` bytes out of a secret."""
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)
