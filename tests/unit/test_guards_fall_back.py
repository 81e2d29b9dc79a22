"""Fall-backs from one variable to another in every form and language; and what looks like one and is none."""

import pytest

from atlas_access.base import Status
from atlas_access.guards import silent_fall_back
from tests.unit.manifests import manifest
from tests.unit.source_files import project, source

KNOWN = [*{b.variable for b in manifest().bindings}, *(d.name for d in manifest().deprecated_variables)]
FOUND = ["mongodb_reference_uri silently falls back to mongodb_uri"]
REF, MAIN = "process.env.MONGODB_REFERENCE_URI", "process.env.MONGODB_URI"
PY_REF, PY_MAIN = 'os.environ.get("MONGODB_REFERENCE_URI")', 'os.environ["MONGODB_URI"]'


def fall_backs(path: str, text: str) -> list[str]:
    found = silent_fall_back.check(project(source(path, text))).findings
    return list(dict.fromkeys(each.message.lower() for each in found))


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
    assert FOUND == fall_backs(path, text)


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
    ("path", "text"),
    [
        ("a.ts", "const { MONGODB_REFERENCE_URI: r, MONGODB_URI: m } = process.env; const u = r || m"),
        ("a.ts", "const { MONGODB_REFERENCE_URI, MONGODB_URI } = process.env\n"
                 "const u = MONGODB_REFERENCE_URI || MONGODB_URI"),
        ("a.ts", f"async function f() {{ try {{ return await open({REF}) }} catch {{ return open({MAIN}) }} }}"),
        ("a.ts", f"let c; try {{ c = open({REF}) }} catch (error) {{ log(error); c = open({MAIN}) }}"),
        ("a.ts", f"const c = open({REF}).catch(() => open({MAIN}))"),
        ("a.ts", f"const r = () => open({REF})\nconst m = () => open({MAIN})\nconst c = await r().catch(m())"),
        ("a.ts", f"let u; if ({REF}) {{ u = {REF} }} else {{ u = {MAIN} }}"),
        ("a.ts", f"if ({REF}) u = {REF}; else u = {MAIN};"),
        ("a.ts", f"function f() {{ if ({REF}) {{ return {REF} }} return {MAIN} }}"),
        ("a.ts", f"const r = {REF}\nfunction f() {{\n  if (r) return r\n  return {MAIN}\n}}"),
        ("a.ts", f"const u = [{REF}, {MAIN}].find(Boolean)"),
        ("a.ts", f"const [u] = [{REF}, {MAIN}].filter((each) => each)"),
        ("a.py", f'if "MONGODB_REFERENCE_URI" in os.environ:\n    u = {PY_REF}\nelse:\n    u = {PY_MAIN}'),
        ("a.py", f"if (u := {PY_REF}) is not None:\n    pass\nelse:\n    u = {PY_MAIN}"),
        ("a.py", f"def f():\n    u = {PY_REF}\n    if u:\n        return u\n    return {PY_MAIN}"),
        ("a.py", f"u = next(v for v in ({PY_REF}, {PY_MAIN}) if v)"),
        ("a.py", f"u = next(filter(None, [{PY_REF}, {PY_MAIN}]), None)"),
    ],
)  # fmt: skip
def test_a_fall_back_that_spreads_over_branches_is_seen(path: str, text: str) -> None:
    assert FOUND == fall_backs(path, text)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.ts", f"try {{ open({REF}) }} catch (error) {{ throw new Error({MAIN}) }}"),
        ("a.ts", f"try {{ open({REF}) }} catch (error) {{ log(error) }}\nopen({MAIN})"),
        ("a.ts", f"open({REF}).catch((error) => {{ throw new Error({MAIN}) }})"),
        ("a.ts", f"open({REF}).catch(stop)\nopen({MAIN})"),
        ("a.ts", f"if ({REF}) {{ open({REF}) }}\nconst u = {MAIN}"),
        ("a.ts", f"if ({REF}) {{ return open({REF}) }} throw new Error({MAIN})"),
        ("a.ts", f"if ({REF}) {{ u = {REF} }} else {{ throw new Error({MAIN}) }}"),
        ("a.ts", f"const all = [{REF}, {MAIN}].map(open)"),
        ("a.ts", f"const one = uris[{REF}, {MAIN}].find(Boolean)"),
        ("a.py", f"if {PY_REF}:\n    u = 1\nelse:\n    raise SystemExit({PY_MAIN})"),
        ("a.py", f"def f():\n    if {PY_REF}:\n        return 1\n    raise SystemExit({PY_MAIN})"),
        ("a.py", f"if mode == {PY_REF}:\n    u = 1\nelse:\n    u = {PY_MAIN}"),
        ("a.py", f"u = [open(each) for each in ({PY_REF}, {PY_MAIN})]"),
    ],
)
def test_a_branch_that_stops_or_uses_both_is_no_fall_back(path: str, text: str) -> None:
    assert [] == fall_backs(path, text)


def test_python_that_cannot_be_parsed_is_not_judged_and_not_clean() -> None:
    found = silent_fall_back.check(project(source("a.py", "MONGODB_URI MONGODB_WRITE_URI (")))
    assert (
        Status.UNKNOWN,
        ("speaks of MONGODB_URI and cannot be parsed as a whole: not judged; leave it out with --exclude",),
    ) == (
        found.status,
        tuple(note.message for note in found.notes),
    )
