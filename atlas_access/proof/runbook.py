"""A named set of probes, written by hand in runbook.yaml apart from the derived table: a second opinion.

Its probes are a selection and no substitute for the complete proof.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from atlas_access.base import ManifestInvalid, read_yaml
from atlas_access.manifest import Version, check_shape, form
from atlas_access.proof.verdict import Outcome

NAME = "runbook"
_OUTCOMES = {"yes": Outcome.ALLOWED, "no": Outcome.DENIED}


@dataclass(frozen=True)
class Probe:
    """One user tries one Atlas action on one collection."""

    user: str
    action: str
    collection: str
    outcome: Outcome


@dataclass(frozen=True)
class ProbeSet:
    """Probes, and the user that writes the row `{_probe: true}` into the audit log when asked to."""

    probes: tuple[Probe, ...]
    row_writer: str

    @property
    def users(self) -> tuple[str, ...]:
        """The users that the probes need, each once."""
        return tuple(dict.fromkeys(probe.user for probe in self.probes))

    def of(self, user: str) -> tuple[Probe, ...]:
        """One user's probes."""
        return tuple(probe for probe in self.probes if probe.user == user)


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


_Probe = Annotated[
    str,
    Field(pattern=r"^(yes|no) [A-Z_]+ [A-Za-z_][A-Za-z0-9_.-]*$"),
    form("no probe", "Write it as yes FIND plans, or no INSERT plans."),
]


class _Set(_Entry):
    row_writer: str
    probes: dict[str, tuple[_Probe, ...]]

    def read(self) -> ProbeSet:
        parts = [(user, text.split()) for user, texts in self.probes.items() for text in texts]
        probes = (Probe(user, action, name, _OUTCOMES[expected]) for user, (expected, action, name) in parts)
        return ProbeSet(tuple(probes), self.row_writer)


class _File(_Entry):
    version: Version
    managed: _Set
    legacy: dict[str, _Set] = Field(default_factory=dict)


def probe_set(text: str, environment: str, *, legacy: bool) -> ProbeSet | None:
    """The set for an environment's cluster, None where nothing is written down for its legacy users.

    Raises ManifestInvalid with every mistake of the text.
    """
    read, errors = check_shape(_File, read_yaml(text, "runbook.yaml"))
    if read is None or errors:
        raise ManifestInvalid(errors)
    found = read.legacy.get(environment) if legacy else read.managed
    return None if found is None else found.read()
