"""The receipt is one page: escaped, without a script or anything from outside, one in each form."""

import re
from dataclasses import replace

import pytest

from atlas_access.review.deployment import Deployment, Operation, Proof, Step, Swap
from atlas_access.review.matrix import AcceptedFinding
from sandbox.demo.receipt import Chapter, DatabaseUser, GateRun, Receipt, Release, reported_rounds
from sandbox.demo.receipt_pages import lines, render_html, render_markdown
from sandbox.load.report import Latency, LoadReport, Tally

CANARY = "<script>alert('c4nary')</script>|[x](http://c4nary.example)"


def user(cluster: str, name: str, role: str = "read@askflorence") -> DatabaseUser:
    return DatabaseUser(cluster, name, role)


def load(*, failed: int = 0, wrong: int = 0) -> LoadReport:
    tallies = (
        Tally(environment="staging", question="GET /", asked=1200, failed=failed, wrong=wrong),
        Tally(environment="prod", question="GET /", asked=1100, failed=0, wrong=0),
    )
    return LoadReport(
        began=0, seconds=20, rate=50, cpu_seconds=1, tallies=tallies, faults=(), served=(), marks=(),
        latency=Latency(p50=4, p95=16, p99=33, most=120),
    )  # fmt: skip


def proof() -> Proof:
    return Proof(
        "app-read", "app_read", "staging", "staging", "proven", "", 10, 0, 0, "2026-01-01T00:00:00+00:00"
    )


def deployment(phase: str = "bind", failure: str = "", operation: Operation = Operation.UP) -> Deployment:
    step = Step("create", "aws:ecs/taskDefinition:TaskDefinition", "app")
    run, swap = ("staging", phase, operation, "embedded", 4.2), Swap("app:7", "app:8", 2, 2)
    return Deployment(*run, (step,), (proof(),), swap, failure)


UNRUN = GateRun("prod", "bind", "", 0, green=False, summary="gates NOT RUN: none")
RECEIPT = Receipt(
    made_at="2026-01-01T00:00:00+00:00",
    sandbox="Sandbox: 2 mongod",
    before=(user("staging", "old"), user("staging", "kept"), user("prod", "old")),
    after=(user("staging", "kept"), user("staging", "fresh")),
    deployments=(deployment("provision", operation=Operation.PREVIEW), deployment()),
    releases=(Release("staging", "build current", "app:8", "app:9", 1.2),),
    gates=(GateRun("staging", "before any change", "app:7", 2, green=True, summary="14 plans"),),
    load=load(),
    accepted=(AcceptedFinding("W1", "app_write", "x.audit", ("UPDATE",), "ADR 0006", "why", audit=True),),
    chapters=(Chapter("sandbox up", 5.0), Chapter("staging: bind", 4.0)),
)


def test_the_answer_comes_first() -> None:
    assert "DONE  3 database users before, 2 after; 2,300 requests, 0 failed, 0 wrong" == RECEIPT.headline


@pytest.mark.parametrize("met", [load(failed=1), load(wrong=1), None])
def test_what_was_not_served_well_is_not_done(met: LoadReport | None) -> None:
    assert not replace(RECEIPT, load=met).done


def test_a_story_that_ended_early_is_not_done() -> None:
    stopped = replace(RECEIPT, failure="prod: bind: refuted")
    assert (False, True) == (stopped.done, stopped.headline.startswith("STOPPED"))


def test_users_are_new_kept_or_retired() -> None:
    fates = {each.name: each.fate for each in RECEIPT.users("staging")}
    assert {"fresh": "new", "kept": "kept", "old": "retired"} == fates


def test_a_user_whose_role_changed_is_reported() -> None:
    changed = replace(RECEIPT, after=(user("staging", "kept", "none@admin"),))
    assert "now none@admin" == changed.users("staging")[0].fate


def test_users_are_counted_by_cluster() -> None:
    assert ["2 → 2", "1 → 0"] == [RECEIPT.count(cluster) for cluster in RECEIPT.clusters]


@pytest.mark.parametrize("render", [render_html, render_markdown])
@pytest.mark.parametrize(
    "fact",
    ["3 database users before, 2 after", "app:7 → :8 running 2/2", "before any change", "build current", "W1",
     "2,300 requests", "fresh", "sandbox up", "GET /"],
)  # fmt: skip
def test_both_forms_carry_the_facts(render: object, fact: str) -> None:
    text = render(RECEIPT).replace("\\", "")  # type: ignore[operator]
    assert fact in text


@pytest.mark.parametrize(
    ("render", "unescaped"), [(render_html, r"<script"), (render_markdown, r"(?<!\\)(?:<script|\]\(|\|\[)")]
)
def test_no_name_can_change_the_page(render: object, unescaped: str) -> None:
    hostile = replace(
        RECEIPT,
        sandbox=CANARY,
        before=(user(CANARY, CANARY, CANARY),),
        deployments=(deployment(failure=CANARY),),
        releases=(Release(CANARY, CANARY, CANARY, CANARY, 1.0),),
        gates=(GateRun(CANARY, CANARY, CANARY, 0, green=False, summary=CANARY),),
        chapters=(Chapter(CANARY, 1.0),),
        notes=(CANARY,),
        failure=CANARY,
    )
    text = render(hostile)  # type: ignore[operator]
    assert "c4nary" in text
    assert [] == re.findall(unescaped, re.sub(r"`[^`\n]*`", "", text))


def test_the_page_has_no_script_and_loads_nothing() -> None:
    page = render_html(RECEIPT)
    assert [] == re.findall(r"<script|https?://|src=|@import|url\(", page)
    assert "default-src 'none'" in page


def test_every_row_of_a_table_in_markdown_has_its_columns() -> None:
    rows = [line for line in render_markdown(RECEIPT).splitlines() if line.startswith("|")]
    groups = [re.sub(r"\\\||`[^`]*`", "", row).count("|") for row in rows]
    assert all(count in (5, 6) for count in groups)


def test_a_preview_is_no_change() -> None:
    assert ["bind"] == [each.phase for each in RECEIPT.changes]


def test_the_last_screen_shows_moves_gates_load_and_users() -> None:
    result = "\n".join(lines(RECEIPT))
    for part in ("app:7 → :8 running 2/2", "2 green rounds of all eight", "2,300 requests", "Users: 3 → 2"):
        assert part in result


def test_a_gate_that_was_not_run_is_never_counted_as_green_and_the_answer_says_so() -> None:
    unrun = replace(RECEIPT, gates=(UNRUN,))
    assert "0 green rounds; not green: prod, bind: gates NOT RUN" in "\n".join(lines(unrun))
    assert unrun.headline.endswith("0 failed, 0 wrong; smoke gates NOT RUN")


GREEN, NONE = "gates on app:8: green", "gates NOT RUN: there is no smoke baseline of this stack"


@pytest.mark.parametrize(
    ("said", "printed"),
    [
        ([GREEN, "else", GREEN], ("app:8", 2, True, "green")),
        ([GREEN, "gates on app:8: gate 3: not covered"], ("app:8", 1, False, "gate 3: not covered")),
        ([NONE, NONE], ("", 0, False, "gates NOT RUN: there is no smoke baseline of this stack")),
    ],
    ids=["counted by revision", "red after green", "not run"],
)
def test_the_rounds_of_gates_of_a_rollout_are_counted(said: list[str], printed: tuple[object, ...]) -> None:
    assert (printed,) == reported_rounds(said)
