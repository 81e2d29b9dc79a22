"""What each guard takes for a mistake and what not, case by case."""

import pytest

from atlas_access.base import Format, Status, plain, render
from atlas_access.base.addresses import ClusterAddresses, PrivateEndpoint
from atlas_access.base.connection import ConnectionString
from atlas_access.clients.mongo_answers import Login
from atlas_access.guards import (
    allowances,
    docs_sync,
    env_var_coverage,
    no_uri_in_git,
    reference_collections,
    silent_fall_back,
)
from atlas_access.guards.finding import Guard, Report, noted, report, wrong
from atlas_access.guards.language import Language, language_of
from atlas_access.guards.no_uri_in_git import HistoryLine, credentials_in
from atlas_access.guards.report_guards import guards_report
from atlas_access.guards.script_tokens import tokens_of
from atlas_access.guards.source import SourceFile
from atlas_access.guards.stored_values import Wanted, host_problem, login_problem, problems, wanted_in
from atlas_access.guards.variables import is_mongo_variable
from atlas_access.manifest.load import Address
from tests.unit.manifests import manifest

KNOWN = [*{b.variable for b in manifest().bindings}, *(d.name for d in manifest().deprecated_variables)]
PASSWORD = "hR7" + "kq2Zt9XwLm"


def file(path: str, text: str) -> SourceFile:
    return SourceFile(path, text, language_of(path, text))


def fall_backs(path: str, text: str) -> list[tuple[int, str]]:
    return [
        (each.place.line, each.message) for each in silent_fall_back.check([file(path, text)], KNOWN).findings
    ]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.ts", "const a = process.env.MONGODB_REFERENCE_URI || process.env.MONGODB_URI"),
        ("a.ts", "const a = (process.env.MONGODB_REFERENCE_URI ?? process.env.MONGODB_URI)!"),
        ("a.ts", "x = env.MONGODB_REFERENCE_URI || '' || env.MONGODB_URI"),
        ("a.ts", 'x = process.env["MONGODB_REFERENCE_URI"] ?? process.env["MONGODB_URI"]'),
        ("a.ts", "x = process.env.MONGODB_REFERENCE_URI ? process.env.MONGODB_REFERENCE_URI : process.env.MONGODB_URI"),
        ("a.ts", "const { MONGODB_REFERENCE_URI = process.env.MONGODB_URI } = process.env"),
        ("a.ts", "const u = process.env.MONGODB_REFERENCE_URI\nconst v = u ?? process.env.MONGODB_URI"),
        ("a.ts", "let u = process.env.MONGODB_REFERENCE_URI\nif (!u) { u = process.env.MONGODB_URI }"),
        ("a.ts", "let u = process.env.MONGODB_REFERENCE_URI;\nif (u === undefined) u = process.env.MONGODB_URI;"),
        ("a.ts", "const m = () => open(process.env.MONGODB_URI)\nconst r = process.env.MONGODB_REFERENCE_URI || m()"),
        ("a.ts", "const a = `${process.env.MONGODB_REFERENCE_URI || process.env.MONGODB_URI}`"),
        ("a.js", "module.exports = { uri: process.env.MONGODB_REFERENCE_URI || process.env.MONGODB_URI }"),
        ("a.py", 'import os\nx = os.getenv("MONGODB_REFERENCE_URI", os.getenv("MONGODB_URI"))'),
        ("a.py", 'import os\nx = os.environ.get("MONGODB_REFERENCE_URI") or os.environ["MONGODB_URI"]'),
        ("a.py", 'x = env("MONGODB_REFERENCE_URI", default=env("MONGODB_URI"))'),
        ("a.py", 'u = e["MONGODB_REFERENCE_URI"] if "MONGODB_REFERENCE_URI" in e else e["MONGODB_URI"]'),
        ("a.py", 'u = e.get("MONGODB_REFERENCE_URI")\nif u is None:\n    u = e["MONGODB_URI"]'),
        ("a.py", 'def main():\n    return e["MONGODB_URI"]\n\n\nu = e.get("MONGODB_REFERENCE_URI") or main()'),
        ("a.sh", 'u="${MONGODB_REFERENCE_URI:-$MONGODB_URI}"'),
        ("a.sh", 'u="${MONGODB_REFERENCE_URI-${MONGODB_URI}}"'),
        ("a.sh", ': "${MONGODB_REFERENCE_URI:=$MONGODB_URI}"'),
        ("a.sh", 'if [ -z "$MONGODB_REFERENCE_URI" ]; then\n  u=$MONGODB_URI\nfi'),
        ("a.sh", '[ -n "$MONGODB_REFERENCE_URI" ] || export MONGODB_REFERENCE_URI="$MONGODB_URI"'),
        ("Dockerfile", "ENV MONGODB_REFERENCE_URI=${MONGODB_REFERENCE_URI:-${MONGODB_URI}}"),
        (".env", "MONGODB_REFERENCE_URI=${MONGODB_REFERENCE_URI:-$MONGODB_URI}"),
        ("a.yml", "u: ${{ secrets.MONGODB_REFERENCE_URI || secrets.MONGODB_URI }}"),
        ("a.yaml", "u: {{ .Values.MONGODB_REFERENCE_URI | default .Values.MONGODB_URI }}"),
        ("a.tf", "u = coalesce(var.mongodb_reference_uri, var.mongodb_uri)"),
        ("a.tf", 'u = var.mongodb_reference_uri == "" ? var.mongodb_uri : var.mongodb_reference_uri'),
    ],
)  # fmt: skip
def test_a_fall_back_is_seen_in_every_form(path: str, text: str) -> None:
    assert ["mongodb_reference_uri silently falls back to mongodb_uri"] == list(
        dict.fromkeys(what.lower() for _, what in fall_backs(path, text))
    )


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.ts", "// process.env.MONGODB_REFERENCE_URI || process.env.MONGODB_URI"),
        ("a.ts", "/* MONGODB_REFERENCE_URI ?? MONGODB_URI */ const a = process.env.MONGODB_URI"),
        ("a.ts", 'log("MONGODB_REFERENCE_URI || MONGODB_URI")'),
        ("a.ts", "const a = process.env.MONGODB_REFERENCE_URI || fail()\nconst b = process.env.MONGODB_URI"),
        ("a.ts", "const a = process.env.MONGODB_REFERENCE_URI || ''\nopen(process.env.MONGODB_URI)"),
        ("a.ts", "if (!process.env.MONGODB_REFERENCE_URI || !ok) throw new Error('no')\nopen(process.env.MONGODB_URI)"),
        ("a.ts", "if (!process.env.MONGODB_REFERENCE_URI) { throw new Error(process.env.MONGODB_URI) }"),
        ("a.ts", "interface E { MONGODB_REFERENCE_URI?: string; MONGODB_URI?: string }"),
        ("a.ts", "interface E {\n  MONGODB_REFERENCE_URI?: string\n  MONGODB_URI?: string\n}"),
        ("a.ts", "const a = process.env.MONGODB_URI || process.env.MONGODB_URI"),
        ("a.tsx", "const e = <p>don't</p>\nconst a = process.env.MONGODB_REFERENCE_URI\nopen(process.env.MONGODB_URI)"),
        ("a.py", 'x = os.getenv("MONGODB_REFERENCE_URI", "")\ny = os.getenv("MONGODB_URI")'),
        ("a.py", '"""MONGODB_REFERENCE_URI or MONGODB_URI."""'),
        ("a.py", 'if not e.get("MONGODB_REFERENCE_URI"):\n    raise SystemExit(e["MONGODB_URI"])'),
        ("a.sh", '# ${MONGODB_REFERENCE_URI:-$MONGODB_URI}\n: "${MONGODB_REFERENCE_URI:?unset}" "$MONGODB_URI"'),
        ("a.sh", 'MONGODB_REFERENCE_URI="$MONGODB_URI"'),
        ("a.sh", '[ -z "$MONGODB_REFERENCE_URI" ] && exit 2\necho "$MONGODB_URI"'),
        ("a.tf", "# coalesce(var.mongodb_reference_uri, var.mongodb_uri)"),
        ("README.md", "${MONGODB_REFERENCE_URI:-$MONGODB_URI}"),
    ],
)  # fmt: skip
def test_what_is_no_fall_back_raises_no_alarm(path: str, text: str) -> None:
    assert [] == fall_backs(path, text)


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
    assert expected == is_mongo_variable(name)


def test_a_variable_counts_as_read_only_in_code() -> None:
    bound = [file("ecs.tf", "\n".join(f'{name} = "x"' for name in KNOWN))]
    findings = {
        each.message
        for each in env_var_coverage.check(manifest(), bound).findings
        if each.place.path == "access.yaml"
    }
    assert "MONGODB_URI is declared, and no code of the tree reads it" in findings


def test_a_declared_variable_may_be_marked_as_reserved_with_a_reason() -> None:
    code = file("a.ts", "// atlas-access: reserved MONGODB_AUDIT_WRITE_URI: its writers come with phase 5")
    found = env_var_coverage.check(manifest(), [code])
    assert not [each for each in found.findings if each.message.startswith("MONGODB_AUDIT_WRITE_URI")]
    assert "MONGODB_AUDIT_WRITE_URI is not read yet: its writers come with phase 5" in {
        n.message for n in found.notes
    }


def test_a_mark_without_a_reason_marks_nothing() -> None:
    code = file("a.ts", "// atlas-access: reserved MONGODB_AUDIT_WRITE_URI")
    assert [
        each for each in env_var_coverage.check(manifest(), [code]).findings if "AUDIT_WRITE" in each.message
    ]


def test_python_that_cannot_be_parsed_is_not_judged_and_not_clean() -> None:
    found = silent_fall_back.check([file("a.py", "MONGODB_URI MONGODB_WRITE_URI (")], KNOWN)
    assert (Status.UNKNOWN, ("cannot be parsed as Python: not judged",)) == (
        found.status,
        tuple(note.message for note in found.notes),
    )


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.ts", 'const db = client(process.env.MONGODB_REFERENCE_URI).db("x")\ndb.collection("agents")', ["agents"]),
        ("a.ts", 'this.referenceDb.collection("agents").find()', ["agents"]),
        ("a.ts", 'getReferenceDb().then(d => d.collection("plans"))', []),
        ("a.ts", 'export const openOther = () => new MongoClient(process.env.MONGODB_REFERENCE_URI)\n'
                 'const o = openOther()\no.db("askflorence").collection<Plan>("admins")', ["admins"]),
        ("a.ts", 'const t = "agents"\nreferenceDb.collection(t)', ["agents"]),
        ("a.py", 'c = MongoClient(os.environ["MONGODB_REFERENCE_URI"])\nd = c["askflorence"]\nd["agents"].find()',
         ["agents"]),
        ("a.py", 'c = MongoClient(os.environ["MONGODB_REFERENCE_URI"])\nc.askflorence.agents.find()', ["agents"]),
        ("a.py", 'c = MongoClient(os.environ["MONGODB_REFERENCE_URI"])\nc.get_database().plans.find()\nc.close()', []),
        ("a.py", 'reference_db["plans"].aggregate([{"$out": "copied"}])', ["copied"]),
        ("a.py", 'db["agents"].find()\nreference_db["plans"].find()', []),
    ],
)  # fmt: skip
def test_collections_are_followed_from_the_reference_connection(
    path: str, text: str, expected: list[str]
) -> None:
    found = reference_collections.check(manifest(), [file(path, text)])
    assert expected == [each.message.split()[0] for each in found.findings]


@pytest.mark.parametrize(
    ("path", "text"),
    [("a.ts", "referenceDb.collection(name)"), ("a.py", "reference_db[name].find()")],
)
def test_a_collection_that_the_code_does_not_name_is_not_judged(path: str, text: str) -> None:
    assert Status.UNKNOWN == reference_collections.check(manifest(), [file(path, text)]).status


@pytest.mark.parametrize(
    "text",
    [
        f"mongodb://app:{PASSWORD}@h1.ab1cd.mongodb.net:27017,h2.ab1cd.mongodb.net/db",
        f"mongodb+srv://app:{PASSWORD}@c.ab1cd.mongodb.net",
        f"MONGODB+SRV://app:{PASSWORD}@c.ab1cd.mongodb.net",
        f'"mongodb:\\/\\/app:{PASSWORD}@c.ab1cd.mongodb.net"',
        f"mongodb%2Bsrv%3A%2F%2Fapp%3A{PASSWORD}%40c.ab1cd.mongodb.net",
        f"uri = 'mongodb://app:{PASSWORD}@10.0.0.7/db'",
        f"mongodb://app:{PASSWORD[:5]}%40{PASSWORD[5:]}@c.ab1cd.mongodb.net",
        f"mongodb://app:{PASSWORD}@localhost:27017",
    ],
)
def test_a_connection_string_with_a_password_is_found_however_it_is_written(text: str) -> None:
    assert [(2, "app")] == list(credentials_in(f"first line\n{text}\n"))


@pytest.mark.parametrize(
    "text",
    [
        "mongodb://localhost:27017/askflorence",
        "mongodb+srv://c.ab1cd.mongodb.net/askflorence",
        "mongodb+srv://user:<password>@c.ab1cd.mongodb.net",
        "mongodb+srv://user:${PASSWORD}@c.ab1cd.mongodb.net",
        "mongodb+srv://user:$PW@c.ab1cd.mongodb.net",
        "mongodb+srv://user:{password}@c.ab1cd.mongodb.net",
        "mongodb+srv://user:***@c.ab1cd.mongodb.net",
        "mongodb+srv://user:your-password@c.ab1cd.mongodb.net",
        "mongodb+srv://user:password@c.ab1cd.mongodb.net",
        f"mongodb+srv://user:{PASSWORD}@cluster.example.com",
        f"mongodb://user:{PASSWORD}@db.invalid:27017",
        "mongodb://user:pw@host",
        f"postgres://user:{PASSWORD}@c.ab1cd.example.net",
    ],
)
def test_a_stand_in_is_no_credential(text: str) -> None:
    assert [] == list(credentials_in(text))


def test_a_committed_password_names_the_commit_once() -> None:
    line = f"+u = mongodb://app:{PASSWORD}@c.ab1cd.mongodb.net"
    found = no_uri_in_git.check(
        [], [HistoryLine("a" * 40, "x.env", line), HistoryLine("b" * 40, "x.env", line)]
    )
    assert ["x.env@aaaaaaaaaaaa"] == [each.place.path for each in found.findings]


def test_a_finding_is_accepted_only_with_a_reason_and_for_its_own_guard() -> None:
    found = report(Guard.SILENT_FALL_BACK, 1, [wrong("a.ts", line, "x", "y.") for line in (2, 4, 6)])
    text = "\n".join(
        [
            "// atlas-access: allow silent-fall-back: both are the same user until May",
            "one",
            "// atlas-access: allow silent-fall-back:",
            "two",
            "// atlas-access: allow no-uri-in-git: another guard",
            "three",
        ]
    )
    applied = allowances.apply(found, [file("a.ts", text)])
    assert [4, 6] == [each.place.line for each in applied.findings]
    assert [noted("a.ts", 2, "accepted: x (both are the same user until May)")] == list(applied.notes)


def test_a_document_is_in_step_out_of_step_or_missing() -> None:
    found = docs_sync.check({"a": "1\n2\n", "b": "x", "c": "y"}, {"a": "1\n3\n", "b": "x", "c": None})
    assert [("a", 2), ("c", 0)] == [(each.place.path, each.place.line) for each in found.findings]


def test_found_comes_before_unknown_and_unknown_before_clean() -> None:
    clean = Report(Guard.DOCS_SYNC, 1)
    unknown = Report(Guard.DOCS_SYNC, 1, notes=(noted("a", 0, "x", blocks=True),))
    found = Report(Guard.DOCS_SYNC, 1, (wrong("a", 1, "x", "y."),))
    assert [Status.GOOD, Status.UNKNOWN, Status.BAD] == [
        guards_report([clean]).status,
        guards_report([clean, unknown]).status,
        guards_report([unknown, found]).status,
    ]


def test_every_form_carries_the_same_facts_and_markdown_is_escaped() -> None:
    reports = [
        report(Guard.SILENT_FALL_BACK, 3, [wrong("a.ts", 2, "A falls back to @everyone", "Do *this*.")])
    ]
    shown = guards_report(reports)
    found = "a.ts:2: A falls back to @everyone [silent-fall-back]"
    assert [f"  ✗ {found}", "      Remedy: Do *this*."] == render(shown, Format.TEXT).splitlines()[1:]
    page = render(shown, Format.MD).splitlines()
    assert [f"- ✗ {plain(found)}", r"  - **Remedy:** Do \*this\*."] == page[-2:]
    assert '"remedy": "Do *this*."' in render(shown, Format.JSON)


@pytest.mark.parametrize(
    ("path", "first", "expected"),
    [
        ("src/a.TS", "", Language.SCRIPT),
        (".env.staging", "", Language.ENV),
        ("Dockerfile.prod", "", Language.DOCKER),
        ("bin/run", "#!/usr/bin/env bash\n", Language.SHELL),
        ("bin/run", "#!/usr/bin/env python3\n", Language.PYTHON),
        ("bin/run", "#!/usr/bin/env node\n", Language.SCRIPT),
        ("notes.txt", "#!/bin/sh\n", Language.OTHER),
    ],
)
def test_the_language_is_told_by_the_name_or_the_first_line(
    path: str, first: str, expected: Language
) -> None:
    assert expected == language_of(path, first)


def test_tokens_tell_strings_templates_patterns_and_comments_apart() -> None:
    text = "a = /['\"`]/g; b = `x${c || `y${d}`}z`; // no\ne = 'it\\'s' / 2; f = \"//\""
    strings = [token.text for token in tokens_of(text) if token.kind in ("string", "text")]
    assert (["x", "y", "", "z", "it\\'s", "//"], 2) == (strings, tokens_of(text)[-1].line)


ADDRESSES = ClusterAddresses(
    "askflorence-staging",
    "mongodb://h1.ab1cd.mongodb.net:27017,h2.ab1cd.mongodb.net:27017",
    "mongodb+srv://askflorence-staging.ab1cd.mongodb.net",
    (PrivateEndpoint("", "mongodb+srv://askflorence-staging-pl-0.ab1cd.mongodb.net"),),
)
WANTED = Wanted("staging/mongodb/app-read-v2", "app_read", "staging", Address.PUBLIC, "askflorence")
PRIVATE = Wanted("prod/mongodb/reference-uri-v2", "app_read", "staging", Address.PRIVATE, "askflorence")
OPTIONS = "retryWrites=true&w=majority"
SRV = f"mongodb+srv://app_read:{PASSWORD}@askflorence-staging.ab1cd.mongodb.net/askflorence?{OPTIONS}"


def messages_for(value: str, wanted: Wanted = WANTED) -> list[str]:
    return [what for what, _ in problems(wanted, ConnectionString.parse(value), frozenset({"app_write"}))]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (SRV, []),
        (SRV.replace("app_read", "app_write"), ["holds the credential of app_write, not of app_read"]),
        (SRV.replace("app_read", "root"), ["holds the credential of another user, not of app_read"]),
        (SRV.replace("/askflorence?", "/admin?"), ["does not name the database askflorence"]),
        (SRV.replace("w=majority", "w=1"), ["lacks the option w=majority"]),
        (SRV + "&tls=false", ["turns off the protection of the connection (TLS)"]),
        (f"mongodb://app_read:{PASSWORD}@h1.ab1cd.mongodb.net/askflorence?{OPTIONS}",
         ["lacks the option authSource=admin"]),
    ],
)  # fmt: skip
def test_a_stored_value_has_the_right_user_database_and_options(value: str, expected: list[str]) -> None:
    assert expected == messages_for(value)


@pytest.mark.parametrize(
    ("host", "wanted", "addresses", "expected"),
    [
        ("askflorence-staging.ab1cd.mongodb.net", WANTED, ADDRESSES, ""),
        ("askflorence-prod-01.ab1cd.mongodb.net", WANTED, ADDRESSES, "wrong"),
        ("askflorence-staging-pl-0.ab1cd.mongodb.net", PRIVATE, ADDRESSES, ""),
        ("askflorence-staging.ab1cd.mongodb.net", PRIVATE, ADDRESSES, "wrong"),
        ("askflorence-staging.ab1cd.mongodb.net", WANTED, None, ""),
        ("askflorence-staging2.ab1cd.mongodb.net", WANTED, None, "wrong"),
        ("askflorence-staging-pl-0.ab1cd.mongodb.net", WANTED, None, "wrong"),
        ("askflorence-staging-pl-0.ab1cd.mongodb.net", PRIVATE, None, ""),
        ("db.internal.example.com", WANTED, None, None),
    ],
)
def test_a_stored_values_host_is_the_clusters(
    host: str, wanted: Wanted, addresses: ClusterAddresses | None, expected: str | None
) -> None:
    value = ConnectionString.parse(f"mongodb+srv://app_read:{PASSWORD}@{host}/askflorence")
    found = host_problem(wanted, value, addresses, "askflorence-staging")
    assert expected == ("wrong" if found else found)


def test_a_login_that_nobody_answered_is_no_refusal() -> None:
    assert ["", "is refused by the server", None] == [
        login_problem(each) for each in (Login.DONE, Login.REFUSED, Login.UNREACHABLE)
    ]


def test_every_secret_that_a_task_receives_is_asked_for_once() -> None:
    assert [
        "prod/mongodb/app-read-v2",
        "prod/mongodb/reference-uri-v2",
        "prod/mongodb/app-write-v2",
        "prod/mongodb/audit-write",
        "prod/mongodb/admin-schema",
    ] == [each.secret for each in wanted_in(manifest(), "prod")]
