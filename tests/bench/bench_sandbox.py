"""Measures the main job in the sandbox against its budgets: up, deployments, peak memory, down.

    python tests/bench/bench_sandbox.py [--rounds N]

Each figure is the best of the rounds, in a process of its own as a person runs it. Exit 1 when a budget is exceeded.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]

DEPLOY = ["deploy", "staging", "--engine", "embedded", "--config", "allowUngatedRollout=true"]
STEPS = (
    ("sandbox up", ["up"], 5.0),
    ("deploy staging, from nothing to proven", DEPLOY, 14.0),
    ("deploy staging, nothing to do", DEPLOY, 6.0),
    ("sandbox down", ["down"], 2.0),
)
"""What is measured, the command, and its budget in seconds on two cores."""

MEMORY = 1.5 * 1024**3
"""The budget for all processes of a sandbox, in bytes."""


class Peak(threading.Thread):
    """Watches the resident memory of every process that works on the sandbox's directory."""

    def __init__(self, directory):
        super().__init__(daemon=True)
        self.bytes = 0
        self.over = threading.Event()
        self._directory = str(directory)

    def run(self):
        while not self.over.wait(0.25):
            total = 0
            for process in psutil.process_iter(["cmdline", "memory_info"]):
                if any(self._directory in part for part in process.info["cmdline"] or ()):
                    total += process.info["memory_info"].rss
            self.bytes = max(self.bytes, total)


def timed(directory, arguments):
    """Seconds that one command takes; a failing one ends the measurement."""
    began = time.monotonic()
    command = [sys.executable, "-m", "atlas_access.cli.main", "sandbox", *arguments, "--dir", str(directory)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr + done.stdout)
    return time.monotonic() - began


def main():
    """Measure, print one line a figure, and exit by the budgets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    rounds = parser.parse_args().rounds
    best = {name: float("inf") for name, _, _ in STEPS}
    memory = 0
    for _ in range(rounds):
        home = Path(tempfile.mkdtemp(prefix="atlas-access-bench-"))
        watch = Peak(home)
        watch.start()
        try:
            for name, arguments, _ in STEPS:
                best[name] = min(best[name], timed(home / "box", arguments))
        finally:
            watch.over.set()
            shutil.rmtree(home, ignore_errors=True)
        memory = max(memory, watch.bytes)
    exceeded = memory > MEMORY
    for name, _, budget in STEPS:
        exceeded |= best[name] > budget
        sys.stdout.write(f"{name:<42} {best[name]:6.1f} s   (budget {budget:.0f} s)\n")
    sys.stdout.write(f"{'peak memory':<42} {memory / 1024**2:6.0f} MiB (budget {MEMORY / 1024**2:.0f} MiB)\n")
    sys.exit(1 if exceeded else 0)


if __name__ == "__main__":
    main()
