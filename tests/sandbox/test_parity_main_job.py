"""The real program on the sandbox's engine and on the real `pulumi` CLI: equal states, equal effects in equal order.

Six scenarios in one life: provision that fails in the middle and then succeeds, no change, bind, an update and a
replacement, destroy. Runs where a `pulumi` CLI is on PATH; where none is, one test says so by its name.
"""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from parity_life import Life, order, related, sandbox

from sandbox.deploy import Engine


def live(engine: Engine, directory: Path) -> Life:
    with sandbox(engine, directory) as life:
        life.live()
        return life


if shutil.which("pulumi"):

    def test_the_program_lives_the_same_life_on_both_engines(
        tmp_path: Path, record_property: Callable[[str, object], None]
    ) -> None:
        """One test, because each engine's sandbox lives once; what differs is named by its step."""
        with ThreadPoolExecutor(2) as pool:
            ours, cli = pool.map(lambda e: live(e, tmp_path / e.value), (Engine.EMBEDDED, Engine.PULUMI))
        mine, theirs = ours.story(), cli.story()
        pairs = related(theirs["bind"].resources)
        for name, step in theirs.items():
            assert mine[name].failed == step.failed, name
            assert mine[name].changes == step.changes, name
            assert mine[name].resources == step.resources, name
            assert sorted(mine[name].effects) == sorted(step.effects), name
            assert order(mine[name].effects, pairs) == order(step.effects, pairs), name
            equal = f"{len(step.resources)} resources, {len(step.effects)} effects equal"
            record_property("says", f"parity, {name}: {equal}")
        assert ours.steps["no change"].effects == ()
        assert ours.steps["destroy"].resources == ()

else:

    def test_parity_not_run_no_pulumi_cli_on_path() -> None:
        assert shutil.which("pulumi") is None
