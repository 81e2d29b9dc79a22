"""The one place that every output passes through: what is secret or personal leaves it masked.

Masked are known secret values in every encoding that a log, an exception or a report may hold them in, credentials in
any URI, secrets that are named as such, and commands and documents that MongoDB quotes in its errors. Nothing of what
was masked is kept, its length included. Masking what is masked already changes nothing.
"""

import logging
import re
import traceback
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import unquote

from atlas_access.base.connection import MASK, ConnectionInvalid, ConnectionString
from atlas_access.base.redaction_forms import encoded_forms, escaped_form

SHORTEST = 4
"""Shorter texts are no secrets: masking each "a" would leave nothing to read, and hide nothing."""

_ESCAPE_MARKS = ("%", "\\", "&", "+")

_WORD_WITH_AT = re.compile(r"[^\s<>]+")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{1,30}):(?:\\{0,8}/){2}")
_ENCODED_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,30}%(?:25){0,8}3[aA](?:%(?:25){0,8}2[fF]){2}")
_ENCODED_COLON = re.compile(r"%(?:25){0,8}3[aA]|:")
_ENCODED_AT = re.compile(r"%(?:25){0,8}40")
_CLOSING_QUOTE = re.compile(r"""(["'](?=[,:;}\])"']|$))""")
"""A quote that ends a value; one that is followed by anything else may belong to a password."""

_NAMED = (
    r"(?:password|passwd|pwd|passphrase|secret[_-]?(?:access[_-]?)?key|secret[_-]?string|private[_-]?key|api[_-]?key"
    r"|client[_-]?secret|access[_-]?token|session[_-]?token|security[_-]?token)"
)
_NAMED_QUOTED = re.compile(
    rf"(?i)({_NAMED}\\{{0,8}}[\"']?\s{{0,8}}[:=]\s{{0,8}})(\\{{0,8}}[\"'])(?!\*\*\*)((?:(?!\2).)+)(\2)"
)
_NAMED_BARE = re.compile(rf"(?i)({_NAMED}=)(?!\*\*\*)[^\s\"'&;,]+")
_AUTHORIZATION = re.compile(
    r"(?i)(authorization\\{0,8}[\"']?\s{0,8}[:=]\s{0,8}\\{0,8}[\"']?(?:bearer|basic|digest)\s{1,8})(?!\*\*\*)[^\r\n]+"
)
_BEARER = re.compile(r"(?i)\b(bearer\s{1,8})[A-Za-z0-9._~+/=-]{12,}")
_AWS_KEY = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")

_QUOTING = re.compile(
    r"(?i)\b(execute command|command failed|failed command|command|dup key|duplicate key|full error|keyvalue|errinfo"
    r"|failing document|document|documents|update|updates|query|filter|writeerrors|details)\s*:?\s*(?=[\[{])"
)
_COMMAND_HEAD = re.compile(r"""\{\s*(["']?[A-Za-z]\w*["']?\s*:\s*["'][^"'{}\[\]\s]{1,120}["'])""")
_ELLIPSIS = "…"
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return text with every secret masked.

    `secrets` are values known to be secret, whole connection strings among them (their password counts too); they are
    found plain, percent-encoded at any depth, in base64 and hex, and escaped for JSON, Python, shells and HTML. Without
    them, credentials are still found by their place: in a URI, after a name such as `password`, in a quoted command.
    """
    for secret in _known(tuple(secrets)):
        text = _without(text, secret)
    return redact_server_message(_without_credentials(text))


def redact_server_message(text: str) -> str:
    """Return text without the commands and documents that a MongoDB server quotes in its errors.

    A command's own name and collection stay: `execute command { update: "agent_audit_log", … }`.
    """
    if "{" not in text and "[" not in text:
        return text
    parts: list[str] = []
    done = 0
    for match in _QUOTING.finditer(text):
        if match.end() < done:
            continue
        parts.append(text[done : match.end()])
        end = _end_of_group(text, match.end())
        parts.append(_summary(text[match.end() : end], command="command" in match[1].lower()))
        done = end
    return "".join((*parts, text[done:]))


class Redactor:
    """Masks with a fixed set of secrets; usable as a function and as a `logging.Filter`.

    It never shows its secrets: its repr gives their number.
    """

    __slots__ = ("_secrets",)

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = tuple(dict.fromkeys(secrets))

    def __call__(self, text: str) -> str:
        """Return text with every secret masked."""
        return redact(text, self._secrets)

    def __repr__(self) -> str:
        return f"Redactor({len(self._secrets)} secrets)"

    def also(self, *secrets: str) -> "Redactor":
        """Return a redactor that knows these secrets too."""
        return Redactor((*self._secrets, *secrets))

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask a log record in place, its exception and stack included, and let it pass."""
        record.msg = self(record.getMessage())
        record.args = ()
        if record.exc_info and record.exc_info[1] is not None:
            record.exc_text = self("".join(traceback.format_exception(record.exc_info[1])).rstrip("\n"))
            record.exc_info = None
        elif record.exc_text:
            record.exc_text = self(record.exc_text)
        if record.stack_info:
            record.stack_info = self(record.stack_info)
        return True


@lru_cache(maxsize=64)
def _known(secrets: tuple[str, ...]) -> tuple[str, ...]:
    """Return the secrets and the passwords within them, the longest first."""
    found = dict.fromkeys(secrets)
    for secret in secrets:
        try:
            password = ConnectionString.parse(secret).password
        except ConnectionInvalid:
            continue
        if password is not None:
            found[password.reveal()] = None
    for secret in tuple(found):
        # A secret with "%2F" in it may come back decoded, or with its escapes in the other case.
        found.update(
            dict.fromkeys((unquote(secret), _ESCAPE.sub(_lower, secret), _ESCAPE.sub(_upper, secret)))
        )
    found = {secret: None for secret in found if len(secret) >= SHORTEST}
    return tuple(sorted(found, key=len, reverse=True))


def _lower(match: re.Match[str]) -> str:
    return match[0].lower()


def _upper(match: re.Match[str]) -> str:
    return match[0].upper()


def _without(text: str, secret: str) -> str:
    text = text.replace(secret, MASK)
    for form in encoded_forms(secret):
        text = _without_token(text, form)
    if any(mark in text for mark in _ESCAPE_MARKS):
        text = escaped_form(secret).sub(MASK, text)
    return text


def _without_token(text: str, form: str) -> str:
    """Mask a form and the rest of the encoded word around it, which may hold the same secret's edges."""
    start = text.find(form)
    while start >= 0:
        end = start + len(form)
        while start > 0 and _is_encoded(text[start - 1]):
            start -= 1
        while end < len(text) and (_is_encoded(text[end]) or text[end] == "="):
            end += 1
        text = text[:start] + MASK + text[end:]
        start = text.find(form, start + len(MASK))
    return text


def _is_encoded(char: str) -> bool:
    return char.isascii() and (char.isalnum() or char in "+/-_")


def _without_credentials(text: str) -> str:
    if "://" in text or "/" in text or "%" in text:
        text = _WORD_WITH_AT.sub(_word_without_credentials, text)
    text = _NAMED_QUOTED.sub(rf"\1\2{MASK}\4", text)
    text = _NAMED_BARE.sub(rf"\1{MASK}", text)
    text = _AUTHORIZATION.sub(rf"\1{MASK}", text)
    text = _BEARER.sub(rf"\1{MASK}", text)
    return _AWS_KEY.sub(MASK, text)


def _word_without_credentials(match: re.Match[str]) -> str:
    word = match[0]
    if "@" not in word and "40" not in word:
        return word
    parts = _CLOSING_QUOTE.split(word)
    return "".join(_encoded_uri(_uri(part)) for part in parts)


def _uri(text: str) -> str:
    last = text.rfind("@")
    for match in _SCHEME.finditer(text):
        start = match.end()
        if match[1].lower() in ("http", "https"):
            # Behind the first slash an "@" is no end of a user; a database's password may hold a raw slash.
            end = re.search(r"[/?#\\]", text[start:])
            last_here = text.rfind("@", start, start + end.start() if end else len(text))
        else:
            last_here = last
        if last_here < start:
            continue
        user, colon, _ = text[start:last_here].partition(":")
        if colon and not re.search(r"[/?#]", user):
            return f"{text[:start]}{user}:{MASK}{text[last_here:]}"
        return f"{text[:start]}{MASK}{text[last_here:]}"
    return text


def _encoded_uri(text: str) -> str:
    scheme = _ENCODED_SCHEME.search(text) if "%" in text else None
    ats = list(_ENCODED_AT.finditer(text, scheme.end())) if scheme else []
    if scheme is None or not ats or not _ENCODED_COLON.search(text, scheme.end(), ats[-1].start()):
        return text
    return f"{text[: scheme.end()]}{MASK}{text[ats[-1].start() :]}"


def _end_of_group(text: str, start: int) -> int:
    """Return where the bracket at start closes, quoted brackets not counted; the end of text when it does not."""
    depth = 0
    quote = ""
    position = start
    while position < len(text):
        char = text[position]
        if quote:
            if char == "\\":
                position += 1
            elif char == quote:
                quote = ""
        elif char in "\"'":
            quote = char
        elif char in "{[":
            depth += 1
        elif char in "}]":
            depth -= 1
            if depth == 0:
                return position + 1
        position += 1
    return len(text)


def _summary(group: str, *, command: bool) -> str:
    if group.startswith("["):
        return f"[ {_ELLIPSIS} ]"
    head = _COMMAND_HEAD.match(group) if command else None
    return f"{{ {head[1]}, {_ELLIPSIS} }}" if head else f"{{ {_ELLIPSIS} }}"


def one_line(text: str, longest: int) -> str:
    """Text of a foreign origin as one printable line of at most `longest` characters."""
    clean = "".join(each if each.isprintable() else " " for each in text[: longest * 4])
    clean = " ".join(clean.split())
    return clean if len(clean) <= longest else f"{clean[: longest - 1]}…"
