"""Sending and looking without a server: the gateway runs inside the command."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.cli.running import LATER, Done, Guvercin

from guvercin.cli import sample

MOMENT = re.compile(r"\d\d\.\d\d\.\d{4} \d\d:\d\d")


def masked(done: Done) -> str:
    return MOMENT.sub("<time>", re.sub(r"DENEME-[0-9A-F]{16}", "DENEME-X", done.out))


def arrivals(guvercin: Guvercin) -> list[dict[str, Any]]:
    ledger = guvercin.data_dir / "sandbox.jsonl"
    return [json.loads(line) for line in ledger.read_text(encoding="utf-8").splitlines()] if ledger.exists() else []


def test_a_message_is_sent(guvercin: Guvercin) -> None:
    assert masked(guvercin("gonder", "0500 000 00 01", "Merhaba")) == "Sent. Record 1.\nWhatsApp's id: DENEME-X\n"
    guvercin.lang = "tr"
    assert masked(guvercin("gönder", "0500 000 00 01", "Selam")) == (
        "Gönderildi. Kayıt no 2.\nWhatsApp kimliği: DENEME-X\n"
    )


def test_json_is_the_apis_own_answer_and_nothing_else(guvercin: Guvercin) -> None:
    done = guvercin("gonder", "+905000000001", "Merhaba", "--json")
    assert list(done.json) == ["ok", "log_id", "message_id"]
    assert done.err == ""


def test_a_refusal_is_told_with_what_to_do(guvercin: Guvercin) -> None:
    done = guvercin("gonder", "+905000000002", "Merhaba", code=1)
    assert done.out == ""
    what, remedy, *rest = done.err.splitlines()
    assert what == "Error: This number is not on WhatsApp."
    assert remedy.startswith("Remedy: ")
    assert remedy.endswith("Record: guvercin durum 1")
    assert rest == []

    body = guvercin("gonder", "+905000000002", "Merhaba", "--json", code=1).json
    assert (body["ok"], body["kod"], body["log_id"]) == (False, "numara_whatsappta_degil", 2)


def test_a_wrong_number_is_told_once(guvercin: Guvercin) -> None:
    guvercin.lang = "tr"
    assert guvercin("gonder", "0532 123 45 6", "Merhaba", code=1).err == (
        "Hata: Telefon numarası geçersiz. Eksik hane var. Türkiye numaralarında ülke kodundan sonra 10 hane bulunur.\n"
        "Çözüm: +905321234567 gibi yazın; 0532 123 45 67 de anlaşılır. Yabancı numaralarda ülke kodu gerekir.\n"
    )


def test_two_wrong_fields_are_both_named(guvercin: Guvercin) -> None:
    err = guvercin("gonder", "0532 123 45 6", "Merhaba", "--zaman", "2020-01-01 10:00", code=1).err
    assert "telefon: " in err
    assert "planlanan_zaman: " in err


@pytest.mark.parametrize(("written", "category"), [("Sipariş Durumu", 3), ("RANDEVU", 8), ("5", 5), ("77", 77)])
def test_the_kind_by_name_as_people_write_it(guvercin: Guvercin, written: str, category: int) -> None:
    guvercin("gonder", "+905000000001", "Merhaba", "--tur", written)
    assert guvercin("durum", "1", "--json").json["data"]["tur_id"] == category


def test_every_field_reaches_the_record(guvercin: Guvercin) -> None:
    guvercin(
        "gonder", "05000000001", "Merhaba", "--isim", "Ayşe", "--tur", "fatura", "--hesap", "1", "--referans", "FTR-1",
        "--zaman", LATER, "--gecerlilik", "60",
    )  # fmt: skip
    record = guvercin("durum", "1", "--json").json["data"]
    assert {name: record[name] for name in ("isim", "tur_id", "hesap_id", "referans", "planlanan_zaman", "durum")} == {
        "isim": "Ayşe",
        "tur_id": 1,
        "hesap_id": 1,
        "referans": "FTR-1",
        "planlanan_zaman": f"{LATER}:00",
        "durum": "scheduled",
    }


def test_what_can_not_leave_yet_is_kept(guvercin: Guvercin) -> None:
    assert guvercin("gonder", "+905000000001", "Merhaba", "--zaman", LATER).out == (
        "Scheduled. Record 1.\nIt is kept and goes out when the server runs: guvercin baslat\n"
    )


def test_a_file_is_uploaded(guvercin: Guvercin, tmp_path: Path) -> None:
    invoice = tmp_path / "Fatura Ş.pdf"
    invoice.write_bytes(sample.pdf())

    guvercin("dosya", "+905000000001", str(invoice), "--mesaj", "Faturanız", "--ad", "FTR-9.pdf")
    record = guvercin("durum", "1", "--json").json["data"]
    assert (record["dosya_adi"], record["mesaj"]) == ("FTR-9.pdf", "Faturanız")


def test_a_file_on_the_server(guvercin: Guvercin, tmp_path: Path) -> None:
    root = sample.make(tmp_path)
    guvercin.env["GUVERCIN_FILE_ROOTS"] = str(root)

    guvercin("dosya", "+905000000001", sample.NAME, "--sunucuda")
    assert guvercin("durum", "1", "--json").json["data"]["dosya_adi"] == "FTR-001.pdf"


def test_a_file_that_is_not_there(guvercin: Guvercin) -> None:
    done = guvercin("dosya", "+905000000001", "yok.pdf", code=1)
    assert done.err == (
        "Error: The file yok.pdf can't be read: No such file or directory\n"
        "Remedy: Check the path. A path inside the server's file roots needs --sunucuda.\n"
    )


def test_the_log_in_both_languages(guvercin: Guvercin) -> None:
    assert guvercin("kayit").out == "No message yet.\n"
    guvercin("gonder", "+905000000001", "Merhaba\n" + "uzun " * 30, "--zaman", LATER)
    guvercin("gonder", "+905000000002", "Selam", code=1)

    heads, *rows = [re.split(r"  +", line) for line in masked(guvercin("kayit")).splitlines()]
    assert heads == ["No", "Time", "To", "State", "Text"]
    assert rows == [
        ["2", "<time>", "+905000000002", "Failed (Not on WhatsApp)", "Selam"],
        ["1", "<time>", "+905000000001", "Scheduled (Waits for its time)", "Merhaba uzun uzun uzun uzun uzun uzun u…"],
    ]
    guvercin.lang = "tr"
    assert "Planlandı (Zamanının gelmesini bekliyor)" in guvercin("kayıt", "--durum", "scheduled").out
    assert guvercin("kayit", "--telefon", "0532 123 45 67").out == "Bu süzgeçle mesaj yok.\n"


def test_the_log_filters_and_counts(guvercin: Guvercin) -> None:
    for number in range(3):
        guvercin("gonder", "+905000000001", f"{number}", "--referans", f"R{number}", "--bekle", "0")

    assert [row["mesaj"] for row in guvercin("kayit", "--limit", "2", "--json").json["data"]] == ["2", "1"]
    assert [row["id"] for row in guvercin("log", "--referans", "R1", "--json").json["data"]] == [2]
    assert guvercin("kayit", "--durum", "flying", code=2).err.startswith("Error: --durum can't be «flying».")


def test_one_record_as_a_story(guvercin: Guvercin) -> None:
    guvercin("gonder", "+905000000001", "Merhaba", "--isim", "Ayşe", "--zaman", LATER, "--referans", "R1")
    assert masked(guvercin("durum", "1")) == (
        "Record 1: Scheduled\n"
        "  To           +905000000001 Ayşe\n"
        "  Text         Merhaba\n"
        "  Why          Waits for its time\n"
        "  Reference    R1\n"
        "  Accepted     <time>\n"
        "  Planned for  <time>\n"
    )
    assert guvercin("durum", "9", code=1).err.startswith("Error: ")


def test_a_record_can_be_withdrawn_once(guvercin: Guvercin) -> None:
    guvercin("gonder", "+905000000001", "Merhaba", "--zaman", LATER)

    assert guvercin("kayit", "iptal", "1").out == "Cancelled: 1\n"
    assert guvercin("durum", "1", "--json").json["data"]["durum"] == "cancelled"


def test_looking_sends_nothing(guvercin: Guvercin) -> None:
    guvercin("gonder", "+905000000001", "Merhaba", "--bekle", "0")
    before = arrivals(guvercin)
    guvercin("gonder", "+905000000003", "Sonra", "--zaman", LATER)
    for line in (["kayit"], ["durum"], ["durum", "1"], ["hesap", "liste"], ["doktor"], ["kayit", "iptal", "2"]):
        guvercin(*line, code=None)
    assert arrivals(guvercin)[: len(before)] == before
    assert not [arrival for arrival in arrivals(guvercin) if arrival["number"] == "+905000000003"]


def test_everything_at_a_glance(guvercin: Guvercin) -> None:
    assert guvercin("durum").out == (
        "The server does not run. Start it: guvercin baslat\nQueue: Queued: 0  Sending: 0  In doubt: 0\n"
    )
    assert not guvercin.data_dir.exists()
    guvercin("gonder", "+905000000001", "Merhaba", "--zaman", LATER)
    guvercin.lang = "tr"
    assert guvercin("durum", "--veri", str(guvercin.data_dir)).out == (
        f"Sunucu çalışmıyor. Başlatın: guvercin baslat --veri {guvercin.data_dir}\n"
        "  1  Deneme (sandbox)  Bağlı değil\n"
        "Kuyruk: Sırada: 1  Gönderiliyor: 0  Belirsiz: 0\n"
    )
    assert guvercin("durum", "--json").json["data"]["sira"] == {"queued": 1, "sending": 0, "unknown": 0}


def test_no_token_of_a_command_outlives_it(guvercin: Guvercin) -> None:
    guvercin("gonder", "+905000000001", "Merhaba")
    guvercin("gonder", "+905000000002", "Merhaba", code=1)

    assert guvercin("anahtar", "liste", "--json").json["data"] == []
    passes = guvercin("anahtar", "liste", "--hepsi", "--json").json["data"]
    assert [(it["ad"], it["iptal"] is not None) for it in passes] == [("terminal", True), ("terminal", True)]


def test_a_token_of_the_environment_is_used_as_it_is(guvercin: Guvercin) -> None:
    secret = guvercin("anahtar", "uret", "--yetki", "oku").out.strip()
    guvercin.env["GUVERCIN_TOKEN"] = secret

    assert guvercin("kayit").out == "No message yet.\n"
    assert guvercin("gonder", "+905000000001", "Merhaba", "--json", code=1).json["kod"] == "yetki_yok"
    guvercin.env["GUVERCIN_TOKEN"] = "gv_wrong"
    assert guvercin("kayit", "--json", code=1).json["kod"] == "anahtar_gecersiz"
    assert guvercin("kayit", code=1).err.endswith("makes its own: unset GUVERCIN_TOKEN\n")


def test_wrong_settings_stop_every_command(guvercin: Guvercin) -> None:
    guvercin.env["GUVERCIN_PORT"] = "eighty"
    done = guvercin("durum", code=2)
    assert (done.out, done.err) == (
        "",
        "Error: GUVERCIN_PORT can't be «eighty».\nRemedy: Write a number from 1 to 65535, such as 8080.\n",
    )
    assert guvercin("durum", "--json", code=2).json == {
        "ok": False,
        "hata": "GUVERCIN_PORT can't be «eighty».",
        "cozum": "Write a number from 1 to 65535, such as 8080.",
    }
