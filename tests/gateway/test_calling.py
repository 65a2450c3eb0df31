"""Calls to bad receivers on loopback: each is over in time, tells what was wrong, and leaves nothing behind."""

import ipaddress
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.e2e.server import free_port

from guvercin.core.address import Neighbours
from guvercin.core.call import CallTrouble
from guvercin.gateway.calling import MOST, SHOWN, Outside
from guvercin.gateway.clock import SystemClock
from guvercin.testing.sink import Fault, WebhookSink

LOOPBACK = Neighbours.read(["127.0.0.1"])
HEADERS = {"content-type": "application/json"}

EXPECTED = {
    Fault.RESET: CallTrouble.BROKEN_OFF,
    Fault.CLOSES: CallTrouble.BROKEN_OFF,
    Fault.SILENT: CallTrouble.TOO_SLOW,
    Fault.TRICKLES: CallTrouble.TOO_SLOW,
    Fault.ENDLESS: None,
    Fault.HUGE_HEAD: CallTrouble.BROKEN_OFF,
    Fault.REDIRECTS: CallTrouble.REDIRECTED,
    Fault.ERROR: CallTrouble.REFUSED,
    Fault.BUSY: CallTrouble.REFUSED,
    Fault.GONE: CallTrouble.REFUSED,
    Fault.NONSENSE: CallTrouble.BROKEN_OFF,
    Fault.HALF: CallTrouble.BROKEN_OFF,
}
"""An endless answer begins well, and what is after its first 64 kB doesn't matter."""


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    made = Outside(LOOPBACK, SystemClock().monotonic, limit=0.5)
    yield made
    await made.close()


@pytest.mark.parametrize("fault", Fault)
async def test_every_fault_is_told_in_time(outside: Outside, fault: Fault) -> None:
    async with WebhookSink() as sink:
        sink.fault = fault
        called = await outside.post(sink.url, b"{}", HEADERS)
        assert called.trouble is EXPECTED[fault]
        assert called.shown is None, "nothing of a private address is shown"
        assert sink.asked == 1, "nothing is tried twice here"
        sink.fault = None
        assert (await outside.post(sink.url, b"{}", HEADERS)).trouble is None, "and the next call is as good as ever"
    if fault is Fault.BUSY:
        assert called.retry_after == timedelta(seconds=1)


def test_every_fault_is_played() -> None:
    assert EXPECTED.keys() == set(Fault)
    assert len(Fault) == 12
    assert (MOST, SHOWN) == (65_536, 200)


async def test_nobody_there(outside: Outside) -> None:
    called = await outside.post(f"http://127.0.0.1:{free_port()}/", b"{}", HEADERS)
    assert called.trouble is CallTrouble.NO_CONNECTION


async def test_without_the_owners_word_loopback_is_not_called() -> None:
    outside = Outside(Neighbours(), SystemClock().monotonic)
    async with WebhookSink() as sink:
        for url in (sink.url, f"https://127.0.0.1:{sink.port}/", f"https://[::ffff:127.0.0.1]:{sink.port}/"):
            assert (await outside.post(url, b"{}", HEADERS)).trouble in {CallTrouble.NOT_HTTPS, CallTrouble.FORBIDDEN}
        assert sink.asked == 0
    await outside.close()


# -- names


class Names:
    """Answers for names in place of the system, one after the other, and what it was asked."""

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str) -> list[str]:
        self.asked.append(host)
        return [self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]]


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "64:ff9b::1"]
)
async def test_a_name_that_leads_inside_is_not_called(address: str) -> None:
    names = Names(address)
    outside = Outside(Neighbours(), SystemClock().monotonic, limit=2, look_up=names)
    called = await outside.post("https://magaza.example/", b"{}", HEADERS)
    assert called.trouble is CallTrouble.FORBIDDEN
    assert names.asked == ["magaza.example"]
    await outside.close()


async def test_a_name_is_asked_once_and_the_connection_goes_to_that_answer() -> None:
    """A rebinding name: first an address that may be called, at the next question one that may not."""
    names = Names("127.0.0.1", "169.254.169.254")
    outside = Outside(LOOPBACK, SystemClock().monotonic, limit=2, look_up=names)
    async with WebhookSink() as sink:
        url = f"http://magaza.example:{sink.port}/webhook"
        assert (await outside.post(url, b"{}", HEADERS)).trouble is None
        assert (names.asked, sink.count) == (["magaza.example"], 1)
        await sink.die()
        await outside.post(url, b"{}", HEADERS)  # perhaps over the line that stood: that it is gone shows now
        assert (await outside.post(url, b"{}", HEADERS)).trouble is CallTrouble.FORBIDDEN
    await outside.close()


async def test_a_plain_call_to_a_public_name_is_refused_though_neighbours_are_allowed() -> None:
    outside = Outside(LOOPBACK, SystemClock().monotonic, limit=2, look_up=Names("8.8.8.8"))
    called = await outside.post("http://magaza.example/", b"{}", HEADERS)
    assert called.trouble is CallTrouble.NOT_HTTPS
    await outside.close()


# -- certificates


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of `magaza.example`, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "magaza.example")])
    now = datetime.now(UTC)  # noqa: TID251 -- a certificate is valid now or not at all
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("magaza.example"), x509.IPAddress(ipaddress.ip_address("127.0.0.2"))]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate"
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + made.public_bytes(encoding))
    return path


async def test_the_certificate_is_that_of_the_name_though_the_connection_goes_to_an_address(
    certificate: Path,
) -> None:
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate)
    asked_for: list[str] = []
    serving.sni_callback = lambda _socket, name, _context: asked_for.append(name)
    trusted = ssl.create_default_context(cafile=str(certificate))
    here = Names("127.0.0.1")
    async with WebhookSink(tls=serving) as sink:
        known = Outside(LOOPBACK, SystemClock().monotonic, limit=3, look_up=here, trusted=trusted)
        assert (await known.post(f"https://magaza.example:{sink.port}/", b"{}", HEADERS)).trouble is None
        assert asked_for == ["magaza.example"]
        other = await known.post(f"https://baska.example:{sink.port}/", b"{}", HEADERS)
        assert other.trouble is CallTrouble.CERTIFICATE
        await known.close()
        stranger = Outside(LOOPBACK, SystemClock().monotonic, limit=3, look_up=here)
        unknown = await stranger.post(f"https://magaza.example:{sink.port}/", b"{}", HEADERS)
        assert unknown.trouble is CallTrouble.CERTIFICATE
        await stranger.close()
        assert sink.count == 1


async def test_a_tls_receiver_that_speaks_no_tls(outside: Outside) -> None:
    async with WebhookSink() as sink:
        called = await outside.post(f"https://127.0.0.1:{sink.port}/", b"{}", HEADERS)
        assert called.trouble in {CallTrouble.CERTIFICATE, CallTrouble.BROKEN_OFF, CallTrouble.TOO_SLOW}
        assert sink.count == 0
