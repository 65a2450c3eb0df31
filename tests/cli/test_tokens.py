import re

import pytest
from tests.cli.running import Guvercin

SECRET = re.compile(r"gv_[0-9a-f]{64}")


def test_a_token_is_shown_once(guvercin: Guvercin) -> None:
    made = guvercin("anahtar", "uret", "--ad", "kasa")

    secret = made.out.strip()
    assert SECRET.fullmatch(secret)
    assert made.err == "Copy it now: it is not shown again. Number 1, name «kasa».\n"
    listed = guvercin("anahtar", "liste")
    assert secret not in listed.out + listed.err
    assert secret not in guvercin("anahtar", "liste", "--json").out


def test_every_rule_reaches_the_token(guvercin: Guvercin) -> None:
    made = guvercin(
        "token", "create", "--ad", "muhasebe", "--yetki", "gonder, oku", "--hesap", "1,2", "--bitis", "2027-12-31",
        "--sinir", "60/dk", "--gunluk", "500", "--tekrar-korumasi-yok", "--kati-tur", "--toplu-yanit", "kabul",
        "--json",
    )  # fmt: skip

    secret = made.json.pop("anahtar")
    assert SECRET.fullmatch(secret)
    token = {key: value for key, value in made.json.items() if key not in {"anahtar", "olusturuldu"}}
    assert token == {
        "id": 1,
        "ad": "muhasebe",
        "ipucu": secret[:10],
        "yetki": ["gonder", "oku"],
        "hesap": [1, 2],
        "bitis": "2027-12-31T20:59:59.999000+00:00",
        "dakikada": 60,
        "gunluk": 500,
        "tekrar_korumasi": False,
        "kati_tur": True,
        "toplu_yanit_kabul": True,
        "son_kullanim": None,
        "iptal": None,
    }
    assert guvercin("anahtar", "liste", "--json").json == {
        "ok": True,
        "data": [{key: value for key, value in made.json.items() if key != "anahtar"}],
    }


def test_the_usual_token_sends_and_reads(guvercin: Guvercin) -> None:
    assert guvercin("anahtar", "uret", "--json").json["yetki"] == ["dosya", "gonder", "oku", "toplu"]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--yetki", "her şey"),
        ("--yetki", ""),
        ("--hesap", "bir"),
        ("--bitis", "yarın"),
        ("--sinir", "çok"),
        ("--sinir", "0"),
        ("--sinir", "5/saat"),
        ("--gunluk", "0"),
        ("--toplu-yanit", "hemen"),
    ],
)
def test_a_wrong_rule_is_a_misuse(guvercin: Guvercin, option: str, value: str) -> None:
    done = guvercin("anahtar", "uret", option, value, code=2)
    assert done.err.startswith(f"Error: {option} can't be «{value}».\nRemedy: ")
    assert not guvercin.data_dir.exists() or guvercin("anahtar", "liste", "--json").json["data"] == []


def test_revoking(guvercin: Guvercin) -> None:
    guvercin("anahtar", "uret", "--ad", "kasa")
    guvercin.lang = "tr"

    assert guvercin("anahtar", "iptal", "1").out == "İptal edildi: «kasa». Bir saniye içinde çalışmaz olur.\n"
    assert guvercin("anahtar", "liste").out == "Henüz anahtar yok. Üretmek için: guvercin anahtar uret --ad muhasebe\n"
    assert "İptal edildi" in guvercin("anahtar", "liste", "--hepsi").out


def test_revoking_what_is_not_there(guvercin: Guvercin) -> None:
    done = guvercin("anahtar", "iptal", "9", code=1)
    assert done.err.startswith("Error: ")


def test_the_list_in_both_languages(guvercin: Guvercin) -> None:
    hint = guvercin("anahtar", "uret", "--ad", "kasa", "--yetki", "gonder", "--json").json["ipucu"]

    assert guvercin("anahtar", "liste").out == (
        f"No  Name  Begins with  May     State  Last used\n1   kasa  {hint}   gonder  Works  Never\n"
    )
    guvercin.lang = "tr"
    assert guvercin("anahtar", "liste").out == (
        f"No  Ad    Başı        Yetki   Durum      Son kullanım\n1   kasa  {hint}  gonder  Çalışıyor  Hiç\n"
    )
