"""The same programs on the engine and on the real `pulumi` CLI: equal states and equal effects.

Runs where a `pulumi` CLI is on PATH; where none is, one test says so by its name.
"""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from engine_programs.cli import CliStack, comparable
from engine_programs.harness import Stack
from engine_programs.toy_provider import ToyProvider

Step = tuple[str, str | None]

EVERYTHING = """
import dyn
g = toy.Group("g")
p = toy.Provider("p", region="eu", opts=Options(parent=g))
a = toy.Thing("a", name="{a}", value={v}, secret=Output.secret("s3cr3t<&>"), opts=Options(parent=g, provider=p))
b = toy.Thing("b", name=a.serial, value={{"x": [{v}, True, None, "q", 1.5]}}, opts=Options(
    depends_on=[a], additional_secret_outputs=["serial"], ignore_changes=["tag"]))
c = toy.Thing("c", name="c", value=b.serial, obj={{"s": Output.secret([1])}}, opts=Options(parent=g, protect=True))
d = dyn.Proof("d", b.serial, Options(parent=g, additional_secret_outputs=["verdict"]))
e = toy.Thing("e", name="e", opts=Options(import_="there", retain_on_delete=True, depends_on=[d]))
g.register_outputs({{"count": 2, "thing": a}})
for name, value in {{"serial": b.serial, "shout": toy.shout("hey"), "thing": a, "verdict": d.verdict}}.items():
    pulumi.export(name, value)
"""


def whole(a: str = "a", v: str = "1") -> str:
    return EVERYTHING.format(a=a, v=v)


CHAIN = """
a = toy.Thing("a", name="{a}", opts=Options(delete_before_replace=True))
b = toy.Thing("b", name="b", opts=Options(depends_on=[a]))
c = toy.Thing("c", name="c", value=b.serial)
d = toy.Thing("d", name="d", opts=Options(depends_on=[c]))
"""

HALF = 'a = toy.Thing("a", name="a", value="{}")\ntoy.Thing("b", name=a.serial)'
GUARDED = """
a = toy.Thing("a", name="a")
b = toy.Thing("b", name=a.serial, opts=Options(protect=True))
toy.Thing("c", name=b.serial)
"""

SCENARIOS: dict[str, list[Step]] = {
    "provision_and_no_change": [("preview", whole()), ("up", None), ("up", None)],
    "an_update_and_a_replacement": [("up", whole()), ("up", whole(v="2")), ("up", whole(a="z", v="2"))],
    "a_failure_in_the_middle_then_success": [
        ("up", whole()),
        ("up", whole(v='"fail"')),
        ("up", whole(v="3")),
    ],
    "delete_before_replace_and_destroy": [
        ("up", CHAIN.format(a="a")),
        ("up", CHAIN.format(a="z")),
        ("destroy", None),
    ],
    "a_resource_that_is_not_ready": [
        ("up", HALF.format("half")),
        ("up", HALF.format("fine")),
        ("refresh", None),
    ],
    "protection": [("up", GUARDED), ("preview", ""), ("destroy", None)],
}


def there(toy: ToyProvider) -> ToyProvider:
    toy.things["there"] = {"name": "e", "size": 1}
    return toy


def run_on_both(folder: Path, steps: list[Step]) -> None:
    (folder / "ours").mkdir()
    (folder / "cli").mkdir()
    with ToyProvider() as first, ToyProvider() as second:
        ours, cli = Stack(folder / "ours", there(first)), CliStack(folder / "cli", there(second))
        cli.prepare()
        program: str | None = None
        for operation, text in steps:
            program = text if text is not None else program
            assert ours.run(operation, program).ok == cli.deploy(operation, program)
            assert sorted(second.calls) == sorted(first.calls)
            if operation != "preview":
                assert cli.exported() == comparable(ours.state_file.read_text())
        said = ours.preview(program)
        unchanged = said.ok and set(said.changes) <= {"same", "read"}
        assert unchanged == (cli.cli("preview", "--expect-no-changes").returncode == 0)


if shutil.which("pulumi"):

    @pytest.mark.parametrize("name", SCENARIOS)
    def test_the_engine_and_the_cli_agree_on(name: str, tmp_path: Path) -> None:
        run_on_both(tmp_path, SCENARIOS[name])

    def test_the_cli_too_keeps_what_a_killed_run_was_creating(tmp_path: Path) -> None:
        """As ours: the next update creates it, and the record stays until a refresh clears it."""
        with ToyProvider() as toy:
            stack = CliStack(tmp_path, toy)
            stack.prepare()
            stack.write(HALF.format("wait"))
            command = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive"]
            running = subprocess.Popen(
                command, cwd=stack.program_dir, env=stack.environment(), stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
            entered = toy.entered.wait(60)
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
            toy.gate.set()
            assert entered
            observed = [begun(stack)]
            stack.cli("cancel", "--yes")
            for operation, *flags in (["up"], ["up", "--refresh"], ["refresh", "--clear-pending-creates"]):
                stack.write(HALF.format("fine"))
                assert 0 == stack.cli(operation, "--yes", "--skip-preview", *flags).returncode
                observed.append(begun(stack))
            assert [["a"], ["a"], ["a"], []] == observed

    def begun(stack: CliStack) -> list[str]:
        recorded = json.loads(stack.export())["deployment"].get("pending_operations") or []
        return [item["resource"]["urn"].rpartition("::")[2] for item in recorded]

else:

    def test_parity_not_run_no_pulumi_cli_on_path() -> None:
        assert shutil.which("pulumi") is None
