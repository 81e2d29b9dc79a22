"""The code knows no application: its names, issues and partners are in its files."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMES = re.compile(r"askflorence|\beng-[0-9]|hubspot", re.IGNORECASE)
ROOMS = ("atlas_access", "components", "probes", "policy")
FILES = {"policy/policy-config.json"}
"""What is an application's own: the law."""


def test_no_file_of_the_code_names_the_application_its_issues_or_its_partners() -> None:
    named = []
    for path in sorted(each for room in ROOMS for each in (ROOT / room).rglob("*") if each.is_file()):
        place = str(path.relative_to(ROOT))
        if "__pycache__" not in place and place not in FILES:
            text = path.read_text(encoding="utf-8")
            named += [f"{place}: {line.strip()}" for line in text.splitlines() if NAMES.search(line)]
    assert [] == named
