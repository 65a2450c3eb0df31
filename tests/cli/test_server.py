"""The server as its owner meets it, and commands beside it. Each test starts a real process."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.running import Guvercin, Server, free_port

from guvercin.cli.reach import _check_owner
from guvercin.cli.terminal import Terminal, Trouble
from guvercin.locale import Language, translator

Start = Callable[..., Server]

pytestmark = pytest.mark.e2e


def test_the_first_start(guvercin: Guvercin, start_server: Start) -> None:
    server = start_server("--ornek")
    folder = guvercin.data_dir
    curl = (
        "curl -sS http://127.0.0.1:{port}/api/v1/whatsapp/{path} \\\n"
        '  -H "Authorization: Bearer $(cat {folder}/ilk-anahtar.txt)" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        "  -d '{body}'\n"
    )
    text = '{"telefon": "+905000000001", "mesaj": "Hello, this is a trial."}'
    file = '{"telefon": "+905000000001", "dosya_yolu": "faturalar/FTR-001.pdf"}'
    assert server.greeting == (
        "Güvercin is running\n"
        f"Panel         http://127.0.0.1:{server.port}\n"
        "First set-up  guvercin kurulum-linki\n"
        f"API page      http://127.0.0.1:{server.port}/belge\n"
        f"Data          {folder}\n"
        "Mode          sandbox (sends no real message)\n"
        "\n"
        f"Your first token stands in {folder}/ilk-anahtar.txt; only you can read it.\n"
        "\n"
        "Try it in another terminal:\n"
        "\n"
        + curl.format(port=server.port, path="gonder", folder=folder, body=text)
        + "\n"
        + curl.format(port=server.port, path="dosya-gonder", folder=folder, body=file)
        + "\n"
        "Stop it with Ctrl+C.\n"
    )
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "ilk-anahtar.txt").stat().st_mode) == 0o600
    assert server.stop() == "Stopped. Whatever waits is kept and goes out after the next start.\n"


def test_what_it_prints_works_when_pasted(start_server: Start) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed, and the printed command is a curl command")
    server = start_server("--ornek")
    commands = re.findall(r"^curl .*?'$", server.greeting, re.MULTILINE | re.DOTALL)

    assert len(commands) == 2
    for command in commands:
        done = subprocess.run(["sh", "-c", command], capture_output=True, encoding="utf-8", check=True)  # noqa: S607 -- a shell is where PATH says
        assert json.loads(done.stdout)["message_id"].startswith("DENEME-"), done.stdout


def test_commands_find_the_server(guvercin: Guvercin, start_server: Start) -> None:
    server = start_server()

    assert f"The server runs: http://127.0.0.1:{server.port} (process {server.process.pid})" in guvercin("durum").out
    assert guvercin("gonder", "+905000000001", "Merhaba").out.startswith("Sent. Record 1.")
    assert guvercin("toplu", "-", "--mesaj", "Merhaba", "--evet", stdin="05321234567\n").out == (
        "Done: 1 of 1 sent, 0 failed.\n"
    )
    assert guvercin("hesap", "duraklat", "1").out
    assert guvercin("gonder", "+905321234567", "Bekle", "--bekle", "0").out == (
        "Queued. Record 3.\nIt goes out by itself. Follow it: guvercin durum 3\n"
    )
    assert guvercin("durum", "3", "--json").json["data"]["durum"] == "queued"


def test_a_token_made_beside_the_server_works_at_once(guvercin: Guvercin, start_server: Start) -> None:
    start_server()
    guvercin.env["GUVERCIN_TOKEN"] = guvercin("anahtar", "uret").out.strip()
    assert guvercin("kayit").out == "No message yet.\n"


def test_one_server_for_one_folder(guvercin: Guvercin, start_server: Start) -> None:
    server = start_server()
    guvercin.lang = "tr"

    done = guvercin("baslat", "--port", str(free_port()), code=1)
    assert done.err == (
        f"Hata: Güvercin bu veri klasöründe zaten çalışıyor: http://127.0.0.1:{server.port}\n"
        f"Çözüm: Onu kullanın ya da önce durdurun (süreç {server.process.pid}).\n"
    )


def test_a_port_in_use_is_told_before_anything_is_made(guvercin: Guvercin) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        guvercin.lang = "tr"
        done = guvercin("baslat", "--port", str(port), code=1)

    suggested = re.fullmatch(
        rf"Hata: {port} numaralı kapı dolu\.\nÇözüm: Başka bir kapı seçin: guvercin baslat --port (\d+)\n", done.err
    )
    assert suggested
    assert int(suggested[1]) > port
    assert not guvercin.data_dir.exists()


def test_a_public_address_has_to_be_meant(guvercin: Guvercin) -> None:
    guvercin.lang = "tr"
    done = guvercin("baslat", "--host", "192.0.2.1", code=2)
    assert done.err.startswith("Hata: 192.0.2.1 adresine başka bilgisayarlar ulaşabilir;")
    assert not guvercin.data_dir.exists()


def test_an_address_of_another_machine(guvercin: Guvercin) -> None:
    done = guvercin("baslat", "--host", "192.0.2.1", "--herkese-acik", code=1)
    assert done.err.startswith("Error: This machine can't listen on 192.0.2.1: ")


def test_a_trial_leaves_nothing(guvercin: Guvercin, start_server: Start) -> None:
    server = start_server("--deneme")
    folder = re.findall(r"^Data +(.*)$", server.greeting, re.MULTILINE)[0]

    assert "guvercin-" in folder
    server.stop(signal.SIGINT)
    assert not guvercin.data_dir.exists()
    assert subprocess.run(["ls", folder], capture_output=True, check=False).returncode != 0  # noqa: S607 -- ls is where PATH says


def test_the_second_start_makes_no_token(guvercin: Guvercin, start_server: Start) -> None:
    start_server().stop()
    again = start_server()
    assert "Your first token" not in again.greeting
    assert shlex.quote(str(guvercin.data_dir / "ilk-anahtar.txt")) in again.greeting
    again.stop()

    guvercin("anahtar", "iptal", "1")
    revoked = start_server()
    assert "Bearer $GUVERCIN_TOKEN" in revoked.greeting
    assert "export GUVERCIN_TOKEN=$(guvercin anahtar uret)" in revoked.greeting


def test_a_folder_that_can_not_be_used(guvercin: Guvercin) -> None:
    guvercin.data_dir.parent.mkdir(exist_ok=True)
    guvercin.data_dir.write_text("a file")
    done = guvercin("baslat", "--port", str(free_port()), code=1)
    assert done.err.startswith(f"Error: The data folder {guvercin.data_dir} can't be used: ")


def test_the_administrator_is_stopped_in_somebodys_folder(tmp_path: Path) -> None:
    database = tmp_path / "guvercin.db"
    terminal = Terminal(say=translator(Language.EN))
    _check_owner(terminal, database, 0)  # nothing is there yet
    database.touch()
    _check_owner(terminal, database, os.geteuid())
    if os.geteuid() != 0:
        pytest.skip("only the administrator can give a file away, and only that is refused")
    os.chown(database, 12_345, -1)
    with pytest.raises(Trouble, match="belongs to the user #12345"):
        _check_owner(terminal, database, 0)


def test_the_token_is_shown_to_somebody_who_watches(guvercin: Guvercin) -> None:
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "guvercin", "baslat", "--port", str(free_port())],
        env={**os.environ, "GUVERCIN_DATA_DIR": str(guvercin.data_dir), "GUVERCIN_LANG": "tr", "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
    )
    os.close(theirs)
    shown = b""
    try:
        while b"Ctrl+C" not in shown:
            shown += os.read(ours, 4096)
    finally:
        process.terminate()
        process.wait(timeout=30)
        os.close(ours)
    text = shown.decode()
    assert "╭" in text
    assert "│ Panel        http://127.0.0.1:" in text
    assert re.search(r"│ İlk kurulum  http://127\.0\.0\.1:[0-9]+/kurulum\?k=[A-Z2-9]{4}-[A-Z2-9]{4} ", text)
    secret = re.findall(r"^(gv_[0-9a-f]{64})\r$", text, re.MULTILINE)
    assert len(secret) == 1
    assert f"Bearer {secret[0]}" in text
    assert not (guvercin.data_dir / "ilk-anahtar.txt").exists()


def test_ctrl_c_pauses_the_bulk(guvercin: Guvercin, start_server: Start) -> None:
    start_server()
    process = subprocess.Popen(
        [sys.executable, "-m", "guvercin", "toplu", "-", "--mesaj", "Merhaba", "--evet"],
        env={**os.environ, "GUVERCIN_DATA_DIR": str(guvercin.data_dir), "GUVERCIN_LANG": "en"},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stderr is not None
    process.stdin.write("+905000000004\n05321234567\n")  # the first takes five seconds until it is sent
    process.stdin.close()
    for line in process.stderr:
        if line.startswith("0/2"):
            break
    process.send_signal(signal.SIGINT)
    rest = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=30) == 130
    assert "Bulk 1 is paused; a message in hand still leaves.\nGo on: guvercin toplu-devam 1" in rest
    assert guvercin("gonder", "+905000000001", "Merhaba").out
    assert guvercin("durum", "1", "--json").json["data"]["durum"] in {"sending", "sent", "delivered"}
    assert guvercin("durum", "2", "--json").json["data"]["durum"] == "queued"
    assert guvercin("toplu-devam", "1", "--json").json["data"]["durum"] == "running"


def test_what_waited_goes_out_with_the_server(guvercin: Guvercin, start_server: Start) -> None:
    guvercin("hesap", "duraklat", "1")
    guvercin("gonder", "+905000000001", "Merhaba", "--bekle", "0")
    guvercin("hesap", "devam", "1")
    start_server()

    answer = guvercin("gonder", "+905000000001", "İkinci", "--json").json
    assert answer["message_id"]
    assert guvercin("durum", "1", "--json").json["data"]["message_id"]


def test_a_command_in_the_folder_is_named(guvercin: Guvercin) -> None:
    from guvercin.store.lock import FolderLock

    guvercin("kayit")
    lock = FolderLock(guvercin.data_dir)
    try:
        done = guvercin("kayit", code=1)
        assert done.err.startswith("Error: Another guvercin command is at work on this data folder (process ")
        assert guvercin("baslat", "--port", str(free_port()), code=1).err == done.err
    finally:
        lock.release()
    assert guvercin("kayit").out == "No message yet.\n"
