"""The manifest: who may do what in MongoDB, and which task receives which credential.

The text of `access.yaml` becomes the frozen records of `manifest.model`, or every mistake it has. Rules come from ADR
0001 (one project per environment), ADR 0002 (append-only audit log), ADR 0004 (private endpoint across environments)
and ADR 0006 (the users, their roles and variables, and the cap).
"""

from collections.abc import Iterator
from types import MappingProxyType
from typing import Self

from pydantic import PrivateAttr, ValidationInfo, model_validator

from atlas_access.base import ManifestInvalid, dotted, read_yaml
from atlas_access.manifest.bindings import check_bindings, check_legacy, check_local, check_secrets
from atlas_access.manifest.checks import check_collections, check_unused, check_users, undefined
from atlas_access.manifest.consequences import check_consequences
from atlas_access.manifest.file import ManifestFile
from atlas_access.manifest.model import Manifest
from atlas_access.manifest.resolve import resolve
from atlas_access.manifest.shape import Known, Mistake, check_shape, refuse_rules

_DEPTHS = {
    **dict.fromkeys(("collections", "roles", "users", "waivers", "deprecated_variables"), 2),
    "bindings": 3,
    "legacy": 4,
}
"""How deep the entries of a section are."""


class _RuledFile(ManifestFile):
    """The file with the rules about how its parts fit together."""

    _manifest: Manifest | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _rules(self, info: ValidationInfo[Known]) -> Self:
        refuse_rules(self._mistakes(info.context))
        return self

    def _mistakes(self, known: Known) -> Iterator[Mistake]:
        lost = undefined(self, known)
        lost_sections = {section for section, _ in lost}
        doubtful = known.broken | known.unsure
        yield from lost.values()
        if "environments" in lost_sections:
            return  # whichever name is wrong, nearly every other rule would report it once more
        yield from check_collections(self)
        yield from check_users(self, known)
        if not lost_sections & {"roles", "users"} and not doubtful & {"roles", "users"}:
            yield from check_unused(self)
        yield from check_bindings(self, known)
        yield from check_local(self)
        yield from check_secrets(self)
        yield from check_legacy(self, known)
        self._manifest = resolve(self)
        if not lost_sections & {"users", "roles", "collections", "database"}:
            yield from check_consequences(self._manifest, self, known)


def load_manifest(text: str | bytes, source: str = "access.yaml") -> Manifest:
    """Return the manifest that text describes.

    Raises ManifestInvalid with every mistake found, each with its line, what is wrong and the remedy. Only a text
    that is not plain YAML, holds no mapping, or is of another version is refused for that reason alone (and for
    secrets).
    """
    document = read_yaml(text, source, secrets=True)
    file, errors = check_shape(_RuledFile, document, _DEPTHS)
    if errors or file is None or file._manifest is None:
        raise ManifestInvalid(errors)
    manifest = file._manifest
    manifest._source = source
    manifest._lines = MappingProxyType({dotted(path): line for path, line in document.lines.items() if path})
    return manifest
