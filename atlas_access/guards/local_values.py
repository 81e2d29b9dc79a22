"""Guard *local-file*: a developer's env file binds each variable to the user that the manifest names.

Pure. With the credential of the wrong user in a local variable, every result is misleading. Of a
value only its user's name appears in a finding, when that is one of the manifest's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from atlas_access.base import ConnectionInvalid, ConnectionString, Entry, Finding, LocalText, Secret, Status
from atlas_access.guards.finding import Guard, Report, noted, report, wrong
from atlas_access.guards.stored_values import database_users, host_problem, problems, wanted_of
from atlas_access.manifest import LOCAL, Binding, Manifest

_SCHEMES = ("mongodb://", "mongodb+srv://")
OTHERS = 0o077
"""The permissions of everybody but the owner."""


@dataclass(frozen=True)
class LocalFacts:
    """What is known beside the text: the file's name, its permissions, whether git ignores it (None: no repository).

    `cluster` is the Atlas cluster that local variables lead to, "" when it is not known; `loopback` says that it is
    the sandbox's, which has no name. `current` are the values that Secrets Manager holds now, by variable, where asked.
    """

    path: str
    mode: int
    ignored: bool | None
    cluster: str
    loopback: bool = False
    current: Mapping[str, Secret] | None = None


def check(manifest: Manifest, local: LocalText, facts: LocalFacts) -> Report:
    """Judge a file: what is missing, deprecated, set twice, bound to the wrong user, or open to others."""
    bindings = manifest.bindings_for(LOCAL)
    remedy = _remedy(bindings, facts)
    findings = [*_around(facts)]
    for binding in bindings:
        entries = local.of(binding.variable)
        if not entries:
            what = f"{binding.variable} is missing; it is {binding.user}'s"
            findings.append(wrong(facts.path, 0, what, remedy))
            continue
        for entry in entries[:-1]:
            what = f"{binding.variable} is set again in line {entries[-1].line}, which is what counts"
            findings.append(wrong(facts.path, entry.line, what, remedy))
        findings += _judge(manifest, binding, entries[-1], facts)
    findings += _others(manifest, local, facts.path, {each.variable for each in bindings}, remedy)
    unjudged = [each for each in findings if each.status is Status.UNKNOWN]
    return report(Guard.LOCAL_FILE, 1, [each for each in findings if each not in unjudged], unjudged)


def value_problems(manifest: Manifest, binding: Binding, value: str, cluster: str) -> Iterator[str]:
    """What is wrong with one value, its host included where the name shows it."""
    wanted = wanted_of(manifest, binding)
    try:
        parsed = ConnectionString.parse(value)
    except ConnectionInvalid as error:
        yield f"is no connection string: {error}"
        return
    yield from (what for what, _ in problems(wanted, parsed, database_users(manifest)))
    host = host_problem(wanted, parsed, None, cluster) if cluster else None
    if host:
        yield host


def _judge(manifest: Manifest, binding: Binding, entry: Entry, facts: LocalFacts) -> Iterator[Finding]:
    remedy, value = _remedy((binding,), facts), entry.value.reveal()
    found = list(value_problems(manifest, binding, value, facts.cluster)) if value else ["is empty"]
    if not found and facts.current is not None and facts.current[binding.variable] != entry.value:
        found = [f"is not what {binding.secret_name} holds now"]
    yield from (wrong(facts.path, entry.line, f"{binding.variable} {what}", remedy) for what in found)
    if found or facts.current is not None:
        return
    hosts = ConnectionString.parse(value).hosts
    loopback = facts.loopback and all(host.startswith("127.") for host in hosts)
    problem = host_problem(wanted_of(manifest, binding), ConnectionString.parse(value), None, facts.cluster)
    if not loopback and (problem is None or not facts.cluster):
        what = f"{binding.variable}: whose cluster its host is does not follow from its name; name the stack to compare"
        yield noted(facts.path, entry.line, what, blocks=True)


def _others(
    manifest: Manifest, local: LocalText, path: str, ours: set[str], remedy: str
) -> Iterator[Finding]:
    deprecated = {entry.name: entry.successor for entry in manifest.deprecated_variables}
    elsewhere = {binding.variable: binding.consumer for binding in manifest.bindings}
    for entry in local.entries:
        name = entry.name
        if not name or name in ours:
            continue
        if name in deprecated:
            yield wrong(path, entry.line, f"{name} is deprecated; {deprecated[name]} succeeds it", remedy)
        elif name in elsewhere:
            what = f"{name} belongs to the {elsewhere[name].value.replace('_', ' ')}, not on a developer's machine"
            yield wrong(path, entry.line, what, "Remove the line.")
        elif entry.value.reveal().lower().startswith(_SCHEMES):
            what = f"{name} holds a MongoDB connection string, and access.yaml knows no such variable"
            yield wrong(path, entry.line, what, "Remove the line, or declare the variable.")


def _around(facts: LocalFacts) -> Iterator[Finding]:
    if facts.mode & OTHERS:
        yield wrong(facts.path, 0, f"others may read it (mode {facts.mode:04o})", f"chmod 600 {facts.path}")
    if facts.ignored is False:
        remedy = "Add it to .gitignore; git rm --cached if tracked."
        yield wrong(facts.path, 0, "git does not ignore it", remedy)


def _remedy(bindings: tuple[Binding, ...], facts: LocalFacts) -> str:
    stack = bindings[0].cluster if bindings else "STACK"
    return f"atlas-access env {stack} --write {facts.path}"
