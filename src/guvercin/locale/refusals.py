"""The words of the codes that refuse a request: how it was written, who asked, its fields, the state of things."""

from collections.abc import Mapping
from types import MappingProxyType

from guvercin.core.errors import Code
from guvercin.locale.words import NOTHING_SENT, PERHAPS, Words

WRITING: Mapping[Code, Words] = MappingProxyType(
    {
        Code.BROKEN_JSON: Words(
            title="Broken JSON",
            detail="The body of the request can't be read as JSON.",
            happened="The body is empty, cut off, or has a slip in it: a missing quote, a comma too many.",
            sent=NOTHING_SENT,
            todo="Let your software's JSON library write the body; don't put it together by hand.",
        ),
        Code.NOT_UTF8: Words(
            title="Not UTF-8",
            detail="The body of the request is not UTF-8.",
            happened=(
                "The letters are in another encoding, often windows-1254 from older software, and it was not declared."
            ),
            sent=NOTHING_SENT,
            todo=(
                "Send UTF-8. Or declare what you send: Content-Type: application/json; charset=windows-1254 "
                "(or ISO-8859-9)."
            ),
        ),
        Code.WRONG_CONTENT_TYPE: Words(
            title="Wrong content type",
            detail="This content type is not read here.",
            happened="The Content-Type header names a kind of body that this address doesn't take.",
            sent=NOTHING_SENT,
            todo="Send JSON with Content-Type: application/json; upload files as multipart/form-data.",
        ),
        Code.BODY_TOO_LARGE: Words(
            title="Body too large",
            detail="The body of the request is too large.",
            exact="The body of the request is too large: the limit is {limit}.",
            happened="A request may have 1 MB, a bulk request 8 MB, an uploaded file as much as the server allows.",
            sent=NOTHING_SENT,
            todo="Split the request into smaller ones. Files go to dosya-gonder, never into a text.",
        ),
        Code.TOO_MANY_RECIPIENTS: Words(
            title="Too many recipients",
            detail="There are too many recipients in one request.",
            exact="There are too many recipients in one request: the limit is {limit}.",
            happened="A bulk request was refused as a whole: no recipient of it was taken.",
            sent=NOTHING_SENT,
            todo="Split the list and send the parts one after the other.",
        ),
        Code.UNKNOWN_METHOD: Words(
            title="Wrong method",
            detail="This address doesn't know this HTTP method.",
            happened="For example a GET was made where only POST works. The Allow header names the methods that do.",
            sent=NOTHING_SENT,
            todo="Look at the API page and use the method that stands before the address.",
        ),
        Code.NOT_FOUND: Words(
            title="Not found",
            detail="There is no such record or address.",
            happened=(
                "The address is misspelt, the record doesn't exist, or it belongs to an account that this token "
                "can't see."
            ),
            sent=NOTHING_SENT,
            todo=(
                "Check the address and the id. "
                "If the record is there, ask the owner whether your token may see its account."
            ),
        ),
        Code.UNSUPPORTED: Words(
            title="Not supported",
            detail="This can't be done yet, or not with this account.",
            exact="This can't be done yet, or not with this account: {fields}.",
            happened="The request uses something that this version or this kind of account doesn't have.",
            sent=NOTHING_SENT,
            todo="Leave the named fields out, or use another account.",
        ),
    },
)

CALLER: Mapping[Code, Words] = MappingProxyType(
    {
        Code.NO_TOKEN: Words(
            title="No API token",
            detail="The request carries no API token.",
            happened="The Authorization header is missing or doesn't begin with the word Bearer.",
            sent=NOTHING_SENT,
            todo=(
                "Send the header Authorization: Bearer YOUR_TOKEN. The owner makes tokens with: guvercin anahtar uret."
            ),
        ),
        Code.INVALID_TOKEN: Words(
            title="Invalid API token",
            detail="The API token is not valid.",
            happened=(
                "It is misspelt, its time is over, or it was revoked. "
                "As the reason of a cloud account's line: Meta doesn't take its access token."
            ),
            sent=NOTHING_SENT,
            todo=(
                "Check that it was copied whole. Otherwise ask the owner for a new one. "
                "A cloud account needs a new access token of Meta; its messages wait until then."
            ),
        ),
        Code.NO_SIGNATURE: Words(
            title="No signature",
            detail="The call carries no signature of Meta.",
            happened="Somebody called the address of Meta's webhooks without the header X-Hub-Signature-256.",
            sent=NOTHING_SENT,
            todo="Nothing, if it was not Meta. A proxy before the server must pass that header on.",
        ),
        Code.WRONG_SIGNATURE: Words(
            title="Wrong signature",
            detail="The call can't be believed: it doesn't show that it comes from Meta.",
            happened=(
                "Its signature doesn't fit its bytes, the agreed word is another one, or the account has no app secret "
                "to check it with."
            ),
            sent=NOTHING_SENT,
            todo=(
                "If it was Meta: give the account the secret of Meta's app (and the word of its webhook form) again."
            ),
        ),
        Code.NOT_ALLOWED: Words(
            title="Not allowed",
            detail="This API token is not allowed to do this.",
            exact="This API token is not allowed to do this: it needs the permission «{permission}».",
            happened="The token is valid, but its owner didn't give it the permission that this address asks for.",
            sent=NOTHING_SENT,
            todo="Ask the owner for a token that has the permission.",
        ),
        Code.TOO_MANY_REQUESTS: Words(
            title="Too many requests",
            detail="There are too many requests. Wait a little and try again.",
            exact="There are too many requests. Try again in {seconds} seconds.",
            happened="Your token has a limit of requests a minute, or a wrong token came from your address too often.",
            sent=NOTHING_SENT,
            todo="Wait as long as the Retry-After header says. To write to many people at once, use toplu-gonder.",
        ),
        Code.DAILY_QUOTA: Words(
            title="Daily quota used up",
            detail="Today's quota of this API token is used up.",
            happened="The owner has set how many messages this token may send in a day.",
            sent=NOTHING_SENT,
            todo="Try again tomorrow (the Retry-After header says when), or ask the owner to raise the quota.",
        ),
    },
)

FIELDS: Mapping[Code, Words] = MappingProxyType(
    {
        Code.INVALID_FIELD: Words(
            title="Wrong field",
            detail="Some of the request's fields are wrong.",
            exact="The request is wrong in: {fields}.",
            happened=(
                "A field is missing or its value can't be used. The list `alanlar` says for each field what is wrong."
            ),
            sent=NOTHING_SENT,
            todo="Correct the fields that are named and send the request again.",
        ),
        Code.INVALID_PHONE: Words(
            title="Invalid phone number",
            detail="The phone number is not valid.",
            happened="What was given can't be read as one phone number. `alanlar` says why.",
            sent=NOTHING_SENT,
            todo=(
                "Write it like +905321234567; 0532 123 45 67 is understood too. "
                "Foreign numbers need their country code."
            ),
        ),
        Code.INVALID_CATEGORY: Words(
            title="Invalid category",
            detail="The message category (tur_id) is not valid.",
            happened=(
                "tur_id is not a number from 1 to 999999, or this token takes only the categories that are defined."
            ),
            sent=NOTHING_SENT,
            todo="Leave tur_id out (then it is 10, general) or take one from the list of categories.",
        ),
        Code.EMPTY_TEXT: Words(
            title="Empty message",
            detail="The message has no text.",
            happened="The field `mesaj` is missing, empty, or made of spaces alone.",
            sent=NOTHING_SENT,
            todo="Write a text. Only with a file may the text be left out.",
        ),
        Code.LONG_TEXT: Words(
            title="Message too long",
            detail="The message is too long.",
            exact="The message is too long: the limit is {limit} letters.",
            happened=(
                "WhatsApp takes 4,096 letters in a message, and less in the caption of a file. We never cut a text."
            ),
            sent=NOTHING_SENT,
            todo="Shorten the text, or send it in two messages.",
        ),
        Code.INVALID_TIME: Words(
            title="Invalid time",
            detail="The time can't be read or doesn't fit.",
            happened="The time is misspelt, is already over, or the message would expire before it.",
            sent=NOTHING_SENT,
            todo="Write 2026-02-23 14:30:00 (local time) or 2026-02-23T14:30:00+03:00, in the future.",
        ),
        Code.INVALID_TEMPLATE: Words(
            title="Text with a broken place",
            detail="The text has a place that can't be filled.",
            happened=(
                "With sablon, words in braces are filled for each recipient. One of them is broken, or a recipient has "
                "no value for it and the text names no fallback. The bulk was refused as a whole."
            ),
            sent=NOTHING_SENT,
            todo=(
                "Look at alanlar: it names the recipients and the place. Give the missing values, or write a fallback "
                "after a bar: {isim|…}."
            ),
        ),
        Code.UNREADABLE_LIST: Words(
            title="List not readable",
            detail="The list can't be read.",
            happened=(
                "The uploaded file is no list of customers as Excel or CSV, or it is not clear which of its columns "
                "holds the numbers. `alanlar` says why. Nothing of it was taken."
            ),
            sent=NOTHING_SENT,
            todo="Save the list as an Excel workbook (.xlsx) or as CSV, with telefon and isim in its first line.",
        ),
        Code.FILE_NOT_OPENED: Words(
            title="File not opened",
            detail="The file can't be opened.",
            happened=(
                "There is no such file in the allowed folder, it may not be read, or an uploaded file is no longer "
                "kept. For safety all have the same answer."
            ),
            sent=NOTHING_SENT,
            todo=(
                "Check the path: it begins at the allowed folder and may not be a link. "
                "From another computer, upload the file instead."
            ),
        ),
        Code.FILE_TYPE: Words(
            title="File type not accepted",
            detail="This type of file can't be sent.",
            happened=(
                "Only PDF, JPEG, PNG and WebP are sent. The content decides, and the name's ending must agree with it."
            ),
            sent=NOTHING_SENT,
            todo="Save the file as PDF or as a picture and send it again.",
        ),
        Code.FILE_TOO_LARGE: Words(
            title="File too large",
            detail="The file is too large.",
            exact="The file is too large: the limit is {limit}.",
            happened="The file is larger than the server or WhatsApp takes.",
            sent=NOTHING_SENT,
            todo="Make the file smaller: fewer pages, a smaller picture.",
        ),
        Code.KEY_MISMATCH: Words(
            title="Idempotency-Key used before",
            detail="This Idempotency-Key was used with another request.",
            happened="A key stands for one request. The same key came again with a different body.",
            sent="No, not by this request. The first request with the key went its own way.",
            todo="Make a new key for each new message; use the old one only to repeat the very same request.",
        ),
        Code.SANDBOX_NUMBER: Words(
            title="A number of the sandbox",
            detail="This number exists only in the sandbox.",
            happened=(
                "The numbers +90 500 000 00 NN act out stories in the sandbox. A real account doesn't write to them."
            ),
            sent=NOTHING_SENT,
            todo=("Name the sandbox with hesap_id, or a real number."),
        ),
    },
)

STATE: Mapping[Code, Words] = MappingProxyType(
    {
        Code.NOT_CANCELLABLE: Words(
            title="Can't be cancelled",
            detail="The message can't be cancelled any more.",
            happened=(
                "It has left, is just leaving, or nobody can say whether it left. Only what waits can be cancelled."
            ),
            sent="Yes or perhaps: look at the message's status.",
            todo="Ask for the status. A message that WhatsApp has can't be taken back from here.",
        ),
        Code.MESSAGES_WAITING: Words(
            title="A message is waiting",
            detail="There is still a message that waits or is being sent.",
            happened=(
                "An account is removed only when nothing of it waits, and a message is sent again only when it can't "
                "leave by itself any more. Nothing was changed."
            ),
            sent="What waits goes on as before.",
            todo="Wait until it is finished, or cancel it first.",
        ),
        Code.TOO_MANY_HOOKS: Words(
            title="Too many webhooks",
            detail="There are too many webhooks.",
            exact="There are too many webhooks: the limit is {limit}.",
            happened="Each webhook is tended by itself, so their number is limited. Nothing was added.",
            sent=NOTHING_SENT,
            todo="Remove webhooks that nobody needs any more, or let one address hear several events.",
        ),
        Code.SECRET_UNREADABLE: Words(
            title="Secret can't be read",
            detail="The secret of this webhook can't be read on this machine.",
            happened=(
                "Secrets are sealed with a key that lies beside the database and in no backup; this database came from "
                "elsewhere, or the key was lost."
            ),
            sent="Messages go on as before. Nothing is delivered to this webhook.",
            todo="Renew the secret, give the new one to the program that receives, then switch the webhook on again.",
        ),
        Code.NO_ACCOUNT: Words(
            title="No account to send with",
            detail="There is no account to send with.",
            happened="No default account is chosen, and the request names none.",
            sent=NOTHING_SENT,
            todo="Choose a default account (POST /api/v1/whatsapp/hesaplar/ID/varsayilan), or name one with hesap_id.",
        ),
        Code.QUEUE_FULL: Words(
            title="Very busy",
            detail="The server is very busy and could not take the request.",
            happened="More requests came at once than could be written down. We take nothing that we can't keep.",
            sent=NOTHING_SENT,
            todo="Try again after the seconds in the Retry-After header.",
        ),
        Code.STORE_UNAVAILABLE: Words(
            title="Could not be stored",
            detail="The request could not be stored, so it was not accepted.",
            happened="Writing failed. The disk may be full, read-only or faulty, or the database server may be away.",
            sent="No. What could not be stored is never sent.",
            todo="Try again after the seconds in Retry-After. If it goes on, its owner must look: guvercin doktor.",
        ),
        Code.SCHEMA_TOO_NEW: Words(
            title="Database too new",
            detail="A newer Güvercin has written this database; this one does not open it.",
            exact="A newer Güvercin has written this database ({found}); this one knows it up to {known}.",
            happened=(
                "An older version was started on the database of a newer one. To keep it whole, nothing was touched."
            ),
            sent="No. The server does not start.",
            todo="Start the newer version again, or go back to a backup from before the update.",
        ),
        Code.CLOSING: Words(
            title="Shutting down",
            detail="The server is shutting down and takes nothing new.",
            happened="It is being stopped or restarted. What was accepted before is kept and goes on after the start.",
            sent=NOTHING_SENT,
            todo="Try again in some seconds.",
        ),
        Code.ELSEWHERE: Words(
            title="Run by another gateway",
            detail="Another gateway runs this account, and it could not be reached.",
            happened=(
                "Several gateways share the database, and each account is run by one of them. What was asked for has "
                "to be done there; that gateway has just gone, or is not reached from this one."
            ),
            sent=NOTHING_SENT,
            todo="Try again in some seconds: if that gateway is gone, another one takes the account over.",
        ),
        Code.META_UNREACHABLE: Words(
            title="Meta can't be reached",
            detail="Meta gave no answer that can be read, so the account could not be checked.",
            happened="The network, a proxy or Meta itself stood in the way. Nothing was saved.",
            sent=NOTHING_SENT,
            todo="Check that this machine reaches Meta, and try again in a minute.",
        ),
        Code.NO_FILE_ROOT: Words(
            title="No file folder",
            detail="No folder is set from which files may be sent.",
            happened="For safety the server reads no files until its owner names a folder.",
            sent=NOTHING_SENT,
            todo="The owner names the folder in the server's settings. Or upload the file instead of naming a path.",
        ),
        Code.INTERNAL: Words(
            title="Unexpected error",
            detail="An unexpected error happened. It is our fault, not yours.",
            exact="An unexpected error happened. It is our fault, not yours. Its number in the log: {id}",
            happened="Something broke inside the server. The log has the details under the number in `istek_id`.",
            sent=PERHAPS,
            todo=(
                "Look in the message log before you send again. "
                "Repeating the same request with the same Idempotency-Key is safe."
            ),
        ),
        Code.ALREADY_LINKED: Words(
            title="Already linked",
            detail="A phone is linked to this account already.",
            happened=("Linking a second time would end the first link. Nothing was changed."),
            sent=NOTHING_SENT,
            todo=(
                "To link another phone, unlink this one first: guvercin hesap baglantiyi-kes ID. If it only "
                "stands still: guvercin hesap devam ID."
            ),
        ),
        Code.INBOUND_FILE_GONE: Words(
            title="The file is no longer there",
            detail="WhatsApp no longer has this file, or it came before files could be opened here.",
            happened=(
                "WhatsApp keeps a file for some weeks and then deletes it. Of messages that came in before this "
                "program could open files, nobody noted where their files are."
            ),
            sent=NOTHING_SENT,
            todo="Open the message on the phone, or ask its sender to send the file again.",
        ),
        Code.INBOUND_FILE_LARGE: Words(
            title="The file is too large to fetch",
            detail="The file is too large to be fetched here.",
            exact="The file is too large to be fetched here: the limit is {limit}.",
            happened="Güvercin fetches files up to a limit, so that a stranger's film doesn't fill the disk.",
            sent=NOTHING_SENT,
            todo="Open the message on the phone.",
        ),
        Code.INBOUND_FILE_AWAY: Words(
            title="The file can't be fetched now",
            detail="The file lies at WhatsApp, and WhatsApp can't be asked for it now.",
            happened=(
                "The line to WhatsApp is down, or WhatsApp didn't give the file out this time. The message and the way "
                "to its file are kept."
            ),
            sent=NOTHING_SENT,
            todo="Look whether the account is connected, and try again in a moment.",
        ),
        Code.NOT_CONNECTED: Words(
            title="Line not connected",
            detail="The account is not connected now, so WhatsApp can't be asked.",
            happened=("This needs the line to WhatsApp, and it is down. Nothing was changed."),
            sent=NOTHING_SENT,
            todo=(
                "Try again when the account is connected. A link can also be ended on the phone: WhatsApp, "
                "Linked devices."
            ),
        ),
        Code.CHECKS_SPENT: Words(
            title="Enough lookups for today",
            detail="No more numbers are looked up for this account today.",
            happened=("WhatsApp watches who looks many numbers up, so at most 200 are asked about in 24 hours."),
            sent=NOTHING_SENT,
            todo=("Try again after the seconds in Retry-After. Messages to new numbers wait for it by themselves."),
        ),
    },
)
