"""One mistake brings forth one error, wherever it is, and odd characters are named for what they are."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from atlas_access.base.yaml_errors import ManifestInvalid
from atlas_access.base.yaml_reader import read_yaml
from atlas_access.manifest.load import load_manifest
from tests.unit.manifests import TEXT, edited, errors_of, line_of, only_error
from tests.unit.test_manifest_properties import SMALL, paths

ROLE = "    role: role_audit_writer\n"
CASCADES = {
    "a mistyped environment": (
        ("environments: [staging, prod]", "environments: [stagng, prod]"),
        'collections.plans.on[0]: environment "staging" is not defined (20 places). Use one of: stagng, prod.'
        ' Did you mean "stagng"?',
    ),
    "a mistyped user": (
        ("users:\n  app_read:\n    role: read", "users:\n  app_raed:\n    role: read"),
        'bindings.service.MONGODB_URI.user: user "app_read" is not defined (8 places). Define it under users:.'
        ' Did you mean "app_raed"?',
    ),
    "an unknown role": (
        (ROLE, ROLE.replace("role_audit_writer", "role_nowhere")),
        'users.app_audit_writer.role: role "role_nowhere" is not defined.',
    ),
    "a mistyped section": (
        ("deprecated_variables:\n", "deprecated_varables:\n"),
        'deprecated_varables: unknown key "deprecated_varables". Remove it. Did you mean "deprecated_variables"?',
    ),
    "a mistyped section that is needed": (
        ("environments:", "enviroments:"),
        'enviroments: unknown key "enviroments". Remove it. Did you mean "environments"?',
    ),
    "a section of the wrong type": (
        ("roles:\n  role_audit_writer:\n", "roles: none\nadded:\n  role_audit_writer:\n"),
        "roles: not a mapping. Write key: value lines below it.",
    ),
    "a mistyped key of a binding": (
        ("    MONGODB_WRITE_URI: {user: app_write}\n    MONGODB_AUDIT_WRITE_URI: {user: app_audit_writer}\n  sch",
         "    MONGODB_WRITE_URI: {usr: app_write}\n    MONGODB_AUDIT_WRITE_URI: {user: app_audit_writer}\n  sch"),
        'bindings.service.MONGODB_WRITE_URI.usr: unknown key "usr". Remove it. Did you mean "user"?',
    ),
    "a mistyped environment of legacy users": (
        ("legacy:\n  staging:\n", "legacy:\n  stagng:\n"),
        'legacy.stagng: environment "stagng" is not defined. Use one of: staging, prod. Did you mean "staging"?',
    ),
    "a version that is no number": (
        ("version: 1\n", "version: true\n"),
        "version: not a version. Write `version: 1`.",
    ),
    "a mistyped action of a waiver": (
        ("[CREATE_INDEX, DROP_INDEX]\n    adr", "[CREATE_INDX, DROP_INDEX]\n    adr"),
        'waivers.W2.permits[0]: "CREATE_INDX" is no Atlas action.',
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASCADES)
def test_a_mistake_that_reaches_many_places_is_one_error(name: str) -> None:
    change, expected = CASCADES[name]
    errors = [each for each in errors_of(edited(change)) if not each.where.startswith("added")]
    assert [expected] == [str(each).partition("  ")[2][: len(expected)] for each in errors]


def mistyped(text: str) -> str:
    return text[:-2] + text[-1] + text[-2] if len(text) > 2 and text[-1] != text[-2] else text + "x"


def renamed(parent: Any, key: Any) -> None:
    entries = list(parent.items())
    parent.clear()
    parent.update({mistyped(each) if each == key else each: value for each, value in entries})


def replaced(value: object) -> Callable[[Any, Any], None]:
    def replace(parent: Any, key: Any) -> None:
        parent[key] = mistyped(parent[key]) if value is mistyped else value

    return replace


def single_mistakes() -> Iterator[tuple[str, str]]:
    """Every key and value mistyped, and every part of another type."""
    for path in paths(SMALL):
        changes: dict[str, Callable[[Any, Any], None]] = {
            repr(each): replaced(each) for each in (None, 7, True, "")
        }
        if isinstance(path[-1], str):
            changes["key mistyped"] = renamed
        value = SMALL
        for part in path:
            value = value[part]
        if isinstance(value, str):
            changes["value mistyped"] = replaced(mistyped)
        for name, change in changes.items():
            data = copy.deepcopy(SMALL)
            parent: Any = data
            for part in path[:-1]:
                parent = parent[part]
            change(parent, path[-1])
            yield f"{'.'.join(map(str, path))}: {name}", json.dumps(data)


@pytest.mark.thorough
def test_no_single_mistake_in_a_small_manifest_brings_forth_two_errors() -> None:
    found = {
        name: list(map(str, errors)) for name, text in single_mistakes() if len(errors := errors_of(text)) > 1
    }
    assert {} == found


REASON = "    reason: readWrite includes"
BIDI = "a hidden character, U+202E RIGHT-TO-LEFT OVERRIDE"
ZERO_WIDTH = "a hidden character, U+200B ZERO WIDTH SPACE"
CYRILLIC = "U+0430 CYRILLIC SMALL LETTER A among Latin letters, which it looks like"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (edited((REASON, "    reason: \u202ereadWrite includes")), BIDI),
        (edited((REASON, '    reason: "\\u202e" # readWrite includes')), BIDI),
        (edited(("# Four users a cluster", "# Four\u200busers a cluster")), ZERO_WIDTH),
        (edited(("\naudit:\n", "\n\u0430udit:\n")), CYRILLIC),
        (edited((ROLE, ROLE.replace("audit", "\u0430udit"))), CYRILLIC),
        (edited(("\naudit:\n", "\nbase:\n  <<: {database: x}\naudit:\n")), "a merge key (<<)"),
        (edited(("\naudit:\n", "\nbase: &base {}\nother:\n  <<: *base\naudit:\n")), "a merge key (<<)"),
        (edited(("\naudit:\n", "\n\ufffdaudit:\n")), "not UTF-8 here: U+FFFD REPLACEMENT CHARACTER"),
        (TEXT.encode("utf-16"), "not UTF-8 but UTF-16"),
    ],
    ids=["bidi", "escaped bidi", "zero width", "key", "value", "merge", "merge of an anchor", "replaced", "UTF-16"],
)  # fmt: skip
def test_an_odd_text_is_named_for_what_it_is(text: str | bytes, problem: str) -> None:
    error = only_error(text)
    assert (problem, True) == (error.problem, str(error).isprintable())


def test_a_byte_that_is_not_utf_8_is_named_with_its_line_and_offset() -> None:
    content = TEXT.encode().replace(b"ADR 0002", b"ADR\xa00002", 1)
    error = only_error(content)
    place = content.index(b"\xa0")
    said = f"not UTF-8: byte 0xa0 at offset {place}"
    assert (line_of(TEXT, "ADR 0002"), said) == (error.line, error.problem)


def test_a_key_of_another_script_is_named_though_it_is_not_shown() -> None:
    error = only_error(edited(("version: 1\n", "version: 1\n\u0441\u043e: x\n")))
    assert "unknown key (a value with U+0441 CYRILLIC SMALL LETTER ES, not shown here)" == error.problem


def test_a_text_of_another_script_is_no_mistake() -> None:
    assert load_manifest(edited((REASON, "    reason: \u043e\u043d, größer, readWrite includes")))


def test_a_hidden_character_is_refused_in_every_yaml_file() -> None:
    with pytest.raises(ManifestInvalid, match=r"Pulumi\.staging\.yaml:2  a hidden character, U\+2066"):
        read_yaml("config:\n  a: \u2066b\n", "Pulumi.staging.yaml")
