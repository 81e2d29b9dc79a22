"""Finds MongoDB credentials in any text: a connection string with a password, or one of our users' passwords.

Pure, and self-contained. A text is searched as it is and as each of its encodings reads: percent-encoding, base64, hex,
the escapes of JSON, programming languages and HTML, nested up to `_DEPTH` deep; a JSON text by its values too. Time is
linear in the text's length. Placeholders, addresses without a password and other systems' addresses are no credentials.

Not found: a password inside a longer run of letters and digits, compressed or encrypted texts, and parts that are in
another order than the connection string.
"""

from __future__ import annotations

import enum
import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from policy.readings import LONGEST_PART, SPECIAL, is_packed, is_real, joined, readings, series_of
from policy.values import Value, inside, texts

_ADDRESS = re.compile(r"mongodb(?:\+srv)?:(?:\\{0,4}/){2}", re.IGNORECASE)
_USER = re.compile(r"[^\s/@\"'`?#]{0,200}")
_OUTSIDE = re.compile(r"\s|(?<!\w)[\"'`]|[\"'`](?!\w)")
"""What no password in a longer text contains: a space, and a quote that begins or ends something."""

_HOST_AND_PORT = re.compile(r"\d{1,5}[/,?#]")
_USER_INFO = re.compile(
    r"(?<![\w.%+~-])(?P<user>[\w.%+~-]{1,128}):(?P<password>[^\s\"'`@/:,;]{4,256})@(?P<host>[\w.-]{1,253})(?P<port>:27017\b)?"
)
_ATLAS_HOST = re.compile(r"\.mongodb\.net$", re.IGNORECASE)
_OTHER_PREFIX = re.compile(
    r"(?i)mailto|sips?|xmpp|acct|npm|pkg|(?:e-?)?mail|contact|owner|author|maintainer|from|to|cc|bcc"
)
_STRONG = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[\w%!#$&*+=?^~-]{12,}", re.ASCII)


class Kind(enum.StrEnum):
    """What was found."""

    URI = "a connection string with a password"
    USER_INFO = "a user's name and password before a host"
    PASSWORD = "a database user's password"  # noqa: S105


@dataclass(frozen=True)
class Password:
    """What may be known of a password: its form and its digest."""

    length: int
    alphanumeric: bool
    digest: str

    @classmethod
    def of(cls, text: str) -> Password:
        """The known facts of a password."""
        return cls(len(text), text.isascii() and text.isalnum(), _digest(text))


class Passwords(dict[Password, tuple[str, str]]):
    """Each password with the URN and name of its first user; a search does not grow with their number."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: set[tuple[int, bool]] = set()

    def add(self, password: Password, urn: str, name: str) -> None:
        """Remember a password's first user."""
        if password not in self:
            self[password] = (urn, name)
            self.forms.add((password.length, password.alphanumeric))


def leaks(props: Mapping[str, Value], passwords: Collection[Password] = ()) -> Iterator[tuple[str, Kind]]:
    """Yield the path and kind of each credential in a resource's properties, keys and values in parts included.

    The path of a key ends with `<key>`; that of a string in parts is its first part's. The pickled provider of a
    dynamic resource (`__provider`) is not searched.
    """
    visible = {key: item for key, item in props.items() if not key.startswith("__")}
    for path, text in texts(visible):
        for kind in found(text, passwords):
            yield path, kind
    for path, part in inside(visible):
        for series in series_of(part):
            for place, whole in joined(series):
                if _holds_uri(whole):
                    yield (f"{path}{place}" if path else place.lstrip(".")), Kind.URI


def found(text: str, passwords: Collection[Password] = ()) -> tuple[Kind, ...]:
    """The kinds of credentials that a text holds in any encoding, each once."""
    exact = any(not alphanumeric for _, alphanumeric in _forms(passwords))
    kinds, plains = _read(text, exact)
    held = any(_holds_password(plain, passwords) for plain in plains)
    return (*kinds, Kind.PASSWORD) if held else kinds


@lru_cache(maxsize=1024)
def _read(text: str, exact: bool) -> tuple[tuple[Kind, ...], tuple[str, ...]]:  # noqa: FBT001
    """What a text holds whatever the passwords are, and its readings; a stack's outputs repeat most of its inputs."""
    if not SPECIAL.search(text) and not is_packed(text, exact=exact):
        return (), (text,)
    plains = tuple(readings(text, exact=exact))
    if any(map(_holds_uri, plains)):  # which holds the user's name and password
        return (Kind.URI,), plains
    return ((Kind.USER_INFO,) if any(map(_holds_user_info, plains)) else ()), plains


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _holds_uri(text: str) -> bool:
    """Each address is followed to the next `@` only, so that a text full of addresses takes no longer."""
    at = -1
    judged: set[str] = set()
    for address in _ADDRESS.finditer(text):
        start = address.end()
        if at < start:
            at = text.find("@", start)
        if at < 0:
            return False
        user, _, password = text[start:at].partition(":") if at - start < LONGEST_PART else ("", "", "")
        if not password or password in judged or _HOST_AND_PORT.match(password):
            continue
        begins = text[max(0, address.start() - 1) : address.start()] in ("", "\n")
        alone = begins and not re.search(r"\s", password)
        if _USER.fullmatch(user) and (alone or not _OUTSIDE.search(password)) and is_real(password):
            return True
        judged.add(password)
    return False


def _holds_user_info(text: str) -> bool:
    """`user:password@host` of MongoDB's host or port, or a generated password: else it is an image or a mail."""
    if "@" not in text:
        return False
    for match in _USER_INFO.finditer(text):
        ours = match["port"] or _ATLAS_HOST.search(match["host"])
        before = text[match.start() - 1 : match.start()]
        strong = before not in ("/", ":") and _STRONG.fullmatch(match["password"])
        other = match["host"].startswith("sha") or _OTHER_PREFIX.fullmatch(match["user"])
        if (ours or strong) and not other and is_real(match["password"]):
            return True
    return False


def _holds_password(text: str, passwords: Collection[Password]) -> bool:
    """Compare by digest what has a password's length, and begins and ends where letters and digits do."""
    for length, alphanumeric in _forms(passwords):
        candidates = set(_of_length(length, alphanumeric).findall(text)) if len(text) >= length else ()
        if any(Password(length, alphanumeric, _digest(each)) in passwords for each in candidates):
            return True
    return False


def _forms(passwords: Collection[Password]) -> Collection[tuple[int, bool]]:
    if isinstance(passwords, Passwords):
        return passwords.forms
    return {(each.length, each.alphanumeric) for each in passwords}


@lru_cache(maxsize=64)
def _of_length(length: int, alphanumeric: bool) -> re.Pattern[str]:  # noqa: FBT001
    if alphanumeric:
        return re.compile(rf"(?<![A-Za-z0-9])[A-Za-z0-9]{{{length}}}(?![A-Za-z0-9])")
    edge = r"(?:(?<![A-Za-z0-9])|(?![A-Za-z0-9]))"
    return re.compile(rf"(?s){edge}(?=(.{{{length}}}){edge})")
