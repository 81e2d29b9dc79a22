"""One file of an application, as the guards read it."""

from atlas_access.code.idioms import read_idioms
from atlas_access.code.language import SourceFile, language_of
from atlas_access.code.names import names_of
from atlas_access.code.project import Project
from tests.unit.manifests import manifest


def project(*files: SourceFile) -> Project:
    """A tree of these files, by the committed manifest's names."""
    return Project(files, names_of(manifest()), read_idioms())


def source(path: str, text: str) -> SourceFile:
    return SourceFile(path, text, language_of(path, text))
