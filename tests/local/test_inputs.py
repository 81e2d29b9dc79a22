"""The manifest and the settings are judged together: every mistake of both files is reported at once."""

import re
from pathlib import Path

import pytest

from atlas_access.base.settings import Phase, SettingsInvalid, check_settings
from atlas_access.manifest.inputs import InputsInvalid, judged
from atlas_access.manifest.load import ManifestInvalid, load_manifest
from components.refusals import REFUSALS
from components.settings import read_files
from sandbox.deploy import Order, checked
from sandbox.refusals import REFUSALS as IN_THE_SANDBOX
from sandbox.world import SandboxError

ROOT = Path(__file__).parents[2]
TEXTS = read_files(ROOT)
MANIFEST = (ROOT / "access.yaml").read_text(encoding="utf-8")
WRONG_MANIFEST = MANIFEST.replace("role: role_audit_writer", "role: role_nowhere")
WRONG_SETTINGS = {"staging": TEXTS["staging"].replace("phase: provision", "phase: provisoin")}


def both(manifest: str, texts: dict[str, str]) -> Phase:
    _, settings = judged(
        lambda: load_manifest(manifest), lambda: check_settings("staging", TEXTS | texts, sandbox=True)
    )
    return settings.phase


def test_two_right_files_give_what_both_say() -> None:
    assert both(MANIFEST, {}) is Phase.PROVISION


def test_the_mistakes_of_both_files_are_reported_at_once() -> None:
    with pytest.raises(InputsInvalid) as caught:
        both(WRONG_MANIFEST, WRONG_SETTINGS)
    assert re.findall(r"(?m)^\S+ has \d+ error|atlas-access:phase", str(caught.value)) == [
        "access.yaml has 1 error",
        "Pulumi.staging.yaml has 1 error",
        "atlas-access:phase",
    ]


def test_one_wrong_file_is_refused_as_ever() -> None:
    with pytest.raises(ManifestInvalid):
        both(WRONG_MANIFEST, {})
    with pytest.raises(SettingsInvalid):
        both(MANIFEST, WRONG_SETTINGS)


def test_the_program_and_the_sandbox_refuse_both_in_plain_sentences() -> None:
    assert all(InputsInvalid in refusals for refusals in (REFUSALS, IN_THE_SANDBOX))


def test_a_manifest_that_is_no_text_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "access.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SandboxError, match=r"access.yaml is not UTF-8 text: restore it"):
        checked(Order("staging", program_dir=tmp_path))


def test_a_sandbox_deployment_reports_both_files(tmp_path: Path) -> None:
    for name in ("Pulumi.yaml", "Pulumi.prod.yaml"):
        (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"))
    (tmp_path / "Pulumi.staging.yaml").write_text(WRONG_SETTINGS["staging"])
    (tmp_path / "access.yaml").write_text(WRONG_MANIFEST)
    with pytest.raises(InputsInvalid):
        checked(Order("staging", program_dir=tmp_path))
