"""Finds MongoDB credentials in any text: a connection string with a password, or one of our users' passwords.

Pure, and self-contained. A text is searched as it is and as each of its encodings reads: percent-encoding, base64, hex,
the escapes of JSON, programming languages and HTML, nested up to `_DEPTH` deep; a JSON text by its values too. Time is
linear in the text's length. Placeholders, addresses without a password and other systems' addresses are no credentials.

Not found: a password inside a longer run of letters and digits, compressed or encrypted texts, and parts that are in
another order than the connection string.
"""

from __future__ import annotations

import base64
import enum
import hashlib
import html
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from policy.values import Value

_DEPTH = 4
_SPECIAL = re.compile(r"[@%\\&\[{]")
"""Without one of these a text holds no credential, unless it is packed or a password alone."""

_SHORT = 4096
"""Up to this length a text is decoded by each encoding alone too, which an exact password needs."""

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
_DEFAULT = re.compile(r"\$\{\w+:?[-=]([^}]*)\}")
_TEMPLATE = re.compile(
    r"\$\{[^}]*\}|\$\([^)]*\)|\{\{.*?\}\}|\{[^}]*\}|<[^>]*>|\[[^\]]*\]|%\(\w+\)s|%s|%[A-Z_]+%|\$[A-Za-z_]\w*"
)
_STAND_IN = re.compile(
    r"\W*|[xX]{3,}|(?i:redacted|masked)|(?:[A-Z]+_)*(?:PASSWORD|PASSWD|PASSPHRASE|PASS|PWD|SECRET)"
)

_UNFINISHED = re.compile(
    r"(?i:mongodb(?:\+(?:s(?:rv?)?)?)?(?:(?<![+s])(?<!sr)(?::/?|://(?P<rest>[^\s/@?#]{0,600})))?)$"
)
_MOST_PARTS, _LONGEST_PART = 8, 700
_LITERALS = re.compile(
    r"""(["'])[^"'\n]{0,64}mongodb[^"'\n]{0,600}\1(?:\s{0,80}[+,.&|\\]{0,2}\s{0,80}(["'])[^"'\n]{0,400}\2){1,8}""",
    re.IGNORECASE,
)
_LITERAL = re.compile(r"""(["'])([^"'\n]*)\1""")

_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_BACKSLASH = re.compile(r"(?P<units>(?:\\u[0-9A-Fa-f]{4})+)|(?P<bytes>(?:\\x[0-9A-Fa-f]{2})+)|\\(?P<other>.)")
_CONTROL: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_NESTED: Final = {"%": re.compile(r"%(?:25)+"), "&": re.compile(r"&(?:amp;)+"), "\\": re.compile(r"\\{2,}")}
_BASE64 = r"[A-Za-z0-9+/_-]"
_BASE64_TEXT = re.compile(
    rf"(?:[CDI-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589]{_BASE64}(?:\r?\n[ \t]*)?){{3,}}+"
    rf"(?:{_BASE64}{{2,3}}(?!{_BASE64}))?"
)
"""Groups of four in which three bytes of ASCII are written: what is no text, or begins elsewhere, has no such run."""

_BASE64_REST = re.compile(rf"(?:{_BASE64}|\s)*")
_BASE64_WORD = re.compile(rf"{_BASE64}{{11,}}")
_HEX_WORD = re.compile(r"(?<![A-Za-z0-9])(?:[0-9A-Fa-f]{2}){8,}+(?![A-Za-z0-9])")
_HEX_TEXT = re.compile(r"(?<![A-Za-z0-9])(?:[2-7][0-9A-Fa-f]){8}(?:[0-9A-Fa-f]{2})*+(?![A-Za-z0-9])")
_STANDARD_ALPHABET = str.maketrans("-_", "+/", "\r\n \t")


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


def leaks(props: Mapping[str, Value], passwords: Collection[Password] = ()) -> Iterator[tuple[str, Kind]]:
    """Yield the path and kind of each credential in a resource's properties, keys and values in parts included.

    The path of a key ends with `<key>`; that of a string in parts is its first part's. The pickled provider of a
    dynamic resource (`__provider`) is not searched.
    """
    pending: list[tuple[str, Value]] = [
        (key, item) for key, item in reversed(list(props.items())) if not key.startswith("__")
    ]
    yield from _in_keys("", (key for key in props if not key.startswith("__")), passwords)
    yield from _in_parts("", {key: item for key, item in props.items() if not key.startswith("__")})
    while pending:
        path, current = pending.pop()
        if isinstance(current, str):
            for kind in found(current, passwords):
                yield path, kind
        elif isinstance(current, dict):
            yield from _in_keys(path, current, passwords)
            yield from _in_parts(path, current)
            pending.extend((f"{path}.{key}", item) for key, item in reversed(list(current.items())))
        elif isinstance(current, list):
            yield from _in_parts(path, current)
            pending.extend(reversed([(f"{path}[{index}]", item) for index, item in enumerate(current)]))


def found(text: str, passwords: Collection[Password] = ()) -> tuple[Kind, ...]:
    """The kinds of credentials that a text holds in any encoding, each once."""
    kinds: set[Kind] = set()
    exact = any(not each.alphanumeric for each in passwords)
    if not _SPECIAL.search(text) and not _is_packed(text, exact=exact):
        return (Kind.PASSWORD,) if _holds_password(text, passwords) else ()
    for plain in _readings(text, exact=exact):
        if Kind.URI not in kinds and _holds_uri(plain):
            kinds.add(Kind.URI)
        if not kinds & {Kind.URI, Kind.USER_INFO} and _holds_user_info(plain):
            kinds.add(Kind.USER_INFO)
        if Kind.PASSWORD not in kinds and _holds_password(plain, passwords):
            kinds.add(Kind.PASSWORD)
    if Kind.URI in kinds:  # which holds the user's name and password
        kinds.discard(Kind.USER_INFO)
    return tuple(sorted(kinds, key=list(Kind).index))


def _is_packed(text: str, *, exact: bool) -> bool:
    patterns = (_BASE64_WORD, _HEX_WORD) if exact else (_BASE64_TEXT, _HEX_TEXT)
    return any(pattern.search(text) for pattern in patterns)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _in_keys(path: str, keys: Iterable[str], passwords: Collection[Password]) -> Iterator[tuple[str, Kind]]:
    for key in keys:
        for kind in found(key, passwords):
            yield f"{path}.<key>" if path else "<key>", kind


def _in_parts(path: str, value: Mapping[str, Value] | Sequence[Value]) -> Iterator[tuple[str, Kind]]:
    for series in _series(value):
        for place, joined in _joined(series):
            if _holds_uri(joined):
                yield (f"{path}{place}" if path else place.lstrip(".")), Kind.URI


def _series(value: Mapping[str, Value] | Sequence[Value]) -> Iterator[list[tuple[str, str]]]:
    """The neighbouring texts of one object or list, and of each key of a list's objects, with their places."""
    if isinstance(value, Mapping):
        yield [(f".{key}", item) for key, item in value.items() if isinstance(item, str)]
        return
    yield [(f"[{index}]", item) for index, item in enumerate(value) if isinstance(item, str)]
    columns: dict[str, list[tuple[str, str]]] = {}
    for index, item in enumerate(value):
        for key, text in item.items() if isinstance(item, dict) else ():
            if isinstance(text, str):
                columns.setdefault(key, []).append((f"[{index}].{key}", text))
    yield from columns.values()


def _joined(series: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Each connection string that begins in one text and is continued by those that follow."""
    for index, (place, text) in enumerate(series):
        end = text[-_LONGEST_PART:]
        beginning = _UNFINISHED.search(end) if "mongodb" in end.lower() else None
        if beginning is None:
            continue
        whole = beginning[0]
        for _, part in series[index + 1 : index + _MOST_PARTS]:
            if beginning is None or not _continues(beginning["rest"], part):
                break
            whole += part[:_LONGEST_PART]
            beginning = _UNFINISHED.fullmatch(whole)
        if "@" in whole:
            yield place, whole


def _continues(rest: str | None, part: str) -> bool:
    """Whether a part can belong to an unfinished string: behind a complete host and port, only its `@` does."""
    if not rest:
        return bool(part)
    _, colon, password = rest.partition(":")
    if not colon:
        return part.startswith(":")
    if re.fullmatch(r"\d{1,5}", password) or (password and not _is_real(password)):
        return part.startswith("@")
    return bool(part)


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
        user, _, password = text[start:at].partition(":") if at - start < _LONGEST_PART else ("", "", "")
        if not password or password in judged or _HOST_AND_PORT.match(password):
            continue
        alone = _begins_line(text, address.start()) and not re.search(r"\s", password)
        if _USER.fullmatch(user) and (alone or not _OUTSIDE.search(password)) and _is_real(password):
            return True
        judged.add(password)
    return False


def _begins_line(text: str, start: int) -> bool:
    return start == 0 or text[start - 1] == "\n"


def _is_real(password: str) -> bool:
    """Whether a password is one, and no placeholder, template or mask."""
    plain = _unpercent(_DEFAULT.sub(r"\1", password))
    return _STAND_IN.fullmatch(_TEMPLATE.sub("", plain)) is None


def _holds_user_info(text: str) -> bool:
    """`user:password@host` of MongoDB's host or port, or a generated password: else it is an image or a mail."""
    if "@" not in text:
        return False
    for match in _USER_INFO.finditer(text):
        ours = match["port"] or _ATLAS_HOST.search(match["host"])
        before = text[match.start() - 1 : match.start()]
        strong = before not in ("/", ":") and _STRONG.fullmatch(match["password"])
        other = match["host"].startswith("sha") or _OTHER_PREFIX.fullmatch(match["user"])
        if (ours or strong) and not other and _is_real(match["password"]):
            return True
    return False


def _holds_password(text: str, passwords: Collection[Password]) -> bool:
    """Compare by digest what has a password's length, and begins and ends where letters and digits do."""
    for length, alphanumeric in {(each.length, each.alphanumeric) for each in passwords}:
        candidates = set(_of_length(length, alphanumeric).findall(text)) if len(text) >= length else ()
        if candidates and not {each.digest for each in passwords}.isdisjoint(map(_digest, candidates)):
            return True
    return False


@lru_cache(maxsize=64)
def _of_length(length: int, alphanumeric: bool) -> re.Pattern[str]:  # noqa: FBT001
    if alphanumeric:
        return re.compile(rf"(?<![A-Za-z0-9])[A-Za-z0-9]{{{length}}}(?![A-Za-z0-9])")
    edge = r"(?:(?<![A-Za-z0-9])|(?![A-Za-z0-9]))"
    return re.compile(rf"(?s){edge}(?=(.{{{length}}}){edge})")


def _readings(text: str, *, exact: bool) -> Iterator[str]:
    """The text as it is and decoded, breadth first; each reading once, and not more than some times its length."""
    pending = [(text, 0)]
    known = {text, ""}
    budget = 10 * len(text) + 65536
    for current, depth in pending:
        yield current
        if depth == _DEPTH:
            continue
        for inner in _decoded(current, exact=exact):
            if inner not in known and len(inner) <= budget:
                budget -= len(inner)
                known.add(inner)
                pending.append((inner, depth + 1))


def _decoded(text: str, *, exact: bool) -> Iterator[str]:
    """Each other reading; `exact` tries what does not look like a text too: a password may be of any characters."""
    if text.lstrip()[:1] in ("[", "{"):
        yield from _json_values(text)
    if "mongodb" in text.lower():
        for literals in _LITERALS.finditer(text):
            parts = [("", each[2]) for each in _LITERAL.finditer(literals[0])]
            yield from (whole for _, whole in _joined(parts))
    escapes = [mark for mark in _ESCAPES if mark in text]
    everything = text
    for mark in escapes:
        everything = _ESCAPES[mark](_NESTED[mark].sub(lambda match: match[0][0], everything))
    if everything != text:
        yield everything
    if escapes and len(text) <= _SHORT:
        yield from (_ESCAPES[mark](text) for mark in escapes)
    yield "\n\n".join(_unpacked(text, run) for run in _BASE64_TEXT.finditer(text))
    yield "\n\n".join(_utf8(run[0]) for run in _HEX_TEXT.finditer(text))
    if exact:
        yield "\n\n".join(_from_base64(run[0]) for run in _BASE64_WORD.finditer(text))
        yield "\n\n".join(_utf8(run[0]) for run in _HEX_WORD.finditer(text))


def _unpacked(text: str, run: re.Match[str]) -> str:
    plain = _from_base64(run[0])
    if "mongodb" in plain.lower() and "@" not in plain:  # a password of other characters interrupts the run
        rest = _BASE64_REST.match(text, run.start(), run.start() + _LONGEST_PART)
        return _from_base64(rest[0]) if rest is not None else plain
    return plain


def _from_base64(run: str) -> str:
    run = run.translate(_STANDARD_ALPHABET)
    return base64.b64decode(run[: len(run) - (len(run) % 4 == 1)] + "==").decode(errors="replace")


def _json_values(text: str) -> Iterator[str]:
    """All texts of a JSON document, and the strings that are in parts in it."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return
    texts: list[str] = []
    pending = [document]
    while pending:
        current = pending.pop()
        if isinstance(current, str):
            texts.append(current)
        elif isinstance(current, dict | list):
            if isinstance(current, dict):
                texts.extend(current)
            texts.extend(whole for series in _series(current) for _, whole in _joined(series))
            pending.extend(current.values() if isinstance(current, dict) else current)
    yield "\n\n".join(texts)


def _unpercent(text: str) -> str:
    return _PERCENT.sub(lambda run: _utf8(run[0].replace("%", "")), text)


def _unbackslash(text: str) -> str:
    """One level of backslashes: of a character's code, a slash, a quote, a line break; of two, one stays."""
    return _BACKSLASH.sub(_unescaped, text)


def _unescaped(match: re.Match[str]) -> str:
    if match["units"]:
        return bytes.fromhex(match["units"].replace("\\u", "")).decode("utf-16-be", "replace")
    if match["bytes"]:
        return _utf8(match["bytes"].replace("\\x", ""))
    return _CONTROL.get(match["other"], match["other"])


def _utf8(digits: str) -> str:
    data = bytes.fromhex(digits)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


_ESCAPES: Final[Mapping[str, Callable[[str], str]]] = {
    "%": _unpercent,
    "\\": _unbackslash,
    "&": html.unescape,
}
