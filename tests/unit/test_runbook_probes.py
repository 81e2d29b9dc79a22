"""The runbook's twelve, and small proofs of named actions: what they try, and what they refuse to be asked."""

from pathlib import Path

import pytest

from atlas_access.base.yaml_errors import ManifestInvalid
from atlas_access.manifest.load import load_manifest
from atlas_access.privileges.actions import mongo_actions
from atlas_access.proof.catalogue import operation
from atlas_access.proof.expectations import Place, expectations
from atlas_access.proof.operation import Form
from atlas_access.proof.runbook import ProbeSet, probe_set
from atlas_access.proof.spot import Named, SpotInvalid, rows_for, spot_expectations
from atlas_access.proof.verdict import Outcome

ROOT = Path(__file__).parents[2]
MANIFEST = load_manifest((ROOT / "access.yaml").read_text(encoding="utf-8"))
RUNBOOK = (ROOT / "runbook.yaml").read_text(encoding="utf-8")
PLANS = Place("askflorence", "plans")


def named(environment: str = "", *, legacy: bool = False) -> ProbeSet:
    found = probe_set(RUNBOOK, environment, legacy=legacy)
    assert found is not None
    return found


SETS = [named(), named("staging", legacy=True), named("prod", legacy=True)]


@pytest.mark.parametrize("probes", SETS, ids=["today's", "staging's legacy", "prod's legacy"])
def test_a_set_is_six_positive_and_six_negative_probes(probes: ProbeSet) -> None:
    outcomes = [probe.outcome for probe in probes.probes]
    counted = (outcomes.count(Outcome.ALLOWED), outcomes.count(Outcome.DENIED), len(set(probes.probes)))
    assert (6, 6, 12) == counted
    assert probes.row_writer in probes.users


@pytest.mark.parametrize("environment", MANIFEST.environments)
def test_the_hand_written_twelve_agree_with_the_derived_table(environment: str) -> None:
    """Two independent derivations of the same rule."""
    for probe in named().probes:
        table = expectations(MANIFEST, probe.user, environment).table
        place = Place("askflorence", probe.collection)
        tried = {row.name for row in rows_for(probe.action)}
        cells = {cell.outcome for cell in table if cell.operation in tried and cell.place == place}
        assert {probe.outcome} == cells, probe


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_the_legacy_twelve_name_users_and_grants_of_the_estate(environment: str) -> None:
    known = {user.name for user in MANIFEST.legacy_on(environment)}
    assert set(named(environment, legacy=True).users) <= known


def test_an_environment_without_known_legacy_users_has_no_set() -> None:
    assert probe_set(RUNBOOK, "elsewhere", legacy=True) is None


def test_a_probe_that_cannot_be_read_is_named_with_its_line() -> None:
    with pytest.raises(ManifestInvalid, match=r"runbook.yaml:10 .* is no probe"):
        probe_set(
            RUNBOOK.replace("yes FIND plans, no INSERT plans, no REM", "perhaps FIND plans, no REM", 1),
            "",
            legacy=False,
        )


@pytest.mark.parametrize("action", ["FIND", "INSERT", "UPDATE", "REMOVE"])
def test_each_way_to_an_action_needs_that_action_alone(action: str) -> None:
    needs = {need.action for row in rows_for(action) for need in row.needs}
    assert set(mongo_actions(action)) == needs
    assert all(row.form is not Form.EQUALITY for row in rows_for(action))


def test_an_action_without_a_harmless_form_is_decided_by_the_servers_list() -> None:
    assert {Form.EQUALITY} == {row.form for row in rows_for("COMPACT")}


def test_mongodbs_own_name_means_the_same() -> None:
    assert rows_for("UPDATE") == rows_for("update")


def test_a_small_proof_tries_what_is_named_and_declares_no_role() -> None:
    expected = spot_expectations("u", "here", [Named("INSERT", PLANS, Outcome.DENIED, first=True)], ())
    assert ([("insert in a transaction", PLANS)], ()) == (
        [(cell.operation, cell.place) for cell in expected.table],
        expected.roles,
    )
    assert Form.ABORTED_TRANSACTION is operation(expected.table[0].operation).form


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ([], "nothing is to be proven"),
        ([Named("FINDD", PLANS, Outcome.ALLOWED)], "Did you mean FIND"),
        ([Named("zzz", PLANS, Outcome.ALLOWED)], "Write it as Atlas does"),
        ([Named("SQL_GET_SCHEMA", PLANS, Outcome.ALLOWED)], "has no attempt of its own"),
        (
            [Named("FIND", PLANS, Outcome.ALLOWED), Named("find", PLANS, Outcome.DENIED)],
            "allowed and denied: choose one",
        ),
    ],
)
def test_a_small_proof_that_makes_no_sense_is_refused(named: list[Named], says: str) -> None:
    with pytest.raises(SpotInvalid, match=says):
        spot_expectations("u", "here", named, ())
