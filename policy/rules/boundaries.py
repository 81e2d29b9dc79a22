"""Between environments, and between what a stack declares and what stays as it is."""

import re
from collections.abc import Mapping, Sequence

from policy.atlas import user_view
from policy.law import Environment
from policy.model import rule
from policy.parts import parts
from policy.report import Report, printable
from policy.resources import ATLAS_PROJECT, CUSTOM_DB_ROLE, DATABASE_USER, STACK_REFERENCE, Resource
from policy.run import Run
from policy.values import UNKNOWN, Marker, markers

_ALLOWED = frozenset({DATABASE_USER, CUSTOM_DB_ROLE})
_ATLAS = re.compile(r"mongodb-?_?atlas|atlas\.mongodb\.com|mongodb::atlas|atlasdatabaseuser", re.IGNORECASE)
_PROJECT_ID = re.compile(r"(?:projectId|groupId|projectAssignments)$")
_CHANGES = "changes our Atlas project, of which stacks declare users and custom roles alone."
_SECRET_VALUES = frozenset({"password", "passwordWo", "secretString", "secretStringWo"})
_PLAUSIBLE = re.compile(r"[0-9a-f]{12}|/")
_ASSUMED = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/")
_HOST = re.compile(r"https?://([^/:\s\"']+|\[[^\]]*\])")
_OWN_HOST = re.compile(
    r"127(?:\.\d+){3}|localhost|\[::1\]|(?:.+\.)?(?:amazonaws\.com(?:\.cn)?|mongodb\.com|mongodbgov\.com)"
)
_PROVIDERS = tuple(f"pulumi:providers:{each}" for each in ("aws", "aws-native", "mongodbatlas"))
_SIGNS_IN = ("profile", "accessKey")
_ENVELOPES = re.compile(r"[^A-Za-z0-9]")


def _names_atlas(resource: Resource) -> bool:
    """Whether a resource of another package manages Atlas: an operator, a template, a dynamic provider, a command."""
    return _ATLAS.search(resource.type) is not None or any(_ATLAS.search(text) for _, text in resource.texts)


@rule("no-cluster-or-project-changes")
def check_cluster(resource: Resource, run: Run, report: Report) -> None:
    """Of Atlas, a stack declares users and custom roles, and nothing else of our projects by any package."""
    if resource.type in _ALLOWED or resource.type.startswith(("pulumi:", "atlas-access:", "pulumi-python:")):
        return
    texts = [text for _, text in resource.texts]
    clusters = {home.cluster for home in run.law.environments}
    ours = any(project in text for project in run.law.projects for text in texts)
    ours |= _ATLAS.search(resource.type) is not None and not clusters.isdisjoint(texts)
    if resource.type.startswith("mongodbatlas:") and resource.type != ATLAS_PROJECT:
        places = [path for path, _ in (*resource.texts, *markers(dict(resource.props)))]
        ours |= not any(map(_PROJECT_ID.search, places))
    if (ours or resource.in_our_component) and _names_atlas(resource):
        report.finding(_CHANGES)


@rule("no-cluster-or-project-changes", whole_stack=True)
def check_projects(resources: Sequence[Resource], run: Run, report: Report) -> None:
    """A project whose id turns out to be ours was imported or looked up; an id that only creation gives is another's.

    The ids of what is ours by other properties are judged when it is registered.
    """
    by_urn = {resource.urn: resource for resource in resources}
    pairs = [pair for resource in resources for pair in resource.read(parts)]
    for about, piece in pairs:
        if not _ATLAS.search(piece.type) or run.atlas_ours(piece):
            continue
        report.on(about)
        if piece.type == ATLAS_PROJECT and piece.props.get("id") in run.law.projects:
            report.finding(_CHANGES)
        for path, marker in markers(dict(piece.props)):
            top = re.split(r"[.\[]", path)[0] if piece is about else "parameters"
            sources = piece.depends_by_property.get(top, ()) if marker is UNKNOWN else ()
            if _PROJECT_ID.search(path) and not _new(sources, by_urn, run):
                report.not_evaluated(path, marker)


def _new(urns: Sequence[str], by_urn: Mapping[str, Resource], run: Run) -> bool:
    """Whether these can only be projects that this program creates, or what it declares in them: nothing of ours."""
    found = [by_urn[urn] for urn in urns if urn in by_urn]
    return 0 < len(found) == len(urns) and all(
        not any(isinstance(each.props.get(key), str) for key in ("id", "created"))
        if each.urn in run.history.projects
        else each.props.get("projectId") is UNKNOWN
        and _new(each.depends_by_property.get("projectId", ()), by_urn, run)
        for each in found
    )


def _trespass(text: str, other: Environment) -> str:
    if other.project in text:
        return f"names the Atlas project of {other.name}."
    if re.search(rf"(?<![0-9A-Za-z]){other.account}(?![0-9A-Za-z])", text):
        return f"names the AWS account of {other.name}."
    if f":secret:{other.secret_prefix}" in text:
        return f"names a secret of {other.name}."
    return ""


_OBSERVES = re.compile(
    r"aws:(?:cloudwatch|sns|sqs|budgets|cfg|cloudtrail|resourcegroups|route53|ec2|networkmanager|ram|organizations|"
    r"servicecatalog|s3|ecr|cloudfront|acm|wafv2)/"
)


@rule("project-isolation")
def check_isolation(resource: Resource, run: Run, report: Report) -> None:
    """No text names what another environment owns, and users and roles are in this environment's project.

    An unknown stack owns nothing, so every environment is another one to it.
    """
    observes = _OBSERVES.match(resource.type) and not resource.in_our_component
    if observes or resource.type.startswith((STACK_REFERENCE, "pulumi-python:dynamic/rollout:")):
        return
    for path, text in resource.texts:
        if path in _SECRET_VALUES or _PLAUSIBLE.search(text) is None:
            continue
        for other in run.others:
            problem = _trespass(text, other)
            if problem:
                report.finding(f"{printable(path)}: {problem}")
            named = path == "name" and resource.type.startswith("aws:secretsmanager/")
            if named and text.startswith(other.secret_prefix):
                report.finding(f"name: begins with the secret prefix of {other.name}.")
    if resource.type in _ALLOWED:
        _check_project(resource, run, report)


def _check_project(resource: Resource, run: Run, report: Report) -> None:
    project = resource.props.get("projectId")
    ours = run.home is not None and run.atlas_ours(resource)
    if ours and not report.hides(project, "projectId") and project not in (None, *run.law.projects):
        report.finding(f"projectId: is not the Atlas project of {run.stack}.")
    if resource.type == DATABASE_USER:
        scopes = resource.read(user_view).scopes
        for other in run.others:
            if not isinstance(scopes, Marker) and any(name == other.cluster for name, _ in scopes):
                report.finding(f"scopes: names the cluster of {other.name}.")


@rule("accounts-by-law", *_PROVIDERS, STACK_REFERENCE)
def check_providers(resource: Resource, run: Run, report: Report) -> None:
    """A provider acts in this environment's account; another stack's outputs come the allowed way only."""
    home = run.home
    if resource.type == STACK_REFERENCE:
        _check_reference(resource, run, report)
        return
    for path, text in resource.texts:
        if any(not _OWN_HOST.fullmatch(host) for host in _HOST.findall(text)):
            report.finding(f"{printable(path)}: sends credentials to a host that is not the vendor's.")
    if home is None or not resource.type.startswith("pulumi:providers:aws"):
        return
    for path, marker in markers({key: resource.props.get(key) for key in (*_SIGNS_IN, "allowedAccountIds")}):
        report.not_evaluated(path, marker)
    allowed = _ENVELOPES.sub("", str(resource.props.get("allowedAccountIds") or ""))
    for key in _SIGNS_IN:
        if isinstance(resource.props.get(key), str) and allowed != home.account:
            report.finding(f"{key}: without allowedAccountIds of {home.account} it is any account's.")
    for path, text in resource.texts:
        accounts = set(_ASSUMED.findall(text)) - {home.account} - {other.account for other in run.others}
        if accounts:
            report.finding(f"{printable(path)}: assumes a role of another account than {home.account}.")


def _check_reference(resource: Resource, run: Run, report: Report) -> None:
    name = resource.props.get("name")
    if report.hides(name, "name"):
        return
    given = name if isinstance(name, str) else resource.name
    project, _, stack = given.rpartition("/")
    source = run.law.environment(stack)
    if source is None or (project and project.rpartition("/")[2] != resource.project):
        return
    if not any(run.stack in receivers for _, receivers in source.outputs.values()):
        report.finding(f"name: {run.stack} may not read the outputs of {source.name}; the law hands it none.")
