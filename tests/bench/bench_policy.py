"""Measures the policy pack: what it adds over an empty pack, and whether its time grows linearly.

    python tests/bench/bench_policy.py [--preview 'COMMAND with {pack}'] [--rounds N]

Without `--preview` the first ratio is that of the pack's own time (start and analysis of our stack, over gRPC)
against an empty pack's. With it, the command is run with an empty pack and with ours, and the ratio is of a preview.
"""

import argparse
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "policy")]

from policy_pack_process import PackProcess  # noqa: E402
from policy_world import compliant_stack, make, role, secret, user  # noqa: E402
from test_pack import in_stack, request  # noqa: E402

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
    """A stack of `count` resources of mixed types, each in a project of its own so that no cap interferes."""
    made = []
    for number in range(count):
        project = f"{number:024x}"
        match number % 4:
            case 0:
                made.append(user(f"u{number}", projectId=project))
            case 1:
                made.append(role(f"role_{number}", projectId=project))
            case 2:
                made.append(secret(f"staging/mongodb/s{number}"))
            case _:
                made.append(
                    make("aws:ssm/parameter:Parameter", f"p{number}", {"value": f"text {number}" * 20})
                )
    return made


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


def whole_pass(folder):
    """Start a pack and judge our stack."""
    with PackProcess.start(folder, "bind") as pack:
        analyze(pack, compliant_stack())


def say(line):
    """Print one line of the result."""
    sys.stdout.write(line + "\n")


def main():
    """Print both ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--preview", help="a preview's command line; {pack} stands for the pack's folder")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        empty = empty_pack(Path(name))
        packs = {"empty": empty, "ours": ROOT / "policy"}

        def once(folder):
            if asked.preview:
                command = shlex.split(asked.preview.replace("{pack}", str(folder)))
                return timed(lambda: subprocess.run(command, check=True, capture_output=True))
            return timed(lambda: whole_pass(folder))

        rounds = {key: [] for key in packs}
        for _ in range(asked.rounds):
            for key, folder in packs.items():
                rounds[key].append(once(folder))
        seconds = {key: statistics.median(times) for key, times in rounds.items()}
        what = (
            "a preview"
            if asked.preview
            else f"start and one pass over our stack ({len(compliant_stack())} resources)"
        )
        say(
            f"{what}: empty pack {seconds['empty']:.3f} s, ours {seconds['ours']:.3f} s, "
            f"added {seconds['ours'] - seconds['empty']:.3f} s, ratio {seconds['ours'] / seconds['empty']:.2f}"
        )
    with PackProcess.start(ROOT / "policy", "bind") as pack:
        each = {}
        for count in (200, 2000):
            resources = many(count)
            each[count] = min(busy(pack, resources) for _ in range(3)) / count * 1000
    say(
        f"processor time: 200 resources {each[200]:.2f} ms each, 2000 resources {each[2000]:.2f} ms each, "
        f"ratio {each[2000] / each[200]:.2f} (1.00 is linear)"
    )


if __name__ == "__main__":
    main()
