"""`tur …`: the kinds of messages at a terminal."""

from tests.cli.running import Guvercin


def test_a_kind_of_ones_own_from_its_birth_to_its_end(guvercin: Guvercin) -> None:
    assert guvercin("tur", "degistir", "11", "--ad", "Servis", "--sessiz-saat", "--gecerlilik", "90").out == (
        "Changed: «Servis».\n"
    )
    row = guvercin("category", "list").out.splitlines()[-1]
    assert row.split() == ["11", "servis", "Servis", "yes", "90", "min", "Normal"]
    sent = guvercin("gonder", "+905000000001", "Merhaba", "--tur", "SERVİS", "--json").json
    assert guvercin("durum", str(sent["log_id"]), "--json").json["data"]["tur_id"] == 11
    assert guvercin("tur", "sil", "11").out == "Forgotten: category 11. Sent messages keep it.\n"
    assert len(guvercin("tur", "liste", "--json").json["data"]) == 10
    assert guvercin("tur", "sil", "11", "--json", code=1).json["kod"] == "bulunamadi"


def test_the_list_in_turkish(guvercin: Guvercin) -> None:
    guvercin.lang = "tr"
    lines = guvercin("tur", "liste").out.splitlines()
    assert lines[0].split() == ["No", "Kod", "Ad", "Ticari", "Sessiz", "saat", "Geçerlilik", "Öncelik"]
    assert lines[9] == "9   kampanya  Kampanya / kutlama / duyuru  evet    evet         24 sa       En düşük"


def test_a_slip_is_told_in_words(guvercin: Guvercin) -> None:
    assert guvercin("tur", "degistir", "11", code=2).err.startswith("Error: Nothing to change was named.")
    assert guvercin("tur", "degistir", "11", "--oncelik", "acil", code=2).err.startswith("Error: --oncelik can't be")
    refused = guvercin("tur", "degistir", "9", "--ticari-degil", code=1).err
    assert "The code, the name and the legal class of categories 1 to 10 stay as they are." in refused
    unknown = guvercin("gonder", "+905000000001", "a", "--tur", "yok", code=2).err
    assert unknown.splitlines()[0] == "Error: There is no kind of message «yok»."
