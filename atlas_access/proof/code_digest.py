"""A digest of the code that decides a proof, so that a change of it makes every proof stale.

A provider pickled by reference shows no difference when its code changes; this digest does.
"""

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
ROOMS = ("base", "clients", "manifest", "privileges", "proof")


def decisive_files() -> Iterator[Path]:
    """Every file of the rooms that a proof uses, so that none whose change could change a verdict is left out."""
    for room in ROOMS:
        yield from sorted(_PACKAGE.joinpath(room).glob("*.py"))
    yield from sorted(_PACKAGE.joinpath("proof").glob("*.txt"))


@cache
def code_digest() -> str:
    """SHA-256 (hex) of the files' names and contents; line ends do not count, so that machines agree."""
    total = hashlib.sha256()
    for path in decisive_files():
        source = path.read_bytes().replace(b"\r\n", b"\n")
        name = path.relative_to(_PACKAGE).as_posix()
        total.update(name.encode() + b"\0" + hashlib.sha256(source).digest())
    return total.hexdigest()
