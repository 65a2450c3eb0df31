"""The trial of a real phone, on phones that are none: its report can be shown to anybody."""

import json
import subprocess
from pathlib import Path

import pytest
from tests.e2e.phones import add_phone, link
from tests.e2e.server import GUVERCIN, Server
from tests.transports.web.bedside import Bedside

from guvercin.testing.whatsapp.phones import Phone

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("whatsapp")]

STEPS = [
    *("saglik", "gecmis", "numara", "metin", "belge", "resim"),
    *("yanit", "telefondan", "uzakta", "yeniden_baslatma", "ikinci_metin"),
]


class Volunteer:
    """Does with both phones, and with the server, what the trial asks for."""

    def __init__(self, side: Bedside, server: Server, own: Phone, other: Phone) -> None:
        self.side, self.server, self.own, self.other = side, server, own, other

    def does(self, asked: str) -> None:
        side = self.side
        if "answer with any word" in asked:
            side.call_now(self.other.write(self.own, "evet"))
        elif "On the linked phone" in asked:
            side.call_now(self.own.write(self.other, "merhaba"))
        elif "into flight mode" in asked:
            self.other.receipts = ()
        elif "out of flight mode" in asked:
            unread = self.other.inbox[-1]
            for kind in ("", "read"):
                side.call_now(self.other.tell_receipt(unread, kind))
            self.other.receipts = ("", "read")
        elif "Stop the server" in asked:
            assert self.server.stop() == 0
            self.server.start()
        else:
            raise AssertionError(asked)


def tried(server: Server, account: int, volunteer: Volunteer) -> dict[str, object]:
    """Run the trial as the volunteer does who sits before it, and answer its report."""
    command = [*GUVERCIN, "saha-testi", str(account), f"+{volunteer.other.number}", "--evet", "--json"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, env=server.environment, cwd=server.desk, stdin=pipe, stdout=pipe, stderr=pipe, encoding="utf-8"
    ) as trial:
        assert trial.stdin is not None
        assert trial.stdout is not None
        assert trial.stderr is not None
        said = []
        for line in trial.stderr:
            said.append(line)
            if "[Enter" in line:
                volunteer.does(line)
                trial.stdin.write("\n")
                trial.stdin.flush()
        out = trial.stdout.read()
    assert trial.returncode == 0, "".join(said)
    answer = json.loads(out)
    assert isinstance(answer, dict)
    return answer


def test_every_step_with_hands_and_without(phones: Server, side: Bedside) -> None:
    phones.start()
    client = phones.client(phones.token())
    account = add_phone(client)
    own, other, friend = (side.person() for _ in range(3))
    own.history = ((friend, side.clock.now()),)
    link(phones, side, client, account, own)
    client.set_gap(0, account)

    report = tried(phones, account, Volunteer(side, phones, own, other))["data"]
    assert isinstance(report, dict)
    seen = {step["name"]: step["seen"] for step in report["adimlar"]}
    assert list(seen) == STEPS
    assert all(step["is_well"] is True for step in report["adimlar"]), seen
    assert (seen["gecmis"], seen["uzakta"], seen["yeniden_baslatma"]) == ("1", "read", "connected")
    assert report["alindilar"]["READ"] >= 4
    assert report["alindilar"]["SENDER"] >= 4
    assert len(other.inbox) == 5
    assert [one.message.HasField("imageMessage") for one in other.inbox].count(True) == 1

    # What can't be done without hands is left out, and said to be.
    alone = phones.told("saha-testi", str(account), f"+{other.number}", "--evet")["data"]
    assert [step["name"] for step in alone["adimlar"] if step["is_well"] is None] == [
        *("yanit", "telefondan", "uzakta", "yeniden_baslatma"),
    ]

    kept = sorted(phones.folder.glob("saha-testi-*.json"))
    assert kept
    for written in (json.dumps(report), *(file.read_text("utf-8") for file in kept)):
        assert not tells(written, own, other, friend)
    assert {Path(file).stat().st_mode & 0o077 for file in kept} == {0}


def tells(report: str, *phones: Phone) -> list[str]:
    """Answer which numbers and texts a report gives away."""
    words = [phone.number[2:] for phone in phones] + [one.text for phone in phones for one in phone.inbox if one.text]
    return [word for word in words if word in report]
