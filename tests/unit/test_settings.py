"""Stack settings: all mistakes at once, each at its line, and nothing of another environment."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from atlas_access.base.acknowledged import OLD_NAMES, What
from atlas_access.base.settings import Phase, Settings, SettingsInvalid, check_settings
from components.settings import read_files

ROOT = Path(__file__).parents[2]
FILES = read_files(ROOT)


def errors_of(text: str, *, sandbox: bool = True, stack: str = "staging") -> list[str]:
    with pytest.raises(SettingsInvalid) as caught:
        check_settings(stack, {**FILES, stack: text}, sandbox=sandbox)
    return [str(error) for error in caught.value.errors]


def test_both_stacks_files_are_valid_in_the_sandbox() -> None:
    assert {check_settings(stack, FILES, sandbox=True).phase for stack in ("staging", "prod")} == {
        Phase.PROVISION
    }


def test_placeholders_are_refused_outside_the_sandbox_each_at_its_line() -> None:
    """No real account is ever named by a stand-in."""
    errors = errors_of(FILES["staging"], sandbox=False)
    assert len(errors) == 8
    assert errors[0].startswith("Pulumi.staging.yaml:9  atlas-access:awsAccountId: is still a placeholder.")


def test_prods_project_in_staging_is_refused() -> None:
    """ADR 0001: no command that targets staging passes the production project's id."""
    text = FILES["staging"].replace("69e31af12fd2c0aef51bbb41", "69dc20c64005b222804dafa4")
    assert errors_of(text) == [
        "Pulumi.staging.yaml:4  atlas-access:atlasProjectId: is prod's. No stack may name another environment's "
        "property (ADR 0001). Set staging's own."
    ]


def test_an_unknown_key_is_refused_with_the_nearest_known_one() -> None:
    text = FILES["staging"].replace("atlas-access:kmsAlias", "atlas-access:kmsAlais")
    assert [error.split("  ")[1].split(":")[1] for error in errors_of(text)] == ["kmsAlais"]


def test_all_errors_come_at_once() -> None:
    text = FILES["staging"].replace("provision", "launch").replace("us-east-1", "moon")
    text = text.replace("alias/ask", "alias/aws/ask")
    assert len(errors_of(text)) == 3


def test_a_missing_file_names_the_stacks_that_there_are() -> None:
    """A third environment needs a decision, not a default."""
    with pytest.raises(
        SettingsInvalid,
        match=r"Pulumi\.qa\.yaml:1  the file is missing\. Stacks with settings: prod, staging",
    ):
        check_settings("qa", FILES, sandbox=True)


@pytest.mark.parametrize("text", ["", "config:\n", "[1]", "config: [", "\tx: 1"])
def test_a_file_that_is_no_mapping_is_refused_in_one_line(text: str) -> None:
    assert len(errors_of(text)) == 1


def test_a_value_is_never_repeated_in_a_message() -> None:
    """Somebody may paste a credential into the wrong line."""
    canary = "mongodb://app:Sup3rS3cretCanary@host/db"
    text = FILES["staging"].replace("us-east-1", canary)
    assert canary not in "\n".join(errors_of(text))


def test_an_override_wins_over_the_file() -> None:
    """`pulumi config set` and `--config` reach the program the same way."""
    assert check_settings("staging", FILES, sandbox=True, overrides={"phase": "bind"}).phase is Phase.BIND


def test_a_confirmation_of_the_other_stack_is_refused() -> None:
    text = FILES["staging"] + '  atlas-access:retireConfirmation: "retire prod"\n'
    assert errors_of(text.replace("    - observerRole\n", "")) == [
        f"Pulumi.staging.yaml:{len(text.splitlines()) - 1}  atlas-access:retireConfirmation: does not confirm staging. "
        'Type exactly "retire staging", or nothing.'
    ]


@pytest.mark.parametrize("line", ["tombstoneHours: 23", "retirement: burn"])
def test_a_retirement_that_is_set_up_wrongly_is_refused_at_its_line(line: str) -> None:
    """Tombstones stand for at least a day, and there are two steps."""
    errors = errors_of(FILES["staging"].replace("    - observerRole\n", "") + f"  atlas-access:{line}\n")
    assert len(errors) == 1
    assert f"atlas-access:{line.partition(':')[0]}: is not a valid value" in errors[0]


BY = {"by": "platform", "at": "2026-06-01T09:00:00Z"}
STATED = {"what": "code-verified", **BY, "why": "the guard is clean"}


def stated_errors(*entries: dict[str, object], now: datetime | None = None) -> list[str]:
    files = {stack: text.split("  atlas-access:placeholders")[0] for stack, text in FILES.items()}
    with pytest.raises(SettingsInvalid) as caught:
        check_settings(
            "staging", files, sandbox=now is None, overrides={"acknowledged": list(entries)}, now=now
        )
    return [f"{error.where}: {error.problem}" for error in caught.value.errors]


def test_an_acknowledgement_is_read_with_its_zone_and_asked_for_by_name() -> None:
    """Written by a person, compared with AWS's clock; the record reaches the providers as text."""
    given = json.dumps([STATED])
    found = check_settings("staging", FILES, sandbox=True, overrides={"acknowledged": given})
    settled = Settings.from_json(found.to_json())
    assert settled == found
    assert settled.acknowledged_at(What.CODE_VERIFIED) == datetime(2026, 6, 1, 9, tzinfo=UTC)
    assert settled.acknowledged(What.LOCAL_VERIFIED) is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"what": "code-verifed"}, ".what"),
        ({"by": "someone@example.com"}, ".by"),
        ({"at": "2026-06-01T09:00:00"}, ".at"),
        ({"at": "yesterday"}, ".at"),
        ({"at": 1780304400}, ".at"),
        ({"at": "1780304400"}, ".at"),
        ({"why": ""}, ".why"),
        ({"why": "a\nb"}, ".why"),
        ({"value": "a" * 32}, ""),
        ({"what": "audit-log-remade"}, ""),
        ({"what": "audit-log-remade", "value": "a"}, ""),
        ({"what": "service-account-ends"}, ""),
        ({"what": "service-account-ends", "value": "2026-13-01"}, ""),
        ({"who": "platform"}, ".who"),
    ],
)
def test_an_acknowledgement_that_is_written_wrongly_is_refused(change: dict[str, object], field: str) -> None:
    assert stated_errors({**STATED, **change}) == [
        f"atlas-access:acknowledged.0{field}: is not a valid value"
    ]


def test_every_missing_field_and_every_entry_is_named_at_once_and_at_its_line() -> None:
    """One entry without its reason, another without its author and time."""
    reason = "      why: Terraform ignores the task definition of the service\n"
    other = "    - what: code-verified\n      why: clean\n"
    text = FILES["staging"].replace(reason, reason.replace("why", "wy") + other)
    lines = text.splitlines()
    first, second = (
        next(n for n, line in enumerate(lines, 1) if each in line) for each in ("- what: t", "- what: c")
    )
    errors = [error.split(": is ")[0] for error in errors_of(text)]
    assert errors == [
        f"Pulumi.staging.yaml:{first}  atlas-access:acknowledged.0.why",
        f"Pulumi.staging.yaml:{first + 3}  atlas-access:acknowledged.0.wy",
        f"Pulumi.staging.yaml:{second}  atlas-access:acknowledged.1.at",
        f"Pulumi.staging.yaml:{second}  atlas-access:acknowledged.1.by",
    ]


def test_the_same_statement_twice_and_one_of_the_future_are_refused() -> None:
    """Nobody verifies tomorrow; in a sandbox, whose clock can be advanced, the retirement's gate decides it."""
    now = datetime(2026, 5, 1, tzinfo=UTC)
    assert sorted(stated_errors(STATED, STATED, now=now)) == [
        "atlas-access:acknowledged.0: lies in the future",
        "atlas-access:acknowledged.1: lies in the future",
        "atlas-access:acknowledged.1: states code-verified again",
    ]


@pytest.mark.parametrize(("old", "what"), OLD_NAMES.items())
def test_an_old_name_is_refused_with_the_new_form(old: str, what: What) -> None:
    stated = "atlas-access:acknowledged:"
    (error,) = errors_of(FILES["staging"].replace(stated, f"atlas-access:{old}: x\n  {stated}"))
    assert f"{old}: is not a setting any more. State it in the list atlas-access:acknowledged" in error
    assert f"{{what: {what}, by: ROLE, at: TIME, why: REASON" in error


def test_a_list_set_beside_the_file_that_is_no_json_is_refused() -> None:
    with pytest.raises(SettingsInvalid, match="acknowledged: is not a valid value"):
        check_settings("staging", FILES, sandbox=True, overrides={"acknowledged": "yes"})


@pytest.mark.parametrize("reason", ["short", "two\nlines of it", "a" * 201])
def test_a_repair_states_its_reason_in_one_line(reason: str) -> None:
    with pytest.raises(SettingsInvalid, match="repair: is not a valid value"):
        check_settings("staging", FILES, sandbox=True, overrides={"repair": reason})


def test_a_repair_is_read_from_the_stacks_file() -> None:
    settings = check_settings("staging", FILES, sandbox=True, overrides={"repair": "gate 3 is red: INC-7"})
    assert "gate 3 is red: INC-7" == settings.repair
