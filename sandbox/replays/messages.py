"""Reads from a deployment's messages what stopped it; an unrecognized failure keeps its own text. Pure."""

import re
from collections.abc import Iterator

from atlas_access.base import ManifestError, Status
from atlas_access.review import Deployment
from sandbox.replays.model import Catch, Catcher, Caught, Undone

_GATE = re.compile(r"ROLLED BACK\s+\w+: (?P<said>gate (?P<gate>\d)\b.*)")
_AFTER = re.compile(
    r"(?P<swap>\d+) s after the swap(?:, (?P<bad>\d+) s after the first bad answer)?"
    r"(?:.*failed meanwhile on the balanced address: (?P<failed>\d+))?"
)
_PROOF = re.compile(r"(?P<verdict>REFUTED|INCONCLUSIVE)\s+(?P<user>\S+) on ")
_REASONS = (
    (re.compile(r"may not decrypt|KMS|kms:Decrypt"), "execution role cannot decrypt"),
    (re.compile(r"was not proven"), "unproven version"),
    (re.compile(r"Terraform"), "ownership"),
    (re.compile(r"^gate (\d)"), "gate before any change"),
)


def caught_by(done: Deployment) -> tuple[Caught, ...]:
    """Everything that stopped a deployment; empty when nothing did."""
    found = tuple(_violations(done))
    if found or not done.failure:
        return found
    lines = [line.strip() for line in done.failure.splitlines()]
    found = _rolled_back(lines, done.seconds) or tuple(_not_started(lines, done.seconds))
    return (
        found or tuple(_unproven(done)) or (Caught(Catch(Catcher.OTHER, lines[0]), lines[0], done.seconds),)
    )


def refused_by_manifest(errors: tuple[ManifestError, ...], seconds: float) -> Caught:
    """The manifest's refusal, named by its first error about a binding, else by its first."""
    bindings = [each for each in errors if each.where.startswith("bindings.")]
    first = (bindings or list(errors))[0]
    return Caught(Catch(Catcher.MANIFEST, first.where), f"{first.where}: {first.problem}", seconds)


def name_of_reason(reason: str) -> str:
    """What a reason of the pre-flight is about, in few words; the reason itself when it is of no known kind."""
    proof = _PROOF.match(reason)
    if proof:
        return f"{proof['user']} {proof['verdict'].lower()}"
    return next((name for pattern, name in _REASONS if pattern.search(reason)), reason)


def _violations(done: Deployment) -> Iterator[Caught]:
    broken = [each for each in done.policies if each.status is Status.BAD]
    for rule in dict.fromkeys(each.code for each in broken):
        said = next(each.message for each in broken if each.code == rule)
        yield Caught(Catch(Catcher.POLICY, rule), said, done.seconds)


def _rolled_back(lines: list[str], seconds: float) -> tuple[Caught, ...]:
    found = next((match for line in lines if (match := _GATE.search(line))), None)
    if found is None:
        return ()
    after = next((match for line in lines if (match := _AFTER.search(line))), None)
    undone = _undone(after) if after else None
    return (Caught(Catch(Catcher.GATE, f"gate {found['gate']}"), found["said"], seconds, undone),)


def _undone(match: re.Match[str]) -> Undone:
    bad, failed = match["bad"], match["failed"]
    return Undone(
        float(match["swap"]), None if bad is None else float(bad), None if failed is None else int(failed)
    )


def _not_started(lines: list[str], seconds: float) -> Iterator[Caught]:
    head = next((number for number, line in enumerate(lines) if "NOT STARTED" in line), None)
    if head is None:
        return
    named = set[str]()
    for reason in lines[head + 1 :]:
        name = name_of_reason(reason)
        if name not in named:
            named.add(name)
            yield Caught(Catch(Catcher.PREFLIGHT, name), reason, seconds)


def _unproven(done: Deployment) -> Iterator[Caught]:
    for verdict, user in dict.fromkeys(
        (each.verdict, each.user) for each in done.proofs if each.verdict != "proven"
    ):
        said = next(each.reason for each in done.proofs if (each.verdict, each.user) == (verdict, user))
        yield Caught(Catch(Catcher.PROOF, f"{user} {verdict}"), said, done.seconds)
