"""The access matrix: what it says of the committed manifest, and that no format hides or invents anything."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from atlas_access.base import Format, render
from atlas_access.manifest.load import Manifest, load_manifest
from atlas_access.proof.report import Standing
from atlas_access.review import code, escape, matrix_html, matrix_report
from atlas_access.review.matrix import Cell, Matrix, Observation, build
from atlas_access.review.matrix_report import used_as

MANIFEST = Path(__file__).parents[2] / "access.yaml"


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return load_manifest(MANIFEST.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def matrix(manifest: Manifest) -> Matrix:
    return build(manifest)


def cell(matrix: Matrix, environment: str, user: str, collection: str) -> Cell:
    cluster = next(each for each in matrix.clusters if each.environment == environment)
    row = next(each for each in cluster.users if each.name == user)
    index = [each.name for each in cluster.collections].index(collection)
    return row.cells[index]


def page(matrix: Matrix, form: Format = Format.TEXT) -> str:
    return render(matrix_report(matrix), form)


@pytest.mark.parametrize(
    ("user", "collection", "expected"),
    [
        ("app_read", "plans", "F"),
        ("app_read", "agent_audit_log", "F"),
        ("app_write", "plans", "FIURxd"),
        ("app_write", "agent_audit_log", "FIURxd ⚠W1"),
        ("app_audit_writer", "agent_audit_log", "FI"),
        ("app_audit_writer", "plans", "·"),
        ("app_admin_schema", "hubspot_sync_log", "Fx"),
        ("app_admin_schema", "agent_audit_log", "·"),
    ],
)
def test_the_cells_say_what_adr_0006_says(matrix: Matrix, user: str, collection: str, expected: str) -> None:
    assert expected == str(cell(matrix, "staging", user, collection))


def test_a_right_that_is_no_letter_and_no_known_mark_shows_as_more() -> None:
    assert "F+" == str(Cell(("find", "validate")))


def test_a_look_at_the_outline_is_no_mark() -> None:
    assert "F" == str(Cell(("collStats", "find", "listIndexes")))


def test_the_waiver_on_the_audit_log_names_its_decision_and_every_permitted_action(matrix: Matrix) -> None:
    first, *_ = matrix_report(matrix).findings
    assert ("W1", "ADR 0006") == (first.code, first.detail("Accepted in"))
    assert first.message.startswith("app_write can ")
    assert first.message.endswith(" on askflorence.agent_audit_log")
    assert {"UPDATE", "REMOVE"} <= set(first.message.replace(",", "").split())


def test_prods_reference_credential_stands_in_the_row_of_stagings_reader(matrix: Matrix) -> None:
    staging = matrix.clusters[0]
    reader = next(row for row in staging.users if row.name == "app_read")
    lines = [used_as(use, "staging") for use in reader.uses]
    assert "MONGODB_REFERENCE_URI (prod, private address)" in lines


@pytest.mark.parametrize("form", Format)
def test_no_format_loses_a_fact(matrix: Matrix, form: Format) -> None:
    text = page(matrix, form).replace("\\", "")
    names = {each.name for cluster in matrix.clusters for each in cluster.collections}
    variables = {use.variable for cluster in matrix.clusters for row in cluster.users for use in row.uses}
    assert set() == {each for each in names | variables if each not in text}
    assert "FIUR" in text
    assert "W1" in text


def test_a_row_names_the_collection_and_each_users_cell(matrix: Matrix) -> None:
    rows = [line.split() for line in page(matrix).splitlines() if line.startswith("  agent_audit_log ")]
    assert [["agent_audit_log", "pii", "F", "FIURxd", "⚠W1", "FI", "·"]] * 2 == rows


def test_evidence_fills_the_columns_of_its_user_and_cluster_alone(manifest: Manifest) -> None:
    observed = Observation(
        "app_read", "staging", Standing.YES, Standing.NO, 40, "can UPDATE askflorence.plans"
    )
    matrix = build(manifest, [observed])
    standings = {(c.environment, r.name): (r.live, r.proven) for c in matrix.clusters for r in c.users}
    assert (Standing.YES, Standing.NO) == standings.pop(("staging", "app_read"))
    assert {(Standing.UNASKED, Standing.UNASKED)} == set(standings.values())
    assert "✗ app_read on staging: can UPDATE askflorence.plans" in page(matrix)


def test_the_newest_observation_wins(manifest: Manifest) -> None:
    old = Observation("app_read", "staging", Standing.NO, Standing.NO)
    new = Observation("app_read", "staging", Standing.YES, Standing.YES)
    assert Standing.YES is build(manifest, [old, new]).clusters[0].users[0].proven


def test_json_carries_every_cell_of_the_record(matrix: Matrix) -> None:
    document = json.loads(page(matrix, Format.JSON))
    result = {
        (cluster["environment"], user["name"], entry["collection"], entry["letters"] + entry["marks"])
        for cluster in document["clusters"]
        for user in cluster["users"]
        for entry in user["access"]
    }
    held = {
        (cluster.environment, row.name, place.name, one.letters + one.marks)
        for cluster in matrix.clusters
        for row in cluster.users
        for place, one in zip(cluster.collections, row.cells, strict=True)
    }
    assert held == result


def test_markdown_escapes_what_would_be_markup_or_a_mention() -> None:
    assert r"\@everyone \*\*x\*\* a\|b" == escape("@everyone **x** a|b")
    assert r"`a\|b'c`" == code("a|b`c")


class _Outside(HTMLParser):
    """Collects everything that a browser would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [
            v or "" for k, v in attrs if k in {"src", "href"} and not (v or "").startswith(("#", "data:,"))
        ]


def test_the_page_loads_nothing_from_outside_itself(matrix: Matrix) -> None:
    html = matrix_html.render(matrix)
    reader = _Outside()
    reader.feed(html)
    assert [] == reader.fetched
    assert "url(" not in html
    assert "default-src 'none'" in html


def test_the_page_answers_who_can_change_the_audit_log(matrix: Matrix) -> None:
    log = next(each for each in matrix_html.changers(matrix) if each.audit)
    staging = log.by_cluster[0]
    assert staging is not None
    assert [("app_write", True), ("app_audit_writer", False)] == [
        (u.user, "W1" in u.waivers) for u in staging
    ]
    assert "insert" == staging[1].ways


def test_the_page_says_where_a_collection_is_not(matrix: Matrix) -> None:
    reference = next(e for e in matrix_html.changers(matrix) if e.collection.endswith("formularies_staging"))
    assert reference.by_cluster[1] is None


def test_the_page_escapes_what_evidence_says(manifest: Manifest) -> None:
    observed = Observation(
        "app_read", "staging", Standing.NO, Standing.NO, reason="<script>alert(1)</script>"
    )
    html = matrix_html.render(build(manifest, [observed]))
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


@pytest.mark.parametrize("form", Format)
def test_every_format_is_the_same_twice(manifest: Manifest, form: Format) -> None:
    assert page(build(manifest), form) == page(build(manifest), form)
