"""The embedded engine, as deployments use it; imported only when chosen, because it needs gRPC and the Pulumi SDK."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atlas_access.review import Change
from sandbox.cli_events import shown
from sandbox.recorder import Recorder
from sandbox.stack_files import StackFiles
from sandbox.world import SandboxError, World, passed_on

if TYPE_CHECKING:
    from sandbox.engine.events import Event


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
        from sandbox.engine.events import event_to_json
        from sandbox.engine.request import EngineRequest
        from sandbox.engine.runner import run

        def take(event: "Event") -> None:
            log(event_to_json(event))
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


_CLI_WORDS = {"replace": "create-replacement"}
"""The CLI's name of the step by which a recorder reports a replacement."""


def hand_on(event: "Event", recorder: Recorder) -> None:
    """Report one event to `recorder`, in the CLI's words."""
    from sandbox.engine.events import Diagnostic, PolicyViolation, ResourcePlanned, StepDone

    match event:
        case ResourcePlanned(urn, kind, operation, changes):
            listed = [Change(each.property, shown(each.old), shown(each.new)) for each in changes]
            said = listed if operation not in {"same", "read", "delete"} else ()
            recorder.begun(_CLI_WORDS.get(operation, operation), kind, urn, said)
        case StepDone(urn, kind, operation, ok, _, error):
            recorder.ended(_CLI_WORDS.get(operation, operation), kind, urn, ok=ok, error=error)
        case Diagnostic(severity, message, urn, passing):
            recorder.said(severity, message, urn, passing=passing)
        case PolicyViolation(urn, _, policy, level, message):
            recorder.judged(policy, level, urn, message)
        case _:
            return
