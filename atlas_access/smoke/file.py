"""The text of `smoke.yaml` as a record, or every mistake it has, each with its line and the remedy.

Pure; what could be a secret is not repeated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from atlas_access.base import ManifestInvalid, Path, read_yaml, shown, suggestion
from atlas_access.manifest import Mistake, check_shape, report
from atlas_access.smoke.model import RUN_TIME, Smoke, placeholders

_FIXTURES = frozenset(
    {"year", "provider", "drug_1", "drug_2", "rxcui", "plan", "check_year"}
    | {"zip", "state", "income", "people", "ages"}
)


class SmokeInvalid(ManifestInvalid):
    """`smoke.yaml` is refused; `errors` holds every mistake that was found, in the order of the file."""


def load_smoke(text: str | bytes, source: str = "smoke.yaml") -> Smoke:
    """Return the scenarios that text describes. Raises SmokeInvalid with every mistake found."""
    try:
        document = read_yaml(text, source, secrets=True)
    except ManifestInvalid as refused:
        raise SmokeInvalid(refused.errors) from None
    smoke, errors = check_shape(Smoke, document)
    if isinstance(document.data, dict):
        errors += report(document, _senses(document.data))
    if errors or smoke is None:
        raise SmokeInvalid(errors)
    return smoke


def _senses(data: Mapping[str, Any]) -> Iterator[Mistake]:
    """What does not fit together: unknown placeholders and scenarios of one name."""
    scenarios = data.get("calculator")
    names: list[object] = []
    for index, scenario in enumerate(scenarios if isinstance(scenarios, tuple) else ()):
        name = scenario.get("name") if isinstance(scenario, dict) else None
        if name is not None and name in names:
            path: Path = ("calculator", index, "name")
            yield path, f"{shown(name)} names another scenario too", "Give each a name of its own."
        names.append(name)
    yield from _unknown_placeholders(("requests",), data.get("requests"), _FIXTURES | RUN_TIME)
    household = data.get("household")
    people = household.get("people") if isinstance(household, dict) else None
    # A single person's age belongs to the household's own journey: other scenarios have fewer people.
    ages = {f"age_{number}" for number in range(1, len(people) + 1)} if isinstance(people, tuple) else set()
    yield from _unknown_placeholders(("journey",), data.get("journey"), _FIXTURES | RUN_TIME | ages)


def _unknown_placeholders(path: Path, part: Any, known: frozenset[str]) -> Iterator[Mistake]:
    if isinstance(part, Mapping):
        for key, value in part.items():
            yield from _unknown_placeholders((*path, key), value, known)
    elif isinstance(part, list | tuple):
        for index, value in enumerate(part):
            yield from _unknown_placeholders((*path, index), value, known)
    else:
        for name in sorted(placeholders(part) - known):
            hint = suggestion(name, known) or f" Known: {', '.join(sorted(known))}."
            yield path, f"no fixture fills {{{name}}}", f"Name a fixture.{hint}"
