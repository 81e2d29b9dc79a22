"""The access matrix: what it says of the committed manifest, and that no format hides or invents anything."""

import json
import re
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from atlas_access.manifest.load import Manifest, load_manifest
from atlas_access.proof.report import Standing
from atlas_access.review import matrix_html, matrix_json, matrix_markdown, matrix_text
from atlas_access.review.matrix import Cell, Matrix, Observation, build

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


def as_text(matrix: Matrix, width: int, *, colour: bool = False) -> str:
    out = StringIO()
    console = Console(
        file=out,
        width=width,
        markup=False,
        force_terminal=colour,
        color_system="truecolor" if colour else None,
    )
    console.print(matrix_text.render(matrix, console))
    return out.getvalue()


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


@pytest.mark.parametrize(
    ("actions", "shown"),
    [(("find", "validate"), "F+"), (("collStats", "find", "listIndexes"), "F")],
    ids=["a right that is no letter is more", "a look at the outline is not"],
)
def test_what_is_no_letter_and_no_known_mark_shows_as_more(actions: tuple[str, ...], shown: str) -> None:
    assert shown == str(Cell(actions))


def test_the_waiver_on_the_audit_log_names_its_decision_and_every_permitted_action(matrix: Matrix) -> None:
    lines = matrix_text.accepted_lines(matrix.accepted)
    assert lines[0].startswith("Known and accepted (ADR 0006, W1): app_write can ")
    assert lines[0].endswith(" on askflorence.agent_audit_log")
    assert {"UPDATE", "REMOVE"} <= set(lines[0].replace(",", "").split())


def test_prods_reference_credential_stands_in_the_row_of_stagings_reader(matrix: Matrix) -> None:
    staging = matrix.clusters[0]
    reader = next(row for row in staging.users if row.name == "app_read")
    lines = [matrix_text.used_as(use, "staging") for use in reader.uses]
    assert "MONGODB_REFERENCE_URI (prod, private address)" in lines


def test_each_collection_stands_in_one_column_with_those_of_equal_content_and_waivers(matrix: Matrix) -> None:
    for cluster in matrix.clusters:
        columns = matrix_text.columns(cluster)
        for column in columns:
            for collection in column.collections:
                index = cluster.collections.index(collection)
                assert column.cells == tuple(row.cells[index] for row in cluster.users)
        shown = [each for column in columns for each in column.collections]
        assert sorted(map(str, cluster.collections)) == sorted(map(str, shown))
        assert ["agent_audit_log"] in [[each.name for each in column.collections] for column in columns]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_no_width_loses_a_fact_or_runs_over(matrix: Matrix, width: int) -> None:
    text = as_text(matrix, width)
    words = set(text.replace(",", " ").replace("?", " ").replace(";", " ").replace("\n", " ").split())
    names = {each.name for cluster in matrix.clusters for each in cluster.collections}
    variables = {use.variable for cluster in matrix.clusters for row in cluster.users for use in row.uses}
    assert variables <= words
    assert "…" not in text
    assert "FIURxd ⚠W1" in " ".join(text.split())
    assert names <= words
    assert max(map(len, text.splitlines())) <= width


def test_both_clusters_share_one_layout_and_colour_adds_nothing_but_escapes(matrix: Matrix) -> None:
    text = as_text(matrix, 120)
    assert (2, False, True) == (
        sum("variables" in line for line in text.splitlines()),
        "\x1b" in text,
        "⚠W1" in text,
    )
    coloured = as_text(matrix, 120, colour=True)
    assert "\x1b[" in coloured
    assert text == re.sub(r"\x1b\[[0-9;]*m", "", coloured)


def test_evidence_fills_the_columns_of_its_user_and_cluster_alone(manifest: Manifest) -> None:
    seen = Observation("app_read", "staging", Standing.YES, Standing.NO, 40, "can UPDATE askflorence.plans")
    matrix = build(manifest, [seen])
    standings = {(c.environment, r.name): (r.live, r.proven) for c in matrix.clusters for r in c.users}
    assert (Standing.YES, Standing.NO) == standings.pop(("staging", "app_read"))
    assert {(Standing.UNASKED, Standing.UNASKED)} == set(standings.values())
    assert "✗ app_read on staging: can UPDATE askflorence.plans" in as_text(matrix, 100)


def test_the_newest_observation_wins(manifest: Manifest) -> None:
    old = Observation("app_read", "staging", Standing.NO, Standing.NO)
    new = Observation("app_read", "staging", Standing.YES, Standing.YES)
    assert Standing.YES is build(manifest, [old, new]).clusters[0].users[0].proven


def test_json_carries_every_cell_of_the_record(matrix: Matrix) -> None:
    document = json.loads(matrix_json.render(matrix))
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


def test_markdown_has_a_row_for_each_collection_of_each_cluster(matrix: Matrix) -> None:
    page = matrix_markdown.render(matrix)
    rows = [line for line in page.splitlines() if line.startswith("| `") and "@" not in line]
    assert sum(len(cluster.collections) for cluster in matrix.clusters) == len(rows)


def test_markdown_escapes_what_would_be_markup_or_a_mention() -> None:
    assert r"\@everyone \*\*x\*\* a\|b" == matrix_markdown.escape("@everyone **x** a|b")
    assert r"`a\|b'c`" == matrix_markdown.code("a|b`c")


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
    page = matrix_html.render(matrix)
    reader = _Outside()
    reader.feed(page)
    assert [] == reader.fetched
    assert "url(" not in page
    assert "default-src 'none'" in page


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
    seen = Observation("app_read", "staging", Standing.NO, Standing.NO, reason="<script>alert(1)</script>")
    page = matrix_html.render(build(manifest, [seen]))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_every_format_is_the_same_twice(manifest: Manifest) -> None:
    def all_formats() -> list[str]:
        matrix = build(manifest)
        return [
            as_text(matrix, 80),
            matrix_markdown.render(matrix),
            matrix_html.render(matrix),
            matrix_json.render(matrix),
        ]

    assert all_formats() == all_formats()
