"""What a message of somebody else holds, read from the engine's own form of it: its kind, its words, its file's label.

Nothing here fetches anything, and nothing imports the engine: a message is read by the names of its fields
(waE2E.Message). Of a file the way to it is kept, for whoever asks for it later. What has no name here is OTHER, and
is kept all the same.
"""

from typing import Any, NamedTuple

from guvercin.core.inbound import InboundKind as Kind
from guvercin.core.inbound import Media

_WRAPS = ("documentWithCaptionMessage", "ephemeralMessage", "viewOnceMessage", "viewOnceMessageV2", "editedMessage")
"""Fields that hold another message (FutureProofMessage)."""

_FILES = (
    ("imageMessage", Kind.IMAGE),
    ("videoMessage", Kind.VIDEO),
    ("ptvMessage", Kind.VIDEO),
    ("audioMessage", Kind.AUDIO),
    ("documentMessage", Kind.DOCUMENT),
    ("stickerMessage", Kind.STICKER),
)

_WAY = ("directPath", "mediaKey", "fileSHA256", "fileEncSHA256", "fileLength", "URL", "mimetype")
"""Fields by which a file is found and opened."""

_SAME_WAY = {"ptvMessage": "videoMessage"}
"""Kinds of file that are fetched as another."""

_CHOICES = (
    ("buttonsResponseMessage", "selectedDisplayText"),
    ("templateButtonReplyMessage", "selectedDisplayText"),
    ("listResponseMessage", "title"),
)

_DEEPEST = 5


class Content(NamedTuple):
    """A message's kind, its words (empty for none), what is known of its file, and the way to it.

    `source` is a message that holds nothing but that way: whoever has it can open the file.
    """

    kind: Kind
    text: str = ""
    media: Media | None = None
    source: bytes | None = None


def content_of(message: Any) -> Content | None:
    """Read a message; null for what nobody wrote: a message taken back, a setting of the chat."""
    for _ in range(_DEEPEST):
        inner = next((name for name in _WRAPS if message.HasField(name)), None)
        if inner is not None:
            message = getattr(message, inner).message
        elif message.HasField("protocolMessage"):
            if not message.protocolMessage.HasField("editedMessage"):
                return None
            message = message.protocolMessage.editedMessage
        else:
            break
    if message.conversation or message.HasField("extendedTextMessage"):
        return Content(Kind.TEXT, message.conversation or message.extendedTextMessage.text)
    for name, kind in _FILES:
        if message.HasField(name):
            return _file(kind, getattr(message, name))._replace(source=_way_to(message, name))
    for name, field in _CHOICES:
        if message.HasField(name):
            return Content(Kind.CHOICE, getattr(getattr(message, name), field))
    return _rest(message)


def _rest(message: Any) -> Content:
    if message.HasField("locationMessage"):
        return _place(message.locationMessage)
    if message.HasField("liveLocationMessage"):
        return _place(message.liveLocationMessage)
    if message.HasField("contactMessage"):
        return Content(Kind.CONTACT, message.contactMessage.displayName)
    if message.HasField("contactsArrayMessage"):
        return Content(Kind.CONTACT, message.contactsArrayMessage.displayName)
    if message.HasField("reactionMessage"):
        return Content(Kind.REACTION, message.reactionMessage.text)
    return Content(Kind.OTHER)


def _file(kind: Kind, part: Any) -> Content:
    name = part.fileName or None if kind is Kind.DOCUMENT else None
    text = part.caption if kind in {Kind.IMAGE, Kind.VIDEO, Kind.DOCUMENT} else ""
    return Content(kind, text, Media(type=part.mimetype or None, name=name, size=part.fileLength or None))


def _way_to(message: Any, name: str) -> bytes | None:
    """Answer a message with nothing but the way to the file in one of its fields; null if that isn't told."""
    part = getattr(message, name)
    if not part.directPath or not part.mediaKey:
        return None
    bare = type(message)()
    kept = getattr(bare, _SAME_WAY.get(name, name))
    for each in _WAY:
        if part.HasField(each):
            setattr(kept, each, getattr(part, each))
    return bytes(bare.SerializeToString())


def _place(part: Any) -> Content:
    words = [getattr(part, name, "") for name in ("name", "address", "caption")]
    where = f"{part.degreesLatitude:.6f}, {part.degreesLongitude:.6f}"
    return Content(Kind.LOCATION, "\n".join([*filter(None, words), where]))
