"""What a proof is measured beside: the runbook's calls by mongosh, and clients that write and hold transactions."""

import os
import shutil
import statistics
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HELD_SECONDS = 0.02
PAUSE_SECONDS = 0.005
"""How long a client holds a transaction open, and how long it pauses between two calls."""

PROBE = {
    "FIND": "db.{c}.findOne({{_id: 'probe'}})",
    "INSERT": "s = db.getMongo().startSession(); s.startTransaction(); try {{ s.getDatabase('askflorence').{c}"
    ".insertOne({{_probe: true}}) }} finally {{ s.abortTransaction() }}",
    "UPDATE": "db.{c}.explain().update({{_id: 'probe'}}, {{$set: {{a: 1}}}})",
    "REMOVE": "db.{c}.explain().remove({{_id: 'probe'}})",
    "CREATE_INDEX": "db.runCommand({{createIndexes: '{c}', indexes: [{{key: {{a: 1}}, name: 'probe'}}], "
    "collectionUUID: UUID()}})",
}
"""The runbook's probes as a person types them, each without a trace."""


def window(cluster, seconds):
    """Clients of each kind for some seconds; the milliseconds of each kind's slowest hundredth, and the failures."""
    took, failed = {}, []
    until = time.monotonic() + seconds

    def client(kind, collection, held):
        mine = took.setdefault(kind, [])
        with cluster.server.client() as client, client.start_session() as session:
            rows = client["askflorence"][collection]
            while time.monotonic() < until:
                began = time.perf_counter()
                try:
                    if held:
                        with session.start_transaction():
                            rows.insert_one({"_busy": True}, session=session)
                            time.sleep(HELD_SECONDS)
                    else:
                        rows.insert_one({"_busy": True})
                except Exception as error:  # noqa: BLE001 - whatever a client would see
                    failed.append(error)
                mine.append((time.perf_counter() - began) * 1000)
                time.sleep(PAUSE_SECONDS)

    kinds = [
        (f"{what}, {where}", name, held)
        for where, name in (("a proven collection", "plans"), ("another collection", "of_somebody_else"))
        for what, held in (("inserts", False), ("transactions held open", True))
    ]
    threads = [threading.Thread(target=client, args=kind) for kind in kinds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _, name, _ in kinds:
        cluster.root["askflorence"][name].delete_many({"_busy": True})
    return {kind: statistics.quantiles(each, n=100)[-1] for kind, each in took.items()}, len(failed)


def mongosh(cluster):
    """Seconds for the twelve probes as twelve calls, None without a mongosh."""
    from atlas_access.proof.runbook import probe_set

    here = ROOT / "node_modules/.bin/mongosh"
    program = os.environ.get("MONGOSH") or shutil.which("mongosh") or (str(here) if here.exists() else None)
    if program is None:
        return None
    began = time.monotonic()
    for probe in probe_set((ROOT / "runbook.yaml").read_text(), "", legacy=False).probes:
        call = [program, cluster.uri(probe.user), "--quiet", "--norc", "--eval"]
        subprocess.run(
            [*call, PROBE[probe.action].format(c=probe.collection)], capture_output=True, check=False
        )
    return time.monotonic() - began
