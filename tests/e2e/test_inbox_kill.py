"""kill -9 while people write, over and over: what was taken from Meta or WhatsApp is in the inbox, and once."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random  # noqa: TID251 -- each round has its own seed

import pytest
from tests.conftest import Figures
from tests.contracts.graph_thread import GraphThread
from tests.e2e.phones import add_phone, link
from tests.e2e.server import Client, Server
from tests.e2e.test_cloud import NUMBER, SECRET, TOKEN, begin
from tests.rounds import rounds
from tests.transports.web.bedside import Bedside

from guvercin.testing.graph import Habits

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("whatsapp")]

SETTLE_LIMIT = 60.0


def received(client: Client, account: int) -> Counter[str]:
    """Answer how often each message stands in an account's inbox, by WhatsApp's id of it."""
    found: Counter[str] = Counter()
    after = ""
    while True:
        answer = client.get(f"/gelen?limit=200&hesap_id={account}{after}")
        assert answer.status == 200, answer.text
        found.update(row["message_id"] for row in answer.json["data"])
        if answer.json["sonraki"] is None:
            return found
        after = f"&sonra={answer.json['sonraki']}"


@contextmanager
def people_writing(write: Callable[[], object], rng: Random) -> Iterator[None]:
    """Let people write, in a thread of their own until the block ends."""
    done = threading.Event()

    def work() -> None:
        while not done.wait(rng.uniform(0.02, 0.15)):
            write()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


# -- Meta's line


@pytest.fixture
def fake() -> Iterator[GraphThread]:
    fake = GraphThread(app_secret=SECRET).start()
    fake.graph.add_number(NUMBER, "+90 850 000 00 01", TOKEN)
    fake.graph.callbacks.habits = Habits(
        pauses=(0.2, 0.5), batch=5, shuffle=True, duplicates=1, again_after=(0.05, 1.5), answer_limit=2.0
    )
    yield fake
    fake.stop()


def acknowledged(fake: GraphThread) -> set[str]:
    """Answer the messages in calls that we have answered with 200: Meta never tells them again."""
    taken = [each.body for each in tuple(fake.graph.callbacks.deliveries) if 200 in tuple(each.tries)]
    changes = (change for body in taken for entry in json.loads(body)["entry"] for change in entry["changes"])
    return {message["id"] for change in changes for message in change["value"].get("messages", ())}


def test_what_meta_was_told_that_we_have_outlives_kill_9(tmp_path: Path, fake: GraphThread, figures: Figures) -> None:
    count = rounds(10, 100)
    with Server(tmp_path / "veri", GUVERCIN_GRAPH_URL=fake.url) as server:
        begin(server)
        fake.graph.callbacks.urls[NUMBER] = f"{server.url}/meta/webhook/2"
        token = server.first_token()
        written: list[str] = []

        async def one(rng: Random) -> None:
            who = f"90532{rng.randrange(20):07d}"
            if rng.random() < 0.2:
                sent = fake.graph.send_file_to(NUMBER, who, b"%PDF-1.4", kind="document", media_type="application/pdf")
            else:
                sent = fake.graph.write_to(NUMBER, who, f"Mesaj {len(written)}")
            written.append(sent)

        for number in range(count):
            rng = Random(number)
            with people_writing(lambda: fake.wait(one(rng)), Random(f"{number} people")):  # noqa: B023 -- joined before the next
                server.live(rng.uniform(0.05, 0.6))
                server.kill()
                promised = acknowledged(fake)
                server.start()
                kept = received(server.client(token), 2)
            lost = promised - kept.keys()
            assert not lost, f"round {number} of {count}: {len(lost)} of {len(promised)} are lost"
            assert max(kept.values(), default=1) == 1, f"round {number} of {count}"
        server.until(lambda: fake.graph.callbacks.untaken == 0, within=SETTLE_LIMIT, what="every call of Meta's")
        kept = received(server.client(token), 2)
        assert kept == Counter(written)
    told_again = sum(len(each.tries) - 1 for each in fake.graph.callbacks.deliveries)
    figures(rounds=count, received=len(written), calls_told_again=told_again)


# -- a linked phone


def test_what_whatsapp_has_delivered_outlives_kill_9(phones: Server, side: Bedside, figures: Figures) -> None:
    """The engine notes that it has opened a message, and tells WhatsApp so, a moment before we can write it down: what
    was on its way in the very last moment may be lost. (Told again, the engine takes it for one that it has had.)
    Whatever was delivered a quarter of a second before a kill never is.
    """
    count = rounds(5, 100)
    token = phones.token()
    phones.start()
    client = phones.client(token)
    account = add_phone(client)
    own = side.person()
    link(phones, side, client, account, own)
    (device,) = own.devices.values()
    people = [side.person() for _ in range(5)]
    written: list[str] = []
    on_their_way: set[str] = set()

    def delivered() -> set[str]:
        """Answer what WhatsApp needn't tell us again."""
        waiting = {stanza for tag, stanza, _ in tuple(device.queue) if tag == "message"}
        return set(written) - waiting

    for number in range(count):
        rng = Random(number)

        def write(chance: Random = Random(f"{number} people")) -> None:  # noqa: B008 -- one of each round
            written.append(side.call_now(chance.choice(people).write(own, f"Mesaj {len(written)}")))

        before = len(delivered())
        with people_writing(write, Random(f"{number} pace")):
            phones.until(lambda: len(delivered()) > before, within=30, what="the line and a message")  # noqa: B023
            phones.live(rng.uniform(0.0, 0.3))
            early = delivered()
            phones.live(0.25)
            phones.kill()
            on_their_way |= set(written) - early
            phones.start()
        # What was in the journal is handed in by the line's next run.
        sure = early - on_their_way
        phones.until(lambda: sure <= received(phones.client(token), account).keys(), within=30, what="the journal")  # noqa: B023
        kept = received(phones.client(token), account)
        assert max(kept.values(), default=1) == 1, f"round {number} of {count}"
    phones.until(lambda: len(delivered()) == len(written), within=SETTLE_LIMIT, what="the queue's end")
    phones.until(
        lambda: set(written) - on_their_way <= received(phones.client(token), account).keys(),
        within=30,
        what="the rest",
    )
    kept = received(phones.client(token), account)
    assert set(kept.values()) == {1}
    assert kept.keys() <= set(written)
    figures(rounds=count, received=len(kept), lost_in_the_last_moment=len(set(written) - kept.keys()))
