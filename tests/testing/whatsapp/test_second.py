"""A second client, of other people's making, gets on with this server as well: so it isn't made to measure for one."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.testing.whatsapp.driving import Engine

from guvercin.testing.whatsapp.bed import Bed
from guvercin.testing.whatsapp.phones import DELIVERED, READ

HERE = Path(__file__).with_name("second")
OLDEST_NODE = 20


def node() -> str:
    """Answer where a Node is that is new enough."""
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        pytest.skip("node is not installed")
    told = subprocess.run([found, "--version"], capture_output=True, encoding="ascii", check=True).stdout
    if int(told.lstrip("v").partition(".")[0]) < OLDEST_NODE:
        pytest.skip("node is not installed")  # or is too old, which comes to the same
    return found


def install() -> Path:
    """Answer the folder in which the second client is installed, once for all runs of this environment."""
    lock = (HERE / "npm-shrinkwrap.json").read_bytes()
    folder = Path(sys.prefix) / "second-client" / hashlib.sha256(lock).hexdigest()[:16]
    if not (folder / "node_modules" / "baileys").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "npm-shrinkwrap.json"):
            shutil.copy(HERE / name, folder)
        options = ("--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund")
        done = subprocess.run(["npm", "ci", *options], cwd=folder, capture_output=True, check=False)  # noqa: S607
        if done.returncode:
            shutil.rmtree(folder)
            pytest.skip("npm could not install the second client")
    shutil.copy(HERE / "client.mjs", folder)  # beside its node_modules
    return folder


@pytest.fixture(scope="module")
async def second(bed: Bed) -> AsyncIterator[Engine]:
    root = bed.server.identity.root.public.hex()
    program = (node(), str(install() / "client.mjs"), bed.address, root, str(bed.folder / "second"))
    engine = Engine(bed, *program)
    await engine.start()
    yield engine
    await engine.kill()


async def test_it_links_sends_and_hears(second: Engine, bed: Bed) -> None:
    ayse = bed.server.add_phone("905321234571", "Ayşe")
    zeynep = bed.server.add_phone("905321234572", "Zeynep", receipts=(DELIVERED, READ))
    await second.link("b", ayse)
    sent = await second.ask("b", "send", to=zeynep.number, text="Merhaba", id="3EB0GUVERCIN")
    assert [(one.id, one.text, one.error) for one in zeynep.inbox] == [("3EB0GUVERCIN", "Merhaba", "")]
    assert (await second.event("b", "Receipt", where=lambda it: it["status"] == 4))["id"] == sent["ID"]
    written = await zeynep.write(ayse, "Selam")
    heard = await second.event("b", "Message", where=lambda it: it["id"] == written)
    assert heard["message"]["conversation"] == "Selam"
    found = await second.ask("b", "look_up", numbers=[f"+{zeynep.number}", "+905321110000"])
    assert [bool(one["exists"]) for one in found] == [True]


async def test_the_two_clients_write_to_each_other(second: Engine, engine: Engine, bed: Bed) -> None:
    ayse = bed.server.phones["905321234571"]
    mehmet = bed.server.add_phone("905321234573", "Mehmet")
    await engine.link("mehmet", mehmet)
    sent = await second.ask("b", "send", to=mehmet.number, text="ikinci istemciden", id="3EB0IKINCI")
    heard = await engine.event("mehmet", "Message", where=lambda it: it["Info"]["ID"] == sent["ID"])
    assert heard["Message"]["extendedTextMessage"]["text"] == "ikinci istemciden"
    answer = await engine.ask("mehmet", "send", to=ayse.number, text="birinciden")
    told = await second.event("b", "Message", where=lambda it: it["id"] == answer["ID"])
    assert told["message"]["conversation"] == "birinciden"
