"""Prepares a policy pack for the `pulumi` CLI with this process's Python, and detects when it fails to start."""

import sys
from pathlib import Path

from sandbox.engine.stack_files import read_yaml, write_yaml

_FAILED = "failed"

_MAIN = """\
import runpy
from pathlib import Path

try:
    runpy.run_path({pack!r}, run_name="__main__")
except (Exception, SystemExit) as error:
    if not isinstance(error, SystemExit) or error.code:
        Path({failed!r}).write_text(f"{{type(error).__name__}}: {{error}}")
    raise
"""
"""The CLI waits for ever for a pack that ends before it serves, so its end leaves a note."""


def prepare_pack(directory: Path, pack: Path) -> Path:
    """Return a folder from which the CLI runs a pack without creating a virtual environment."""
    folder = directory.resolve() / "pulumi" / "packs" / pack.resolve().name
    folder.mkdir(parents=True, exist_ok=True)
    failed = folder / _FAILED
    failed.unlink(missing_ok=True)
    document = read_yaml(pack / "PulumiPolicy.yaml", "name the folder of a policy pack")
    runtime = {"name": "python", "options": {"toolchain": "pip", "virtualenv": sys.prefix}}
    described = {**document, "runtime": runtime, "main": "."}
    write_yaml(folder / "PulumiPolicy.yaml", described)
    (folder / "__main__.py").write_text(_MAIN.format(pack=str(pack.resolve()), failed=str(failed)))
    return folder


def failure_of(folder: Path) -> str:
    """Why the pack of a prepared folder did not start, in one line; "" while it has not failed."""
    try:
        lines = (folder / _FAILED).read_text(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return f"policy pack {folder.name} did not start: {lines[-1]}" if lines else ""
