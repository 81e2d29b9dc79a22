"""Dynamic resources as the product has them: a provider in an importable module, a type of its own."""

import os
import sys
import time
from pathlib import Path
from typing import Any

import pulumi
from pulumi.dynamic import (
    ConfigureRequest,
    CreateResult,
    DiffResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)


def linger() -> None:
    """Reports that the call runs, waits for permission to continue, and reports its end."""
    Path("begun").write_text(str(os.getpid()))
    deadline = time.monotonic() + 30
    while not Path("go").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    Path("done").touch()


class Prover(ResourceProvider):
    setting = ""

    def configure(self, req: ConfigureRequest) -> None:
        Prover.setting = req.config.get("setting") or ""

    def create(self, props: dict[str, Any]) -> CreateResult:
        if props["word"] == "raise":
            raise ValueError("the proof could not be made")
        if props["word"] == "die":
            os._exit(9)
        if props["word"] == "linger":
            linger()
        sys.stdout.write(f"proving with {Prover.setting}\n")
        sys.stdout.flush()
        return CreateResult("proof-1", {**props, "verdict": f"proven {props['word']}"})

    def diff(self, _id: str, old: dict[str, Any], new: dict[str, Any]) -> DiffResult:
        return DiffResult(changes=old["word"] != new["word"])

    def update(self, _id: str, _old: dict[str, Any], new: dict[str, Any]) -> UpdateResult:
        return UpdateResult({**new, "verdict": f"proven {new['word']} again"})


class Proof(Resource, module="probe", name="PrivilegeProof"):
    verdict: pulumi.Output[str]

    def __init__(self, name: str, word: Any, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(Prover(), name, {"word": word, "verdict": None}, opts)
