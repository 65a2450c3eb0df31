"""The layers under the server, without a client: what one side seals, the other opens, and nothing else does."""

import asyncio
import os
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guvercin.testing.clock import ManualClock
from guvercin.testing.whatsapp import media, xeddsa
from guvercin.testing.whatsapp.binxml import JID, LID, PN, Attr, Codec, Node
from guvercin.testing.whatsapp.faults import Act, Fault, Plan, Point
from guvercin.testing.whatsapp.keys import KeyPair
from guvercin.testing.whatsapp.library import PINNED_ADDRESS, address_of, library_of
from guvercin.testing.whatsapp.messages import engine_folder
from guvercin.testing.whatsapp.signal import SignalDevice
from guvercin.testing.whatsapp.tokens import dictionary

CODEC = Codec(dictionary(library_of(engine_folder())))

words = st.text(min_size=1, max_size=30)
jids = st.builds(JID, st.text("0123456789", min_size=1, max_size=15), st.sampled_from((PN, LID)), st.integers(0, 99))
values: st.SearchStrategy[Attr] = st.one_of(words, jids, st.just(JID("", PN)))
attrs = st.dictionaries(words, values, max_size=3)
leaves = st.builds(Node, words, attrs, st.one_of(st.none(), st.binary(max_size=300)))


def grown(smaller: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.builds(Node, words, attrs, st.lists(smaller, min_size=1, max_size=5))


@given(st.recursive(leaves, grown, max_leaves=8))
def test_a_node_comes_back_as_it_was(node: Node) -> None:
    assert CODEC.decode(CODEC.encode(node)) == node


@given(st.binary(max_size=200))
def test_bytes_that_are_no_node_are_a_value_error_and_nothing_else(frame: bytes) -> None:
    with suppress(ValueError):
        CODEC.decode(frame)


@pytest.mark.parametrize("size", [255, 256, (1 << 20) - 1, 1 << 20])
def test_long_contents_keep_their_length(size: int) -> None:
    node = Node("enc", {}, bytes(size))
    assert CODEC.decode(CODEC.encode(node)) == node


def test_packed_digits_are_read() -> None:
    digits = bytes((0, 248, 2, 252, 1, ord("a"), 255, 0x82, 0x90, 0x5F))
    hexes = bytes((0, 248, 2, 252, 1, ord("a"), 251, 2, 0x3A, 0xF0))
    assert (CODEC.decode(digits).content, CODEC.decode(hexes).content) == ("905", "3AF0")


def test_a_signature_holds_for_its_key_and_its_message_alone() -> None:
    key, other, message = KeyPair(), KeyPair(), b"merhaba"
    signature = xeddsa.sign(key.private, message)
    assert xeddsa.verify(key.public, message, signature)
    assert not xeddsa.verify(other.public, message, signature)
    assert not xeddsa.verify(key.public, message + b"!", signature)
    assert not xeddsa.verify(key.public, message, bytes(64))


def told(sender: SignalDevice, receiver: SignalDevice, text: bytes) -> bytes:
    return receiver.decrypt("sender", *sender.encrypt("receiver", text))


def test_two_phones_write_to_each_other_in_any_order() -> None:
    ayse, mehmet = SignalDevice(), SignalDevice()
    ayse.begin("receiver", mehmet.bundle())
    first, second, third = (ayse.encrypt("receiver", text) for text in (b"1", b"2", b"3"))
    assert [mehmet.decrypt("ayse", *sealed) for sealed in (third, first, second)] == [b"3", b"1", b"2"]
    assert ayse.decrypt("receiver", *mehmet.encrypt("ayse", b"4")) == b"4"
    kind, sealed = ayse.encrypt("receiver", b"5")
    assert (kind, mehmet.decrypt("ayse", kind, sealed)) == ("msg", b"5")


def test_what_cannot_be_read_leaves_the_session_as_it_was() -> None:
    ayse, mehmet = SignalDevice(), SignalDevice()
    ayse.begin("receiver", mehmet.bundle())
    assert told(ayse, mehmet, b"1") == b"1"
    ayse.decrypt("receiver", *mehmet.encrypt("sender", b"2"))
    kind, sealed = ayse.encrypt("receiver", b"3")
    with pytest.raises(ValueError, match="MAC"):
        mehmet.decrypt("sender", kind, sealed[:-1] + bytes((sealed[-1] ^ 1,)))
    assert mehmet.decrypt("sender", kind, sealed) == b"3"
    with pytest.raises(ValueError, match="before"):
        mehmet.decrypt("sender", kind, sealed)


def test_a_forged_bundle_begins_no_session() -> None:
    bundle, stranger = SignalDevice().bundle(), SignalDevice().bundle()
    forged: Any = type(bundle)(registration=1, identity=stranger.identity, signed=bundle.signed, prekey=bundle.prekey)
    with pytest.raises(ValueError, match="signature"):
        SignalDevice().begin("receiver", forged)


@pytest.mark.parametrize("kind", media.KINDS)
def test_a_file_is_opened_with_its_own_key(kind: str) -> None:
    plain = os.urandom(1000)
    blob, key = media.seal(plain, kind)
    assert media.unseal(blob, key, kind) == plain
    with pytest.raises(ValueError, match="MAC"):
        media.unseal(blob, bytes(32), kind)


def test_the_address_of_the_copy_is_as_long_as_the_real_one() -> None:
    assert {len(address_of(port)) for port in (1, 80, 8080, 65535)} == {len(PINNED_ADDRESS)}


async def struck(plan: Plan, times: int, **where: str) -> list[bool]:
    return [await plan.meet(Point.MESSAGE, **where) is not None for _ in range(times)]


async def test_a_fault_lets_some_pass_and_strikes_as_often_as_it_says() -> None:
    plan = Plan(ManualClock(), [Fault(at=Point.MESSAGE, act=Act.CUT, skip=2, times=2)])
    assert await struck(plan, 6) == [False, False, True, True, False, False]


async def test_a_fault_strikes_whom_it_names() -> None:
    plan = Plan(ManualClock(), [Fault(at=Point.MESSAGE, act=Act.LOST, account="905321234501", to="905321234502")])
    assert await struck(plan, 1, account="905321234503", to="905321234502") == [False]
    assert await struck(plan, 1, account="905321234501", to="905321234503") == [False]
    assert await struck(plan, 1, account="905321234501", to="905321234502") == [True]


async def test_a_delay_is_served_before_the_answer() -> None:
    clock = ManualClock()
    plan = Plan(clock, [Fault(at=Point.LOOKUP, act=Act.DELAY, seconds=3)])
    before = clock.monotonic()
    waiting = asyncio.ensure_future(plan.meet(Point.LOOKUP))
    await clock.elapse(timedelta(seconds=3))
    assert await waiting is None
    assert clock.monotonic() - before == 3


def test_a_plan_is_read_from_json() -> None:
    written = '[{"at": "login", "act": "refuse", "code": "402", "times": null, "attrs": {"code": 101, "expire": 3600}}]'
    (fault,) = Plan.read(written)
    assert fault == Fault(
        at=Point.LOGIN, act=Act.REFUSE, code="402", times=None, attrs=(("code", "101"), ("expire", "3600"))
    )


@pytest.mark.parametrize(
    "written",
    [
        "[1]",
        '[{"at": "login"}]',
        '[{"at": "login", "act": "forged"}]',
        '[{"at": "message", "act": "refuse"}]',
        '[{"at": "message", "act": "cut", "often": 3}]',
        '[{"at": "message", "act": "cut", "times": 0}]',
        "no json",
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Plan.read(written)
