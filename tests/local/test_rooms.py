"""The structure of the package: a room is used through what its `__init__` shows, never through its inner modules."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "atlas_access"
PROGRAM = [ROOT / "__main__.py", *map(ROOT.joinpath, ("atlas_access", "components", "probes", "sandbox"))]


def _files() -> Iterator[Path]:
    for each in PROGRAM:
        yield from [each] if each.is_file() else each.rglob("*.py")


def test_no_part_of_the_program_imports_an_inner_module_of_another_room() -> None:
    inner = []
    for path in _files():
        here = path.relative_to(ROOT).parts[:2]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            module = (node.module or "").split(".") if isinstance(node, ast.ImportFrom) else []
            if module[:1] == ["atlas_access"] and len(module) > 2 and tuple(module[:2]) != here:
                inner.append(f"{path.relative_to(ROOT)}: {'.'.join(module)}")
    assert [] == inner


def test_every_name_that_a_room_shows_is_there() -> None:
    missing = []
    for stub in PACKAGE.glob("*/__init__.pyi"):
        for node in ast.parse(stub.read_text(encoding="utf-8")).body:
            assert isinstance(node, ast.ImportFrom)
            source = stub.with_name(f"{node.module}.py") if node.module else None
            for alias in node.names:
                found = source.read_text(encoding="utf-8") if source else ""
                if alias.name not in found and not stub.with_name(f"{alias.name}.py").exists():
                    missing.append(f"{stub.parent.name}: {alias.name}")
    assert [] == missing
