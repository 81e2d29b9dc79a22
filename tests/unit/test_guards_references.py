"""By which names the reference connection is followed in a script, and where such a name means another one."""

import pytest

from atlas_access.base import Status
from atlas_access.guards import reference_collections
from tests.unit.manifests import manifest
from tests.unit.source_files import project, source


def found(text: str, path: str = "a.ts") -> list[str]:
    report = reference_collections.check(manifest(), project(source(path, text)))
    return [each.message.split()[0] for each in report.findings]


READ = 'db.collection("agents").find()'


@pytest.mark.parametrize(
    "text",
    [
        f"const {{ db }} = await connect(process.env.MONGODB_REFERENCE_URI); {READ}",
        f"const {{ database: db }} = await connect(process.env.MONGODB_REFERENCE_URI); {READ}",
        f"getReferenceDb().then(db => {READ})",
        f"getReferenceDb().then(async (db) => {{ await {READ} }})",
        f"connect(process.env.MONGODB_REFERENCE_URI).then(({{ db }}) => {READ})",
        f"function q(db) {{ return {READ} }}\nq(await getReferenceDb())",
        f"async function q(name: string, db: Db): Promise<Agent[]> {{ return {READ} }}\nq('x', referenceDb)",
        f"let db; db = await getReferenceDb(); {READ}",
        "class A { async i() { this.conn = await getReferenceDb() }\n"
        '  q() { return this.conn.collection("agents") } }',
        'class A { conn = getReferenceDb()\n  q() { return this.conn.collection("agents").find() } }',
        'const p = [{ $lookup: { from: "agents", as: "x" } }]\ngetReferenceDb().collection("plans").aggregate(p)',
    ],
)
def test_the_connection_is_followed_by_whatever_name_it_has(text: str) -> None:
    assert ["agents"] == found(text)


@pytest.mark.parametrize(
    "text",
    [
        f"getReferenceDb().then(db => db.collection('plans'))\ngetDb().then(db => {READ})",
        f"const r = getReferenceDb()\nfunction q(db) {{ return {READ} }}\nq(await getDb())",
        f"const r = getReferenceDb()\nfunction q(db, other) {{ return {READ} }}\nq(getDb(), r)",
        f"const {{ MONGODB_REFERENCE_URI, db }} = open(process.env); {READ}",
        'const p = [{ $lookup: { from: "agents" } }]\ngetReferenceDb()\ngetDb().collection("plans").aggregate(p)',
    ],
)
def test_the_same_name_elsewhere_is_another_connection(text: str) -> None:
    assert [] == found(text)


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.ts", 'const db = client(process.env.MONGODB_REFERENCE_URI).db("x")\ndb.collection("agents")', ["agents"]),
        ("a.ts", 'this.referenceDb.collection("agents").find()', ["agents"]),
        ("a.ts", 'getReferenceDb().then(d => d.collection("plans"))', []),
        ("a.ts", 'export const openOther = () => new MongoClient(process.env.MONGODB_REFERENCE_URI)\n'
                 'const o = openOther()\no.db("askflorence").collection<Plan>("admins")', ["admins"]),
        ("a.ts", 'const t = "agents"\nreferenceDb.collection(t)', ["agents"]),
        ("a.py", 'c = MongoClient(os.environ["MONGODB_REFERENCE_URI"])\nd = c["askflorence"]\nd["agents"].find()',
         ["agents"]),
        ("a.py", 'c = MongoClient(os.environ["MONGODB_REFERENCE_URI"])\nc.askflorence.agents.find()', ["agents"]),
        ("a.py", 'c = MongoClient(os.environ["MONGODB_REFERENCE_URI"])\nc.get_database().plans.find()\nc.close()', []),
        ("a.py", 'reference_db["plans"].aggregate([{"$out": "copied"}])', ["copied"]),
        ("a.py", 'db["agents"].find()\nreference_db["plans"].find()', []),
    ],
)  # fmt: skip
def test_collections_are_followed_from_the_reference(path: str, text: str, expected: list[str]) -> None:
    assert expected == found(text, path)


@pytest.mark.parametrize(
    ("path", "text"), [("a.ts", "referenceDb.collection(name)"), ("a.py", "reference_db[name].find()")]
)
def test_a_collection_that_the_code_does_not_name_is_not_judged(path: str, text: str) -> None:
    assert Status.UNKNOWN == reference_collections.check(manifest(), project(source(path, text))).status
