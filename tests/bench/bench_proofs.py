"""Measures the complete proof of all eight users against what one would do otherwise; prints ratios of one run.

    python tests/bench/bench_proofs.py [--rounds N] [--users 8,80,400] [--windows N] [--seconds N]

Two real mongods hold the four users each. Beside the proof, process start included, run: `mongosh` with the runbook's
twelve probes as twelve calls (MONGOSH, the PATH, or a node_modules folder here), and a bare pymongo loop that sends the
same commands on as many connections. Then clients write and hold transactions open, in windows without and with proofs
in a loop, whose process yields to theirs because it runs elsewhere in earnest. Exit 1 when a budget is exceeded;
without a mongosh its line says "not run".
"""

import argparse
import json
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/sandbox"), str(ROOT / "tests/bench")]

MONGOSH_BUDGET = 12.0
"""How many times faster than mongosh's twelve calls the proof of all eight users has to be."""

BARE_BUDGET = 1.5
GROWTH_BUDGET = 1.5
"""How much more a user may cost among the most than among the fewest."""

CLIENT_BUDGET = 1.2
"""How much longer a client's slowest hundredth may take beside proofs, unless it is within the milliseconds below."""

CLIENT_MS = 1.0


def main():
    """Measure, print one line a figure, and exit by the budgets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--users", default="8,80,400")
    parser.add_argument("--windows", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--child", choices=("proof", "bare", "loop"))
    parser.add_argument("--work")
    given = parser.parse_args()
    if given.child:
        return {"proof": prove_here, "bare": send_here, "loop": prove_on}[given.child](Path(given.work))
    home = Path(tempfile.mkdtemp(prefix="atlas-access-bench-"))
    try:
        return measure(home, given)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def measure(home, given):
    """Start both servers, measure everything, and return the exit code."""
    from mongod_fixture import Cluster, the_manifest

    from sandbox.mongod.process import MongodProcess

    servers = [MongodProcess.start(home / name, root_password="root") for name in ("staging", "prod")]
    try:
        clusters = []
        for server, name in zip(servers, ("staging", "prod"), strict=True):
            clusters.append(Cluster(server, server.client(), the_manifest(), name))
            clusters[-1].seed()
        exceeded = against_others(home, clusters, given.rounds)
        exceeded |= beside_clients(home, clusters[0], given.windows, given.seconds)
        return int(grow(home, clusters[0], [int(each) for each in given.users.split(",")]) or exceeded)
    finally:
        for server in servers:
            server.kill()


def against_others(home, clusters, rounds):
    """The proof of all eight users beside mongosh and beside the bare loop."""
    from proof_company import mongosh

    jobs = [(c.request(u.name), c.uri(u.name)) for c in clusters for u in c.manifest.users]
    work = written(home / "eight", jobs)
    runs = [(child("proof", work), child("bare", work)) for _ in range(rounds)]
    whole = min(proof["wall"] for proof, _ in runs)
    inside, bare = (min(each[i]["seconds"] for each in runs) for i in (0, 1))
    say(f"proof of 8 users, process start included   {whole:6.2f} s   ({runs[0][0]['said']})")
    shell = mongosh(clusters[0])
    if shell is None:
        say("mongosh, the runbook's twelve calls        not run  (npm install mongosh, or set MONGOSH)")
    else:
        faster = ratio(shell / whole, MONGOSH_BUDGET, at_least=True)
        say(f"mongosh, the runbook's twelve calls        {shell:6.2f} s   {faster}")
    times = ratio(inside / bare, BARE_BUDGET)
    say(f"bare pymongo loop, the same commands       {bare:6.2f} s   proof {inside:.2f} s, {times}")
    return (shell is not None and shell / whole < MONGOSH_BUDGET) or inside / bare > BARE_BUDGET


def beside_clients(home, cluster, windows, seconds):
    """What clients notice of proofs in a loop: the median over windows of their slowest hundredth, and what failed."""
    import statistics

    from proof_company import window

    work = written(
        home / "beside", [(cluster.request(u.name), cluster.uri(u.name)) for u in cluster.manifest.users]
    )
    call = [sys.executable, __file__, "--child", "loop", "--work", str(work)]
    found = {False: [], True: []}
    failed = {False: 0, True: 0}
    proofs = 0
    for number in range(2 * windows):
        proving = bool(number % 2)
        loop = (
            subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            if proving
            else None
        )
        if loop is not None:
            loop.stdout.readline()  # the first proofs are made
        slow, wrong = window(cluster, seconds)
        found[proving].append(slow)
        failed[proving] += wrong
        if loop is not None:
            proofs += int(loop.communicate()[0])
    say(
        f"clients beside {proofs} proofs in a loop, median of {windows} windows of {seconds:g} s, p99 without and with"
    )
    exceeded = False
    for kind in found[False][0]:
        without, beside = (
            statistics.median(each[kind] for each in found[proving]) for proving in (False, True)
        )
        exceeded |= beside > CLIENT_BUDGET * without and beside > without + CLIENT_MS
        times = ratio(beside / without, CLIENT_BUDGET)
        say(f"  {kind:<38} {without:6.2f} {beside:6.2f} ms   {times} or {CLIENT_MS:g} ms more")
    more = failed[True] - failed[False]
    say(f"  failed writes and transactions         {failed[False]:6} {failed[True]:6}      (budget 0 more)")
    return exceeded or more > 0


def grow(home, cluster, sizes):
    """The cost of a user among ever more users."""
    made, costs = 0, []
    for size in sizes:
        for number in range(made, size):
            like = cluster.manifest.users[number % 4].name
            cluster.root.admin.command(
                "createUser",
                f"u{number}",
                pwd=cluster.password(f"u{number}"),
                roles=cluster.declared_roles(like),
            )
        made = max(made, size)
        jobs = []
        for number in range(size):
            like = cluster.manifest.users[number % 4].name
            request = cluster.request(like)
            mine = replace(request, expectations=replace(request.expectations, user=f"u{number}"))
            jobs.append((mine, cluster.uri(like).replace(like, f"u{number}")))
        found = child("proof", written(home / f"grow{size}", jobs))
        costs.append(found["seconds"] / size)
        each = f"{costs[-1] * 1000:.0f} ms a user"
        say(f"{size:>4} users                                 {found['seconds']:6.2f} s   {each}")
    growth = costs[-1] / costs[0]
    say(f"a user among {sizes[-1]} against one among {sizes[0]}     {ratio(growth, GROWTH_BUDGET)}")
    return growth > GROWTH_BUDGET


def ratio(value, budget, *, at_least=False):
    """A ratio and its budget in words."""
    return f"ratio {value:.2f} (budget {'at least' if at_least else 'at most'} {budget:g})"


def written(path, jobs):
    """Keep what a child needs: requests and connection strings, and for the bare loop the commands themselves."""
    path.mkdir(mode=0o700)
    (path / "jobs").write_bytes(pickle.dumps(jobs))
    (path / "commands").write_bytes(
        pickle.dumps([(uri, commands_of(request.expectations)) for request, uri in jobs])
    )
    return path


def commands_of(expected):
    """The commands of a whole proof, as database, command, whether in a transaction."""
    from uuid import uuid4

    from atlas_access.proof.attempt import About, Nonce, not_tried
    from atlas_access.proof.catalogue import operation
    from atlas_access.proof.operation import Form, Target

    about = About((6, 0, 5), {}, frozenset(), frozenset(), frozenset(), Nonce("", uuid4()))
    found = [
        ("admin", {"connectionStatus": 1, "showPrivileges": True}, False),
        ("admin", {"buildInfo": 1}, False),
    ]
    for cell in expected.table:
        row = operation(cell.operation)
        if row.command is not None and not not_tried(row, cell, about):
            place = cell.place
            database = place.database or "admin"
            target = Target(
                database, place.collection, expected.source_for(place), f"_probe_{uuid4().hex}", uuid4()
            )
            command = dict(row.command(target))
            found.append(
                ("admin" if row.on_admin else database, command, row.form is Form.ABORTED_TRANSACTION)
            )
    return found


def child(kind, work):
    """Run a part in a process of its own; what it says, and its seconds from start to end."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, __file__, "--child", kind, "--work", str(work)],
        capture_output=True,
        text=True,
        check=False,
    )
    wall = time.monotonic() - began
    if done.returncode != 0:
        sys.exit(done.stderr or done.stdout)
    return {**json.loads(done.stdout), "wall": wall}


def prove_here(work):
    """The child that proves."""
    from atlas_access.base.endpoints import Endpoints
    from atlas_access.proof.run import MAX_CONCURRENT, prove
    from atlas_access.proof.verdict import Verdict

    nowhere = dict.fromkeys(("aws", "atlas", "smoke", "hubspot", "github"), "http://127.0.0.1:1")
    endpoints = Endpoints(sandbox=True, **nowhere)
    jobs = pickle.loads((work / "jobs").read_bytes())  # noqa: S301 - written by this run's own parent
    began = time.monotonic()
    with ThreadPoolExecutor(MAX_CONCURRENT) as pool:
        proofs = tuple(pool.map(lambda job: prove(job[0], endpoints, read_secret=lambda: job[1]), jobs))
    seconds = time.monotonic() - began
    wrong = [proof.reason for proof in proofs if proof.verdict is not Verdict.PROVEN]
    if wrong:
        sys.exit(wrong[0])
    by_list = sum(each.by_list for each in proofs)
    tried = sum(len(each.attempts) for each in proofs) - by_list
    said = f"{tried} attempts, {by_list} by the server's list"
    sys.stdout.write(json.dumps({"seconds": seconds, "said": said}))
    return 0


def prove_on(work):
    """The child that proves its users again and again until its input ends; says so once, and how many in the end."""
    import contextlib
    import io

    os.nice(10)
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    users = len(pickle.loads((work / "jobs").read_bytes()))  # noqa: S301 - written by this run's own parent
    made = 0
    while not ended.is_set():
        with contextlib.redirect_stdout(io.StringIO()):
            prove_here(work)
        if not made:
            say("proving")
        made += users
    sys.stdout.write(str(made))
    return 0


def send_here(work):
    """The child that only sends: one connection a user, as many at once as the proof has."""
    from bson import CodecOptions
    from bson.binary import UuidRepresentation
    from pymongo import MongoClient
    from pymongo.errors import OperationFailure

    jobs = pickle.loads((work / "commands").read_bytes())  # noqa: S301 - written by this run's own parent
    options = CodecOptions(uuid_representation=UuidRepresentation.STANDARD)

    def one(job):
        uri, commands = job
        with MongoClient(
            uri, directConnection=True, maxPoolSize=1, retryWrites=False, retryReads=False
        ) as client:
            session = client.start_session()
            for database, command, in_transaction in commands:
                if in_transaction:
                    session.start_transaction()
                try:
                    client[database].command(
                        command, codec_options=options, session=session if in_transaction else None
                    )
                except OperationFailure:
                    pass
                finally:
                    if in_transaction:
                        session.abort_transaction()
            session.end_session()

    began = time.monotonic()
    with ThreadPoolExecutor(min(len(jobs), 16)) as pool:
        list(pool.map(one, jobs))
    sys.stdout.write(json.dumps({"seconds": time.monotonic() - began}))
    return 0


def say(line):
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
