"""The runbook's twelve probes, six positive and six negative, as a named set for today's users and for the legacy ones.

Written by hand from the provisioning runbook and ADR 0006, apart from the derived table: a second opinion. Its
probes are a selection; they must never stand for the complete proof.
"""

from __future__ import annotations

from dataclasses import dataclass

from atlas_access.proof.verdict import Outcome

_YES, _NO = Outcome.ALLOWED, Outcome.DENIED
NAME = "runbook"


@dataclass(frozen=True)
class Probe:
    """One user tries one Atlas action on one collection."""

    user: str
    action: str
    collection: str
    outcome: Outcome


@dataclass(frozen=True)
class ProbeSet:
    """Twelve probes, and the user that writes the row `{_probe: true}` into the audit log when asked to."""

    probes: tuple[Probe, ...]
    row_writer: str

    @property
    def users(self) -> tuple[str, ...]:
        """The users that the probes need, each once."""
        return tuple(dict.fromkeys(probe.user for probe in self.probes))

    def of(self, user: str) -> tuple[Probe, ...]:
        """One user's probes."""
        return tuple(probe for probe in self.probes if probe.user == user)


MANAGED = ProbeSet(
    (
        Probe("app_read", "FIND", "plans", _YES),
        Probe("app_read", "INSERT", "plans", _NO),
        Probe("app_read", "REMOVE", "agent_audit_log", _NO),
        Probe("app_write", "INSERT", "agent_survey_responses", _YES),
        Probe("app_write", "UPDATE", "plans", _YES),
        Probe("app_audit_writer", "FIND", "agent_audit_log", _YES),
        Probe("app_audit_writer", "INSERT", "agent_audit_log", _YES),
        Probe("app_audit_writer", "UPDATE", "agent_audit_log", _NO),
        Probe("app_audit_writer", "REMOVE", "agent_audit_log", _NO),
        Probe("app_admin_schema", "CREATE_INDEX", "agent_survey_responses", _YES),
        Probe("app_admin_schema", "INSERT", "agent_survey_responses", _NO),
        Probe("app_admin_schema", "FIND", "agent_audit_log", _NO),
    ),
    "app_audit_writer",
)
"""The four users of ADR 0006, on either cluster."""

LEGACY = {
    "staging": ProbeSet(
        (
            Probe("app_read_staging", "FIND", "plans", _YES),
            Probe("app_read_staging", "INSERT", "plans", _NO),
            Probe("app_writer_survey", "INSERT", "agent_survey_responses", _YES),
            Probe("app_writer_survey", "FIND", "plans", _NO),
            Probe("app_writer_plans", "UPDATE", "plans", _YES),
            Probe("app_writer_plans", "INSERT", "agent_survey_responses", _NO),
            Probe("app_writer_agents", "INSERT", "agent_audit_log", _YES),
            Probe("app_writer_agents", "UPDATE", "agent_audit_log", _NO),
            Probe("app_admin_agents", "FIND", "admins", _YES),
            Probe("app_admin_agents", "REMOVE", "agent_audit_log", _NO),
            Probe("audit_reader", "FIND", "agent_audit_log", _YES),
            Probe("audit_reader", "INSERT", "agent_audit_log", _NO),
        ),
        "app_writer_agents",
    ),
    "prod": ProbeSet(
        (
            Probe("app-read", "FIND", "plans", _YES),
            Probe("app-read", "FIND", "agent_audit_log", _YES),
            Probe("app-read", "INSERT", "plans", _NO),
            Probe("app-read", "UPDATE", "agent_audit_log", _NO),
            Probe("app-write", "FIND", "plans", _YES),
            Probe("app-write", "INSERT", "agent_survey_responses", _YES),
            Probe("app-write", "UPDATE", "plans", _YES),
            Probe("app-write", "COLL_MOD", "plans", _NO),
            Probe("app-write", "VALIDATE", "plans", _NO),
            Probe("app_writer_hubspot_sync", "INSERT", "hubspot_sync_log", _YES),
            Probe("app_writer_hubspot_sync", "FIND", "plans", _NO),
            Probe("app_writer_hubspot_sync", "REMOVE", "agent_audit_log", _NO),
        ),
        "app-write",
    ),
}
"""The runbook's six users on staging, one positive and one negative probe each; on prod the three that are known."""


def probe_set(environment: str, *, legacy: bool) -> ProbeSet | None:
    """The set for an environment's cluster, None where nothing is written down for its legacy users."""
    return LEGACY.get(environment) if legacy else MANAGED
