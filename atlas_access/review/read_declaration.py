"""Reads a version of the declaration: of the folder as it is, or of a commit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from atlas_access.base import PROJECT, ManifestInvalid, Plain, read_yaml
from atlas_access.manifest import load_manifest
from atlas_access.review.declaration import Declaration
from atlas_access.review.from_git import Base, BaseUnread

LAW = "policy/policy-config.json"
KNOWN_USERS = "known-users.yaml"
_STACKS = "Pulumi.*.yaml"


def of_folder(folder: Path, manifest: str) -> Declaration:
    """What the files of a folder declare now. Raises BaseUnread with the first file that cannot be read."""

    def read(name: str) -> str | None:
        try:
            return (folder / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise BaseUnread(f"{name} cannot be read ({type(error).__name__}).") from None

    names = [path.name for path in sorted(folder.glob(_STACKS))]
    return _declaration(read, manifest, names, "")


def of_commit(base: Base, manifest: str) -> Declaration:
    """What the files declared at a commit. Raises BaseUnread where they are of a format that is not known here."""
    names = [each for each in base.names() if fnmatchcase(each, _STACKS) and "/" not in each]
    return _declaration(base.text, manifest, names, f" at {base.commit[:12]}")


def _declaration(
    read: Callable[[str], str | None], manifest: str, stacks: Iterable[str], at: str
) -> Declaration:
    text = read(manifest)
    try:
        declared = None if text is None else load_manifest(text, manifest)
        settings = {
            name.removeprefix("Pulumi.").removesuffix(".yaml"): _settings(read(name), name) for name in stacks
        }
        gates = _mapping(read("smoke.yaml"), "smoke.yaml")
        known = _mapping(read(KNOWN_USERS), KNOWN_USERS)
        law = json.loads(read(LAW) or "{}")
    except ManifestInvalid as invalid:
        raise BaseUnread(_unreadable(at, str(invalid.errors[0]))) from None
    except (ValueError, RecursionError):
        raise BaseUnread(_unreadable(at, f"{LAW} is not JSON")) from None
    return Declaration(declared, law if isinstance(law, dict) else {}, settings, gates, known)


def _unreadable(at: str, why: str) -> str:
    older = f"The declaration{at} has a format that this version does not read: {why}"
    return f"{older}\n  Compare with a later commit: --base." if at else why


def _settings(text: str | None, source: str) -> dict[str, Plain]:
    config = _mapping(text, source).get("config")
    listed = config.items() if isinstance(config, dict) else ()
    return {str(key).removeprefix(f"{PROJECT}:"): value for key, value in listed}


def _mapping(text: str | None, source: str) -> Mapping[str, Plain]:
    data = read_yaml(text or "", source).data if text else None
    return data if isinstance(data, dict) else {}
