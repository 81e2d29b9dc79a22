"""Measures the policy pack: what it adds to a preview over an empty pack, and whether its time grows linearly.

    python tests/bench/bench_policy.py [--rounds N]

The preview is of our staging stack from nothing, in a sandbox of its own, by the embedded engine; each figure is the
best of the rounds. Exit 1 when a budget is exceeded.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "policy")]

from policy_changes import changed  # noqa: E402
from policy_pack_process import PackProcess  # noqa: E402
from policy_world import audit_role, make, reads, secret, task, user  # noqa: E402
from pulumi.runtime.proto import analyzer_pb2  # noqa: E402
from test_pack import request  # noqa: E402

from sandbox import lifecycle  # noqa: E402
from sandbox.deploy import POLICY, Order, checked  # noqa: E402
from sandbox.engine.embedded import Embedded  # noqa: E402
from sandbox.engine.recorder import Recorder  # noqa: E402

OVER_EMPTY = 1.1
GROWTH = 1.2
"""The budgets: a preview's time over an empty pack's, and a resource's at 2,000 over one at 200."""

EMPTY_PACK = """
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy

PolicyPack(
    name="empty",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[ResourceValidationPolicy("nothing", "says nothing", lambda args, report: None)],
)
"""


def empty_pack(folder):
    """A pack with one policy that says nothing."""
    (folder / "PulumiPolicy.yaml").write_text("name: empty\nversion: 1.0.0\nruntime: python\nmain: .\n")
    (folder / "__main__.py").write_text(EMPTY_PACK)
    return folder


def many(count):
    """A stack of `count` resources of mixed types, users in a project each so that no cap interferes."""
    made = []
    for number in range(count):
        project = f"{number:024x}"
        match number % 6:
            case 0:
                made.append(user(f"u{number}", projectId=project))
            case 1:
                made.append(changed(audit_role(), {"roleName": f"role_{number}", "projectId": project}))
            case 2:
                made.append(secret(f"staging/mongodb/s{number}"))
            case 3:
                made.append(changed(task(), {"family": f"family-{number}"}))
            case 4:
                made.append(reads(f"role-{number}", "app-read-v2"))
            case _:
                made.append(
                    make("aws:ssm/parameter:Parameter", f"p{number}", {"value": f"text {number}" * 20})
                )
    return made


def in_stack(resource):
    """A resource as an engine hands it on at the end of a pass."""
    asked = request(resource)
    return analyzer_pb2.AnalyzerResource(
        type=asked.type,
        urn=asked.urn,
        name=asked.name,
        properties=asked.properties,
        options=asked.options,
        parent=resource.parent,
        dependencies=resource.dependencies,
    )


def timed(action):
    """Seconds that an action takes."""
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def analyze(pack, resources):
    """What an engine asks of a pack in one pass."""
    for resource in resources:
        pack.analyze(request(resource))
    pack.analyze_stack([in_stack(resource) for resource in resources])


def busy(pack, resources):
    """Processor seconds that the pack spends on one pass; unlike the clock, they do not grow with other work."""
    times = psutil.Process(pack.process.pid).cpu_times
    begin = times()
    analyze(pack, resources)
    end = times()
    return end.user + end.system - begin.user - begin.system


UNGATED = {"allowUngatedRollout": "true"}


def previewed(world, folder):
    """Seconds that a preview of our staging stack takes with one pack."""
    files = checked(Order("staging", phase="provision", program_dir=ROOT, settings=UNGATED))
    recorder = Recorder(lambda _: None, preview=True)

    def preview():
        if not Embedded().run("preview", world, files, recorder, lambda _: None, policy_packs=(folder,)):
            sys.exit("\n".join(recorder.errors) or "the preview was refused")

    return timed(preview)


def added(rounds):
    """The best preview with an empty pack and with ours, one after the other in turn."""
    home = Path(tempfile.mkdtemp(prefix="atlas-access-bench-"))
    best = {"empty": float("inf"), "ours": float("inf")}
    world = lifecycle.up(home / "box")
    try:
        packs = {"empty": empty_pack(home), "ours": POLICY}
        for _ in range(rounds):
            for name, folder in packs.items():
                best[name] = min(best[name], previewed(world, folder))
    finally:
        lifecycle.down(home / "box", keep=False)
        shutil.rmtree(home, ignore_errors=True)
    return best


def say(line):
    """Print one line of the result."""
    sys.stdout.write(line + "\n")


def main():
    """Print both ratios, and exit by the budgets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=6)
    best = added(parser.parse_args().rounds)
    over = best["ours"] / best["empty"]
    say(
        f"a preview of staging: empty pack {best['empty']:.3f} s, ours {best['ours']:.3f} s, "
        f"ratio {over:.2f} (budget {OVER_EMPTY:.2f})"
    )
    with PackProcess.start(POLICY, "bind") as pack:
        each = {}
        for count in (200, 2000):
            resources = many(count)
            each[count] = min(busy(pack, resources) for _ in range(3)) / count * 1000
    growth = each[2000] / each[200]
    say(
        f"processor time: 200 resources {each[200]:.2f} ms each, 2000 resources {each[2000]:.2f} ms each, "
        f"ratio {growth:.2f} (1.00 is linear, budget {GROWTH:.2f})"
    )
    sys.exit(1 if over > OVER_EMPTY or growth > GROWTH else 0)


if __name__ == "__main__":
    main()
