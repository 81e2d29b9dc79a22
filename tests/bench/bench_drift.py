"""Measures the drift check of one clean project against its bare requests to Atlas: the ratio is to stay below 1.5.

    python tests/bench/bench_drift.py [--rounds N]

Both sides sign in by digest with a session of their own and ask the same three questions of the emulator. Ours also
validates the answers, compares everything with access.yaml and renders the report. Files are read once, before.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import requests
from requests.auth import HTTPDigestAuth

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "sandbox")]

from atlas_fixture import V1, V_CLUSTER, Api  # noqa: E402
from drift_fixture import PROJECT, READER, check, declare  # noqa: E402

from atlas_access.base import Format, Status, render  # noqa: E402
from atlas_access.drift import drift_report  # noqa: E402
from sandbox.atlas import AtlasEmulator, ProjectSpec  # noqa: E402
from sandbox.mongod.process import MongodProcess  # noqa: E402

QUESTIONS = (
    ("databaseUsers?itemsPerPage=500&pageNum=1&includeCount=true", V1),
    ("customDBRoles/roles", V1),
    ("clusters/staging", V_CLUSTER),
)
LIMIT = 1.5


def bare(url):
    """The three requests alone, their answers decoded."""
    with requests.Session() as session:
        session.trust_env = False
        auth = HTTPDigestAuth(READER.name, READER.secret)
        for path, accept in QUESTIONS:
            address = f"{url}/api/atlas/v2/groups/{PROJECT}/{path}"
            session.get(address, headers={"Accept": accept}, auth=auth, timeout=20).json()


def ours(url):
    """The whole check; it must be clean and cost three requests."""
    drift, asked = check(url)
    render(drift_report(drift), Format.TEXT)
    return drift, asked.requests


def timed(action, *arguments):
    """Milliseconds that an action takes."""
    begin = time.perf_counter()
    action(*arguments)
    return (time.perf_counter() - begin) * 1000


def spec(server):
    """Staging's project with a read-only key."""
    return ProjectSpec(
        project_id=PROJECT,
        name="staging",
        cluster_name="staging",
        mongod_uri=server.root_uri,
        public_address=server.address,
        private_address="127.0.0.1:9",
        public_key="public-staging",
        private_key="private-staging",
        read_only_public_key=READER.name,
        read_only_private_key=READER.secret,
    )


def main():
    """Print the times and the ratio; exit 1 when it is above the limit."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=60)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = MongodProcess.start(Path(folder) / "data", root_password="root", replica_set="rs")
        emulator = AtlasEmulator([spec(server)], propagation_seconds=0.0)
        url = emulator.start()
        try:
            declare(Api(url, PROJECT, HTTPDigestAuth("public-staging", "private-staging")))
            drift, count = ours(url)
            if drift.status is not Status.GOOD or count > len(QUESTIONS):
                raise SystemExit(
                    f"not clean, or {count} requests: {render(drift_report(drift), Format.TEXT)}"
                )
            times = {"bare": [], "ours": []}
            for _ in range(asked.rounds):
                times["bare"].append(timed(bare, url))
                times["ours"].append(timed(ours, url))
        finally:
            emulator.stop()
            server.kill()
    middle = {name: statistics.median(each) for name, each in times.items()}
    ratio = middle["ours"] / middle["bare"]
    sys.stdout.write(
        f"drift of a clean project ({count} requests): {middle['ours']:.1f} ms, "
        f"requests alone {middle['bare']:.1f} ms, ratio {ratio:.2f} (limit {LIMIT})\n"
    )
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
