"""Fall-backs that spread over branches, handlers and lists; and what looks like one and stops the program."""

import pytest

from atlas_access.guards import silent_fall_back
from atlas_access.guards.language import language_of
from atlas_access.guards.source import SourceFile
from tests.unit.manifests import manifest

KNOWN = [binding.variable for binding in manifest().bindings]
REF, MAIN = "process.env.MONGODB_REFERENCE_URI", "process.env.MONGODB_URI"
PY_REF, PY_MAIN = 'os.environ.get("MONGODB_REFERENCE_URI")', 'os.environ["MONGODB_URI"]'


def fall_backs(path: str, text: str) -> list[str]:
    found = silent_fall_back.check([SourceFile(path, text, language_of(path))], KNOWN).findings
    return list(dict.fromkeys(each.message for each in found))


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
    assert ["MONGODB_REFERENCE_URI silently falls back to MONGODB_URI"] == fall_backs(path, text)


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
