"""The runbook's twelve probes, six positive and six negative, as a named set for today's users and for the legacy ones.

Written by hand from the provisioning runbook and ADR 0006, apart from the derived table: a second opinion. Its
probes are a selection and no substitute for the complete proof.
"""

from __future__ import annotations

from dataclasses import dataclass

from atlas_access.proof.verdict import Outcome

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


def _tries(user: str, *probes: str) -> tuple[Probe, ...]:
    """One user's probes, each written as `yes FIND plans` or `no INSERT plans`."""
    outcomes = {"yes": Outcome.ALLOWED, "no": Outcome.DENIED}
    parts = (probe.split() for probe in probes)
    return tuple(
        Probe(user, action, collection, outcomes[expected]) for expected, action, collection in parts
    )


_LOG = "agent_audit_log"
MANAGED = ProbeSet(
    (
        *_tries("app_read", "yes FIND plans", "no INSERT plans", f"no REMOVE {_LOG}"),
        *_tries("app_write", "yes INSERT agent_survey_responses", "yes UPDATE plans"),
        *_tries(
            *(
                "app_audit_writer",
                f"yes FIND {_LOG}",
                f"yes INSERT {_LOG}",
                f"no UPDATE {_LOG}",
                f"no REMOVE {_LOG}",
            )
        ),
        *_tries(
            *(
                "app_admin_schema",
                "yes CREATE_INDEX agent_survey_responses",
                "no INSERT agent_survey_responses",
            ),
            f"no FIND {_LOG}",
        ),
    ),
    "app_audit_writer",
)
"""The four users of ADR 0006, on either cluster."""

LEGACY = {
    "staging": ProbeSet(
        (
            *_tries("app_read_staging", "yes FIND plans", "no INSERT plans"),
            *_tries("app_writer_survey", "yes INSERT agent_survey_responses", "no FIND plans"),
            *_tries("app_writer_plans", "yes UPDATE plans", "no INSERT agent_survey_responses"),
            *_tries("app_writer_agents", f"yes INSERT {_LOG}", f"no UPDATE {_LOG}"),
            *_tries("app_admin_agents", "yes FIND admins", f"no REMOVE {_LOG}"),
            *_tries("audit_reader", f"yes FIND {_LOG}", f"no INSERT {_LOG}"),
        ),
        "app_writer_agents",
    ),
    "prod": ProbeSet(
        (
            *_tries("app-read", "yes FIND plans", f"yes FIND {_LOG}", "no INSERT plans", f"no UPDATE {_LOG}"),
            *_tries("app-write", "yes FIND plans", "yes INSERT agent_survey_responses", "yes UPDATE plans"),
            *_tries("app-write", "no COLL_MOD plans", "no VALIDATE plans"),
            *_tries(
                *(
                    "app_writer_hubspot_sync",
                    "yes INSERT hubspot_sync_log",
                    "no FIND plans",
                    f"no REMOVE {_LOG}",
                )
            ),
        ),
        "app-write",
    ),
}
"""The runbook's six users on staging, one positive and one negative probe each; on prod the three that are known."""


def probe_set(environment: str, *, legacy: bool) -> ProbeSet | None:
    """The set for an environment's cluster, None where nothing is written down for its legacy users."""
    return LEGACY.get(environment) if legacy else MANAGED
