"""One file of an application, as the guards read it."""

from atlas_access.guards.language import language_of
from atlas_access.guards.source import SourceFile


def source(path: str, text: str) -> SourceFile:
    return SourceFile(path, text, language_of(path, text))
