"""The manifest: who may do what in MongoDB, and which task receives which credential.

For: turning the text of `access.yaml` into the frozen records of atlas_access.manifest.model, or into every mistake
it has. Never: reads a file itself, contacts anything, or repeats what could be a secret. Rules come from ADR 0001
(one project per environment), ADR 0002 (append-only audit log), ADR 0004 (private endpoint across environments) and
ADR 0006 (the users, their roles and variables, and the cap).
"""

from collections.abc import Iterable
from types import MappingProxyType

from atlas_access.base import Address, Document, ManifestError, ManifestInvalid, Path, dotted, read_yaml
from atlas_access.manifest.bindings import check_bindings
from atlas_access.manifest.checks import check_names, check_repeats, check_words
from atlas_access.manifest.consequences import check_consequences
from atlas_access.manifest.model import (
    ADMIN_DATABASE,
    LOCAL,
    Audit,
    Binding,
    Collection,
    Consumer,
    CustomRole,
    DataClass,
    DeprecatedVariable,
    Grant,
    LegacySecret,
    LegacyUser,
    Manifest,
    RoleRef,
    User,
    Waiver,
)
from atlas_access.manifest.resolve import resolve
from atlas_access.manifest.shape import Mistake, check_shape
from atlas_access.manifest.text import check_text, check_values, check_version
from atlas_access.privileges import BUILTIN_ROLES

__all__ = [
    "ADMIN_DATABASE",
    "BUILTIN_ROLES",
    "LOCAL",
    "Address",
    "Audit",
    "Binding",
    "Collection",
    "Consumer",
    "CustomRole",
    "DataClass",
    "DeprecatedVariable",
    "Grant",
    "LegacySecret",
    "LegacyUser",
    "Manifest",
    "ManifestError",
    "ManifestInvalid",
    "RoleRef",
    "User",
    "Waiver",
    "load_manifest",
]


def load_manifest(text: str | bytes, source: str = "access.yaml") -> Manifest:
    """Return the manifest that text describes.

    Raises ManifestInvalid with every mistake found, each with its line, what is wrong and the way out. Only a text
    that is no YAML, holds no mapping, or is of a newer version is refused for that reason alone (and for secrets).
    """
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise ManifestInvalid([ManifestError(source, 1, "", "not UTF-8", "Save it as UTF-8.")]) from None
    secrets = check_text(text, source)
    document, unreadable = read_yaml(text, source)
    if document is None:
        raise ManifestInvalid([*secrets, *unreadable])
    stop = check_version(document, source)
    if stop is not None or not isinstance(document.data, dict):
        raise ManifestInvalid([*secrets, *([stop] if stop is not None else [])])

    report = _Report(source, document, [*secrets, *check_values(document, source)])
    report.include(check_repeats(document, source))
    report.add(check_words(document), of_form=True)
    file, mistakes = check_shape(document.data)
    report.add(mistakes, of_form=True)
    if file is None:
        raise ManifestInvalid(report.errors)
    report.add(check_names(file, document))
    report.add(check_bindings(file, document))
    manifest = resolve(file)
    report.add(check_consequences(manifest, file, document))
    if report.errors:
        raise ManifestInvalid(report.errors)
    manifest._source = source
    manifest._lines = MappingProxyType({dotted(path): line for path, line in document.lines.items() if path})
    return manifest


class _Report:
    """Collects errors; nothing is said beside a line that holds a secret, lest it be repeated."""

    def __init__(self, source: str, document: Document, secrets: Iterable[ManifestError]) -> None:
        self._source, self._document = source, document
        self._errors = list(secrets)
        self._secret_lines = {error.line for error in self._errors}
        self._malformed: set[Path] = set()

    @property
    def errors(self) -> tuple[ManifestError, ...]:
        return tuple(self._errors)

    def include(self, errors: Iterable[ManifestError]) -> None:
        """Add errors that know their line."""
        self._errors.extend(error for error in errors if error.line not in self._secret_lines)

    def add(self, mistakes: Iterable[Mistake], *, of_form: bool = False) -> None:
        """Add mistakes; one of form silences what else would be said of the same place."""
        for path, problem, remedy in list(mistakes):
            line = self._document.line(path)
            if line in self._secret_lines or path in self._malformed:
                continue
            if of_form:
                self._malformed.add(path)
            self._errors.append(ManifestError(self._source, line, dotted(path), problem, remedy))
