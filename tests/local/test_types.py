"""What mypy sees of the providers' packages."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_mypy_follows_every_service_of_pulumi_aws_that_the_program_uses() -> None:
    program = [ROOT / "__main__.py", *(ROOT / "components").rglob("*.py")]
    used = {name for each in program for name in re.findall(r"\baws\.([a-z]\w*)\.[A-Z]", each.read_text())}
    overrides = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["overrides"]
    followed = {name for each in overrides if each["follow_imports"] != "skip" for name in each["module"]}
    assert {f"pulumi_aws.{name}.*" for name in used} == {name for name in followed if name.endswith(".*")}
