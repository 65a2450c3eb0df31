"""The client under test as WhatsApp knows it: the keys that it brought, its account, what waits for it.

Laws
1. A device's queue is store and forward: what was put in stays until the client acknowledges it, over every
   reconnect, and comes again in the order in which it was put in.
2. One prekey is given out once; when they are used up, a bundle comes without one.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from guvercin.testing.whatsapp.binxml import JID, LID, PN, Node
from guvercin.testing.whatsapp.signal import Bundle, SignedPrekey

if TYPE_CHECKING:
    from guvercin.testing.whatsapp.connection import Connection
    from guvercin.testing.whatsapp.phones import Phone, Received


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientKeys:
    """What a client brings when it wants to be linked. All keys are 32 bytes."""

    noise: bytes
    identity: bytes
    registration: int
    signed: SignedPrekey

    @classmethod
    def of(cls, registration: Any) -> "ClientKeys":
        """Read ClientPayload.devicePairingData."""
        signed = SignedPrekey(
            number=int.from_bytes(registration.eSkeyID, "big"),
            public=registration.eSkeyVal,
            signature=registration.eSkeySig,
        )
        number = int.from_bytes(registration.eRegid, "big")
        return cls(noise=b"", identity=registration.eIdent, registration=number, signed=signed)


@dataclass(slots=True, eq=False, kw_only=True)
class LinkedDevice:
    """One linked client. `number` is its device number in the account (1 and up)."""

    keys: ClientKeys
    phone: "Phone"
    number: int
    signed: SignedPrekey
    prekeys: dict[int, bytes] = field(default_factory=dict)
    connection: "Connection | None" = None
    """Its open connection, if it has one."""
    is_active: bool = False
    """It has said that it wants to be told what comes in."""
    is_removed: bool = False
    """The person has removed it on the phone: it can't log in any more."""
    was_greeted: bool = False
    """The phone has sent it the history."""
    sent: dict[str, "Received"] = field(default_factory=dict)
    """What it sent, by id: a repeated id is known, and a message that is asked for again is found."""
    queue: dict[tuple[str, str, str], Node] = field(default_factory=dict)
    """What it hasn't acknowledged yet, by (tag, id, type)."""

    @property
    def pn_jid(self) -> JID:
        """Answer its address by phone number."""
        return JID(self.phone.number, PN, self.number)

    @property
    def lid_jid(self) -> JID:
        """Answer its hidden address."""
        return JID(self.phone.lid, LID, self.number)

    def bundle(self) -> Bundle:
        """Give out its keys, and with them one prekey for good."""
        prekey = None
        if self.prekeys:
            number = next(iter(self.prekeys))
            prekey = (number, self.prekeys.pop(number))
        return Bundle(
            registration=self.keys.registration,
            identity=self.keys.identity,
            signed=self.signed,
            prekey=prekey,
        )

    async def put(self, node: Node) -> None:
        """Queue a stanza (it needs an id), and send it at once if the client listens; until it says so, it stays."""
        self.queue[node.tag, node.text("id"), node.text("type")] = node
        if self.connection is not None and self.is_active:
            with suppress(ConnectionError):  # the client has just left
                await self.connection.send(node)

    def has_acknowledged(self, tag: str, stanza: str) -> None:
        """Take out of the queue what the client says that it has."""
        for key in [key for key in self.queue if key[:2] == (tag, stanza)]:
            del self.queue[key]
