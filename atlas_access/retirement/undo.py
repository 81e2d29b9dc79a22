"""The way back from each phase, as commands in their order; the retirement's end has none, and says what it takes.

Pure: it reports, whoever reads decides. A deletion is not reversible.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from atlas_access.manifest import Manifest


class UndoPhase(StrEnum):
    """The phases that leave something behind; A and H leave a file, which git takes back."""

    USERS = "B"
    SECRETS = "C"
    SWAP = "D"
    LOCAL = "E"
    CODE = "F"
    RETIREMENT = "G"


@dataclass(frozen=True)
class Recipe:
    """What to run, in order, and what comes of it. Without commands there is no way back; `text` says what it takes.

    `nothing` says that the phase has left nothing to take back.
    """

    phase: UndoPhase
    commands: tuple[str, ...]
    text: tuple[str, ...]
    nothing: bool = False

    @property
    def reversible(self) -> bool:
        """Whether there is a way back."""
        return bool(self.commands)


def recipe(phase: UndoPhase, stack: str, *, sandbox: bool) -> Recipe:
    """The way back from a phase of a stack, for as long as the retirement has deleted nothing."""
    commands, text = {
        UndoPhase.USERS: _created(stack, sandbox=sandbox),
        UndoPhase.SECRETS: _created(stack, sandbox=sandbox),
        UndoPhase.SWAP: (
            (f"atlas-access rollback {stack}",),
            (
                "The recorded revision runs again; its secrets and users are kept until the retirement.",
                f"Nothing swaps again until rolloutRelease is raised in Pulumi.{stack}.yaml.",
            ),
        ),
        UndoPhase.LOCAL: (
            ("atlas-access env --restore .env.local",),
            ("The newest backup comes back; what it replaces is kept as the next one.",),
        ),
        UndoPhase.CODE: (
            ("git -C APPLICATION apply --reverse --reject REPLACED.patch",),
            (
                "REPLACED.patch is what --patch has printed; without it: git revert of the commit.",
                "Deprecated variables are bound until phase retire, so the old code works again at once.",
            ),
        ),
        UndoPhase.RETIREMENT: (
            (f"atlas-access legacy restore {stack}",),
            ("Legacy users get their recorded roles back: nothing is deleted yet.",),
        ),
    }[phase]
    return Recipe(phase, commands, text)


def untouched(stack: str) -> Recipe:
    """The retirement has not begun."""
    text = (f"{stack}'s retirement has not begun: nothing to take back.",)
    return Recipe(UndoPhase.RETIREMENT, (), text, nothing=True)


def deleted(manifest: Manifest, stack: str) -> Recipe:
    """What re-creation takes once the retirement has begun to delete: there is no command for it."""
    return Recipe(UndoPhase.RETIREMENT, (), tuple(_anew(manifest, stack)))


def _created(stack: str, *, sandbox: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if sandbox:
        unprotect = f"atlas-access sandbox deploy {stack} --config unprotect=true"
        destroy = f"atlas-access sandbox deploy {stack} --destroy --config unprotect=true"
        commands: tuple[str, ...] = (unprotect, destroy)
    else:
        commands = (
            f"set atlas-access:unprotect to true in Pulumi.{stack}.yaml, in a reviewed change",
            f"make preview STACK={stack} && make deploy STACK={stack}",
            f"pulumi destroy --stack {stack}",
        )
    return commands, (
        "Users, roles and secrets of ours go together; what was adopted stays, password and value untouched.",
        "Secrets stay recoverable for their recovery window, in which their names are taken.",
        f"It is refused while a task, a schedule or another stack uses one: atlas-access rollback {stack} goes first.",
    )


def _anew(manifest: Manifest, stack: str) -> Iterator[str]:
    users = manifest.legacy_on(stack)
    yield "NOT REVERSIBLE: deleted users and roles cannot be brought back, their passwords are gone for good."
    yield f"To have {len(users)} users again, each by hand, in this order:"
    yield "1. The custom roles, from docs/runbooks/retire.md and the record of their grants (atlas-access legacy)."
    for user in users:
        yield f"   {user.name} with {user.role} and a new password"
    yield "2. The secrets: within 30 days, aws secretsmanager restore-secret for each, then a new value in it;"
    yield "   later, new secrets under the same names:"
    for user in users:
        for secret in user.secrets:
            yield f"   {secret.name} ({secret.environment}'s account), for {secret.variable}"
    yield "3. A new task-definition revision bound to them: the deregistered ones cannot be run again."
    yield "4. A record of the decision: access.yaml would call every one of them drift (ADR 0006)."
    yield f"What is broken is mended sooner with the four users: atlas-access prove {stack}."
