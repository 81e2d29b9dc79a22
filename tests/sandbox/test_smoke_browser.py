"""Gate 6 in a real browser; where none is installed the gate is not run, and that is what is asserted then."""

import re
import threading
import time
from pathlib import Path
from typing import Any

import playwright
import pytest
from mongod_fixture import LOOPBACK
from smoke_fixture import ROOT, FakeApp, scenarios

from atlas_access.base.endpoints import Endpoints
from atlas_access.smoke.browser import Journey, judge_journey
from atlas_access.smoke.browser_found import FLAGS, find_chromium
from atlas_access.smoke.browser_kept import letting_go
from atlas_access.smoke.gates import GateResult, Standing
from atlas_access.smoke.model import Step

PAGES = {f"/{name}": f"{name}.html" for name in ("calculator", "plans", "coverage-check")}
PAGES["/"] = "home.html"
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css"}


def with_pages(app: FakeApp) -> None:
    """The demonstration's own pages."""
    for path, name in {**PAGES, "/app.js": "app.js", "/app.css": "app.css"}.items():
        file = ROOT / "sandbox" / "app" / "pages" / name
        app.answers_raw(path, file.read_bytes(), Content_Type=TYPES[file.suffix])


def page(app: FakeApp, body: str) -> None:
    html = f"<!doctype html><link rel=icon href='data:,'><p id=here>here</p>{body}"
    app.answers_raw("/", html.encode(), Content_Type="text/html")


def steps(app: FakeApp, **changes: Any) -> Journey:
    smoke = scenarios()
    filled = tuple(step.filled({**smoke.values(), "plans": 14}) for step in smoke.journey)
    facts: dict[str, Any] = {"steps": filled, "endpoints": LOOPBACK, "seconds": 30.0, "step_seconds": 10.0}
    return Journey(app.url, **(facts | changes))


ARRIVE = (Step(open="/"), Step(see="#here"))


def standing(result: GateResult, expected: Standing) -> bool:
    """Whether a gate stands as expected; in a sandbox without a browser it is not run."""
    if not find_chromium():
        return result.standing is Standing.NOT_RUN
    return result.standing is expected


@pytest.mark.parametrize(
    ("endpoints", "expected"), [(LOOPBACK, Standing.NOT_RUN), (Endpoints(), Standing.UNKNOWN)]
)
def test_without_a_browser_gate_6_is_not_run_in_a_sandbox_and_unknown_elsewhere(
    endpoints: Endpoints, expected: Standing, app: FakeApp
) -> None:
    result = judge_journey(steps(app, endpoints=endpoints, executable=""))
    assert (expected, True) == (result.standing, "apt-get install chromium" in result.summary)


def message_of(result: GateResult) -> str:
    return "; ".join((result.summary, *result.details)) if find_chromium() else ""


def test_the_whole_journey_is_walked(app: FakeApp) -> None:
    with_pages(app)
    app.revision = "family:8"
    result = judge_journey(steps(app, revision="family:8"))
    assert standing(result, Standing.MET), result
    assert message_of(result) in ("", "16 steps, no console error")


def test_one_plan_that_is_not_covered_fails_the_journey(app: FakeApp) -> None:
    with_pages(app)
    app.changes("/api/drugs/covered", lambda body: body["plans"][5].update(covered=False))
    result = judge_journey(steps(app, step_seconds=2.0))
    assert standing(result, Standing.UNMET), result
    assert '"13" instead of 14 of them' in message_of(result) or not message_of(result)


def test_what_the_page_says_went_wrong_is_reported_at_once(app: FakeApp) -> None:
    with_pages(app)
    app.answers("/api/plans", {"error": "database error"}, status=500)
    result = judge_journey(steps(app, step_seconds=20.0))
    assert standing(result, Standing.UNMET), result
    assert "the page says: Something went wrong: database error" in message_of(result) or not message_of(
        result
    )


def test_every_console_error_fails_the_journey_and_no_other_machine_is_asked(app: FakeApp) -> None:
    page(
        app,
        "<script>console.error('broken picture')</script><script>throw new Error('no such thing')</script>"
        "<script src='/missing.js'></script><img src='http://pictures.example.com/a.png'>",
    )
    result = judge_journey(steps(app, steps=(*ARRIVE, Step(see="#here", text="here"))))
    assert standing(result, Standing.UNMET), result
    expected = (
        "console: broken picture",
        "uncaught: ",
        "HTTP 404 of /missing.js",
        "pictures.example.com is not loopback; nothing was sent",
    )
    assert [] == [words for words in expected if message_of(result) and words not in message_of(result)]


def test_a_redirect_to_another_host_is_not_followed(app: FakeApp) -> None:
    app.answers_raw("/", b"", 302, Location="http://service.example.com/")
    result = judge_journey(steps(app, steps=ARRIVE, step_seconds=5.0))
    assert standing(result, Standing.UNMET), result


def test_another_revision_fails_the_journey(app: FakeApp) -> None:
    page(app, "")
    app.revision = "family:7"
    result = judge_journey(steps(app, steps=ARRIVE, revision="family:8"))
    assert standing(result, Standing.UNMET), result
    assert message_of(result) in ("", "family:7 answered, not family:8")


def test_a_page_that_never_ends_is_left_at_the_deadline(app: FakeApp) -> None:
    app.handlers["/"] = lambda *_: time.sleep(4)
    result = judge_journey(steps(app, steps=ARRIVE, step_seconds=0.5))
    assert standing(result, Standing.UNMET), result


def test_a_browser_that_does_not_start_leaves_it_unknown(app: FakeApp, tmp_path: Path) -> None:
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    result = judge_journey(steps(app, executable=str(broken), seconds=5.0))
    said = result.summary.startswith("the browser does not start")
    assert (Standing.UNKNOWN, True) == (result.standing, said)


def test_a_browser_is_found_by_its_variable_or_on_the_path(tmp_path: Path) -> None:
    for name in ("mine", "chromium-browser"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    path = str(tmp_path)
    assert (str(tmp_path / "mine"), str(tmp_path / "chromium-browser"), "", "") == (
        find_chromium({"PATH": path, "CHROMIUM": "mine"}),
        find_chromium({"PATH": path}),
        find_chromium({"PATH": path, "CHROMIUM": "nothing"}),
        find_chromium({"PATH": "/nowhere"}),
    )


def test_without_an_installed_browser_playwrights_newest_download_is_found(tmp_path: Path) -> None:
    for number in ("1199", "1208"):
        shell = (
            tmp_path / f".cache/ms-playwright/chromium_headless_shell-{number}/chrome-linux/headless_shell"
        )
        shell.parent.mkdir(parents=True)
        shell.touch(mode=0o755)
    assert str(shell) == find_chromium({"PATH": "/nowhere", "HOME": str(tmp_path)})
    assert "" == find_chromium(
        {"PATH": "/nowhere", "HOME": str(tmp_path), "PLAYWRIGHT_BROWSERS_PATH": "/none"}
    )


def test_what_the_driver_turns_off_stays_off() -> None:
    bundle = Path(playwright.__file__).parent / "driver/package/lib/coreBundle.js"
    listed = re.search(r"disabledFeatures = \[(.*?)\]", bundle.read_text(encoding="utf-8"), re.DOTALL)
    assert listed is not None
    drivers = set(re.findall(r'^\s*"(\w+)"', listed.group(1), re.MULTILINE))
    (ours,) = (flag.partition("=")[2].split(",") for flag in FLAGS if flag.startswith("--disable-features="))
    assert (True, set()) == (len(drivers) > 5, drivers - set(ours))


def test_a_kept_browser_walks_again_without_a_trace_of_the_journey_before(app: FakeApp) -> None:
    page(app, "<script>console.error(document.cookie || 'none'); document.cookie = 'observed=1';</script>")
    results = [judge_journey(steps(app, steps=ARRIVE, keep=True)) for _ in range(2)]
    assert all(standing(each, Standing.UNMET) for each in results), results
    console = "1 console errors on the way; console: none"
    assert [message_of(each) for each in results] in (["", ""], [console] * 2)


def test_a_kept_browser_is_let_go_of_when_the_work_has_ended(app: FakeApp) -> None:
    page(app, "")

    @letting_go
    def work() -> GateResult:
        return judge_journey(steps(app, steps=ARRIVE, keep=True))

    assert standing(work(), Standing.MET)
    assert [] == [each for each in threading.enumerate() if each.name == "browser"]


def test_a_browser_that_does_not_start_leaves_the_gate_open_when_it_is_to_be_kept(app: FakeApp) -> None:
    result = judge_journey(steps(app, steps=ARRIVE, keep=True, executable="/bin/false", seconds=20.0))
    assert (Standing.UNKNOWN, True) == (result.standing, "the browser does not start" in result.summary)
