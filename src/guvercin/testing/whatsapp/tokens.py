"""The words that binary XML abbreviates, read out of the engine that is tested.

Laws
1. The list is what the client's library already carries: nothing is copied into this tree, and it can't be out of
   step with the library.
2. Go lays a list of strings out as (pointer, length) pairs of 16 bytes. In a shared library each pointer that isn't
   empty is a relocation, whose addend is the address of the text; the first words known are the anchor.
3. Its size is fixed here: a library with another dictionary raises RuntimeError, nothing is guessed. 64-bit
   little-endian ELF alone (Linux) can be read.
"""

import functools
import struct
from collections.abc import Iterator
from pathlib import Path

from guvercin.testing.whatsapp.binxml import Dictionary

SINGLE, LISTS, DOUBLE = 236, 4, 256

_RELATIVE = {62: 8, 183: 1027}
"""The number of a relative relocation, by machine: x86-64 and ARM."""
_RELA, _NOBITS = 4, 8
_ANCHOR = ("xmlstreamstart", "xmlstreamend")
_LONGEST = 128


class _Library:
    """An ELF file as the loader would see it: addresses, and the text that a pointer at an address means."""

    def __init__(self, image: bytes) -> None:
        if image[:6] != b"\x7fELF\x02\x01":
            raise RuntimeError(
                "the engine's library is no 64-bit little-endian ELF: the test server runs on Linux alone"
            )
        self._image = image
        (machine,) = struct.unpack_from("<H", image, 0x12)
        (table,) = struct.unpack_from("<Q", image, 0x28)
        size, count = struct.unpack_from("<HH", image, 0x3A)
        headers = [struct.unpack_from("<IIQQQQ", image, table + at * size) for at in range(count)]
        self._sections: list[tuple[int, int, int, int]] = [
            (kind, start, offset, length) for _, kind, _, start, offset, length in headers
        ]
        self.pointers = dict(self._relocations(_RELATIVE[machine]))

    def string(self, address: int) -> str | None:
        """Answer the string whose header lies at an address; None if none can."""
        offset = self._offset(address)
        if offset is None or offset + 16 > len(self._image):
            return None
        (length,) = struct.unpack_from("<Q", self._image, offset + 8)
        if address not in self.pointers:
            return "" if length == 0 else None
        source = self._offset(self.pointers[address])
        if source is None or not 0 < length < _LONGEST:
            return None
        text = self._image[source : source + length]
        return text.decode("ascii") if text.isascii() else None

    def _offset(self, address: int) -> int | None:
        for kind, start, offset, length in self._sections:
            if start and kind != _NOBITS and start <= address < start + length:
                return address - start + offset
        return None

    def _relocations(self, wanted: int) -> Iterator[tuple[int, int]]:
        for kind, _, offset, length in self._sections:
            if kind == _RELA:
                table = self._image[offset : offset + length - length % 24]
                for address, meaning, addend in struct.iter_unpack("<QQq", table):
                    if meaning & 0xFFFFFFFF == wanted:
                        yield address, addend


@functools.lru_cache(maxsize=2)
def dictionary(library: Path) -> Dictionary:
    """Read the dictionary out of an engine's library (about half a second). RuntimeError: it isn't there."""
    elf = _Library(library.read_bytes())
    for address in elf.pointers:
        if elf.string(address) != _ANCHOR[0] or elf.string(address + 16) != _ANCHOR[1]:
            continue
        first = address - 16  # the word of number 0 is the empty one
        words = [elf.string(first + 16 * at) for at in range(SINGLE + LISTS * DOUBLE)]
        known = [word for word in words if word is not None]
        if len(known) == len(words) and (known[0], known[3], known[SINGLE]) == ("", "s.whatsapp.net", "read-self"):
            rows = tuple(tuple(known[at : at + DOUBLE]) for at in range(SINGLE, len(known), DOUBLE))
            return tuple(known[:SINGLE]), rows
    raise RuntimeError(f"{library.name} holds another dictionary than the one that the test server knows")
