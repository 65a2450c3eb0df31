"""XEdDSA: signing with Curve25519 keys, as Signal's document of that name says.

Laws
1. It signs certificates, prekeys and device identities of tests, and nothing else: it is pure Python (about 10 ms an
   operation), not constant in time, and doesn't look for weak keys.
2. `sign` and `verify` take X25519 keys and signatures as they travel: 32, 32 and 64 bytes.
"""

import hashlib
import os
from typing import TypeAlias

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, P - 2, P) % P
_ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)

_Point: TypeAlias = tuple[int, int, int, int]
"""A point of the twisted Edwards curve in extended coordinates: X, Y, Z, T."""


def sign(private: bytes, message: bytes) -> bytes:
    """Sign a message with an X25519 private key."""
    scalar = int.from_bytes(_clamped(private), "little")
    packed = _pack(_times(scalar, _GENERATOR))
    if packed[31] >> 7:  # the sign of A is always 0: take the other scalar of that u coordinate
        scalar = -scalar % ORDER
        packed = packed[:31] + bytes((packed[31] & 127,))
    scalar %= ORDER
    nonce = _digest(b"\xfe" + b"\xff" * 31, scalar.to_bytes(32, "little"), message, os.urandom(64)) % ORDER
    commitment = _pack(_times(nonce, _GENERATOR))
    answer = (nonce + _digest(commitment, packed, message) * scalar) % ORDER
    return commitment + answer.to_bytes(32, "little")


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether a signature of a message was made with the private half of an X25519 public key."""
    u = int.from_bytes(public, "little") % P
    y = (u - 1) * pow(u + 1, P - 2, P) % P
    sign_bit = signature[63] >> 7
    answer = int.from_bytes(signature[32:63] + bytes((signature[63] & 127,)), "little")
    try:
        x = _x_of(y, sign_bit)
    except ValueError:
        return False
    packed = (y | sign_bit << 255).to_bytes(32, "little")
    challenge = _digest(signature[:32], packed, message) % ORDER
    minus_key = _point(-x % P, y)
    return _pack(_add(_times(answer, _GENERATOR), _times(challenge, minus_key))) == signature[:32]


def _clamped(private: bytes) -> bytes:
    return bytes((private[0] & 248, *private[1:31], private[31] & 127 | 64))


def _digest(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def _x_of(y: int, sign_bit: int) -> int:
    square = (y * y - 1) * pow(_D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * _ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P:
        raise ValueError("no point of the curve has this y")
    return P - x if x & 1 != sign_bit else x


def _point(x: int, y: int) -> _Point:
    return x, y, 1, x * y % P


def _add(one: _Point, other: _Point) -> _Point:
    x1, y1, z1, t1 = one
    x2, y2, z2, t2 = other
    a = (y1 - x1) * (y2 - x2) % P
    b = (y1 + x1) * (y2 + x2) % P
    c = 2 * t1 * t2 * _D % P
    d = 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(scalar: int, point: _Point) -> _Point:
    total = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = _add(total, point)
        point = _add(point, point)
        scalar >>= 1
    return total


def _pack(point: _Point) -> bytes:
    x, y, z, _ = point
    inverse = pow(z, P - 2, P)
    return (y * inverse % P | (x * inverse % P & 1) << 255).to_bytes(32, "little")


_GENERATOR = _point(_x_of(4 * pow(5, P - 2, P) % P, 0), 4 * pow(5, P - 2, P) % P)
