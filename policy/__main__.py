"""Builds the pack and serves it to the engine that started it. Tests never import this module."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pulumi_policy import EnforcementLevel, PolicyPack

import policy
from policy.law_file import LawInvalid, load_law
from policy.pack import PACK_NAME, policies

HERE = Path(__file__).resolve().parent
if Path(policy.__file__ or "").resolve().parent != HERE:
    sys.exit(f"the policy pack at {HERE} was asked for, but another one was imported: {policy.__file__}")
try:
    law = load_law(environment=os.environ)
except LawInvalid as error:
    sys.exit(str(error))

PolicyPack(
    name=PACK_NAME,
    description="What may never be: ADR 0001, ADR 0002 and ADR 0006",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=policies(law),
)
