"""Rule no-cluster-or-project-changes: of Atlas, a stack declares users and custom roles and nothing else."""

from policy.model import Framework, Rule, Severity
from policy.report import Report
from policy.resources import CUSTOM_DB_ROLE, DATABASE_USER, Resource
from policy.run import Run

_ALLOWED = frozenset({DATABASE_USER, CUSTOM_DB_ROLE})


def check(resource: Resource, run: Run, report: Report) -> None:
    """No Atlas resource but users and custom roles; a type that is new tomorrow is refused too."""
    if resource.type.startswith("mongodbatlas:") and resource.type not in _ALLOWED:
        report.finding(
            "stacks declare Atlas users and custom roles only; clusters, projects, networks stay as they are."
        )


RULE = Rule(
    name="no-cluster-or-project-changes",
    description="No Atlas cluster, project, network, backup or organization resource in any stack (ENG-279 rule 7)",
    why="The BAA enumerates both clusters; changing one or its network is outside this migration's mandate.",
    source="ENG-279 rule 7",
    severity=Severity.CRITICAL,
    frameworks=(Framework.SOC2_BOUNDARIES, Framework.CMS_SEPARATION),
    remediation="Remove the resource from the program; look clusters up with get_advanced_cluster.",
    offending='mongodbatlas.ProjectIpAccessList("office", project_id=project_id, cidr_block="0.0.0.0/0")',
    compliant="mongodbatlas.get_advanced_cluster_output(project_id=project_id, name=cluster)",
    check=check,
)
