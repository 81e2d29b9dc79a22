"""The pack's configuration and the manifest say the same, although neither reads the other."""

import json
import re
from pathlib import Path

import pytest
import yaml

from atlas_access.manifest.load import load_manifest
from policy import adr

ROOT = Path(__file__).parents[2]
MANIFEST = load_manifest((ROOT / "access.yaml").read_text(encoding="utf-8"))
CONFIG = json.loads((ROOT / "policy" / "policy-config.json").read_text(encoding="utf-8"))
STACKS = sorted(CONFIG["stacks"])


def test_both_record_the_same_waivers():
    declared = [(each.id, each.user, each.adr, sorted(each.permits)) for each in MANIFEST.waivers]
    configured = [
        (each["id"], each["user"], each["decision"], sorted(each["permits"])) for each in CONFIG["waivers"]
    ]

    assert declared == configured


def test_both_know_the_same_environments():
    assert sorted(MANIFEST.environments) == STACKS


def test_both_know_the_same_deprecated_variables():
    assert adr.DEPRECATED_VARIABLES == {each.name: each.successor for each in MANIFEST.deprecated_variables}


@pytest.mark.parametrize("stack", STACKS)
def test_both_know_the_same_legacy_users_and_secrets(stack):
    users = {each.name for each in MANIFEST.legacy_on(stack)}
    secrets = {each.name for user in MANIFEST.legacy for each in user.secrets if each.environment == stack}
    facts = CONFIG["stacks"][stack]

    assert (users, secrets) == (set(facts["legacyUsers"]), set(facts["legacySecrets"]))


@pytest.mark.parametrize("stack", STACKS)
def test_the_stacks_own_settings_are_the_configurations(stack):
    settings = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))["config"]
    facts = CONFIG["stacks"][stack]
    keys = {"atlasProjectId": "projectId", "atlasCluster": "cluster", "awsAccountId": "account"}
    keys |= {name: name for name in ("kmsAlias", "schemaFamily")}

    assert {mine: facts[mine] for mine in keys.values()} == {
        mine: settings[f"atlas-access:{theirs}"] for theirs, mine in keys.items()
    }


def test_every_user_of_the_manifest_keeps_the_rules_of_its_secret_name():
    assert all(re.fullmatch(r"\{env\}/mongodb/.+", user.secret) for user in MANIFEST.users)
