"""A person asks to be forgotten: afterwards no byte of ours knows their number, their name or what was written to them.

Searched are the bytes of every file of the data folder (database, journal, copies of files, the sandbox's log), of what
the server has printed and logged at its most talkative, and of a backup that is made afterwards.
"""

import json
import tarfile
from datetime import timedelta
from pathlib import Path

import pytest
from tests.e2e.server import API, Client, Server

from guvercin.gateway.clock import SystemClock

pytestmark = pytest.mark.e2e

NUMBER = "+905321234567"
FORMS = (
    "5321234567",
    "532 123 45 67",
    "0532 123",
    "905321234567@s.whatsapp.net",
    "AyseGizli",
    "Gizli borcunuz",
    "gizli-belge",
    "GIZLI-ICERIK",
    "GZL-",
)
"""The number in every way in which it may be written, the name, the texts, the file's name and content, references."""

OTHERS = "+905331112233"
TOMORROW = f"{SystemClock().now() + timedelta(days=1):%Y-%m-%d} 10:00"


def fill(server: Server, client: Client) -> None:
    """Let a business have much to do with somebody, and with many others."""
    client.set_gap(0, 1)
    files = server.folder / "ornek"
    files.mkdir(exist_ok=True)
    for n in range(30):
        crowd = {"alicilar": [{"telefon": f"+90533{n:04}{m:03}", "isim": "Biri"} for m in range(5)], "mesaj": "Selam"}
        assert client.post("/toplu-gonder", crowd, Prefer="wait=0").status == 200
        body = {"telefon": "0532 123 45 67", "mesaj": f"Gizli borcunuz {n} lira" * (n % 7 + 1), "isim": "AyseGizli"}
        assert client.post("/gonder", {**body, "referans": f"GZL-{n}"}, Prefer="wait=0").status == 200
    own = "Gizli borcunuz var"
    people = [{"telefon": "90 532 123 45 67", "isim": "AyseGizli", "mesaj": own}, {"telefon": OTHERS, "isim": "Biri"}]
    bulk = {"alicilar": people, "mesaj": "Selam {isim}", "sablon": True}
    assert client.post("/toplu-gonder", bulk, Prefer="wait=0").status == 200
    later = {"telefon": NUMBER, "mesaj": "Gizli borcunuz yarın", "planlanan_zaman": TOMORROW}
    assert client.post("/gonder", later, Idempotency_Key="k-5321234567").status == 200
    upload = multipart("gizli-belge.pdf", b"%PDF-1.4 GIZLI-ICERIK\n%%EOF\n")
    kept = client.ask("POST", f"{API}/dosyalar", upload[1], {"Content-Type": upload[0]})
    assert kept.status == 200, kept.text
    sent = {"telefon": NUMBER, "dosya_id": kept.json["dosya_id"], "mesaj": "Gizli borcunuz ekte"}
    assert client.post("/dosya-gonder", sent, Prefer="wait=0").status == 200
    sheet = multipart("liste.csv", f"telefon;isim\n{NUMBER};AyseGizli\n{OTHERS};Biri\n".encode(), mesaj="Selam")
    draft = client.ask("POST", f"{API}/toplu/dosya", sheet[1], {"Content-Type": sheet[0]})
    assert draft.status == 200, draft.text
    consent = {"telefon": NUMBER, "onay_kaynagi": "HS_WEB", "onay_zamani": "2026-02-20 10:15:00"}
    assert client.post("/onaylar", consent).status == 200
    assert client.get("/numara-kontrol?telefon=%2B905321234567&hesap_id=1").status in {200, 501}


def multipart(name: str, content: bytes, **fields: str) -> tuple[str, bytes]:
    parts = [f'--x\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in fields.items()]
    head = f'--x\r\nContent-Disposition: form-data; name="dosya"; filename="{name}"\r\n\r\n'
    return "multipart/form-data; boundary=x", "".join(parts).encode() + head.encode() + content + b"\r\n--x--\r\n"


def refuse(client: Client) -> None:
    assert client.post("/ret-listesi", {"telefon": NUMBER, "yazdigi": "AyseGizli dedi"}).status == 200


def traces(folder: Path, *more: bytes) -> dict[str, list[str]]:
    """Answer which forms stand in which file."""
    found = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    found |= {f"({n})": content for n, content in enumerate(more)}
    seen = {name: [form for form in FORMS if form.encode() in content] for name, content in found.items()}
    return {name: forms for name, forms in seen.items() if forms}


def finished(client: Client) -> bool:
    return not client.get("/gonderimler?durum=queued&limit=1").json["data"]


def test_who_is_forgotten_is_in_no_byte(tmp_path: Path) -> None:
    with Server(tmp_path / "veri", GUVERCIN_LOG_LEVEL="debug") as server:
        server.start("--ornek")
        client = server.client(server.first_token())
        fill(server, client)
        server.until(lambda: finished(client), within=60, what="the end of the queue")
        refuse(client)
        before = traces(server.folder)
        assert set(FORMS) - {form for forms in before.values() for form in forms} == {
            "532 123 45 67",
            "0532 123",
            "905321234567@s.whatsapp.net",
        }, "all that is to be forgotten is there, in the forms in which it is kept"

        held = client.get(f"/kisiler/{NUMBER.replace('+', '%2B')}").json["data"]
        assert (len(held["mesajlar"]), len(held["ret"]), len(held["onaylar"]), held["taslak"]) == (33, 1, 1, 1)
        assert "Gizli borcunuz yarın" in {message["mesaj"] for message in held["mesajlar"]}

        gone = client.ask("DELETE", f"{API}/kisiler/05321234567")
        assert gone.status == 200, gone.text
        assert gone.json["data"]["mesaj"] == 33
        assert gone.json["data"] | {"diger": 0} == {
            "mesaj": 33,
            "ret": 1,
            "dosya": 1,
            "diger": 0,
            "kalinti": False,
            "kopyalar": [],
        }
        assert traces(server.folder, server.said().encode()) == {}, "while the server runs"

        refused = client.post("/gonder", {"telefon": NUMBER, "mesaj": "Selam"})
        assert (refused.status, refused.code) == (409, "alici_ret_etti")
        assert traces(server.folder) == {}, "a refused message leaves nothing"

        backup = tmp_path / "yedek.tar"
        assert server.cli("yedek", str(backup)).returncode == 0
        unpacked = tmp_path / "yedek"
        unpacked.mkdir()
        with tarfile.open(backup) as archive:
            for number, member in enumerate(archive):
                if (kept := archive.extractfile(member)) is not None:
                    (unpacked / str(number)).write_bytes(kept.read())
        assert traces(unpacked, backup.read_bytes()) == {}
        told = server.told("denetim", "--son", "5")["data"]
        assert "kisi.silindi" in {entry["ne"] for entry in told}
        assert traces(tmp_path / "nowhere", json.dumps(told).encode()) == {}
        assert server.stop() == 0
        assert traces(server.folder, server.said().encode()) == {}, "after its end"

        server.start()
        refused = server.client(server.first_token()).post("/gonder", {"telefon": NUMBER, "mesaj": "Selam"})
        assert refused.code == "alici_ret_etti", "a restart knows the refusal"
        assert {finding["ad"]: finding["durum"] for finding in server.told("doktor")["data"]}["denetim"] == "yesil"
        (server.folder / "guvercin.key").unlink()
        lost = server.cli("doktor", "--json")
        assert {each["ad"]: each["durum"] for each in json.loads(lost.stdout)["data"]}["gizli_retler"] == "kirmizi"
