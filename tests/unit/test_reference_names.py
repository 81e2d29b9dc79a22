"""By which names the reference connection is followed in a script, and where such a name means another one."""

import pytest

from atlas_access.guards import reference_collections
from atlas_access.guards.language import Language
from atlas_access.guards.source import SourceFile
from tests.unit.manifests import manifest


def found(text: str) -> list[str]:
    file = SourceFile("a.ts", text, Language.SCRIPT)
    return [each.message.split()[0] for each in reference_collections.check(manifest(), [file]).findings]


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
