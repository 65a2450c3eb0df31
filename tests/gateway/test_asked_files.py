"""Files through the gateway: by path, by upload, whose they are, and what is sent of them."""

from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from tests.gateway.house import FIRST, House, seconds

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.message import Status
from guvercin.gateway.files import MAX_FILE_SIZE
from guvercin.gateway.requests import FilePath, UploadedFile
from guvercin.testing.transport import Act

PDF = b"%PDF-1.4\n%%EOF\n"

LATER = datetime(2100, 1, 1, tzinfo=UTC)


async def refused(asked: Awaitable[Any]) -> GuvercinError:
    with pytest.raises(GuvercinError) as refusal:
        await asked
    return refusal.value


async def test_a_file_is_sent_as_it_was_when_it_was_asked_for(house: House) -> None:
    path = house.world.folder / "FTR-001.pdf"
    path.write_bytes(PDF)
    number = await house.accept(text="Faturanız", file=FilePath(path="/FTR-001.pdf"), file_name="Fatura Şubat.pdf")
    path.write_bytes(b"overwritten")
    await house.dispatch()
    (sent,) = house.world.peer.handed
    assert sent.file is not None
    assert sent.file.path.read_bytes() == PDF
    assert (sent.text, sent.file.name, sent.file.media_type, sent.file.size) == (
        "Faturanız",
        "Fatura Şubat.pdf",
        "application/pdf",
        len(PDF),
    )
    assert await house.status(number) is Status.SENT


async def test_a_file_needs_no_words(house: House) -> None:
    (house.world.folder / "a.pdf").write_bytes(PDF)
    sent = await house.ask(text="", file=FilePath(path="a.pdf"))
    await house.dispatch()
    assert house.world.peer.handed[0].text is None
    assert await house.status(sent.standing.id) is Status.SENT


async def test_an_upload_stands_where_a_path_would(house: House) -> None:
    upload = await house.gateway.uploads.keep(house.everything, BytesIO(PDF), "fatura.pdf")
    assert (upload.name, upload.media_type, upload.size) == ("fatura.pdf", "application/pdf", len(PDF))
    await house.accept(file=UploadedFile(id=upload.id))
    await house.accept(file=UploadedFile(id=upload.id), file_name="baska.pdf")
    await house.deliver_all()
    assert [sent.file and sent.file.name for sent in house.world.peer.handed] == ["fatura.pdf", "baska.pdf"]


async def test_an_upload_is_its_token_s_own(house: House) -> None:
    other = await house.token("other")
    upload = await house.gateway.uploads.keep(other, BytesIO(PDF), "fatura.pdf")
    for file_id in (upload.id, "0" * 32, "", "../x"):
        trouble = await refused(house.ask(file=UploadedFile(id=file_id)))
        assert trouble.code is Code.FILE_NOT_OPENED
        assert [fault.where for fault in trouble.faults] == ["file_id"]
    assert await house.statuses() == []


async def test_an_upload_whose_copy_is_gone_cannot_be_sent(house: House) -> None:
    upload = await house.gateway.uploads.keep(house.everything, BytesIO(PDF), "fatura.pdf")
    kept = await house.store.upload(upload.id)
    assert kept is not None
    house.spool.discard([kept.file.digest], taken_before=LATER)
    assert (await refused(house.ask(file=UploadedFile(id=upload.id)))).code is Code.FILE_NOT_OPENED


@pytest.mark.parametrize(
    ("path", "content", "code"),
    [
        ("missing.pdf", None, Code.FILE_NOT_OPENED),
        ("../outside.pdf", PDF, Code.FILE_NOT_OPENED),
        ("a.exe", b"MZ", Code.FILE_TYPE),
        ("a.pdf", b"MZ not what it says", Code.FILE_TYPE),
        ("a.pdf", PDF + bytes(MAX_FILE_SIZE), Code.FILE_TOO_LARGE),
    ],
)
async def test_a_file_that_cannot_be_sent_is_refused_and_stores_nothing(
    house: House, path: str, content: bytes | None, code: Code
) -> None:
    if content is not None:
        (house.world.folder / path).write_bytes(content)
    assert (await refused(house.ask(file=FilePath(path=path)))).code is code
    assert await house.statuses() == []


async def test_other_faults_are_told_without_opening_anything(house: House) -> None:
    trouble = await refused(house.ask("123", "x" * 5000, file=FilePath(path="missing.pdf")))
    assert [fault.where for fault in trouble.faults] == ["phone", "text"]


async def test_the_same_content_is_a_retry_and_another_is_not(house: House) -> None:
    for name, content in (("a.pdf", PDF), ("b.pdf", PDF), ("c.pdf", PDF + b"\n")):
        (house.world.folder / name).write_bytes(content)
    sent = [await house.ask(file=FilePath(path=name)) for name in ("a.pdf", "b.pdf", "c.pdf")]
    assert [one.repeated for one in sent] == [False, True, False]


async def test_a_file_is_sent_again_while_its_copy_is_kept(house: House) -> None:
    (house.world.folder / "a.pdf").write_bytes(PDF)
    number = await house.accept(FIRST, file=FilePath(path="a.pdf"))
    await house.dispatch()
    again = await house.gateway.singles.resend(house.everything, number, wait=timedelta(0))
    await house.dispatch()
    assert await house.status(again.standing.id) is Status.SENT
    file = (await house.message(number)).content.file
    assert file is not None
    house.spool.discard([file.digest], taken_before=LATER)
    asked = house.gateway.singles.resend(house.everything, number, wait=timedelta(0))
    assert (await refused(asked)).code is Code.FILE_NOT_OPENED


async def test_a_copy_that_is_gone_fails_its_message_and_stops_nothing(house: House) -> None:
    (house.world.folder / "a.pdf").write_bytes(PDF)
    number = await house.accept(file=FilePath(path="a.pdf"))
    file = (await house.message(number)).content.file
    assert file is not None
    house.spool.discard([file.digest], taken_before=LATER)
    other = await house.accept()
    await house.deliver_all()
    message = await house.message(number)
    assert (message.status, message.reason) == (Status.FAILED, Code.FILE_NOT_OPENED)
    assert await house.status(other) is Status.SENT


async def test_a_row_that_cannot_even_be_handed_over_is_a_doubt_and_stops_nothing(house: House) -> None:
    """What stands in the log is ours, and still no mistake in it may stop an account."""
    (house.world.folder / "a.pdf").write_bytes(PDF)
    number = await house.accept(file=FilePath(path="a.pdf"))
    house.store.writer._connection.exec_driver_sql(  # type: ignore[union-attr]
        "UPDATE message SET file_digest = 'no digest' WHERE id = ?", (number,)
    )
    house.store.writer._connection.commit()  # type: ignore[union-attr]
    other = await house.accept()
    house.world.peer.script = lambda _: Act()
    await house.deliver_all()
    assert await house.status(number) is Status.UNKNOWN
    assert await house.status(other) is Status.SENT
    house.clock.advance(seconds(10))
    await house.keep_up()
    assert await house.status(number) is Status.QUEUED, "the proof that it never left"
