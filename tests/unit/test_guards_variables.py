"""Which use of a variable the guards see, which name they take for one put together, and what they cannot read."""

import pytest

from atlas_access.base import Status
from atlas_access.code.names import names_of, suspected
from atlas_access.guards import env_var_coverage, reference_collections, silent_fall_back
from atlas_access.guards.variables import Use, uses_in
from tests.unit.manifests import manifest
from tests.unit.source_files import project, source


def uses(path: str, text: str) -> list[Use]:
    return list(uses_in(source(path, text), names_of(manifest()), project(source(path, text))))


@pytest.mark.parametrize(
    ("path", "text", "name"),
    [
        ("a.py", 'u = os.environ["MONGODB_URI" + suffix]', "MONGODB_URI"),
        ("a.py", 'u = os.environ[f"MONGODB_URI{suffix}"]', "MONGODB_URI"),
        ("a.py", 'u = os.environ["MONGODB_%s_WRITE" % kind]', "MONGODB_"),
        ("a.py", 'u = os.environ["MONGODB_%(kind)s_WRITE" % names]', "MONGODB_"),
        ("a.py", 'u = os.environ["MONGODB_{}_WRITE".format(kind)]', "MONGODB_"),
        ("a.py", 'u = os.environ[f"{stage}_MONGODB_URI"]', "_MONGODB_URI"),
        ("a.py", 'u = os.environ[stage + "_MONGODB_URI"]', "_MONGODB_URI"),
        ("a.py", 'u = os.environ["_".join(["MONGODB", "URI", kind])]', "MONGODB_URI_"),
        ("a.ts", 'const u = process.env["MONGODB_URI" + suffix]', "MONGODB_URI"),
        ("a.ts", "const u = process.env[`MONGODB_URI${suffix}`]", "MONGODB_URI"),
        ("a.ts", "const u = process.env[`${stage}_MONGODB_URI`]", "_MONGODB_URI"),
        ("a.ts", 'const u = process.env[["MONGODB", "URI", kind].join("_")]', "MONGODB_URI_"),
        ("a.sh", 'name="MONGODB_URI_${KIND}_WRITE"', "MONGODB_URI_"),
        ("a.yaml", "- MONGODB_URI${SUFFIX}", "MONGODB_URI"),
    ],
)
def test_a_name_that_is_put_together_is_no_use_of_its_part(path: str, text: str, name: str) -> None:
    assert [Use(1, name, whole=False)] == uses(path, text)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", 'raise SystemExit("MONGODB_URI" + " is not set")'),
        ("a.ts", 'throw new Error("MONGODB_URI" + " is not set")'),
        ("a.py", 'x = "MONGODB_%s: not set" % kind'),
        ("a.py", 'x = os.environ["MONGODB_ATLAS_{}".format(kind)]'),
        ("a.sh", 'echo "$MONGODB_$KIND"'),
    ],
)
def test_a_message_is_neither_a_use_nor_a_name_put_together(path: str, text: str) -> None:
    assert [] == uses(path, text)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.tsx", "const a = <p>don't {process.env.MONGODB_URI} can't</p>"),
        ("a.tsx", "const a = <p>the users' {process.env.MONGODB_URI} aren't</p>"),
        ("a.tsx", 'const a = <p>a 5" {process.env.MONGODB_URI} b 6"</p>'),
        ("a.js", "if(x)return'a';const u=process.env.MONGODB_URI;y='b'"),
        (".envrc", "export MONGODB_URI=x"),
        ("a.toml", 'MONGODB_URI = "x" # MONGODB_WRITE_URI'),
    ],
)
def test_a_use_is_seen_beside_apostrophes_and_in_every_language_that_is_read(path: str, text: str) -> None:
    assert [Use(1, "MONGODB_URI")] == uses(path, text)


@pytest.mark.parametrize("suffix", ["vue", "ipynb", "rb", "java"])
def test_code_of_a_language_that_is_not_read_is_not_judged_and_not_clean(suffix: str) -> None:
    code = source(f"a.{suffix}", "\nMONGODB_REFERENCE_URI MONGODB_URI")
    notes = [
        note
        for found in (
            env_var_coverage.check(manifest(), project(code)),
            silent_fall_back.check(project(code)),
            reference_collections.check(manifest(), project(code)),
        )
        for note in found.notes
    ]
    result = "speaks of MONGODB_REFERENCE_URI in a language that is not read: not judged; leave it out with --exclude"
    assert [(2, result, True)] * 3 == [
        (note.place.line, note.message, note.status is Status.UNKNOWN) for note in notes
    ]


def test_code_of_a_language_that_is_not_read_and_speaks_of_no_variable_is_clean() -> None:
    code = source("a.rb", "# MONGODB_ATLAS_PUBLIC_API_KEY and mongo\n")
    assert Status.GOOD == silent_fall_back.check(project(code)).status


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("MONGODB_URI", True),
        ("MONGO_URL", True),
        ("STAGING_MONGODB_URI", True),
        ("MONGODB_PASSWORD", True),
        ("MONGODB_ATLAS_PUBLIC_API_KEY", False),
        ("MONGODB_DB_NAME", False),
        ("MONGODB_USER_ADDED", False),
        ("MONGODB", False),
        ("MONGOD", False),
        ("HUBSPOT_URI", False),
    ],
)
def test_which_names_are_mongo_variables(name: str, expected: bool) -> None:
    assert expected == suspected(name)


def test_a_variable_counts_as_read_only_in_code() -> None:
    bound = [source("ecs.tf", 'MONGODB_URI = "x"')]
    found = env_var_coverage.check(manifest(), project(*bound)).findings
    findings = {each.message for each in found if each.place.path == "access.yaml"}
    assert "MONGODB_URI is declared, and no code of the tree reads it" in findings


def test_a_declared_variable_may_be_marked_as_reserved_with_a_reason() -> None:
    code = source("a.ts", "// atlas-access: reserved MONGODB_AUDIT_WRITE_URI: its writers come with phase 5")
    found = env_var_coverage.check(manifest(), project(code))
    assert not [each for each in found.findings if each.message.startswith("MONGODB_AUDIT_WRITE_URI")]
    assert "MONGODB_AUDIT_WRITE_URI is not read yet: its writers come with phase 5" in {
        n.message for n in found.notes
    }


def test_a_mark_without_a_reason_marks_nothing() -> None:
    code = source("a.ts", "// atlas-access: reserved MONGODB_AUDIT_WRITE_URI")
    assert [
        each
        for each in env_var_coverage.check(manifest(), project(code)).findings
        if "AUDIT_WRITE" in each.message
    ]


def test_code_that_cannot_be_parsed_as_a_whole_is_not_judged_and_not_clean() -> None:
    found = silent_fall_back.check(project(source("a.py", "MONGODB_URI MONGODB_WRITE_URI (")))
    what = "speaks of MONGODB_URI and cannot be parsed as a whole: not judged; leave it out with --exclude"
    assert (Status.UNKNOWN, [what]) == (found.status, [note.message for note in found.notes])


def test_a_fall_back_names_what_is_missing_and_what_is_used_instead() -> None:
    text = 'const a = process.env.MONGODB_WRITE_URI ?? process.env.MONGODB_URI ?? "mongodb://localhost";'
    found = silent_fall_back.check(project(source("a.ts", text))).findings
    assert [
        "MONGODB_URI silently falls back to a literal",
        "MONGODB_WRITE_URI silently falls back to MONGODB_URI",
    ] == [each.message for each in found]
