"""Collects an engine's events into the steps of a deployment; unknown operations are ignored."""

import re
import time
from collections.abc import Callable, Sequence

from atlas_access.base import Finding, redact
from atlas_access.review import Change, Moment, Progress, Step, said_by_pack

_OPERATIONS = {"create-replacement": "replace", "import-replacement": "replace", "read-replacement": "read"}
_HALVES = frozenset({"replace", "delete-replaced", "discard", "discard-replaced", "remove-pending-replace"})
"""The CLI's steps that are parts of a replacement, reported once by its creating half."""

_OWN_STEPS = ("pulumi-python:dynamic/rollout:", "pulumi-python:dynamic/rotation:")
"""The types of the steps that move a service or retire its users: their errors say what runs now."""

_RAISED = re.compile(r"^.*?\b(?:\w+\.)+[A-Z]\w*: ")
"""What stands before the message of a dynamic provider's exception: the engine's words, and Python's name of it."""


class Recorder:
    """The story of one run. `report` receives each progress; `secrets` are masked besides what redaction knows."""

    def __init__(
        self, report: Callable[[Progress], None], *, preview: bool, secrets: Sequence[str] = ()
    ) -> None:
        self.errors: list[str] = []
        self.ends: list[str] = []  # the errors of a rollout's or a retirement's own steps
        self.policies: list[Finding] = []
        self._report = report
        self._preview = preview
        self._secrets = tuple(secrets)
        self._planned: dict[tuple[str, str], tuple[Step, float]] = {}
        self._done: list[Step] = []

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps taken, in the order of their ends; of a preview, those that would be, by type and name."""
        if self._preview:
            planned = (step for step, _ in self._planned.values())
            return tuple(sorted(planned, key=lambda step: (step.type, step.name)))
        return tuple(self._done)

    def begun(self, operation: str, kind: str, urn: str, changes: Sequence[Change] = ()) -> None:
        """A step is about to be taken, or would be."""
        if not _reported(operation, kind):
            return
        step = Step(_OPERATIONS.get(operation, operation), kind, name_of(urn), tuple(changes))
        self._planned[step.operation, urn] = step, time.monotonic()
        self._report(Progress(Moment.BEGUN, step))

    def ended(self, operation: str, kind: str, urn: str, *, ok: bool) -> None:
        """A step has been taken, or has failed."""
        if self._preview or not _reported(operation, kind):
            return
        operation = _OPERATIONS.get(operation, operation)
        planned, began = self._planned.get((operation, urn), (None, None))
        step = Step(
            operation=operation,
            type=kind,
            name=name_of(urn),
            changes=planned.changes if planned else (),
            seconds=None if began is None else time.monotonic() - began,
            failed=not ok,
        )
        self._done.append(step)
        self._report(Progress(Moment.DONE if ok else Moment.FAILED, step))

    def said(self, severity: str, message: str, urn: str = "", *, passing: bool = False) -> None:
        """The program, a provider or the engine said something; what is passing is soon overtaken."""
        text = self._clean(message)
        if severity == "error":
            self.failed(text, type_of(urn))
        elif text and severity in {"info", "warning"}:
            step = Step("same", type_of(urn), name_of(urn)) if urn else None
            self._report(Progress(Moment.PASSING if passing else Moment.SAID, step, text))

    def judged(self, policy: str, level: str, urn: str, message: str, severity: str = "") -> None:
        """Keep a finding of a policy pack once; it is reported after the run."""
        found = said_by_pack(policy, level, name_of(urn), self._clean(message), severity=severity)
        if found not in self.policies:
            self.policies.append(found)

    def failed(self, error: str, kind: str = "") -> None:
        """The run has an error, of a resource of that type; each is kept once."""
        own = kind.startswith(_OWN_STEPS)
        text = _RAISED.sub("", self._clean(error)) if own else self._clean(error)
        kept = self.ends if own else self.errors
        if text and text not in kept:
            kept.append(text)

    def _clean(self, text: str) -> str:
        return redact(text, self._secrets).strip()


def name_of(urn: str) -> str:
    """The resource's name: the last part of its URN."""
    return urn.split("::", 3)[3] if urn.count("::") >= 3 else urn


def type_of(urn: str) -> str:
    """The resource's type, from its URN; empty when that is none."""
    return urn.split("::")[2].rpartition("$")[2] if urn.count("::") >= 3 else ""


def _reported(operation: str, kind: str) -> bool:
    """Whether a step concerns a cloud resource and no other step reports it; a refresh's reads do not count."""
    return (
        operation not in _HALVES
        and operation != "refresh"
        and not kind.startswith(("pulumi:", "atlas-access:"))
    )
