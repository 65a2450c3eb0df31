"""The alarm over a real store: what it sees, what it says, and that a restart neither repeats nor forgets."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from tests.gateway.house import FIRST, SECOND, House, World, batch, seconds, turn

from guvercin.core.account import Kind, LineNews
from guvercin.core.alert import BACKUP_MARK, CALM
from guvercin.core.call import Called, CallTrouble
from guvercin.core.errors import Code
from guvercin.core.event import EventKind
from guvercin.core.hook import CloseReason, HookEvent, Notice
from guvercin.core.outcome import LineEvent
from guvercin.gateway.channels import Mail, Ntfy
from guvercin.gateway.requests import HookAsk
from guvercin.locale import Language, translator
from guvercin.store.restricting import pause_batch
from guvercin.store.times import to_ms

SAY = translator(Language.TR)


class Pager:
    """A channel of a test's: it takes what it is told, or refuses."""

    def __init__(self, name: str = "cep") -> None:
        self.name = name
        self.letters: list[list[str]] = []
        self.refuses = False

    async def carry(self, notices: Sequence[Notice]) -> None:
        if self.refuses:
            raise ConnectionRefusedError
        self.letters.append([notice.kind.value for notice in notices])

    async def close(self) -> None:
        """Nothing is open."""


async def watch(house: House, duration: float, *, every: float = 5.0) -> None:
    for _ in range(int(duration // every)):
        await house.alarm.step(house.clock.now())
        await house.clock.elapse(seconds(every))


async def said(house: House) -> list[tuple[str, list[str]]]:
    events = await house.events(EventKind.ALERT_RAISED, EventKind.ALERT_CLEARED)
    return [(event.kind.value, [each["anahtar"] for each in event.detail["uyarilar"]]) for event in events]


@pytest.fixture
async def linked(world: World) -> AsyncIterator[House]:
    """A process whose account has a number, with a pager."""
    world.channels.append(Pager())
    house = await world.begin()
    await house.store.link_account(1, "+905321234567", now=house.clock.now())
    await house.tend()
    await watch(house, 5)
    yield house
    await house.close()


def pager(house: House) -> Pager:
    (found,) = house.world.channels
    assert isinstance(found, Pager)
    return found


async def test_a_line_that_was_unplugged_is_told_within_a_minute_and_taken_back_once(linked: House) -> None:
    await linked.gateway.accounts.pause(linked.everything, 1)
    await watch(linked, 55)
    assert await said(linked) == [("uyari.acildi", ["hat:1"])]
    assert pager(linked).letters == [["uyari.acildi"]]
    await watch(linked, 3_600)
    assert len(pager(linked).letters) == 1, "sparingly"
    await linked.gateway.accounts.resume(linked.everything, 1)
    await linked.tend()
    await linked.tend()
    await watch(linked, CALM.total_seconds() + 15)
    assert await said(linked) == [("uyari.acildi", ["hat:1"]), ("uyari.bitti", ["hat:1"])]
    assert pager(linked).letters == [["uyari.acildi"], ["uyari.bitti"]]


@pytest.mark.parametrize("news", [LineNews.LOGGED_OUT, LineNews.BANNED, LineNews.BLOCKED])
async def test_whatever_ends_a_line_is_told(linked: House, news: LineNews) -> None:
    until = linked.clock.now() + timedelta(hours=5) if news is LineNews.BANNED else None
    await linked.sessions.tell(1, [LineEvent(news=news, until=until)])
    await watch(linked, 55)
    assert await said(linked) == [("uyari.acildi", ["hat:1"])]


async def test_an_account_that_was_never_linked_is_nobodys_alarm(world: World) -> None:
    house = await world.begin()
    await watch(house, 300)
    assert await said(house) == []
    await house.close()


async def test_a_restart_neither_repeats_nor_forgets(linked: House) -> None:
    world = linked.world
    pager(linked).refuses = True
    await linked.gateway.accounts.pause(linked.everything, 1)
    await watch(linked, 40)
    await linked.crash()
    pager(linked).refuses = False
    again = await world.begin()
    await watch(again, 120)
    assert pager(linked).letters == [["uyari.acildi"]], "what nobody took is not forgotten"
    await again.crash()
    third = await world.begin()
    await watch(third, 3_600)
    assert pager(linked).letters == [["uyari.acildi"]], "and what was taken is not repeated"
    await third.close()


async def test_a_channel_that_was_down_gets_everything_in_one_message(linked: House) -> None:
    pager(linked).refuses = True
    await linked.gateway.accounts.pause(linked.everything, 1)
    await watch(linked, 60)
    linked.world.free = 10_000_000
    await watch(linked, 120)
    pager(linked).refuses = False
    await watch(linked, 900)
    assert pager(linked).letters == [["uyari.acildi", "uyari.acildi"]]
    assert await said(linked) == [("uyari.acildi", ["hat:1"]), ("uyari.acildi", ["disk"])]


async def test_a_hook_that_closed_by_itself_and_an_old_backup(linked: House) -> None:
    ask = HookAsk(url="https://magaza.example/", events=tuple(HookEvent))
    hook, _ = await linked.hooks.add(linked.everything, ask, ())
    await linked.store.close_hook(hook.id, CloseReason.GONE, now=linked.clock.now())
    await watch(linked, 5)
    assert await said(linked) == [("uyari.acildi", ["webhook:1"])]
    await linked.store.add_account(
        "Mağaza", Kind.WEB, None, (await linked.store.accounts())[0].pace, now=linked.clock.now()
    )
    await linked.clock.elapse(timedelta(days=8))
    await watch(linked, 5)
    assert (await said(linked))[1][1] == ["webhook:1", "yedek"]
    (linked.world.folder / BACKUP_MARK).touch()


async def test_a_batch_that_stopped_by_itself_and_none_that_a_human_has_stopped(linked: House) -> None:
    await linked.gateway.accounts.pause(linked.everything, 1)
    first = await linked.gateway.bulk.send(linked.everything, batch(FIRST, SECOND), wait=seconds(0))
    other = await linked.gateway.bulk.send(linked.everything, batch(FIRST, text="b"), wait=seconds(0))
    now_ms = to_ms(linked.clock.now())
    reason = Code.TEMPORARY_BAN
    await linked.store.writer.do(lambda tx: pause_batch(tx, first.batch.id, 1, reason, now_ms=now_ms))
    await linked.store.pause_batch(other.batch.id, now=linked.clock.now())
    await watch(linked, 5)
    assert await said(linked) == [("uyari.acildi", [f"toplu:{first.batch.id}"])]


async def test_a_hook_that_its_owner_closed_is_as_it_should_be(linked: House) -> None:
    ask = HookAsk(url="https://magaza.example/", events=tuple(HookEvent))
    hook, _ = await linked.hooks.add(linked.everything, ask, ())
    await linked.hooks.change(linked.everything, hook.id, HookAsk(is_open=False), ())
    await watch(linked, 60)
    assert await said(linked) == []


async def test_hooks_hear_it_too(linked: House) -> None:
    ask = HookAsk(url="https://magaza.example/", events=[HookEvent.ALERT_RAISED])
    hook, _ = await linked.hooks.add(linked.everything, ask, ())
    await linked.gateway.accounts.pause(linked.everything, 1)
    await watch(linked, 40)
    await linked.couriers.courier(hook).step(linked.clock.now())
    ((_, body, _),) = linked.world.receiver.taken
    heard = json.loads(body)
    assert (heard["type"], heard["data"]["suren"]) == ("uyari.acildi", 1)
    assert heard["data"]["uyarilar"] == [
        {"tur": "hat", "anahtar": "hat:1", "hesap_id": "1", "hesap": "Deneme", "durum": "stopped", "kod": "kapali"}
    ]


async def notices(linked: House) -> Sequence[Notice]:
    await linked.gateway.accounts.pause(linked.everything, 1)
    await watch(linked, 40)
    found, _ = await linked.store.feed(0, [HookEvent.ALERT_RAISED], None, limit=10)
    return found


async def test_ntfy_publishes_one_message_in_the_owners_language(linked: House) -> None:
    receiver = linked.world.receiver
    ntfy = Ntfy(SAY, url="https://ntfy.example/konu", token="tk_gizli", open_way=lambda: receiver)
    await ntfy.carry(await notices(linked))
    ((url, body, headers),) = receiver.taken
    assert url == "https://ntfy.example/konu"
    assert "«Deneme»" in body.decode()
    assert "guvercin hesap liste" in body.decode()
    assert headers["authorization"] == "Bearer tk_gizli"
    assert headers["x-title"].isascii()
    receiver.answers = lambda _: Called(trouble=CallTrouble.REFUSED, status=403)
    with pytest.raises(OSError, match="olumsuz_yanit"):
        await ntfy.carry(())
    await ntfy.close()


@asynccontextmanager
async def post_office() -> AsyncIterator[tuple[int, list[str]]]:
    """A mail server on loopback that takes every mail (RFC 5321, as little of it as a mail needs)."""
    mails: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 posta\r\n")
        while line := await reader.readline():
            verb = line.split()[0].upper() if line.split() else b""
            if verb == b"DATA":
                writer.write(b"354 go on\r\n")
                mails.append((await reader.readuntil(b"\r\n.\r\n")).decode())
            writer.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
            if verb == b"QUIT":
                break
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], mails
    finally:
        server.close()
        await turn(3)


async def test_a_mail_is_sent() -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))  # a house leaves one without threads
    async with post_office() as (port, mails):
        mail = Mail(
            say=SAY,
            host="127.0.0.1",
            port=port,
            security="none",
            user=None,
            password=None,
            sender="guvercin@magaza.example",
            to=("sahip@magaza.example",),
        )
        await mail.carry(())
        (raw,) = mails
    found = message_from_bytes(raw.removesuffix("\r\n.\r\n").encode(), policy=policy.default)
    assert found["To"] == "sahip@magaza.example"
    assert found["Subject"] == SAY("Güvercin: a trial of the alerts")
    assert SAY("This is a trial: nothing is the matter. Alerts come here.") in found.get_content()
