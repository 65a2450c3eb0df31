import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.running import Done, Guvercin, Server, free_port

from guvercin.store.schema import HEAD
from guvercin.store.sqlite import engine_for


@pytest.fixture(autouse=True)
def own_port(guvercin: Guvercin) -> None:
    guvercin.env["GUVERCIN_PORT"] = str(free_port())


def lights(done: Done) -> dict[str, str]:
    return {finding["ad"]: finding["durum"] for finding in done.json["data"]}


def test_before_the_first_start(guvercin: Guvercin) -> None:
    done = guvercin("doktor", "--json")
    assert lights(done) == {
        "veri_klasoru": "sari",
        "sunucu": "sari",
        "sqlite": "yesil",
        "motor": "yesil",
        "saat": "yesil",
        "dosya_kokleri": "yesil",
    }
    assert not guvercin.data_dir.exists()


def test_all_is_well_in_both_languages(guvercin: Guvercin) -> None:
    guvercin("anahtar", "uret")
    port = guvercin.env["GUVERCIN_PORT"]
    lines = guvercin("doktor").out.splitlines()
    assert lines[0] == f"✓ [well] Data folder: {guvercin.data_dir}"
    assert lines[2:4] == [f"! [look] The server does not run; port {port} is free.", "    Remedy: guvercin baslat"]
    assert f"✓ [well] The database is sound (schema {HEAD})." in lines
    assert "✓ [well] API keys: 1" in lines

    guvercin.lang = "tr"
    lines = guvercin("doktor").out.splitlines()
    assert lines[0] == f"✓ [iyi] Veri klasörü: {guvercin.data_dir}"
    assert lines[3] == "    Çözüm: guvercin baslat"
    assert guvercin("doktor", "--json").json["ok"] is True


def test_a_folder_that_others_can_look_into(guvercin: Guvercin) -> None:
    guvercin("anahtar", "uret")
    guvercin.data_dir.chmod(0o755)
    done = guvercin("doktor", code=1)
    assert f"✗ [wrong] Others on this machine can look into the data folder {guvercin.data_dir}." in done.out
    assert f"    Remedy: chmod 700 {guvercin.data_dir}" in done.out
    assert lights(guvercin("doktor", "--json", code=1))["veri_klasoru"] == "kirmizi"


def test_a_damaged_database(guvercin: Guvercin) -> None:
    guvercin("anahtar", "uret")
    database = guvercin.data_dir / "guvercin.db"
    content = bytearray(database.read_bytes())
    content[4096 : 4096 + 8192] = os.urandom(8192)
    database.write_bytes(content)

    done = guvercin("doktor", "--json", code=1)
    assert lights(done)["veritabani"] == "kirmizi"
    assert "anahtar" not in lights(done)


def test_what_is_no_database(guvercin: Guvercin) -> None:
    guvercin.data_dir.mkdir(mode=0o700)
    (guvercin.data_dir / "guvercin.db").write_bytes(b"no database at all" * 100)
    assert lights(guvercin("doktor", "--json", code=1))["veritabani"] == "kirmizi"


def test_a_clock_that_was_set_back(guvercin: Guvercin) -> None:
    guvercin("anahtar", "uret")
    database = guvercin.data_dir / "guvercin.db"
    ahead = database.stat().st_mtime + 3600
    os.utime(database, (ahead, ahead))
    assert lights(guvercin("doktor", "--json", code=1))["saat"] == "kirmizi"


def test_a_file_root_that_is_gone(guvercin: Guvercin, tmp_path: Path) -> None:
    guvercin.env["GUVERCIN_FILE_ROOTS"] = str(tmp_path / "gone")
    assert lights(guvercin("doktor", "--json", code=1))["dosya_kokleri"] == "kirmizi"


def test_no_key_and_what_waits_for_the_owner(guvercin: Guvercin, tmp_path: Path) -> None:
    guvercin("hesap", "duraklat", "1")
    guvercin("gonder", "+905000000001", "Merhaba", "--bekle", "0")
    guvercin("yedek", str(tmp_path / "y.tar"))
    guvercin("geri-yukle", str(tmp_path / "y.tar"))

    found = {it["ad"]: it for it in guvercin("doktor", "--json").json["data"]}
    assert found["anahtar"]["durum"] == found["bekletilen"]["durum"] == "sari"
    assert found["bekletilen"]["bulgu"].startswith("Held records: 1.")


@pytest.mark.e2e
def test_beside_a_server(guvercin: Guvercin, start_server: Callable[..., Server]) -> None:
    server = start_server()
    assert f"✓ [well] The server runs: http://127.0.0.1:{server.port}" in guvercin("doktor").out


def test_the_sessions_of_linked_phones_are_the_account_itself(guvercin: Guvercin) -> None:
    guvercin("anahtar", "uret")
    sessions = guvercin.data_dir / "web"
    assert "oturumlar" not in lights(guvercin("doktor", "--json"))
    (sessions / "3").mkdir(mode=0o700, parents=True)
    sessions.chmod(0o700)
    told = guvercin("doktor")
    assert f"{sessions} is the WhatsApp account itself" in told.out
    assert lights(guvercin("doktor", "--json"))["oturumlar"] == "yesil"
    (sessions / "3").chmod(0o755)
    assert f"    Remedy: chmod 700 {sessions / '3'}" in guvercin("doktor", code=1).out


def test_secrets_that_others_could_read_are_named(guvercin: Guvercin) -> None:
    guvercin("anahtar", "uret")
    assert "sirlar" not in lights(guvercin("doktor", "--json"))
    (guvercin.data_dir / "cloud").mkdir(mode=0o700)
    (guvercin.data_dir / "cloud" / "3.json").write_text("{}")
    assert lights(guvercin("doktor", "--json"))["sirlar"] == "sari"
    key = guvercin.data_dir / "guvercin.key"
    key.write_bytes(bytes(32))
    key.chmod(0o644)
    assert lights(guvercin("doktor", "--json", code=1))["sirlar"] == "kirmizi"


def test_a_broken_link_of_the_audit_is_found(guvercin: Guvercin) -> None:
    guvercin("anahtar", "uret")
    guvercin("ret", "ekle", "0532 123 45 67")
    assert lights(guvercin("doktor", "--json"))["denetim"] == "yesil"
    with engine_for(guvercin.data_dir / "guvercin.db").connect() as connection:
        connection.exec_driver_sql("UPDATE audit SET what = 'ret.kaldirildi' WHERE id = 2")
    done = guvercin("doktor", code=1)
    assert "The audit was touched: entry 2 does not fit the one before it." in done.out
    assert lights(guvercin("doktor", "--json", code=1))["denetim"] == "kirmizi"
