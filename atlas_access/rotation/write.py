"""Writes settings into a stack's file as a person would: everything else in it stays as it is, comments too."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from atlas_access.base import PROJECT


def with_settings(text: str, settings: Mapping[str, Any]) -> str:
    """The file's text with these settings under `config`, by bare name; None takes one out.

    Raises:
        ValueError: the file could not be written again without changing other lines.
    """
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 1_000_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    if _dumped(yaml, yaml.load(text)) != text:
        raise ValueError(
            "its layout would change beside the settings: indent lists by two, and drop blank lines"
        )
    document = yaml.load(text)
    for name, value in settings.items():
        key = f"{PROJECT}:{name}"
        if value is None:
            document["config"].pop(key, None)
        else:
            document["config"][key] = value
    return _dumped(yaml, document)


def uncommitted(path: Path) -> bool | None:
    """Whether git knows of changes in a file that are not committed; None where git does not answer."""
    command = ["git", "status", "--porcelain", "--", path.name]
    try:
        done = subprocess.run(command, cwd=path.resolve().parent, capture_output=True, check=False)  # noqa: S603 - fixed
    except OSError:
        return None
    return bool(done.stdout.strip()) if done.returncode == 0 else None


def _dumped(yaml: Any, document: Any) -> str:
    written = io.StringIO()
    yaml.dump(document, written)
    return written.getvalue()
