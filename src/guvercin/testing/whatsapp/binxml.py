"""WhatsApp's binary XML: nodes to bytes and back.

Laws
1. A node's attributes are text, numbers or JIDs; the wire type matters: the client compares `from` with a JID, so
   that an address must be encoded as one and never as text.
2. What is decoded was written by a client under test: bytes that don't hold a node raise ValueError, nothing else.
3. The encoder packs no digits and never compresses: the client insists on neither.
"""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

PN = "s.whatsapp.net"
"""The server part of a phone number's address."""
LID = "lid"
"""The server part of an account's hidden address."""

_DOMAINS = {PN: 0, LID: 1, "hosted": 128, "hosted.lid": 129}
_SERVERS = {number: server for server, number in _DOMAINS.items()}

_LIST_EMPTY, _LIST_8, _LIST_16 = 0, 248, 249
_JID_WITH_DEVICE_16, _JID_WITH_DEVICE, _JID_PAIR = 246, 247, 250
_HEX, _NIBBLE = 251, 255
_DICTIONARY = 236
_RAW_WIDTHS = {252: 1, 253: 3, 254: 4}
_ALPHABETS = {_HEX: "0123456789ABCDEF", _NIBBLE: "0123456789-.???\0"}


@dataclass(frozen=True, slots=True)
class JID:
    """An address: a user, a server and the number of the user's device (0: the phone). No user: the server itself."""

    user: str
    server: str
    device: int = 0

    def __str__(self) -> str:
        if not self.user:
            return self.server
        return f"{self.user}:{self.device}@{self.server}" if self.device else f"{self.user}@{self.server}"

    @property
    def bare(self) -> "JID":
        """Answer the account's address, whatever the device."""
        return JID(self.user, self.server)

    @classmethod
    def parse(cls, text: str) -> "JID":
        """Read `user[:device]@server`; `server` alone is a server's own address."""
        user, _, server = text.rpartition("@")
        user, _, device = user.partition(":")
        return cls(user, server, int(device or 0))


SERVER_JID = JID("", PN)
"""WhatsApp's own address: what the server itself asks and tells comes from here."""

Attr: TypeAlias = str | int | JID | None
"""An attribute's value. None and the empty text are left out of the bytes."""


@dataclass(slots=True)
class Node:
    """One element: `<tag attrs>content</tag>`. Content is bytes (text is encoded as such), children, or nothing."""

    tag: str
    attrs: dict[str, Attr] = field(default_factory=dict)
    content: "bytes | str | list[Node] | None" = None

    @property
    def children(self) -> list["Node"]:
        """Answer the children; none if the content is bytes."""
        return self.content if isinstance(self.content, list) else []

    @property
    def body(self) -> bytes:
        """Answer the content as bytes. ValueError: it has none."""
        if isinstance(self.content, str):
            return self.content.encode()
        if isinstance(self.content, bytes):
            return self.content
        raise ValueError(f"<{self.tag}> holds no bytes")

    def find(self, *path: str) -> "Node | None":
        """Answer the first child of that tag, its first child of the next, and so on; None if one is missing."""
        node: Node | None = self
        for tag in path:
            node = next((child for child in (node.children if node else []) if child.tag == tag), None)
        return node

    def get(self, *path: str) -> "Node":
        """As `find`. ValueError: one is missing."""
        node = self.find(*path)
        if node is None:
            raise ValueError(f"<{self.tag}> has no {'/'.join(path)}")
        return node

    def all(self, tag: str) -> Iterator["Node"]:
        """Answer the children of that tag."""
        return (child for child in self.children if child.tag == tag)

    def text(self, name: str) -> str:
        """Answer an attribute as text; empty if it isn't there."""
        value = self.attrs.get(name)
        return "" if value is None else str(value)

    def jid(self, name: str) -> JID:
        """Answer an attribute as an address. ValueError: it is none."""
        value = self.attrs.get(name)
        if not isinstance(value, JID):
            raise ValueError(f"<{self.tag}> has no address in {name}")  # noqa: TRY004 -- what the peer wrote is wrong
        return value

    def __str__(self) -> str:
        attrs = "".join(f' {name}="{value}"' for name, value in self.attrs.items())
        if self.content is None:
            return f"<{self.tag}{attrs}/>"
        if isinstance(self.content, list):
            return f"<{self.tag}{attrs}>{''.join(map(str, self.content))}</{self.tag}>"
        return f"<{self.tag}{attrs}>[{len(self.body)} bytes]</{self.tag}>"


Dictionary: TypeAlias = tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]
"""The words that travel as one byte (by index), and the four lists of those that travel as two."""


class Codec:
    """Both directions, by one dictionary."""

    def __init__(self, dictionary: Dictionary) -> None:
        single, double = dictionary
        self._single, self._double = single, double
        self._codes = {
            word: bytes((_DICTIONARY + row, at)) for row, words in enumerate(double) for at, word in enumerate(words)
        }
        self._codes |= {word: bytes((at,)) for at, word in enumerate(single) if word}

    def decode(self, frame: bytes) -> Node:
        """Read a frame's body: a flag byte (bit 1: the rest is compressed) and one node. ValueError: it holds none."""
        try:
            body = zlib.decompress(frame[1:]) if frame[0] & 2 else frame[1:]
            return _Reader(body, self._single, self._double).node()
        except (IndexError, zlib.error) as error:
            raise ValueError("the frame holds no node") from error

    def encode(self, node: Node) -> bytes:
        """Write a frame's body."""
        out = bytearray(b"\0")
        self._put_node(out, node)
        return bytes(out)

    def _put_node(self, out: bytearray, node: Node) -> None:
        attrs = {name: value for name, value in node.attrs.items() if value is not None and value != ""}
        _put_list(out, 1 + 2 * len(attrs) + (node.content is not None))
        self._put(out, node.tag)
        for name, value in attrs.items():
            self._put(out, name)
            self._put(out, value)
        if isinstance(node.content, list):
            _put_list(out, len(node.content))
            for child in node.content:
                self._put_node(out, child)
        elif node.content is not None:
            _put_raw(out, node.body)

    def _put(self, out: bytearray, value: str | int | JID) -> None:
        if not isinstance(value, JID):
            text = str(value)
            code = self._codes.get(text)
            if code is None:
                _put_raw(out, text.encode())
            else:
                out += code
        elif value.device or value.server.startswith("hosted"):
            out += bytes((_JID_WITH_DEVICE, _DOMAINS[value.server], value.device))
            self._put(out, value.user)
        else:
            out.append(_JID_PAIR)
            if value.user:
                self._put(out, value.user)
            else:
                out.append(_LIST_EMPTY)
            self._put(out, value.server)


def _put_list(out: bytearray, size: int) -> None:
    if size == 0:
        out.append(_LIST_EMPTY)
    elif size < 1 << 8:
        out += bytes((_LIST_8, size))
    else:
        out.append(_LIST_16)
        out += size.to_bytes(2, "big")


def _put_raw(out: bytearray, raw: bytes) -> None:
    tag = 252 if len(raw) < 1 << 8 else 253 if len(raw) < 1 << 20 else 254
    out.append(tag)
    out += len(raw).to_bytes(_RAW_WIDTHS[tag], "big") + raw


class _Reader:
    """One frame's body and how far it has been read."""

    def __init__(self, body: bytes, single: tuple[str, ...], double: tuple[tuple[str, ...], ...]) -> None:
        self._body, self._single, self._double = body, single, double
        self._at = 0

    def node(self) -> Node:
        size = self._size(self._take(1)[0])
        node = Node(self._text())
        for _ in range((size - 1) // 2):
            name = self._text()
            node.attrs[name] = self._attr()
        if size % 2 == 0:
            node.content = self._content()
        return node

    def _take(self, count: int) -> bytes:
        taken = self._body[self._at : self._at + count]
        if len(taken) != count:
            raise ValueError("the frame ends in the middle of a node")
        self._at += count
        return taken

    def _number(self, width: int) -> int:
        return int.from_bytes(self._take(width), "big")

    def _size(self, tag: int) -> int:
        if tag == _LIST_EMPTY:
            return 0
        if tag in (_LIST_8, _LIST_16):
            return self._number(1 if tag == _LIST_8 else 2)
        raise ValueError(f"tag {tag} begins no list")

    def _content(self) -> "bytes | str | list[Node] | None":
        tag = self._take(1)[0]
        if tag in (_LIST_8, _LIST_16):
            return [self.node() for _ in range(self._size(tag))]
        if tag in _RAW_WIDTHS:
            return self._raw(tag)
        value = self._value(tag)
        return None if value is None else str(value)

    def _attr(self) -> Attr:
        return self._value(self._take(1)[0])

    def _text(self) -> str:
        return str(self._attr() or "")

    def _raw(self, tag: int) -> bytes:
        size = self._number(_RAW_WIDTHS[tag])
        return self._take(size & 0xFFFFF if tag == 253 else size)

    def _value(self, tag: int) -> Attr:
        if tag == _LIST_EMPTY:
            return None
        if tag in _RAW_WIDTHS:
            return self._raw(tag).decode("utf-8", "surrogateescape")
        if tag in _ALPHABETS:
            return self._packed(_ALPHABETS[tag])
        if tag in _JIDS:
            return _JIDS[tag](self)
        if _DICTIONARY <= tag < _DICTIONARY + len(self._double):
            return self._double[tag - _DICTIONARY][self._take(1)[0]]
        if tag < len(self._single):
            return self._single[tag]
        raise ValueError(f"tag {tag} begins no value")

    def _packed(self, alphabet: str) -> str:
        size = self._take(1)[0]
        digits = "".join(alphabet[byte >> 4] + alphabet[byte & 15] for byte in self._take(size & 127))
        return digits[:-1] if size & 128 else digits

    def pair(self) -> JID:
        user = self._text()
        return JID(user, self._text())

    def with_device(self) -> JID:
        domain, device = self._take(2)
        return JID(self._text(), _SERVERS.get(domain, PN), device)

    def with_wide_device(self) -> JID:
        user = self._text()
        device = self._number(2)
        return JID(user, self._text(), device)


_JIDS: dict[int, Callable[[_Reader], JID]] = {
    _JID_PAIR: _Reader.pair,
    _JID_WITH_DEVICE: _Reader.with_device,
    _JID_WITH_DEVICE_16: _Reader.with_wide_device,
}
