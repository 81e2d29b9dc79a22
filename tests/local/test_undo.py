"""The way back from each phase: commands in order while it is open, what re-creation takes once it is closed."""

import json

import pytest

import atlas_access.retirement as looks
from atlas_access.base.observed import HeldRole
from atlas_access.cli.main import app, run
from atlas_access.clients.errors import AwsUnavailable
from atlas_access.retirement.journal import Journal, Stage
from atlas_access.retirement.undo import UndoPhase, deleted, recipe
from tests.unit.manifests import ROOT, manifest

ADDRESSES = ("AWS_ENDPOINT_URL", "MONGODB_ATLAS_BASE_URL", "ATLAS_ACCESS_SMOKE_URL", "GITHUB_API_URL")
EVERY = (*ADDRESSES, "ATLAS_ACCESS_CONTACTS_URL")
SANDBOX = {"ATLAS_ACCESS_SANDBOX": "1", **dict.fromkeys(EVERY, "http://127.0.0.1:1/")}


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What the looks will say: the retirement's record, and who uses the credentials."""
    said: dict[str, object] = {"journal": Journal(), "consumed": ""}
    for name, value in SANDBOX.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(ROOT)

    def read(*_: object) -> object:
        if isinstance(said["journal"], Exception):
            raise said["journal"]
        return said["journal"]

    monkeypatch.setattr(looks, "retirement_journal", read)
    monkeypatch.setattr(looks, "consumed", lambda *_: said["consumed"])
    return said


def undone(capsys: pytest.CaptureFixture[str], phase: str) -> tuple[int, str]:
    capsys.readouterr()
    code = run(["undo", "staging", phase])
    printed = capsys.readouterr()
    return code, printed.out + printed.err


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        ("B", "1. atlas-access sandbox deploy staging --config unprotect=true"),
        ("C", "2. atlas-access sandbox deploy staging --destroy --config unprotect=true"),
        ("D", "1. atlas-access rollback staging"),
        ("E", "1. atlas-access env --restore .env.local"),
        ("f", "apply --reverse --reject REPLACED.patch"),
    ],
)
def test_each_phase_before_the_retirement_has_a_way_back(
    phase: str, expected: str, journal: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    code, printed = undone(capsys, phase)
    assert (0, True, True) == (code, printed.startswith("OPEN"), expected in printed)


@pytest.mark.parametrize("phase", ["B", "C"])
def test_what_is_still_used_is_not_destroyed(
    phase: str, journal: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    journal["consumed"] = "prod still holds prod/mongodb/reference-uri-v2, which carries staging's credential"
    code, printed = undone(capsys, phase)
    assert (1, True, True) == (code, printed.startswith("CLOSED"), "prod still holds" in printed)


@pytest.mark.parametrize("stage", [Stage.TOMBSTONING, Stage.TOMBSTONED, Stage.RESTORING])
def test_a_tombstone_is_taken_back(
    stage: Stage, journal: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    journal["journal"] = Journal(stage, 1.0, was={"audit_reader": frozenset({HeldRole("r", "admin")})})
    code, printed = undone(capsys, "G")
    assert (0, True) == (code, "1. atlas-access legacy restore staging" in printed)


@pytest.mark.parametrize("stage", [Stage.DELETING, Stage.DELETED])
@pytest.mark.parametrize("phase", ["B", "D", "G"])
def test_once_deletion_has_begun_there_is_no_way_back(
    phase: str, stage: Stage, journal: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    journal["journal"] = Journal(stage, 1.0)
    code, printed = undone(capsys, phase)
    assert (1, True) == (code, printed.startswith("CLOSED"))


def test_a_retirement_that_has_not_begun_leaves_nothing_to_undo(
    journal: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    code, printed = undone(capsys, "G")
    assert (0, True) == (code, printed.startswith("NOTHING"))


@pytest.mark.parametrize(
    "said", [Journal(broken="atlas-access/retire"), AwsUnavailable("reading", "AccessDenied")]
)
def test_what_cannot_be_read_is_unknown(
    said: object, journal: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    journal["journal"] = said
    code, printed = undone(capsys, "G")
    assert (3, True) == (code, "change nothing" in printed)


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_re_creation_names_every_legacy_user_role_and_secret(stack: str) -> None:
    found = deleted(manifest(), stack)
    result = "\n".join(found.text)
    names = [each.name for each in manifest().legacy_on(stack)]
    secrets = [secret.name for each in manifest().legacy_on(stack) for secret in each.secrets]
    assert (False, []) == (found.reversible, [name for name in names + secrets if name not in result])


@pytest.mark.parametrize("phase", list(UndoPhase))
@pytest.mark.parametrize("sandbox", [True, False])
def test_every_command_of_ours_that_is_named_is_one(phase: UndoPhase, sandbox: bool) -> None:
    import typer

    group = typer.main.get_command(app)
    known = set(group.commands) | {"legacy"}  # type: ignore[attr-defined]
    named = [
        words[words.index("atlas-access") + 1]
        for command in recipe(phase, "staging", sandbox=sandbox).commands
        if "atlas-access" in (words := command.split())
    ]
    assert [] == [verb for verb in named if verb not in known]


def test_json_carries_the_same_facts(journal: dict[str, object], capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["undo", "staging", "D", "--format", "json"])
    answer = json.loads(capsys.readouterr().out)
    found = (answer["open"], answer["commands"], answer["against"])
    assert (True, ["atlas-access rollback staging"], None) == found
