"""`kisi …`, `denetim` and `imha`: people's rights, at a terminal."""

from tests.cli.running import Guvercin

PHONE = "0532 123 45 67"


def test_a_person_from_the_first_question_to_the_last(guvercin: Guvercin) -> None:
    guvercin("gonder", PHONE, "Merhaba")
    guvercin("ret", "ekle", PHONE)
    shown = guvercin("kisi", "goster", PHONE).out
    assert shown.splitlines()[0] == "+905321234567"
    assert "Messages                     1" in shown
    held = guvercin("person", "show", PHONE, "--json").json["data"]
    assert held["mesajlar"][0]["mesaj"] == "Merhaba"

    asked = guvercin("kisi", "sil", PHONE, code=1)
    assert "Destroy everything that is held of 0532 123 45 67? It can't be undone." in asked.err
    assert guvercin("kisi", "goster", PHONE, "--json").json["data"]["mesajlar"], "nobody said yes"

    guvercin("kisi", "sakla", PHONE, "--neden", "2026/114 E.")
    assert "Held for the law since" in guvercin("kisi", "goster", PHONE).out
    assert guvercin("kisi", "sil", PHONE, "--evet", "--json", code=1).json["kod"] == "yasal_saklama"
    guvercin("kisi", "birak", PHONE)

    done = guvercin("person", "erase", PHONE, "--evet").out
    assert done.splitlines()[:2] == [
        "Forgotten. Messages: 1 · files: 0 · other rows: 0",
        "Their refusal goes on holding: a hash of the number is kept for that, and nothing else.",
    ]
    assert guvercin("kisi", "goster", PHONE, "--json").json["data"]["mesajlar"] == []
    assert "has refused messages" in guvercin("gonder", PHONE, "Merhaba", code=1).err
    assert "a person asked" in guvercin("imha").out
    assert guvercin("imha", "--json").json["data"][0]["metin"] == 1


def test_who_did_what_from_the_terminal(guvercin: Guvercin) -> None:
    guvercin("anahtar", "uret", "--ad", "kasa")
    guvercin("ret", "ekle", PHONE)
    told = guvercin("denetim", "--json").json["data"]
    assert [(each["ne"], each["yol"]) for each in told] == [("ret.eklendi", "komut"), ("anahtar.uretildi", "komut")]
    assert "ret.eklendi" in guvercin("audit", "--son", "1").out
    assert "anahtar.uretildi" not in guvercin("audit", "--son", "1").out
