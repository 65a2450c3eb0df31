"""Which addresses may be called: a table of those that others fell for."""

import ipaddress
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guvercin.core.address import AddressFault, ForbiddenAddress, Neighbours, Target, check, read_url

NOBODY = Neighbours()
HOME = Neighbours.read(["192.168.1.0/24", "127.0.0.1", "till.local", "fd00::/8"])

CLOSED = [
    *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.5", "169.254.169.254", "0.0.0.1", "100.64.0.1", "224.0.0.1"),
    *("255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1", "100.100.100.200", "168.63.129.16", "0.1.2.3"),
    *("::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254"),
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001:0:7f00:1::", "2001:db8::1"),
]


@pytest.mark.parametrize("address", CLOSED)
def test_nothing_but_the_public_internet(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(ForbiddenAddress):
        read_url(f"https://{host}/", NOBODY)
    with pytest.raises(ForbiddenAddress):
        check(Target(host="evil.example", port=443, is_encrypted=True), ipaddress.ip_address(address), NOBODY)


@pytest.mark.parametrize("address", ["169.254.169.254", "fd00:ec2::254", "fe80::1", "169.254.170.2", "0.0.0.1"])
def test_what_gives_credentials_is_never_called_whatever_was_allowed(address: str) -> None:
    everything = Neighbours.read(["0.0.0.0/0", "::/0", "evil.example"])
    with pytest.raises(ForbiddenAddress):
        check(Target(host="evil.example", port=80, is_encrypted=False), ipaddress.ip_address(address), everything)


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://magaza.example/", AddressFault.NOT_HTTPS),
        ("ftp://magaza.example/", AddressFault.NOT_HTTPS),
        ("https://magaza.example:8080/", AddressFault.PORT),
        ("https://magaza.example:22/", AddressFault.PORT),
        ("https://u:p@magaza.example/", AddressFault.UNREADABLE),
        ("https://magaza.example@evil.example/", AddressFault.UNREADABLE),
        ("https:///x", AddressFault.UNREADABLE),
        ("https://", AddressFault.UNREADABLE),
        ("magaza.example", AddressFault.UNREADABLE),
        ("https://magaza.example:99999/", AddressFault.UNREADABLE),
        ("https://magaza.example/ bosluk", AddressFault.UNREADABLE),
        ("https://magaza.example\\@evil.example/", AddressFault.UNREADABLE),
        ("https://magaza.example/#parca", AddressFault.UNREADABLE),
        ("https://[::1/", AddressFault.UNREADABLE),
        (f"https://magaza.example/{'x' * 2_000}", AddressFault.UNREADABLE),
        ("https://" + "a" * 64 + ".example/", AddressFault.UNREADABLE),
        ("https://192.168.1.5/", AddressFault.FORBIDDEN),
    ],
)
def test_what_is_wrong_with_a_url_is_said(url: str, fault: AddressFault) -> None:
    with pytest.raises(ForbiddenAddress) as refused:
        read_url(url, NOBODY)
    assert refused.value.fault is fault


@pytest.mark.parametrize("url", ["https://magaza.example/w?x=1", "https://magaza.example:8443/", "https://8.8.8.8/"])
def test_the_public_internet_is_called(url: str) -> None:
    assert read_url(url, NOBODY).is_encrypted


@pytest.mark.parametrize("url", ["http://192.168.1.5:9000/x", "http://127.0.0.1:9000/", "http://till.local:81/"])
def test_neighbours_are_called_as_they_are(url: str) -> None:
    assert not read_url(url, HOME).is_encrypted


def test_a_name_that_leads_home_is_a_neighbour_and_one_that_leads_out_is_not() -> None:
    target = read_url("http://kasa.example:9000/", HOME)
    check(target, ipaddress.ip_address("192.168.1.9"), HOME)
    for elsewhere in ("192.168.2.9", "8.8.8.8"):
        with pytest.raises(ForbiddenAddress):
            check(target, ipaddress.ip_address(elsewhere), HOME)


@pytest.mark.parametrize("written", ["192.168.1.5/24", "a b", "", "http://x", "1.2.3", "300.1.1.1"])
def test_a_neighbour_is_an_address_a_network_or_a_name(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Neighbours.read([written])


@given(st.integers(0, 2**32 - 1))
def test_an_address_inside_another_is_judged_as_itself(number: int) -> None:
    inner = ipaddress.IPv4Address(number)
    target = Target(host="x.example", port=443, is_encrypted=True)

    def is_refused(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        try:
            check(target, address, NOBODY)
        except ForbiddenAddress:
            return True
        return False

    assert is_refused(inner) is is_refused(ipaddress.IPv6Address(f"::ffff:{inner}"))
    if inner.is_private or inner.is_loopback or inner.is_link_local or inner.is_multicast:
        assert is_refused(inner)


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    for written in (text, f"https://{text}", f"https://a.example/{text}"):
        with suppress(ForbiddenAddress):
            assert read_url(written, HOME).host
