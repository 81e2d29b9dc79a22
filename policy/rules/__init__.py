"""The rules, by what they are about. A rule decides what is never allowed; it changes, looks up and prints nothing."""

from __future__ import annotations

from typing import Final

from policy.model import Rule, rules_of
from policy.rules import (
    boundaries,
    forms,
    phases,
    proof,
    readers,
    roles,
    secret,
    services,
    tasks,
    texts,
    users,
)

RULES: Final[tuple[Rule, ...]] = rules_of(
    *(boundaries, forms, phases, proof, readers, roles, secret, services, tasks, texts, users)
)
