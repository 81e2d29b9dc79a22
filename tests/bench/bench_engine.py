"""Measures the engine and the Atlas emulator against their budgets, on toy resources that take no time of their own.

    python tests/bench/bench_engine.py

What the engine adds is the time of a run without changes less the time of the same program run against mocks, in a
process of its own as well. Each figure is the best of three. Exit 1 when a budget is exceeded.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "sandbox")]

from engine_programs.harness import FOLDER, Stack  # noqa: E402
from engine_programs.toy_provider import ToyProvider  # noqa: E402

ROUNDS = 3
PROGRAM = 'for n in range({}):\n    toy.Thing(f"t{{n}}", name=f"n{{n}}")\n'
ALONE = """
import sys
import pulumi
class Mocks(pulumi.runtime.Mocks):
    def new_resource(self, args): return args.name, {**args.inputs, "serial": "x"}
    def call(self, args): return {}
pulumi.runtime.set_mocks(Mocks(), preview=False)
import runpy
@pulumi.runtime.test
def program(): runpy.run_path(sys.argv[1])
program()
"""


def best(measure):
    """The shortest of the rounds, in seconds."""
    return min(measure() for _ in range(ROUNDS))


def ran(stack, operation="up", program=None):
    """Seconds of one run, which must go well."""
    began = time.perf_counter()
    result = stack.run(operation, program)
    if not result.ok:
        sys.exit(result.error)
    return time.perf_counter() - began


def alone(stack):
    """Seconds of the same program in a process of its own, against mocks."""
    began = time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": f"{FOLDER}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-c", ALONE, str(stack.program_dir / "__main__.py")]
    subprocess.run(command, cwd=stack.program_dir, env=environment, check=True, capture_output=True)
    return time.perf_counter() - began


def emulator():
    """Seconds to make 100 roles and 100 users through the emulator, without propagation delay."""
    from sandbox.atlas import AtlasEmulator, ProjectSpec
    from sandbox.mongod import MongodProcess
    from sandbox.providers.atlas_client import AtlasClient

    project = "69e31af12fd2c0aef51bbb41"
    with tempfile.TemporaryDirectory() as home:
        server = MongodProcess.start(Path(home) / "db", root_password="bench-only", replica_set="bench")
        address = f"127.0.0.1:{server.port}"
        spec = ProjectSpec(project, "bench", "bench", server.root_uri, address, "key", "secret")
        atlas = AtlasEmulator([spec], 0.0)
        try:
            url = atlas.start()
            given = {"MONGODB_ATLAS_BASE_URL": url, "MONGODB_ATLAS_PUBLIC_API_KEY": "key"}
            client = AtlasClient({**given, "MONGODB_ATLAS_PRIVATE_API_KEY": "secret"}, {})
            began = time.perf_counter()
            for number in range(100):
                resource = {"cluster": False, "db": "shop", "collection": f"c{number}"}
                role = {"roleName": f"r{number}", "inheritedRoles": []}
                role["actions"] = [{"action": "FIND", "resources": [resource]}]
                roles = (project, "customDBRoles", "roles")
                client.call("POST", roles, name="role", operation="create", body=role)
                user = {"username": f"u{number}", "databaseName": "admin", "groupId": project}
                user["password"] = "bench-Password-1"
                user["roles"] = [{"roleName": f"r{number}", "databaseName": "admin"}]
                client.call("POST", (project, "databaseUsers"), name="user", operation="create", body=user)
            return time.perf_counter() - began
        finally:
            atlas.stop()
            server.kill()


def main():
    """Measure, print one line a figure, and exit by the budgets."""
    figures = []
    with tempfile.TemporaryDirectory() as home, ToyProvider() as toy:
        stack = Stack(Path(home) / "small", toy)
        stack.folder.mkdir()
        ran(stack, program=PROGRAM.format(40))
        added = best(lambda: ran(stack)) - best(lambda: alone(stack))
        figures.append(("engine over the program's own time, no change", added, 0.3))
        seconds = {}
        for count in (125, 250, 500):
            made, again = [], []
            for attempt in range(ROUNDS):
                large = Stack(Path(home) / f"n{count}-{attempt}", toy)
                large.folder.mkdir()
                made.append(ran(large, program=PROGRAM.format(count)))
                again.append(ran(large))
            seconds[count] = (min(made), min(again))
    for count, (made, again) in seconds.items():
        sys.stdout.write(f"{count} resources: created in {made:.2f} s, no change in {again:.2f} s\n")
    # Linear: what the second 250 cost is not much more than what the first 250 did.
    for index, what in enumerate(("creating", "no change")):
        first = seconds[250][index] - seconds[125][index]
        second = (seconds[500][index] - seconds[250][index]) / 2
        figures.append(
            (f"500 resources, {what}: cost of the later ones over the earlier (ratio)", second / first, 1.8)
        )
    figures.append(("100 users and 100 roles through the emulator", emulator(), 20.0))
    exceeded = False
    for name, value, budget in figures:
        exceeded |= value > budget
        sys.stdout.write(f"{name:<75} {value:6.2f}   (budget {budget:g})\n")
    sys.exit(1 if exceeded else 0)


if __name__ == "__main__":
    main()
