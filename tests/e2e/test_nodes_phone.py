"""A linked phone among several gateways: one runs it, and another resumes its session when that one is lost."""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from random import Random  # noqa: TID251 -- each round has its own seed

import pytest
from tests.conftest import Figures
from tests.e2e.conftest import played_by
from tests.e2e.pair import Nodes, add_accounts, nodes
from tests.e2e.phones import add_phone, linking, state, until_connected, until_seen
from tests.e2e.server import Client, Server
from tests.rounds import rounds
from tests.store.server import Server as Postgres
from tests.transports.web.bedside import Bedside

from guvercin.config import TEST_MARK
from guvercin.testing.whatsapp.phones import Phone

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("whatsapp")]

TTL = 3.0
TAKEOVER = TTL + 5.0


class Shop:
    """Two gateways and the phone that one of them runs."""

    def __init__(self, pair: Nodes, side: Bedside) -> None:
        self.pair = pair
        self.side = side
        self.phone = side.person()
        self.account = 0

    def link(self) -> None:
        """Add an account and link the phone to it: asked of the gateway that doesn't run it."""
        self.account = add_phone(self.pair.client(0))
        other = self.pair.servers[1 - self.running()]
        client = other.client(self.pair.token)
        assert client.post(f"/hesaplar/{self.account}/bagla", {}).status == 200
        shown = linking(other, client, self.account, "gosteriliyor")
        self.side.call_now(self.phone.scan(shown["qr"]))
        until_connected(other, client, self.account)
        client.set_gap(0, self.account)

    def runner(self) -> str | None:
        return self.pair.owners().get(self.account)

    def running(self) -> int:
        """Answer which gateway runs the phone, once one does: it may just be on its way to the other."""
        names, found = [self.pair.name(number) for number in range(2)], list[int]()

        def is_run() -> bool:
            found[:] = [number for number in range(2) if names[number] == self.runner()]
            return bool(found)

        self.pair.until(is_run, within=TAKEOVER, what="a gateway for the phone")
        return found[0]

    def until_on(self, number: int, *, within: float) -> float:
        """Wait until this gateway runs the phone and its line takes sends; answers how long it took."""
        client = self.pair.client(number)

        def is_there() -> bool:
            if self.runner() != self.pair.name(number):
                return False
            answer = client.get(f"/hesaplar/{self.account}/saglik")
            return answer.status == 200 and bool(answer.json["data"]["canli"])

        return self.pair.until(is_there, within=within, what="the phone on the other gateway")

    def ask(self, client: Client, friend: Phone, text: str) -> int:
        body = {"telefon": f"+{friend.number}", "mesaj": text, "hesap_id": self.account}
        return int(client.post("/gonder", body, Prefer="respond-async").json["log_id"])

    def order(self, client: Client, friends: list[Phone], text: str) -> None:
        many = {
            "alicilar": [{"telefon": f"+{friend.number}"} for friend in friends],
            "mesaj": text,
            "hesap_id": self.account,
        }
        assert client.post("/toplu-gonder", many, Prefer="respond-async").status == 202

    def is_over(self) -> bool:
        return self.pair.sql("SELECT 1 FROM message WHERE status IN ('queued', 'sending', 'unknown') LIMIT 1") == []

    def workers(self, number: int) -> list[int]:
        """Answer the processes that a gateway has started."""
        process = self.pair.servers[number].process
        assert process is not None
        return children(process.pid)


def children(pid: int) -> list[int]:
    found: list[int] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found


@pytest.fixture
def shop(cluster: Postgres, side: Bedside, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Shop]:
    settings: dict[str, str] = {**played_by(side, tmp_path), "GUVERCIN_LEASE_SECONDS": str(TTL)}
    with nodes(cluster, tmp_path, f"db{abs(hash(request.node.name))}", **settings) as pair:
        pair.start()
        shop = Shop(pair, side)
        shop.link()
        yield shop


def texts(friend: Phone) -> list[str | None]:
    return [each.text for each in friend.inbox]


def test_a_linked_phone_goes_on_at_another_gateway_without_a_new_code(shop: Shop, figures: Figures) -> None:
    pair, friend = shop.pair, shop.side.person()
    first = shop.running()
    other = 1 - first
    client = pair.client(other)
    assert until_seen(pair.servers[other], client, shop.ask(client, friend, "Merhaba")) == "read"

    pair.servers[first].kill()
    waiting = shop.ask(client, friend, "Bekler")
    shop.side.call_now(friend.write(shop.phone, "Kimse yokken"))
    took = shop.until_on(other, within=TAKEOVER)
    assert until_seen(pair.servers[other], client, waiting) == "read"
    assert texts(friend) == ["Merhaba", "Bekler"]
    heard = client.get(f"/gelen?hesap_id={shop.account}").json["data"]
    assert [each["metin"] for each in heard] == ["Kimse yokken"]

    # The first comes back, has its share again, and the phone is handed over when it is asked to end.
    pair.servers[first].start()
    pair.until(lambda: pair.counts() == [1, 1], within=TAKEOVER, what="an even share")
    shop.until_on(shop.running(), within=TAKEOVER)
    stopped = shop.running()
    assert pair.servers[stopped].stop() == 0
    handed = shop.until_on(1 - stopped, within=TAKEOVER)
    client = pair.client(1 - stopped)
    assert until_seen(pair.servers[1 - stopped], client, shop.ask(client, friend, "Devredildi")) == "read"
    assert texts(friend) == ["Merhaba", "Bekler", "Devredildi"]
    figures(taken_over_after_s=round(took, 2), handed_over_after_s=round(handed, 2))


def test_a_frozen_gateway_loses_its_phone_and_does_not_take_it_back_when_it_wakes(shop: Shop, figures: Figures) -> None:
    pair = shop.pair
    friends = [shop.side.person() for _ in range(40)]
    add_accounts(pair.client(0), 1)  # the newest of three: what the frozen one is given when it wakes
    pair.until(lambda: sum(pair.counts()) == 3, within=TAKEOVER, what="a gateway for the third")
    frozen = shop.running()
    other = 1 - frozen
    client = pair.client(other)
    (worker,) = shop.workers(frozen)
    shop.order(client, friends, "Donmadan")
    pair.until(lambda: sum(len(each.inbox) for each in friends) > 3, within=20, what="the middle of the batch")
    process = pair.servers[frozen].process
    assert process is not None
    pair.servers[frozen].send_signal(signal.SIGSTOP)
    try:
        assert sum(len(each.inbox) for each in friends) < len(friends), "it was frozen too late to mean anything"
        shop.side.call_now(friends[0].write(shop.phone, "Yalnız işçi duydu"))  # who notes it, and nobody reads that
        took = shop.until_on(other, within=TAKEOVER)
        assert has_ended(worker), "its time was over, and nobody had to tell it"
        mine = shop.workers(other)
    finally:
        os.kill(process.pid, signal.SIGCONT)
    pair.until(shop.is_over, within=60, what="the end of the batch")
    assert Counter(len(each.inbox) for each in friends) == {1: len(friends)}
    heard = client.get(f"/gelen?hesap_id={shop.account}").json["data"]
    assert [each["metin"] for each in heard] == ["Yalnız işçi duydu"]
    pair.until(lambda: sorted(pair.counts()) == [1, 2], within=TAKEOVER, what="a share for who woke up")
    assert (shop.running(), shop.workers(other), shop.workers(frozen)) == (other, mine, [])
    assert state(pair.client(frozen), shop.account)["durum"] == "connected"
    figures(taken_over_after_s=round(took, 2))


def test_a_session_that_a_frozen_worker_holds_is_waited_for_in_words(shop: Shop, figures: Figures) -> None:
    """Gateway and worker stand still together, as a machine does that is paused: the lock alone speaks."""
    pair, friend = shop.pair, shop.side.person()
    add_accounts(pair.client(0), 1)  # as above
    frozen = shop.running()
    other = 1 - frozen
    client = pair.client(other)
    process = pair.servers[frozen].process
    assert process is not None
    both = [process.pid, *shop.workers(frozen)]
    for pid in both:
        os.kill(pid, signal.SIGSTOP)
    try:
        waiting = shop.ask(client, friend, "Oturum boşalınca")
        pair.until(lambda: shop.runner() == pair.name(other), within=TAKEOVER, what="the lease of the phone")
        pair.until(
            lambda: state(client, shop.account)["kod"] == "oturum_bekleniyor", within=10, what="why nothing is sent"
        )
        assert friend.inbox == []
    finally:
        for pid in reversed(both):
            os.kill(pid, signal.SIGCONT)
    took = shop.until_on(other, within=10)
    assert until_seen(pair.servers[other], client, waiting) == "read"
    assert texts(friend) == ["Oturum boşalınca"]
    assert has_ended(both[1])
    figures(dialled_after_s=round(took, 2))


def test_a_gateway_that_cannot_renew_its_lease_keeps_no_worker(shop: Shop) -> None:
    """The database answers nobody for longer than a lease lasts, and the gateways live."""
    pair = shop.pair
    friends = [shop.side.person() for _ in range(40)]
    (worker,) = shop.workers(shop.running())
    shop.order(pair.client(0), friends, "Kesintide")
    pair.until(lambda: sum(len(each.inbox) for each in friends) > 3, within=20, what="the middle of the batch")
    with pair.locked("lease"):
        pair.until(lambda: has_ended(worker), within=TAKEOVER, what="the end of the worker")
        assert sum(len(each.inbox) for each in friends) < len(friends), "it was cut too late to mean anything"
    pair.until(shop.is_over, within=60, what="the end of the batch")
    assert Counter(len(each.inbox) for each in friends) == {1: len(friends)}


def test_a_phone_that_is_being_linked_is_handed_over_afterwards(shop: Shop) -> None:
    pair, friend = shop.pair, shop.side.person()
    assert pair.servers[1].stop() == 0
    server, client = pair.servers[0], pair.client(0)
    account, phone = add_phone(client), shop.side.person()
    pair.until(lambda: pair.owners().get(account) is not None, within=TAKEOVER, what="a gateway for the phone")
    assert client.post(f"/hesaplar/{account}/bagla", {}).status == 200
    linking(server, client, account, "gosteriliyor")
    pair.servers[1].start()
    server.live(2 * TTL)
    assert pair.owners()[account] == pair.name(0), "the newest would go first"
    shown = linking(server, client, account, "gosteriliyor")
    shop.side.call_now(phone.scan(shown["qr"]))
    pair.until(lambda: pair.owners()[account] == pair.name(1), within=30, what="the handing over")
    until_connected(server, client, account)
    body = {"telefon": f"+{friend.number}", "mesaj": "Yeni yerinde", "hesap_id": account}
    sent = client.post("/gonder", body, Prefer="respond-async").json["log_id"]
    assert until_seen(server, client, sent) == "read"


def test_a_session_that_lies_in_a_data_folder_is_moved_and_dialled_by_whoever_has_the_account(shop: Shop) -> None:
    pair, friend = shop.pair, shop.side.person()
    for server in pair.servers:
        assert server.stop() == 0
    shared, former = pair.shelf / "web", pair.servers[0].folder / "web"
    former.mkdir(mode=0o700)
    (former / TEST_MARK).touch()
    (shared / str(shop.account)).rename(former / str(shop.account))  # as a gateway that was alone left it

    pair.servers[1].start()
    client = pair.client(1)
    pair.until(lambda: state(client, shop.account)["kod"] == "bagli_degil", within=TAKEOVER, what="the missing session")
    waiting = shop.ask(client, friend, "Bekler")
    pair.servers[0].start()
    assert until_seen(pair.servers[1], client, waiting) == "read"
    assert (shared / str(shop.account) / "engine.db").exists()
    assert not (former / str(shop.account)).exists()


def has_ended(pid: int) -> bool:
    """Say whether a process is no more, or waits for nothing but its frozen parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


KINDS = ("kill", "stop", "term")


def test_whatever_happens_to_the_gateway_of_a_phone_everybody_is_written_to_once(shop: Shop, figures: Figures) -> None:
    pair, count = shop.pair, rounds(2, 30)
    friends = [shop.side.person() for _ in range(20)]  # the same ones: an account asks about 200 new numbers a day
    pair.client(0).set_gap(0.05, shop.account)
    longest, unknown = 0.0, 0
    for number in range(count):
        rng = Random(number)
        kind = KINDS[number] if number < len(KINDS) else rng.choice(KINDS)
        text = f"Tur {number}"
        try:
            shop.until_on(shop.running(), within=60)
            longest = max(longest, trouble(shop, kind, friends, text, rng))
            pair.until(partial(is_settled, shop, friends, text), within=60, what="the end of the round")
            doubts = in_doubt(shop, friends, text) or []
            unknown += len(doubts)
            assert len(doubts) <= 1
            assert {each.number: texts(each).count(text) for each in friends} == {
                each.number: 0 if each.number in doubts else 1 for each in friends
            }
        except BaseException as error:
            error.add_note(f"round {number} of {count} ({kind}): its seed is its number")
            raise
    figures(rounds=count, messages=count * len(friends), unknown=unknown, longest_takeover_s=round(longest, 2))


def is_settled(shop: Shop, friends: list[Phone], text: str) -> bool:
    return in_doubt(shop, friends, text) is not None


def in_doubt(shop: Shop, friends: list[Phone], text: str) -> list[str] | None:
    """Answer to whom a message may have left that nobody got; null: something is still to be done, or to be found out.

    What died with its engine in the middle of a send stays in doubt if no receipt comes: then nobody has it.
    """
    rows = shop.pair.sql(
        "SELECT recipient, status FROM message WHERE body = %s AND status IN ('queued', 'sending', 'unknown')", text
    )
    numbers = [recipient.removeprefix("+") for recipient, _ in rows]
    has_it = {each.number for each in friends if text in texts(each)}
    return numbers if all(status == "unknown" for _, status in rows) and not has_it & set(numbers) else None


def trouble(shop: Shop, kind: str, friends: list[Phone], text: str, rng: Random) -> float:
    """Order a batch, let something happen to the gateway that runs the phone, and bring it back."""
    pair, victim = shop.pair, shop.running()
    server: Server = pair.servers[victim]
    assert server.process is not None
    shop.order(pair.client(1 - victim), friends, text)
    wanted = rng.randrange(1, 10)
    pair.until(
        lambda: sum(text in texts(each) for each in friends) >= wanted, within=20, what="the middle of the batch"
    )
    assert not all(text in texts(each) for each in friends), "it came too late to mean anything"
    match kind:
        case "kill":
            server.kill()
            took = shop.until_on(1 - victim, within=TAKEOVER)
            server.start()
        case "stop":
            server.send_signal(signal.SIGSTOP)
            try:
                took = shop.until_on(1 - victim, within=TAKEOVER)
            finally:
                os.kill(server.process.pid, signal.SIGCONT)
        case _:
            assert server.stop() == 0
            took = shop.until_on(1 - victim, within=TAKEOVER)
            server.start()
    return took
