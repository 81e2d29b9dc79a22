"""The access matrix opened in a real Chromium: search, the who-can view, and a silent console."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from atlas_access.manifest.load import load_manifest
from atlas_access.review.matrix import build
from atlas_access.review.matrix_html import render
from atlas_access.smoke.browser_found import FLAGS, SANDBOX_FLAGS, find_chromium

ROOT = Path(__file__).parents[2]
SCREENSHOT = ROOT / ".test-artifacts" / "access-matrix.png"
"""Kept for a person to inspect; CI uploads the folder."""


@dataclass
class Opened:
    """The page, and what its console and its network said; `page` is None where no browser is installed."""

    page: Page | None
    complaints: list[str] = field(default_factory=list)

    def shown(self, selector: str = "tr.row") -> list[str]:
        assert self.page is not None
        return [each.inner_text() for each in self.page.locator(f"{selector}:not([hidden])").all()]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """The generated page in headless Chromium, with every name but this machine's unresolvable."""
    executable = find_chromium()
    if not executable:
        yield Opened(None)
        return
    folder = tmp_path_factory.mktemp("matrix")
    manifest = load_manifest((ROOT / "access.yaml").read_text(encoding="utf-8"))
    (folder / "matrix.html").write_text(render(build(manifest)), encoding="utf-8")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=[*FLAGS, *SANDBOX_FLAGS])
        page = browser.new_page()
        result = Opened(page)
        page.on("console", lambda message: result.complaints.append(message.text))
        page.on("pageerror", lambda error: result.complaints.append(str(error)))
        said = result.complaints.append
        page.on("request", lambda each: None if each.url.startswith("file:") else said(each.url))
        page.goto((folder / "matrix.html").as_uri())
        page.screenshot(path=str(SCREENSHOT), full_page=True)
        yield result
        browser.close()


def not_run(opened: Opened, record_property: object) -> bool:
    """Whether there is no browser here, which is said; CI installs one."""
    if opened.page is None and callable(record_property):
        record_property("says", "not run: no Chromium on PATH")
    return opened.page is None


def test_the_page_asks_for_nothing_and_its_console_is_silent(opened: Opened, record_property: object) -> None:
    assert not_run(opened, record_property) or opened.complaints == []


def test_a_screenshot_of_the_page_is_kept(opened: Opened, record_property: object) -> None:
    if not_run(opened, record_property):
        return
    assert SCREENSHOT.read_bytes().startswith(b"\x89PNG")
    assert SCREENSHOT.stat().st_size > 10_000


def test_searching_shows_only_rows_with_every_word(opened: Opened, record_property: object) -> None:
    if not_run(opened, record_property):
        return
    assert opened.page is not None
    opened.page.fill("#search", "agent_audit_log")
    assert opened.shown() != []
    assert [row for row in opened.shown() if "agent_audit_log" not in row] == []
    assert " of " in opened.page.inner_text("#count")
    opened.page.fill("#search", "")


def test_the_who_can_view_names_the_audit_logs_waived_writer(opened: Opened, record_property: object) -> None:
    """The append-only property is never shown without the waiver beside it."""
    if not_run(opened, record_property):
        return
    assert opened.page is not None
    place = next(
        text
        for text in opened.page.locator("#place option").all_inner_texts()
        if text.endswith("agent_audit_log")
    )
    opened.page.select_option("#place", label=place)
    rows = opened.shown("section[aria-labelledby=change] tr.row")
    assert len(rows) == 1
    assert "app_write" in rows[0]
    assert "W1" in rows[0]
    assert "app_admin_schema" not in rows[0]
