"""Everything that can be asked is asked, with people's numbers, words and secrets in it: no byte of the log has any."""

import re
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.contracts.graph_thread import GraphThread
from tests.e2e.server import API, Client, Server

import guvercin
from guvercin.api.app import document
from guvercin.panel.app import ROUTES
from guvercin.testing.graph import Act, Habits

pytestmark = pytest.mark.e2e

NUMBER = "+905321239876"
WORD = "gizlikelime7f3a"
PASSWORD = "gizliparola4c1d uzun"
SECRETS = {
    "token": "EAAGgizlianahtar8e2b",
    "app": "gizliuygulama5d9c",
    "verify": "gizlidogrulama3a7e",
    "mail": "gizliposta6b4f",
    "topic": "gizlikonu2e8d",
    "path": "gizliyol9a1c",
    "wrong": "gv_" + "5ec2e7" * 10,
}
FORBIDDEN = (NUMBER[3:], "532 123 98 76", "532-123-98-76", "905321239", WORD, PASSWORD[:16], *SECRETS.values())
"""In none of their ways of writing; of a number its last four digits may be shown."""

LINE = "100000000000001"
PHONES = frozenset({"telefon", "gonderen", "alici"})
KEPT = frozenset({"tur", "yontem", "kapsam", "olaylar", "durum", "karar", "izinler", "alici_turu", "onay_kaynagi"})
"""Fields whose words are of a list: another word would be refused before anything is done."""


@pytest.fixture(scope="module")
def fake() -> Iterator[GraphThread]:
    fake = GraphThread(app_secret=SECRETS["app"]).start()
    fake.graph.add_number(LINE, "+90 850 000 00 01", SECRETS["token"])
    fake.graph.callbacks.habits = Habits(pauses=(0.1,))
    yield fake
    fake.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, fake: GraphThread) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("masking")
    (folder / "belgeler").mkdir()
    (folder / "belgeler" / f"{WORD}.pdf").write_bytes(b"%PDF-1.4\n%%EOF\n")
    settings = {
        "GUVERCIN_LOG_LEVEL": "debug",
        "GUVERCIN_FILE_ROOTS": str(folder / "belgeler"),
        "GUVERCIN_GRAPH_URL": fake.url,
        "GUVERCIN_WEBHOOK_ALLOW": "127.0.0.1",
        "GUVERCIN_ALERT_EMAIL": "owner@shop.example",
        "GUVERCIN_SMTP_HOST": "127.0.0.1",
        "GUVERCIN_SMTP_PORT": "9",
        "GUVERCIN_SMTP_USER": "owner",
        "GUVERCIN_SMTP_PASSWORD": SECRETS["mail"],
        "GUVERCIN_ALERT_NTFY": f"http://127.0.0.1:9/{SECRETS['topic']}",
        "GUVERCIN_NTFY_TOKEN": SECRETS["topic"],
    }
    with Server(folder / "veri", **settings) as server:
        server.start()
        yield server


def marked(value: Any, name: str = "") -> Any:
    """Answer an example with our number and our word in every place for one."""
    if isinstance(value, dict):
        return {key: each if key in KEPT else marked(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [marked(each, name) for each in value]
    return marked_word(value, name) if isinstance(value, str) else value


def marked_word(value: str, name: str) -> str:
    if name in PHONES or value.startswith("+90"):
        return NUMBER
    if name == "dosya_yolu":
        return f"{WORD}.pdf"
    if value.startswith("http"):
        return f"http://127.0.0.1:9/{SECRETS['path']}"
    return f"{value} {WORD}" if re.search(r"[a-zğüşöçı]{3}", value) else value


def is_door(path: str) -> bool:
    """Say whether wrong words there are counted against whoever says them."""
    return path.startswith(("/api/v1/auth/", "/meta/"))


def operations() -> Iterator[tuple[str, str, Any]]:
    """Answer every operation of the document: method, path and examples of its body. What removes things is last."""
    found = []
    for path, each in document()["paths"].items():
        for method, operation in each.items():
            content = operation.get("requestBody", {}).get("content", {})
            examples = [media["example"] for media in content.values() if "example" in media]
            query = {
                given["name"]: NUMBER if given["name"] in PHONES else WORD
                for given in operation.get("parameters", ())
                if given["in"] == "query" and given["name"] in PHONES | {"referans", "ara", "sonra"}
            }
            asked = re.sub(r"\{telefon\}", "%2B" + NUMBER[1:], path)
            asked = re.sub(r"\{kind\}", "svg", asked)
            asked = re.sub(r"\{account_id\}", "2", asked)
            asked = re.sub(r"\{\w+\}", "1", asked)
            found.append((method.upper(), asked + (f"?{urlencode(query)}" if query else ""), examples))
    return iter(sorted(found, key=lambda each: (is_door(each[1]), each[0] == "DELETE")))


def ask_everything(client: Client) -> int:
    """Ask for every operation: as its example says, with our words in it, and badly; answers how many there are."""
    asked = 0
    for method, path, examples in operations():
        asked += 1
        bodies: list[Any] = [None] if method in {"GET", "DELETE"} else [marked(each) for each in examples]
        if bodies != [None]:
            broken = f'{{"telefon": "{NUMBER}", "mesaj": "{WORD}'.encode()
            bodies += [broken, {"telefon": NUMBER, "mesaj": [WORD], "isim": {WORD: NUMBER}}]
        for body in bodies:
            headers = {"Prefer": "respond-async", "Idempotency-Key": f"{WORD}-{NUMBER}-{asked}", "User-Agent": WORD}
            answer = client.ask(method, path, body, headers)
            assert answer.status != 500, answer.text
            assert answer.status != 429 or is_door(path), f"{path} was not really asked"
    for path, name in (("/dosyalar", f"{NUMBER}.pdf"), ("/toplu/dosya", f"{WORD}.csv")):
        content = b"%PDF-1.4" if name.endswith("pdf") else f"telefon;isim;tutar\n{NUMBER};{WORD};12".encode()
        body = (
            (
                f'--x\r\nContent-Disposition: form-data; name="dosya"; filename="{name}"\r\n'
                "Content-Type: application/octet-stream\r\n\r\n"
            ).encode()
            + content
            + b"\r\n--x--\r\n"
        )
        client.ask("POST", API + path, body, {"Content-Type": "multipart/form-data; boundary=x"})
    return asked


class Visitor:
    """A browser without a screen: cookies and forms."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, form: Mapping[str, str] | None = None) -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
            body = None if form is None else urlencode(form)
            if form is not None:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            for set_cookie in answer.headers.get_all("Set-Cookie") or ():
                name, _, value = set_cookie.partition(";")[0].partition("=")
                self._cookies[name] = value
            return answer.status, answer.read().decode(errors="replace")
        finally:
            connection.close()

    def word(self) -> str:
        """Answer what our own forms carry. Who was signed out by a form signs in again."""
        status = 0
        for password in ("", PASSWORD, f"{PASSWORD} 2"):
            if password:
                self.ask("POST", "/giris", {"parola": password, "ad": "yönetici"})
            status, text = self.ask("GET", "/panel")
            if found := re.search(r'name="_csrf" value="([0-9a-f]+)"', text):
                return found[1]
        raise AssertionError(f"signed out, and no password is taken: {status}")


def fields_of_forms() -> set[str]:
    """Answer the names of every field that a page of the panel reads."""
    rooms = (Path(guvercin.__file__).parent / "panel").glob("*.py")
    return {
        name for room in rooms for name in re.findall(r'typed\([^()]*(?:\([^()]*\))?, "(\w+)"', room.read_text("utf-8"))
    }


def visit_everything(server: Server) -> int:
    """Set the panel up, sign in, and send every form of it, with our words in every field; answers how many."""
    link = server.cli("kurulum-linki").stdout.strip().partition(f":{server.port}")[2]
    visitor = Visitor(server.port)
    code = link.partition("k=")[2]
    assert visitor.ask("POST", "/kurulum", {"k": code, "isletme": WORD, "parola": PASSWORD})[0] == 303
    stranger = Visitor(server.port)
    for wrong in (PASSWORD[:16] + "x", WORD):
        assert stranger.ask("POST", "/giris", {"parola": wrong, "ad": WORD})[0] == 401
    names = fields_of_forms()
    assert {"telefon", "mesaj", "parola"} <= names
    sent = 0
    for route in ROUTES:
        if "POST" not in (route.methods or ()) or route.path in {"/kurulum", "/cikis"}:
            continue
        path = re.sub(r"\{draft[^}]*\}", "taslak1", re.sub(r"\{deed\}", "duraklat", route.path))
        path = re.sub(r"\{\w+(:int)?\}", "1", path)
        filled = {name: NUMBER if name in PHONES | {"ara", "alicilar"} else WORD for name in names}
        word = visitor.word()
        for secrets in ({}, {"parola": PASSWORD, "eski": PASSWORD, "yeni": f"{PASSWORD} 2"}):
            status, text = visitor.ask("POST", path, {**filled, "_csrf": word, "_tek": WORD * 2, **secrets})
            assert status != 500, f"{path}: {text}"
        sent += 1
    for page in ("/panel/mesajlar", "/panel/gelenler", "/panel/mesaj-istemeyenler", "/panel/yok"):
        assert visitor.ask("GET", f"{page}?{urlencode({'ara': NUMBER, 'q': WORD})}")[0] != 500
    return sent


def test_no_number_word_or_secret_is_in_any_byte_of_the_log(server: Server, fake: GraphThread) -> None:
    first = server.first_token()
    client = server.client(first)
    line = {
        "numara_id": LINE,
        "isletme_id": "900000000000001",
        "erisim_anahtari": SECRETS["token"],
        "uygulama_sirri": SECRETS["app"],
        "dogrulama_sozu": SECRETS["verify"],
    }
    assert client.post("/hesaplar", {"isim": WORD, "tur": "cloud", "bulut": line}).status == 201
    fake.graph.callbacks.urls[LINE] = f"{server.url}/meta/webhook/2"
    asked = {"url": f"http://127.0.0.1:9/{SECRETS['path']}", "olaylar": ["mesaj.alindi", "mesaj.gonderildi"]}
    secret = client.ask("POST", "/api/v1/webhooks", asked).json["data"]["secret"]
    pair = server.cli("anahtar", "uret", "--cift", "--json").stdout

    async def people() -> None:
        for text in (WORD, "DUR", f"bir daha mesaj atmayın {WORD}"):
            fake.graph.write_to(LINE, NUMBER[1:], text)
        fake.graph.send_file_to(
            LINE, NUMBER[1:], b"%PDF-1.4", kind="document", media_type="application/pdf", filename=f"{WORD}.pdf"
        )

    fake.wait(people())
    server.until(lambda: len(client.get("/gelen").json["data"]) >= 4, within=20, what="what people wrote")
    assert client.ask("GET", f"{API}/gelen/4/dosya").status in {200, 404}
    fake.graph.script = lambda _: Act(error=131026)
    client.post("/gonder", {"telefon": NUMBER, "mesaj": WORD, "hesap_id": 2})
    assert client.post("/gonder", {"telefon": NUMBER, "mesaj": WORD, "hesap_id": 1}).json
    assert visit_everything(server) > 40
    token = server.token()  # a page has just revoked the first one
    assert ask_everything(server.client(token)) > 70
    stranger = server.client(SECRETS["wrong"])
    assert {stranger.get(f"/kisiler/{NUMBER}").status for _ in range(3)} <= {401, 429}
    server.cli("uyari", "dene")
    assert server.stop() == 0
    said = server.said()
    assert len(said.splitlines()) > 5, "something was logged"
    parts = (*FORBIDDEN, secret, secret[6:], first, token, *re.findall(r'"api_secret": ?"([^"]+)"', pair))
    for part in parts:
        assert part
        assert part not in said, said[max(0, said.index(part) - 300) :][:400]
