"""Which addresses of other people's choosing this server may call (webhooks today).

Laws
1. https on 443 and 8443, to public addresses. What the owner has named in the settings may be called besides, over http
   and on any port: a till on the local network is a neighbour, and its owner has said so where no API reaches.
2. The addresses under which clouds hand out credentials, and everything link-local, are never called.
3. A name is judged by what it leads to, at each call, and the connection goes to the very address that was judged.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import urlsplit

LONGEST_URL = 2_000
PORTS = frozenset({443, 8443})

_METADATA = frozenset(
    map(ipaddress.ip_address, ("169.254.169.254", "100.100.100.200", "168.63.129.16", "fd00:ec2::254", "192.0.0.192"))
)
_NEVER = tuple(map(ipaddress.ip_network, ("169.254.0.0/16", "fe80::/10", "0.0.0.0/8", "::/128", "224.0.0.0/4")))
_CLOSED = tuple(
    map(
        ipaddress.ip_network,
        (
            "100.64.0.0/10",  # carriers' own
            "64:ff9b::/96",  # IPv4 behind a translator
            "64:ff9b:1::/48",
            "2002::/16",  # IPv4 in 6to4 and Teredo
            "2001::/32",
            "ff00::/8",
        ),
    )
)


class AddressFault(StrEnum):
    """Why an address is not called, as the wire names it."""

    UNREADABLE = "adres_okunamadi"
    NOT_HTTPS = "https_gerekli"
    PORT = "kapi_kapali"
    FORBIDDEN = "adres_kapali"


class ForbiddenAddress(Exception):  # noqa: N818 -- a word of the domain
    """An address that is not called."""

    def __init__(self, fault: AddressFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What the owner has allowed besides the public internet: networks, and names."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    names: frozenset[str] = frozenset()

    @classmethod
    def read(cls, written: Iterable[str]) -> "Neighbours":
        """Read addresses, networks (192.168.1.0/24) and host names. ValueError: something is none of them."""
        networks, names = [], set()
        for each in written:
            try:
                networks.append(ipaddress.ip_network(each.strip()))
            except ValueError:
                if not each.strip() or not all(part.isalnum() for part in each.strip().replace("-", "").split(".")):
                    raise
                if all(part.isdigit() for part in each.strip().split(".")):
                    raise
                names.add(each.strip().lower())
        return cls(tuple(networks), frozenset(names))

    def holds(self, name: str, address: IPv4Address | IPv6Address | None) -> bool:
        """Say whether a name or what it leads to was allowed."""
        if name.lower().rstrip(".") in self.names:
            return True
        return address is not None and any(
            address in network for network in self.networks if network.version == address.version
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a URL leads, as far as it says so itself."""

    host: str
    port: int
    is_encrypted: bool


def read_url(url: str, neighbours: Neighbours) -> Target:
    """Answer where a URL leads. ForbiddenAddress: nobody would be called there, whatever its name leads to."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host.encode("idna")
    except (ValueError, UnicodeError):
        raise ForbiddenAddress(AddressFault.UNREADABLE) from None
    is_plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
    if len(url) > LONGEST_URL or not is_plain or not host or "@" in parts.netloc or parts.fragment:
        raise ForbiddenAddress(AddressFault.UNREADABLE)
    if parts.scheme not in {"http", "https"}:
        raise ForbiddenAddress(AddressFault.NOT_HTTPS)
    is_encrypted = parts.scheme == "https"
    target = Target(host=host, port=port or (443 if is_encrypted else 80), is_encrypted=is_encrypted)
    literal = _literal(host)
    if literal is not None:
        check(target, literal, neighbours)
    elif not neighbours.holds(host, None) and not neighbours.networks:
        _check_public(target)
    return target


def check(target: Target, address: IPv4Address | IPv6Address, neighbours: Neighbours) -> None:
    """Refuse to call a target at an address that its name leads to. ForbiddenAddress."""
    real = _unwrapped(address)
    if real in _METADATA or any(real in network for network in _NEVER if network.version == real.version):
        raise ForbiddenAddress(AddressFault.FORBIDDEN)
    if neighbours.holds(target.host, real):
        return
    is_closed = any(real in network for network in _CLOSED if network.version == real.version)
    if is_closed or not real.is_global or real.is_multicast or real.is_reserved:
        raise ForbiddenAddress(AddressFault.FORBIDDEN)
    _check_public(target)


def _check_public(target: Target) -> None:
    if not target.is_encrypted:
        raise ForbiddenAddress(AddressFault.NOT_HTTPS)
    if target.port not in PORTS:
        raise ForbiddenAddress(AddressFault.PORT)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Say whether an address is anybody's on the internet: only then may its answer be shown."""
    return _unwrapped(address).is_global


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Answer the IPv4 address inside an IPv6 one that only carries it."""
    inner = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return inner or address
