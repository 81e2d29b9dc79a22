"""The same stack on the real `pulumi` CLI, with a file backend in a folder of its own."""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engine_programs.harness import FOLDER, Stack
from sandbox.engine.document import state_from_json
from sandbox.engine.passphrase import Passphrase
from sandbox.engine.state import Resource

PASSPHRASE = "open sesame"


@dataclass
class CliStack(Stack):
    """Runs `pulumi` where `Stack` runs the engine; `exported` is its state as records, to hold against ours."""

    def environment(self) -> dict[str, str]:
        backend = self.folder / "backend"
        backend.mkdir(parents=True, exist_ok=True)
        return {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder),
            "PYTHONPATH": str(FOLDER),
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{backend}",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DEBUG_PROVIDERS": f"toy:{self.toy.port}",
        }

    def cli(self, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.program_dir,
            env=self.environment(),
            input=given,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def prepare(self) -> None:
        self.program_dir.mkdir(exist_ok=True)
        (self.program_dir / "Pulumi.yaml").write_text("name: demo\nruntime: python\n")
        made = self.cli("stack", "init", self.name)
        assert made.returncode == 0, made.stderr

    def deploy(self, operation: str, program: str | None = None) -> bool:
        """Runs it; whether it succeeded."""
        if program is not None:
            self.write(program)
        self.toy.calls.clear()
        flags = [] if operation == "preview" else ["--yes", "--skip-preview"]
        return self.cli(operation, *flags).returncode == 0

    def export(self) -> str:
        return self.cli("stack", "export").stdout

    def exported(self) -> list[dict[str, Any]]:
        return comparable(self.export())


def comparable(text: str, passphrase: str = PASSPHRASE) -> list[dict[str, Any]]:
    """The resources of a state as they can be compared: times and random ids apart, secrets open but still marked."""
    document = json.loads(resealed(text, passphrase))
    for item in (
        document["deployment"].get("resources") or []
    ):  # where the program's lines are is not ours to keep
        item.pop("sourcePosition", None), item.pop("stackTrace", None)
    state = state_from_json(json.dumps(document), passphrase, "the state")
    names = {
        item.id: f"id of {item.name}" for item in state.resources if item.type.startswith("pulumi:providers:")
    }
    return sorted(
        (shown(item, names) for item in state.resources), key=lambda item: (item["urn"], item["id"])
    )


def resealed(text: str, passphrase: str) -> str:
    """The CLI's state with its secrets encrypted as ours are; ours as it is."""
    salt = json.loads(text)["deployment"]["secrets_providers"]["state"]["salt"]
    if not salt.startswith("v1:"):
        return text
    key = hashlib.pbkdf2_hmac(
        "sha256", passphrase.encode(), base64.b64decode(salt.split(":")[1]), 1_000_000, 32
    )
    theirs, ours = AESGCM(key), Passphrase(passphrase)

    def sealed(found: re.Match[str]) -> str:
        nonce, ciphertext = map(base64.b64decode, found[1].split(":"))
        return f'"ciphertext": "{ours.encrypt(theirs.decrypt(nonce, ciphertext, None).decode())}"'

    text = re.sub(r'"ciphertext": *"v1:([^"]+)"', sealed, text)
    return text.replace(json.dumps(salt), json.dumps(ours.salt))


def shown(item: Resource, names: dict[str, str]) -> dict[str, Any]:
    fields = {**vars(item), "id": names.get(item.id, item.id)}
    urn, _, reference = item.provider.rpartition("::")
    fields["provider"] = f"{urn}::{names.get(reference, reference)}"
    for name in ("dependencies", "additional_secret_outputs"):
        fields[name] = sorted(fields[name])
    fields["property_dependencies"] = {key: sorted(urns) for key, urns in item.property_dependencies.items()}
    return {key: value for key, value in fields.items() if key not in ("created", "modified")}
