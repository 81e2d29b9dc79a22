"""The law and the manifest, written independently, agree; where they do not, `atlas-access check` says so in words."""

import json
import re
import shutil

import pytest
from policy_world import LAW_TEXT, ROOT, judge, user, violations
from test_law import RAW, staging, with_

from atlas_access.cli.main import run
from atlas_access.manifest.load import ManifestInvalid, load_manifest
from policy.decisions import digest_of
from policy.law_file import parse_law


def check(folder, manifest, law, capsys):
    (folder / "access.yaml").write_text(manifest, encoding="utf-8")
    (folder / "policy").mkdir(exist_ok=True)
    (folder / "policy/law.json").write_text(json.dumps(law), encoding="utf-8")
    code = run(["check", "--manifest", str(folder / "access.yaml"), "--law", str(folder / "policy/law.json")])
    return code, capsys.readouterr().out


MANIFEST = (ROOT / "access.yaml").read_text(encoding="utf-8")


def test_manifest_settings_and_law_agree(capsys):
    code = run(["check", "--manifest", str(ROOT / "access.yaml")])

    assert (0, True) == (code, "AGREE" in capsys.readouterr().out)


DISAGREEMENTS = {
    "a user the law does not know": (
        MANIFEST.replace("  app_admin_schema:\n    role", "  app_reporting:\n    role: read@askflorence\n"
        '    secret: "{env}/mongodb/reporting"\n  app_admin_schema:\n    role', 1),
        RAW, "staging: user app_reporting is declared (read@askflorence), the law does not know it",
    ),
    "a collection more": (
        MANIFEST.replace("LIST_INDEXES: [", "LIST_INDEXES: [plans, ", 1), RAW,
        "role role_admin_schema, LIST_INDEXES is",
    ),
    "a waiver of another reach": (
        MANIFEST, {**RAW, "common": {**RAW["common"], "waivers": {}}}, "waiver W1 is declared",
    ),
    "a cap": (
        MANIFEST.replace("version: 1\n", "version: 1\nuser_cap: 6\n"), RAW, "user cap is 6 in the manifest and 5",
    ),
    "an undecided entry": (
        MANIFEST, with_(decisions={}), "user app_write: ADR 0006 is no decision that the law names. The law is wrong",
    ),
    "another account": (MANIFEST, staging(account="999999999999"), "AWS account is 111111111111 in the manifest"),
}  # fmt: skip


@pytest.mark.parametrize(("manifest", "law", "says"), DISAGREEMENTS.values(), ids=DISAGREEMENTS.keys())
def test_a_disagreement_is_said_in_words(tmp_path, capsys, manifest, law, says):
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copy(ROOT / "Pulumi.staging.yaml", tmp_path)

    code, text = check(tmp_path, manifest, law, capsys)

    assert (1, True) == (code, says in text)


def blocks(language):
    page = (ROOT / "docs/phi-readiness.md").read_text(encoding="utf-8")
    found = re.findall(rf"   ```{language}\n(.*?)   ```", page, re.DOTALL)
    return [re.sub(r"^   ", "", each, flags=re.MULTILINE) for each in found]


def test_the_fifth_user_passes_as_phi_readiness_says(tmp_path, capsys):
    (record,), (more,), (entry,) = blocks("markdown"), blocks("yaml"), blocks("json")
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    with (tmp_path / "docs/application-adrs.md").open("a", encoding="utf-8") as page:
        page.write(f"\n{record}")
    given = json.loads(entry.replace("DIGEST", digest_of(record)))
    law = json.loads(LAW_TEXT)
    law["decisions"] |= given["decisions"]
    for part, values in given["common"].items():
        law["common"][part] |= values
    users, waivers = more.removeprefix("users:\n").split("waivers:\n")
    manifest = MANIFEST.replace("\n# What exists today", f"{users}\n# What exists today", 1)
    manifest = manifest.replace("\n# What was made by hand", f"{waivers}\n# What was made by hand", 1)

    code, text = check(tmp_path, manifest, law, capsys)
    parsed = parse_law(json.dumps(law), tmp_path)
    fifth = user("app_admin_full", "readWrite", "askflorence")

    assert (0, "AGREE", set(), {"users-by-law"}) == (
        code,
        text[:5],
        violations(judge(fifth, law=parsed)),
        violations(judge(fifth)),
    )


def test_a_sixth_user_reaches_no_manifest_below_its_cap():
    more = "".join(
        f'  app_{name}:\n    role: read@askflorence\n    secret: "{{env}}/mongodb/{name}"\n'
        for name in ("five", "six")
    )
    text = MANIFEST.replace("\n# What exists today", f"{more}\n# What exists today", 1)
    with pytest.raises(ManifestInvalid, match="a sixth user; a cluster has at most 5"):
        load_manifest(text)

    assert 6 == load_manifest(text.replace("version: 1\n", "version: 1\nuser_cap: 6\n")).user_cap
