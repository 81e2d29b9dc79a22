"""The embedded engine, as deployments use it; imported only when chosen, because it needs gRPC and the Pulumi SDK."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.engine.cli_events import hand_on
from sandbox.engine.recorder import Recorder
from sandbox.engine.stack_files import StackFiles
from sandbox.world import SandboxError, World, passed_on


@dataclass(frozen=True)
class Embedded:
    """The sandbox's engine; `because` says why it was chosen, when it was not asked for."""

    because: str = ""

    @property
    def name(self) -> str:
        """What a person reads: `embedded (no pulumi CLI on PATH)`."""
        return f"embedded ({self.because})" if self.because else "embedded"

    def run(
        self,
        operation: str,
        world: World,
        files: StackFiles,
        recorder: Recorder,
        log: Callable[[str], None],
        *,
        policy_packs: tuple[Path, ...] = (),
        refresh: bool = False,
    ) -> bool:
        """Run preview, up or destroy and return whether it succeeded; `log` receives events, `refresh` reads first."""
        if refresh and not self.run("refresh", world, files, recorder, log):
            return False
        from sandbox.engine.request import EngineRequest
        from sandbox.engine.runner import run

        def take(event: Mapping[str, Any]) -> None:
            log(json.dumps(event, ensure_ascii=False))
            hand_on(event, recorder)

        result = run(
            EngineRequest(
                operation=operation,
                program_dir=files.program_dir.resolve(),
                project=files.project,
                stack=files.stack,
                config=files.config,
                environment=world.environment(files.stack) | passed_on(os.environ),
                state_file=world.state_file(files.stack),
                provider_ports=world.of(files.stack).provider_ports,
                passphrase=world.passphrase,
                policy_packs=policy_packs,
            ),
            take,
        )
        if not (result.ok or recorder.errors or recorder.ends):
            recorder.failed(result.error)
        return bool(result.ok)

    def export(self, world: World, files: StackFiles) -> Mapping[str, Any]:
        """The stack's state in deployment format, secrets encrypted; empty when there is none yet."""
        from sandbox.engine.document import read_document
        from sandbox.engine.state import StateRefused

        path = world.state_file(files.stack)
        try:
            return read_document(path.read_bytes(), str(path)) if path.exists() else {}
        except StateRefused as error:
            raise SandboxError(f"{error}; or `atlas-access sandbox reset` starts anew") from None
