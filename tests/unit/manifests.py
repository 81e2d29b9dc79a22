"""A valid manifest to change one thing in, and the errors that the change brings forth."""

from functools import cache
from pathlib import Path

from atlas_access.base.yaml_errors import ManifestError
from atlas_access.manifest.load import Manifest, ManifestInvalid, load_manifest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "access.yaml").read_text(encoding="utf-8")


@cache
def manifest() -> Manifest:
    return load_manifest(TEXT)


def edited(*changes: tuple[str, str]) -> str:
    """Replace each old text, which must stand exactly once, by the new one."""
    text = TEXT
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
        text = text.replace(old, new)
    return text


@cache
def errors_of(text: str | bytes) -> tuple[ManifestError, ...]:
    """Return the errors that loading brings forth, none when the manifest is valid."""
    try:
        load_manifest(text)
    except ManifestInvalid as invalid:
        return invalid.errors
    return ()


def line_of(text: str, part: str) -> int:
    """Return the line (from 1) of the first place where part stands."""
    return text[: text.index(part)].count("\n") + 1


def only_error(text: str | bytes) -> ManifestError:
    """Return the one error of a text; a text with none or several fails the test, telling them."""
    errors = errors_of(text)
    assert len(errors) == 1, "\n".join(map(str, errors)) or "no error"
    return errors[0]
