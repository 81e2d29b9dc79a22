"""Which variable each build of the application reads, which build an image holds, and what a failure logs."""

import sys

import pytest
from pymongo.errors import DuplicateKeyError, NetworkTimeout, OperationFailure

from sandbox.app import failures
from sandbox.app.builds import Build, Use, VariableUnset, variable
from sandbox.ecs.images import CannotStart, command_of

WRITERS = ("MONGODB_URI_WAITLIST_WRITE", "MONGODB_URI_HUBSPOT_SYNC_WRITE")
LEGACY_STAGING = dict.fromkeys(("MONGODB_URI", "MONGODB_REFERENCE_URI", *WRITERS), "set")
WRITERS_TO_COME = ("MONGODB_WRITE_URI", "MONGODB_AUDIT_WRITE_URI")
FOUR = dict.fromkeys(("MONGODB_URI", "MONGODB_REFERENCE_URI", *WRITERS_TO_COME), "set")
IMAGE = "registry.example.com/askflorence/app"


def read(build: Build, environment: dict[str, str]) -> list[str]:
    return [variable(build, use, environment) for use in Use]


def test_todays_code_reads_the_deprecated_variables() -> None:
    assert list(LEGACY_STAGING) == read(Build.LEGACY, LEGACY_STAGING)


def test_todays_code_works_on_the_four_variables_too() -> None:
    assert ["MONGODB_URI", "MONGODB_REFERENCE_URI", "MONGODB_WRITE_URI", "MONGODB_WRITE_URI"] == read(
        Build.LEGACY, FOUR
    )


def test_todays_code_falls_back_from_the_reference_and_the_build_to_come_does_not() -> None:
    assert "MONGODB_URI" == variable(Build.LEGACY, Use.REFERENCE, {"MONGODB_URI": "a"})
    with pytest.raises(VariableUnset, match="MONGODB_REFERENCE_URI is not set"):
        variable(Build.CURRENT, Use.REFERENCE, {"MONGODB_URI": "a"})


def test_the_build_to_come_reads_none_of_the_deprecated_variables() -> None:
    with pytest.raises(VariableUnset, match="MONGODB_WRITE_URI is not set"):
        variable(Build.CURRENT, Use.WAITLIST, LEGACY_STAGING)


@pytest.mark.parametrize(
    ("tag", "build"),
    [("2026.5.7", "legacy"), ("legacy", "legacy"), ("current", "current"), ("broken", "broken")],
)
def test_the_tag_of_the_image_names_the_build(tag: str, build: str) -> None:
    assert (sys.executable, "-m", "sandbox.app.task", build) == command_of(f"{IMAGE}:{tag}", ())


def test_a_command_runs_this_python_and_nothing_else() -> None:
    assert (sys.executable, "-m", "probes") == command_of("example/tool:1", ["python", "-m", "probes"])
    for command in ([], ["bash", "-c", "true"]):
        with pytest.raises(CannotStart, match="CannotStartContainerError"):
            command_of("example/tool:1", command)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            OperationFailure(
                'not authorized on askflorence to execute command { find: "plans", filter: { zip: "84094" } }',
                13,
            ),
            "not authorized (find plans, code 13)",
        ),
        (OperationFailure("Authentication failed.", 18), "the database refused the login (code 18)"),
        (OperationFailure("canary", 8000), "the database refused (code 8000)"),
        (NetworkTimeout("canary:27017"), "the database cannot be reached"),
        (DuplicateKeyError("canary@example.com"), "duplicate key"),
        (ValueError("canary"), "unexpected ValueError"),
    ],
)
def test_a_failures_line_names_what_was_refused_without_values(error: Exception, line: str) -> None:
    assert line == failures.line(error)
