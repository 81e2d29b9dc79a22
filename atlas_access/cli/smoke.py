"""`atlas-access smoke`, `baseline capture` and `baseline renew`: the gates now, and the answers they are held to.

Formats and exit codes; what is asked and how it is judged lies below.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atlas_access.base import Format
from atlas_access.cli import inputs
from atlas_access.cli.errors import DONE, WRONG, CommandFailed, presented_as

if TYPE_CHECKING:
    from atlas_access.manifest import Manifest
    from atlas_access.smoke import Baseline, Gate, GateResult, Smoke, SmokeOrder

SCENARIOS = Path("smoke.yaml")

app = typer.Typer(help="The answers before any change, which later ones are held to.", no_args_is_help=True)


Url = Annotated[str | None, typer.Option(help="Where to ask, instead of the stack's smokeUrl.")]
Scenarios = Annotated[Path, typer.Option("--scenarios", help="What the gates ask and expect.")]
File = Annotated[
    Path | None, typer.Option("--baseline", help="The baseline's file. [default: baselines/STACK.json]")
]


def smoke(
    stack: Annotated[
        str, typer.Argument(help="An environment of access.yaml; may be left out with --url.")
    ] = "",
    *,
    gates: Annotated[str, typer.Option(help="Only these gates, such as 1-5,7.")] = "1-8",
    url: Url = None,
    rounds: Annotated[
        int | None, typer.Option("--rounds", "--round", min=1, max=10, help="Green rounds that are required.")
    ] = None,
    revision: Annotated[
        str,
        typer.Option(help="The task-definition revision that must answer, such as shop-live-app:13."),
    ] = "",
    output: inputs.Output = Format.TEXT,
    scenarios: Scenarios = SCENARIOS,
    baseline: File = None,
    manifest: inputs.ManifestPath = inputs.MANIFEST,
) -> int:
    """Run the eight smoke gates on STACK. Exit 0 green, 1 a gate is not met, 3 something is unknown.

    With --gates 1-5,7 and --url, neither AWS nor a browser is needed: for an application on this machine.
    """
    from atlas_access.cli.output import show
    from atlas_access.smoke import gates_report, run

    order = _order(stack, url, scenarios, manifest, baseline, gates)
    found = run(order, revision=revision, rounds=rounds, say=_progress(output))
    return show(gates_report(found), output)


@app.command()
def capture(
    stack: inputs.Stack,
    *,
    url: Url = None,
    scenarios: Scenarios = SCENARIOS,
    baseline: File = None,
    manifest: inputs.ManifestPath = inputs.MANIFEST,
) -> int:
    """Capture STACK's answers before any change. Exit 1 or 3, and nothing is written, when a gate is not met."""
    return _capture(stack, url, scenarios, baseline or _file(stack), manifest, None)


@app.command()
def renew(
    stack: inputs.Stack,
    *,
    url: Url = None,
    scenarios: Scenarios = SCENARIOS,
    baseline: File = None,
    manifest: inputs.ManifestPath = inputs.MANIFEST,
) -> int:
    """Ask STACK again, say what it answers otherwise, and write that for review. Exit as `capture`."""
    from atlas_access.smoke import BaselineRefused, read_baseline

    path = baseline or _file(stack)
    text = _bytes(path, f"Capture one with: atlas-access baseline capture {stack}.").decode(
        "utf-8", "replace"
    )
    with presented_as(WRONG, BaselineRefused):
        before = read_baseline(text, str(path), stack=stack, smoke=None)
    return _capture(stack, url, scenarios, path, manifest, before)


def _capture(
    stack: str, url: str | None, scenarios: Path, target: Path, manifest: Path, before: Baseline | None
) -> int:
    """Capture into a file; with what was there `before`, say what changes and what accepts it."""
    from atlas_access.cli.output import show, write
    from atlas_access.smoke import BaselineNotGreen, capture as take, gates_report, renewal

    order = _order(stack, url, scenarios, manifest, None, held=False)
    try:
        captured = take(order, say=_progress(Format.TEXT))
    except BaselineNotGreen as stop:
        code = show(gates_report(stop.report), Format.TEXT)
        write(str(stop))
        return code
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(captured.to_json(), encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"{target}: {error.strerror}.", "Name another file with --baseline.") from error
    changed = () if before is None else renewal(before, captured, order.smoke.ignore)
    lines = [f"  {each}" for each in changed]
    if before is not None:
        count = f"{len(changed)} difference{'' if len(changed) == 1 else 's'}"
        lines.append(f"  {count} from the answers of {before.captured_at[:10]}")
        lines.append(
            "  They count once a review has accepted the file: commit it by itself." if changed else ""
        )
    answers = f"{captured.contract} plans, {len(captured.answers)} answers"
    write(
        "\n".join(
            (
                f"{'CAPTURED' if before is None else 'RENEWED'}  {stack}: {answers} of "
                f"{captured.revision or 'an unnamed revision'}, into {target}",
                *filter(None, lines),
                f"  digest {captured.digest}\n  Next: atlas-access smoke {stack}",
            )
        )
    )
    return DONE


def _order(
    stack: str,
    url: str | None,
    scenarios: Path,
    manifest: Path,
    baseline: Path | None,
    gates: str = "1-8",
    *,
    held: bool = True,
) -> SmokeOrder:
    """Everything that the gates need, every wrong input reported before anything is contacted."""
    from atlas_access.base import EndpointRefused
    from atlas_access.smoke import Gate, Place, SmokeOrder

    chosen = _gates(gates)
    endpoints = inputs.read_endpoints()
    declared = inputs.read_manifest(manifest)
    stack = stack or _read_locally(declared, url)
    address, place = url or endpoints.smoke, Place(stack, "", "", "", "")
    if address is None or Gate.WAITLIST in chosen:
        settings = inputs.read_settings(stack, endpoints)
        address = address or settings.smoke_url
        place = Place(
            stack, settings.ecs_cluster, settings.ecs_service, settings.runtime_container, settings.aws_region
        )
    asked = _scenarios(scenarios)
    with presented_as(WRONG, EndpointRefused):
        endpoints.permit(address)
    file = (baseline or _file(stack)) if held else None
    against = _baseline(file, stack, asked, needed=baseline is not None)
    return SmokeOrder(stack, address, asked, place, endpoints, declared.database, against, gates=chosen)


def _gates(text: str) -> frozenset[Gate]:
    """The gates of `1-5,7`. Raises CommandFailed (exit 2)."""
    from atlas_access.smoke import Gate

    chosen: set[Gate] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        try:
            chosen |= {Gate(number) for number in range(int(first), int(last or first) + 1)}
        except ValueError:
            chosen.clear()
            break
    if not chosen:
        raise CommandFailed(f'--gates "{text}" names no gates.', "Write numbers from 1 to 8, such as 1-5,7.")
    return frozenset(chosen)


def _read_locally(declared: Manifest, url: str | None) -> str:
    """The environment that an application on a developer's machine reads. Raises CommandFailed (exit 2)."""
    read = inputs.local_stack(declared)
    if url is None or not read:
        raise CommandFailed("no STACK is named.", f"Name one of {', '.join(declared.environments)}.")
    return read


def _scenarios(path: Path) -> Smoke:
    from atlas_access.smoke import SmokeInvalid, load_smoke

    with presented_as(WRONG, SmokeInvalid):
        return load_smoke(
            _bytes(path, "Run the command where smoke.yaml is, or name it with --scenarios."), str(path)
        )


def _baseline(path: Path | None, stack: str, asked: Smoke, *, needed: bool) -> Baseline | None:
    """The baseline of the stack; None when there is no file and none was named."""
    from atlas_access.smoke import BaselineRefused, read_baseline

    if path is None or not (needed or path.exists()):
        return None
    text = _bytes(path, f"Capture one with: atlas-access baseline capture {stack}.").decode(
        "utf-8", "replace"
    )
    with presented_as(WRONG, BaselineRefused):
        return read_baseline(text, str(path), stack=stack, smoke=asked)


def _file(stack: str) -> Path:
    """Where a stack's baseline is kept: with the sandbox for a sandbox, else with the program, for review."""
    sandbox = os.environ.get("ATLAS_ACCESS_SANDBOX_DIR", "") if os.environ.get("ATLAS_ACCESS_SANDBOX") else ""
    return Path(sandbox, "baselines", f"{Path(stack).name}.json")


def _bytes(path: Path, remedy: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandFailed(f"{path}: {error.strerror or 'cannot be read'}. {remedy}") from error


def _progress(output: Format) -> _Say:
    return _Say(quiet=output is not Format.TEXT)


class _Say:
    """Shows each gate as it is judged, on a terminal only: the report lists them all at the end."""

    def __init__(self, *, quiet: bool) -> None:
        from atlas_access.cli.output import console

        self._screen = console(error=True) if sys.stderr.isatty() and not quiet else None

    def __call__(self, result: GateResult) -> None:
        from atlas_access.smoke import result_line

        if self._screen is not None:
            self._screen.print(f"  {result_line(result)}", soft_wrap=True)
