"""Gate 6: a member's way through the pages, in a real browser: every step as configured, and no console error.

Unknown, never met, where no browser can be driven; not run in a sandbox without one. Every request is checked by the
endpoints overlay. No browser or profile is left behind after the deadline.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from atlas_access.base import EndpointRefused, Endpoints, one_line, redact
from atlas_access.smoke.browser_found import FLAGS, INSTALL, SANDBOX_FLAGS, find_chromium
from atlas_access.smoke.browser_kept import BrowserMissing, let_go, with_browser
from atlas_access.smoke.gates import Gate, GateResult, Standing
from atlas_access.smoke.http import REVISION_HEADER
from atlas_access.smoke.model import Step
from atlas_access.smoke.replies import same_revision

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Request, Response, Route

_LONGEST = 200
_SHOWN = 10
_SETTLING_MS = 3000.0


@dataclass(frozen=True)
class Journey:
    """What to do and where; `steps` are filled, `executable` "" means that no browser was found.

    `seconds` bounds the whole way, `step_seconds` each step of it. With `keep` the browser stays a while for the next.
    """

    url: str
    steps: tuple[Step, ...]
    endpoints: Endpoints
    seconds: float
    step_seconds: float
    revision: str = ""
    executable: str = field(default_factory=find_chromium)
    keep: bool = False


@dataclass
class _Observed:
    """What the browser met on the way."""

    problems: list[str] = field(default_factory=list)
    revisions: set[str] = field(default_factory=set)


def judge_journey(journey: Journey, stopped: Callable[[], bool] = lambda: False) -> GateResult:
    """Go through the pages once, in a context of its own; without `keep` no browser rests afterwards."""
    try:
        from playwright.sync_api import Error
    except ImportError:
        return _unknown("Playwright is not installed: pip install -r requirements.txt")
    if not journey.executable and journey.endpoints.sandbox:
        return GateResult(
            Gate.JOURNEY, Standing.NOT_RUN, f"not run in this sandbox without a browser: {INSTALL}"
        )
    if not journey.executable:
        return _unknown(f"no browser is installed here: {INSTALL}")
    observed = _Observed()
    deadline = time.monotonic() + journey.seconds

    def walk(browser: Browser) -> GateResult:
        with browser.new_context(service_workers="block", accept_downloads=False) as context:
            return _walk(journey, context, observed, deadline, stopped)

    flags = [*FLAGS, *(SANDBOX_FLAGS if journey.endpoints.sandbox else ())]
    try:
        return with_browser(journey.executable, flags, journey.seconds, walk)
    except BrowserMissing as error:
        return _unknown(f"the browser does not start ({_first_line(error)}): {INSTALL}")
    except Error as error:
        return _unmet(f"the browser failed: {_first_line(error)}", observed)
    finally:
        if not journey.keep:
            let_go()


def _walk(
    journey: Journey,
    context: BrowserContext,
    observed: _Observed,
    deadline: float,
    stopped: Callable[[], bool],
) -> GateResult:
    from playwright.sync_api import Error

    context.route("**/*", lambda route: _check(route, journey.endpoints, observed))
    page = context.new_page()
    page.on("console", lambda message: _console(message, observed))
    page.on("pageerror", lambda error: observed.problems.append(f"uncaught: {_first_line(error)}"))
    page.on("requestfailed", lambda request: _failed(request, observed))
    page.on("response", lambda response: _response(response, journey.url, observed))
    for number, step in enumerate(journey.steps, start=1):
        place = f"step {number} of {len(journey.steps)} ({one_line(str(step), 80)})"
        try:
            if stopped():
                return _unknown(f"stopped at {place}")
            if time.monotonic() >= deadline:
                return _unmet(f"{place}: not reached within {journey.seconds:.0f} s", observed)
            _take(page, step, journey.url, min(deadline, time.monotonic() + journey.step_seconds))
        except Error as error:
            return _unmet(f"{place}: {_what(error)}", observed)
        except AssertionError as error:
            return _unmet(f"{place}: {error}", observed)
        if _host(page.url) != _host(journey.url):
            return _unmet(f"{place}: led to another host, {one_line(_host(page.url), 80)}", observed)
    _settle(page, deadline)
    if observed.problems:
        return _unmet(f"{len(observed.problems)} console errors on the way", observed)
    others = sorted(
        each for each in observed.revisions if journey.revision and not same_revision(each, journey.revision)
    )
    if others:
        return _unmet(f"{others[0]} answered, not {journey.revision}", observed)
    return GateResult(Gate.JOURNEY, Standing.MET, f"{len(journey.steps)} steps, no console error")


def _settle(page: Page, deadline: float) -> None:
    """Let what the last page still loads come in, for its errors count too; a page that never rests is left."""
    from playwright.sync_api import TimeoutError as Late

    with suppress(Late):
        page.wait_for_load_state("networkidle", timeout=min(_SETTLING_MS, _left(deadline)))


def _take(page: Page, step: Step, url: str, deadline: float) -> None:
    """Take one step within the time that is left. Raises Playwright's Error, or AssertionError for what is observed."""
    left = _left(deadline)
    if step.open is not None:
        response = page.goto(url.rstrip("/") + step.open, timeout=left, wait_until="load")
        if response is None or response.status != 200:
            raise AssertionError(f"HTTP {response.status}" if response else "no answer")
    elif step.click is not None:
        page.locator(step.click).click(timeout=left)
    elif step.fill is not None:
        page.locator(step.fill).fill(step.value or "", timeout=left)
    elif step.see is not None:
        _see(page, step, deadline)


def _see(page: Page, step: Step, deadline: float) -> None:
    """Wait until what is to be observed is there."""
    from playwright.sync_api import TimeoutError as Late

    elements = page.locator(step.see or "")
    found = ""
    while True:
        if step.count is not None:
            found = str(elements.count())
            good = found == str(step.count)
        else:
            try:
                elements.first.wait_for(state="visible", timeout=_left(deadline))
                found = elements.first.inner_text(timeout=_left(deadline))
            except Late:
                raise AssertionError(f"not to be observed{_alert(page)}") from None
            good = step.text is None or step.text in found
        if good:
            return
        if time.monotonic() + 0.05 >= deadline or _alert(page):
            wanted = f"{step.count} of them" if step.count is not None else f'"{step.text}"'
            raise AssertionError(f'"{one_line(redact(found), 80)}" instead of {wanted}{_alert(page)}')
        page.wait_for_timeout(50)


def _alert(page: Page) -> str:
    """What the page itself says went wrong, in an element of the role alert."""
    shown = [each.strip() for each in page.locator("[role=alert]").all_inner_texts() if each.strip()]
    return f"; the page says: {one_line(redact(shown[0]), 100)}" if shown else ""


def _left(deadline: float) -> float:
    return max(1.0, (deadline - time.monotonic()) * 1000)


def _check(route: Route, endpoints: Endpoints, observed: _Observed) -> None:
    """Let a request through when the overlay permits its address."""
    try:
        endpoints.permit(route.request.url)
    except EndpointRefused as refused:
        observed.problems.append(f"the page asks elsewhere: {refused}")
        route.abort("blockedbyclient")
    else:
        route.continue_()


def _console(message: Any, observed: _Observed) -> None:
    if message.type == "error":
        observed.problems.append(f"console: {one_line(redact(message.text), _LONGEST)}")


def _failed(request: Request, observed: _Observed) -> None:
    why = request.failure or "failed"
    # A page that is left gives up what it still loads; that is no fault of the application.
    if "ERR_ABORTED" not in why:
        observed.problems.append(
            f"{request.method} {one_line(urlsplit(request.url).path, 80)}: {one_line(why, 80)}"
        )


def _response(response: Response, url: str, observed: _Observed) -> None:
    if _host(response.url) == _host(url):
        headers: Mapping[str, str] = response.headers
        if revision := headers.get(REVISION_HEADER.lower(), ""):
            observed.revisions.add(one_line(revision, 200))
        if response.status >= 400:
            observed.problems.append(f"HTTP {response.status} of {one_line(urlsplit(response.url).path, 80)}")


def _host(url: str) -> str:
    return urlsplit(url).netloc.lower()


def _what(error: Exception) -> str:
    from playwright.sync_api import TimeoutError as Late

    return "not there in time" if isinstance(error, Late) else _first_line(error)


def _first_line(error: Exception) -> str:
    lines = [each for each in redact(str(error)).splitlines() if each.strip()]
    return one_line(lines[0], _LONGEST) if lines else type(error).__name__


def _unmet(text: str, observed: _Observed) -> GateResult:
    shown = tuple(dict.fromkeys(observed.problems))
    rest = len(shown) - _SHOWN
    more = (f"and {rest} more",) if rest > 0 else ()
    return GateResult(Gate.JOURNEY, Standing.UNMET, text, (*shown[:_SHOWN], *more))


def _unknown(text: str) -> GateResult:
    return GateResult(Gate.JOURNEY, Standing.UNKNOWN, text)
