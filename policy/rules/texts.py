"""Rule no-plaintext-uri: no connection string and no password of ours but where it belongs."""

import re
from collections.abc import Iterable, Sequence

from policy.credentials import Kind, leaks
from policy.model import rule
from policy.report import Report, printable
from policy.resources import (
    DATABASE_USER,
    DYNAMIC,
    OUR_COMPONENTS,
    RANDOM_PASSWORD,
    SECRET_VERSION,
    STACK,
    STACK_REFERENCE,
    Resource,
)
from policy.run import Run
from policy.values import UNKNOWN, markers

_BELONGS = {
    SECRET_VERSION: frozenset({"secretString", "secretStringWo"}),
    DATABASE_USER: frozenset({"password", "passwordWo"}),
    RANDOM_PASSWORD: frozenset({"result", "bcryptHash"}),
}
_CREDENTIALS = frozenset({SECRET_VERSION, DATABASE_USER, RANDOM_PASSWORD})
_ENGINE = ("pulumi:", OUR_COMPONENTS, DYNAMIC)


def _handed_on(resource: Resource, run: Run) -> frozenset[str]:
    """Paths at which a credential crosses stacks by the law."""
    if resource.type == STACK and run.home is not None:
        return frozenset(run.home.outputs)
    if resource.type == STACK_REFERENCE:
        return frozenset(
            f"outputs.{name}"
            for other in run.others
            for name, (_, receivers) in other.outputs.items()
            if run.stack in receivers
        )
    return frozenset()


def _belongs(path: str, kind: Kind, resource: Resource, run: Run) -> bool:
    """Whether a credential is where it may be; another team's secret may hold its own, not a password of ours."""
    if path not in _BELONGS.get(resource.type, ()):
        return False
    if resource.type != SECRET_VERSION or kind is not Kind.PASSWORD:
        return True
    secret = resource.props.get("secretId")
    return not isinstance(secret, str) or run.secret_ours(secret)


@rule("no-plaintext-uri")
def check(resource: Resource, run: Run, report: Report) -> None:
    """No input of any resource holds one; names and keys are searched too."""
    handed = _handed_on(resource, run)
    places: dict[str, list[Kind]] = {}
    for path, kind in leaks(resource.props, run.history.passwords):
        if path in handed:
            _check_handed(path, resource, run, report)
        elif not _belongs(path, kind, resource, run):
            places.setdefault("a key" if path.endswith("<key>") else path, []).append(kind)
    for path, kinds in sorted(places.items()):
        report.finding(f"{printable(path)}: holds {' and '.join(dict.fromkeys(kinds))}.")


def _check_handed(path: str, resource: Resource, run: Run, report: Report) -> None:
    name = path.removeprefix("outputs.")
    source = run.home if resource.type == STACK else next(each for each in run.others if name in each.outputs)
    user, second = (source.outputs[name][0], source.second_name) if source is not None else ("", "")
    text = next((text for place, text in resource.texts if place == path), "")
    if run.exported and resource.type == STACK:
        report.finding(f"{printable(path)}: may be handed on as a secret only, and is in plain text.")
    elif not re.match(rf"mongodb(?:\+srv)?://{re.escape(user)}({re.escape(second)})?:", text, re.IGNORECASE):
        report.finding(f"{printable(path)}: hands on another credential than the law's, which is {user}'s.")


@rule("no-plaintext-uri", whole_stack=True)
def check_stack(resources: Sequence[Resource], run: Run, report: Report) -> None:
    """No output holds one, the stack's own included, and what could hold one and is not known is named."""
    sources = {each.urn for each in resources if each.type in _CREDENTIALS}
    for resource in resources:
        report.on(resource)
        check(resource, run, report)
        if resource.type not in _CREDENTIALS and not resource.type.startswith(_ENGINE):
            _report_unknown(resource, sources, report)


def _report_unknown(resource: Resource, sources: Iterable[str], report: Report) -> None:
    for name, urns in resource.depends_by_property.items():
        unknown = any(marker is UNKNOWN for _, marker in markers({name: resource.props.get(name)}))
        if unknown and not set(sources).isdisjoint(urns):
            report.not_evaluated(name, UNKNOWN)
