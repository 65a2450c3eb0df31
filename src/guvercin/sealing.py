"""Secrets of other people, sealed before they are written anywhere.

Laws
1. The key lies in a file of its own beside the database, for its owner alone, and is in no backup: who finds a copy of
   the database finds no secret in it.
2. A number that must be known again but not read is kept as a keyed hash, by the same key.
3. A seal names what it is for: the seal of one thing doesn't open as another's.
"""

import hashlib
import hmac
import os
from pathlib import Path

NAME = "guvercin.key"
KEY_BYTES = 32
_NONCE_BYTES = 12
_HASH_BYTES = 16


class Unreadable(Exception):  # noqa: N818 -- a word of the domain
    """A seal that this key doesn't open: the key is another one, or the sealed bytes were changed."""


class Seal:
    """The key of one data folder. It is made when the first secret is sealed."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._key: bytes | None = None
        self._for_hashes: bytes | None = None

    def known_as(self, word: str) -> str | None:
        """Answer a word's keyed hash in hex; null while there is no key, when nothing was ever kept so.

        OSError: there is a key and it can't be read.
        """
        if self._for_hashes is None and not self._path.exists():
            return None
        return self.hide(word)

    def hide(self, word: str) -> str:
        """Answer a word's keyed hash in hex (HMAC-SHA-256, its first half). Makes the key. OSError."""
        if self._for_hashes is None:
            self._for_hashes = hmac.digest(self._made(), b"guvercin: numbers", hashlib.sha256)
        return hmac.digest(self._for_hashes, word.encode(), hashlib.sha256)[:_HASH_BYTES].hex()

    def close(self, secret: bytes, purpose: str) -> bytes:
        """Seal a secret (AES-256-GCM). OSError: the key can't be read or made."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 -- 7 MB, for those who seal

        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self._made()).encrypt(nonce, secret, purpose.encode())

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """Answer a secret that was sealed for this purpose. Unreadable."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 -- as above
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 -- as above

        try:
            key = self._key = self._key or self._path.read_bytes()
            return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], purpose.encode())
        except (OSError, ValueError, InvalidTag) as trouble:
            raise Unreadable from trouble

    def _made(self) -> bytes:
        if self._key is None:
            try:
                self._key = self._path.read_bytes()
            except FileNotFoundError:
                self._key = self._make()
        return self._key

    def _make(self) -> bytes:
        """Make the key: whole or not at all, on the disk before anything is sealed with it."""
        key = os.urandom(KEY_BYTES)
        fresh = self._path.with_suffix(f".new-{os.getpid()}")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, self._path)  # another gateway on a shared folder may have been first
        except FileExistsError:
            key = self._path.read_bytes()
        except OSError:  # a file system without links
            fresh.replace(self._path)
        fresh.unlink(missing_ok=True)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return key
