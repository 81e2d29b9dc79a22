"""A file's bytes as what guards can search: text in its encoding, text inside of binary data, or an archive's packing.

Pure. Text of two or four bytes a character is read with and without a byte order mark, and at any place of a binary
file. A zip is unpacked within a bound; that another archive's content was not searched is reported.
"""

from __future__ import annotations

import codecs
import mmap
import re
import zipfile
from collections.abc import Iterator
from io import BytesIO

from atlas_access.guards.written_forms import ONCE, TWICE

_WANTED = (b"mongo", b"reference", b"atlas", b"mcli_")
_WANTED_IF_HUGE = re.compile(rb"(?i)mongodb")
_WIDE = re.compile(rb"(?i)m\0{1,3}o\0{1,3}n\0{1,3}g\0{1,3}o")
_WIDE_RUN = re.compile(rb"(?:[\t\r\n -~]\0{1,3}){4,}")
_PACKED = (*ONCE, *TWICE, b"6d6f6e676f6462", b"6D6F6E676F6462")
"""`mongodb` in base64, in base64 of base64, and in hexadecimal."""

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
"""The longer first: UTF-32's mark begins with UTF-16's."""

_ARCHIVES = {
    b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"PK\x05\x06": "zip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz",
    b"7z\xbc\xaf\x27\x1c": "7z", b"\x28\xb5\x2f\xfd": "zstd", b"\x04\x22\x4d\x18": "lz4", b"Rar!\x1a\x07": "rar",
}  # fmt: skip


def wanted(data: bytes) -> bool:
    """Whether a file speaks of MongoDB, of Atlas or of reference data, in any encoding."""
    lower = data.lower()
    return (
        any(each in lower for each in _WANTED)
        or any(each in data for each in _PACKED)
        or (b"\0" in data and _WIDE.search(data) is not None)
    )


def wanted_if_huge(content: mmap.mmap) -> bool:
    """Whether a file that is too large to read speaks of MongoDB, in any encoding."""
    return (
        _WANTED_IF_HUGE.search(content) is not None
        or any(content.find(each) >= 0 for each in _PACKED)
        or _WIDE.search(content) is not None
    )


def archive_of(beginning: bytes) -> str:
    """The name of an archive's or a compressed file's format by its first bytes, "" for anything else."""
    return next((name for mark, name in _ARCHIVES.items() if beginning.startswith(mark)), "")


MEMBERS, UNPACKED = 2_000, 64 * 1024 * 1024
"""How many members of a zip are searched, and how many bytes of them."""


def members(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The members of a zip, or of a document, wheel or jar; raises ValueError where not all can be read."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as packed:
            listed = packed.infolist()
            if len(listed) > MEMBERS or sum(each.file_size for each in listed) > UNPACKED:
                raise ValueError("it is too large")
            for each in listed:
                yield each.filename, packed.read(each)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError) as error:
        raise ValueError("it cannot be unpacked") from error


def decoded(data: bytes) -> tuple[str, bool]:
    """A file's text, and whether it is binary: then the text is what can be read of it."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace"), False
    binary = b"\0" in data[:8192]
    if _WIDE.search(data):
        data = _WIDE_RUN.sub(lambda run: run[0].replace(b"\0", b""), data)
    return data.decode("utf-8-sig", errors="replace"), binary
