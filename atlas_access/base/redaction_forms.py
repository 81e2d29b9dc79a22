"""The forms in which one secret can stand in a text.

Forms that follow from the whole value (base64, hex) are listed; forms that follow from each character
(percent-encoding, escapes for JSON, Python, shells and HTML) become one pattern that knows every spelling of every
character, so that a text which escapes some characters and not others is found as well.
"""

import base64
import re
from functools import lru_cache
from html.entities import codepoint2name
from urllib.parse import quote

_CONTROL = {"\n": r"\\{1,8}n", "\r": r"\\{1,8}r", "\t": r"\\{1,8}t"}

_SHORTEST_CORE = 5
"""Characters of base64 that must be certain before they count as the secret's; they stand for about four bytes."""


@lru_cache(maxsize=256)
def encoded_forms(secret: str) -> tuple[str, ...]:
    """Return the secret in base64, once and twice, at each of the three alignments (both alphabets), and in hex.

    The percent-encoded secret counts too: it is what a connection string in base64 holds. Characters at the edges that
    depend on the surrounding characters are left out.
    """
    plain = secret.encode(errors="surrogatepass")
    quoted = quote(plain, safe="")
    lower = re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), quoted)
    forms: dict[str, None] = {}
    for data in dict.fromkeys((plain, quoted.encode(), lower.encode())):
        once = _base64_cores(data)
        for core in (*once, *(twice for each in once for twice in _base64_cores(each.encode()))):
            forms[core] = None
            forms[core.replace("+", "-").replace("/", "_")] = None
        if len(data) >= 4:
            forms[data.hex()] = None
            forms[data.hex().upper()] = None
    return tuple(form for form in forms if form)


def _base64_cores(data: bytes) -> list[str]:
    cores = []
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + data).decode()
        certain_from = -(-offset * 8 // 6)
        certain_to = (offset + len(data)) * 8 // 6
        core = encoded[certain_from:certain_to]
        if len(core) >= _SHORTEST_CORE:
            cores.append(core)
    return cores


@lru_cache(maxsize=256)
def escaped_form(secret: str) -> re.Pattern[str]:
    """Return a pattern that finds the secret with any of its characters escaped, at any depth of escaping."""
    return re.compile("".join(_spellings(char) for char in secret))


@lru_cache(maxsize=1024)
def _spellings(char: str) -> str:
    code = ord(char)
    percent = "".join(rf"%(?:25){{0,8}}{_hex(byte)}" for byte in char.encode(errors="surrogatepass"))
    entity = r"\\{0,8}&(?:amp;){0,8}"
    spellings = [percent, rf"{entity}#0{{0,8}}{code};", rf"{entity}#[xX]0{{0,8}}{_any_case(f'{code:x}')};"]
    units = char.encode("utf-16-be", errors="surrogatepass").hex()
    spellings.append(
        "".join(rf"\\{{1,8}}u{_any_case(units[index : index + 4])}" for index in range(0, len(units), 4))
    )
    for spelled in dict.fromkeys((char.encode(errors="surrogatepass"), bytes([code]) if code < 256 else b"")):
        spellings.extend(["".join(rf"\\{{1,8}}x{_hex(byte)}" for byte in spelled)] if spelled else [])
    if code > 255:
        spellings.append(rf"\\{{1,8}}U{_any_case(f'{code:08x}')}")
    name = "apos" if char == "'" else codepoint2name.get(code)
    if name is not None:
        spellings.append(rf"{entity}{name};")
    if char == " ":
        spellings.append(r"\+")
    if char == "\\":
        spellings.append(r"\\{1,16}")
    elif char in _CONTROL:
        spellings.append(_CONTROL[char])
    spellings.append(rf"\\{{0,8}}{re.escape(char)}")
    return f"(?:{'|'.join(spellings)})"


def _hex(byte: int) -> str:
    return _any_case(f"{byte:02x}")


def _any_case(text: str) -> str:
    return "".join(f"[{char}{char.upper()}]" if char.isalpha() else char for char in text)
