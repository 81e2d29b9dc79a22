"""The list of known users: every entry has a reason and an end, and all mistakes come at once."""

from datetime import date
from pathlib import Path

import pytest

from atlas_access.manifest.known_users import KnownKind, load_known_users
from atlas_access.manifest.load import ManifestInvalid, load_manifest

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = load_manifest((ROOT / "access.yaml").read_text(encoding="utf-8"))
SHIPPED = (ROOT / "known-users.yaml").read_text(encoding="utf-8")
EXAMPLE = SHIPPED.replace("users: []", "users:").replace("#   -", "  -").replace("#     ", "    ")


def errors_of(text: str) -> list[str]:
    with pytest.raises(ManifestInvalid) as caught:
        load_known_users(text, MANIFEST, environment="staging")
    return [str(error) for error in caught.value.errors]


def test_nobody_is_known_as_shipped() -> None:
    assert () == load_known_users(SHIPPED, MANIFEST, environment="staging")


def test_the_example_in_its_comments_is_valid() -> None:
    (user,) = load_known_users(EXAMPLE, MANIFEST, environment="staging")
    assert ("dba-on-call", KnownKind.HUMAN, date(2026, 12, 31)) == (user.name, user.kind, user.until)


def test_an_entry_counts_on_its_environments_only() -> None:
    assert () == load_known_users(EXAMPLE, MANIFEST, environment="prod")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    until: 2026-12-31\n", "", '"until" is missing'),
        ("2026-12-31", "soon", "Write the date as 2026-12-31"),
        ("2026-12-31", "2026-02-30", "Write the date as 2026-12-31"),
        (
            "reason: Looks at imported plans by hand until the import has a page of its own.",
            "reason: x",
            "reason",
        ),
        ("reason:", "reasom:", 'Did you mean "reason"?'),
        ("kind: human  ", "kind: robot  ", "'human' or 'break-glass'"),
        ("[read@askflorence]", "[read]", "roles[0]"),
        ("[read@askflorence]", "[]", "roles: is empty"),
        ("[staging]", "[qa]", "unknown environment"),
        ("[staging]", "[]", "on: is empty"),
        ("name: dba-on-call", "name: app_read", "is a user of access.yaml"),
        ("name: dba-on-call", "name: app_read_staging", "is a user of access.yaml"),
        ("version: 1", "version: 2", "newer than this tool"),
        ("version: 1", "version: one", "version"),
        ("users:", "peoples:", "peoples"),
        ("    until: 2026-12-31", "    until: 2026-12-31\n    until: 2027-01-01", "is written twice"),
    ],
)
def test_a_mistake_is_reported_at_its_line(old: str, new: str, message: str) -> None:
    assert EXAMPLE.count(old) >= 1
    errors = errors_of(EXAMPLE.replace(old, new, 1))
    assert any(message in error for error in errors), errors
    assert all(error.startswith("known-users.yaml:") for error in errors)


def test_all_mistakes_come_at_once() -> None:
    text = EXAMPLE.replace("human  ", "robot  ").replace("2026-12-31", "soon").replace("[staging]", "7")
    assert 3 == len(errors_of(text))


def test_a_user_stands_once_an_environment() -> None:
    entry = EXAMPLE[EXAMPLE.index("  - name") :]
    assert any("is listed twice" in error for error in errors_of(EXAMPLE + entry))


@pytest.mark.parametrize("text", ["", "[1]", "users: [", "\tx: 1", "version: 1\nusers: 7"])
def test_what_is_no_such_file_is_one_error(text: str) -> None:
    assert 1 == len(errors_of(text))


def test_a_secret_pasted_into_it_is_refused_and_not_repeated() -> None:
    canary = "mongodb://app:Sup3rS3cretCanary@host/db"
    errors = errors_of(EXAMPLE.replace("dba-on-call", canary))
    assert "Canary" not in "\n".join(errors)
