"""`atlas-access sandbox …`: the world on this machine, and deployments into it.

Only this and `atlas_access/cli/sandbox_replay.py` import `sandbox`. What a deployment does is decided in
`sandbox/deploy.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from atlas_access.base import Phase
from atlas_access.cli import inputs
from atlas_access.cli.errors import DONE, REFUTED, WRONG, CommandFailed, need_checkout, presented_as
from atlas_access.cli.sandbox_replay import replay

app = typer.Typer(
    help="The world on this machine: real mongods, Atlas and AWS emulated.", no_args_is_help=True
)

app.command()(replay)

EngineChoice = Annotated[
    inputs.Engine,
    typer.Option("--engine", help="auto: the pulumi CLI when it is on PATH, else the embedded engine."),
]


WorldChoice = Annotated[
    inputs.SandboxWorld,
    typer.Option(
        "--world",
        help="usual: busy clusters, odd collections, slow and dropped answers; easy: none of that, to debug.",
    ),
]
Seed = Annotated[
    int,
    typer.Option("--seed", min=0, help="Which answers are slow or dropped; 0 chooses one, which is shown."),
]


@app.command()
def up(
    *,
    directory: inputs.Directory = inputs.HERE,
    keep: Annotated[
        bool,
        typer.Option(
            "--keep", help="Let `down` keep databases, logs and states, for reading; they are not run again."
        ),
    ] = False,
    base_port: Annotated[int, typer.Option(help="First of a row of ports; 0 takes free ones.")] = 0,
    kind: WorldChoice = inputs.SandboxWorld.USUAL,
    seed: Seed = 0,
    output: inputs.PlainOutput = inputs.PlainFormat.TEXT,
) -> int:
    """Start the sandbox in the legacy state that the migration begins with."""
    from atlas_access.cli.output import console, write

    with _sandbox_errors():
        from sandbox import lifecycle
        from sandbox.demo.run import describe
        from sandbox.deploy import Engine as Wanted
        from sandbox.world import Options

        easy = kind is inputs.SandboxWorld.EASY
        options = Options(base_port=base_port, keep=keep, service=True, easy=easy, seed=seed)
        world = lifecycle.up(directory, options)
        found = describe(world, Wanted.AUTO)
    if output is inputs.PlainFormat.JSON:
        write(
            json.dumps(
                {
                    "sandbox": found,
                    "directory": str(world.directory),
                    "atlas": world.atlas_url,
                    "aws": world.aws_url,
                }
            )
        )
    else:
        screen = console(secrets=world.secrets())
        screen.print(found, soft_wrap=True)
        screen.print(
            "Next: atlas-access sandbox baseline staging, then sandbox deploy staging", soft_wrap=True
        )
    return DONE


@app.command()
def status(
    *, directory: inputs.Directory = inputs.HERE, output: inputs.PlainOutput = inputs.PlainFormat.TEXT
) -> int:
    """Say of every part whether it is alive. Exit 1 when one is not."""
    from atlas_access.cli.output import console, write

    with _sandbox_errors():
        from sandbox.health import status as status_of

        found = status_of(directory)
    if output is inputs.PlainFormat.JSON:
        parts = [
            {"name": part.name, "where": part.where, "ok": part.ok, "detail": part.detail}
            for part in found.parts
        ]
        write(json.dumps({"ok": found.ok, "parts": parts, "remedy": found.remedy}, indent=2))
    else:
        dead = sum(1 for part in found.parts if not part.ok)
        screen = console()
        head = (
            f"{dead} of {len(found.parts)} parts are dead"
            if dead
            else f"All {len(found.parts)} parts are alive"
        )
        screen.print(f"{head} in {found.directory}", style="bold red" if dead else None, soft_wrap=True)
        for part in found.parts:
            sign = "●" if part.ok else "✗"
            screen.print(f"  {sign} {part.name:<30} {part.where:<24} {part.detail}".rstrip(), soft_wrap=True)
        if found.remedy:
            screen.print(found.remedy, soft_wrap=True)
    return DONE if found.ok else REFUTED


@app.command()
def env(stack: inputs.Stack = "staging", *, directory: inputs.Directory = inputs.HERE) -> int:
    """Print the exports with which a pulumi CLI works on the running sandbox by hand.

    The sandbox's own keys are among them, unmasked: that is what they are printed for.
    """
    from shlex import quote

    with _sandbox_errors():
        from sandbox.deploy import prepare_by_hand
        from sandbox.world import World

        world = World.load(directory)
        variables = world.environment(stack)
        project = prepare_by_hand(world, Path(), stack)
    lines = [
        f'# eval "$(atlas-access sandbox env {stack})"; pulumi -C {quote(str(project))} up --stack {stack}'
    ]
    lines += [f"export {name}={quote(value)}" for name, value in sorted(variables.items())]
    typer.echo("\n".join(lines))
    return DONE


@app.command()
def down(*, directory: inputs.Directory = inputs.HERE) -> int:
    """End the sandbox's own processes, also after a crash, and delete its files unless they are to be kept."""
    from atlas_access.cli.output import console

    with _sandbox_errors():
        from sandbox import lifecycle

        ended = lifecycle.down(directory)
    named = ", ".join(ended.processes) or "nothing was running"
    kept = f"; its files stay in {directory}" if ended.kept else ""
    console().print(f"Sandbox ended: {named}{kept}", soft_wrap=True)
    return DONE


@app.command()
def reset(*, directory: inputs.Directory = inputs.HERE) -> int:
    """Start anew in the legacy state."""
    from atlas_access.cli.output import console

    with _sandbox_errors():
        from sandbox import lifecycle

        world = lifecycle.reset(directory)
    console(secrets=world.secrets()).print(f"A fresh sandbox runs in {world.directory}", soft_wrap=True)
    return DONE


@app.command()
def logs(
    part: Annotated[str | None, typer.Argument(help="One part's log; every part's without it.")] = None,
    *,
    directory: inputs.Directory = inputs.HERE,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many of the last lines.")] = 50,
) -> int:
    """Show the last lines of the sandbox's logs, secrets masked."""
    from atlas_access.cli.output import console

    with _sandbox_errors():
        from sandbox import lifecycle

        found = lifecycle.logs(directory, part, lines=lines)
    screen = console()
    for name, line in found:
        screen.print(f"{name}: {line}", soft_wrap=True)
    return DONE


@app.command()
def deploy(
    stack: inputs.Stack,
    *,
    directory: inputs.Directory = inputs.HERE,
    preview: Annotated[bool, typer.Option("--preview", help="Show the plan; change nothing.")] = False,
    destroy: Annotated[bool, typer.Option("--destroy", help="Remove what the stack made.")] = False,
    refresh: Annotated[
        bool,
        typer.Option(
            "--refresh", help="First read what is really there: what was changed by hand is put right."
        ),
    ] = False,
    phase: Annotated[Phase | None, typer.Option(help="How far to go, instead of the stack's file.")] = None,
    engine: EngineChoice = inputs.Engine.AUTO,
    config: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="A setting for this run.")
    ] = None,
    diff: Annotated[bool, typer.Option("--diff", help="Show the properties of what a plan creates.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    output: inputs.PlainOutput = inputs.PlainFormat.TEXT,
    events: Annotated[
        Path | None, typer.Option(help="Write the engine's events here, as JSON lines.")
    ] = None,
) -> int:
    """Deploy STACK into the running sandbox; an update ends with a proof of what its tasks hold and a drift check."""
    from atlas_access.cli.sandbox_deploy_view import show, show_last

    if preview and destroy:
        raise CommandFailed("--preview and --destroy exclude each other: choose one.")
    if preview and refresh:
        raise CommandFailed(
            "--preview and --refresh exclude each other: a refresh writes what it reads into the state.",
            f"To see what was changed by hand: atlas-access drift {stack}",
        )
    changed = inputs.settings(config or ())
    with _sandbox_errors():
        from atlas_access.review import Operation
        from sandbox.deploy import Engine as Wanted, Order, deploy as run
        from sandbox.engine.live_check import drift_now, last_lines
        from sandbox.world import World

        world = World.load(directory)
        operation = Operation.PREVIEW if preview else Operation.DESTROY if destroy else Operation.UP
        order = Order(
            stack=stack,
            operation=operation,
            phase=phase.value if phase else None,
            engine=Wanted(engine.value),
            settings=changed,
            events=events,
            refresh=refresh,
        )
        quiet = as_json or output is inputs.PlainFormat.JSON
        before = drift_now(world, order) if operation is Operation.UP else None
        code = show(
            lambda progress: run(world, order, progress), secrets=world.secrets(), as_json=quiet, values=diff
        )
        if before is None:
            return code
        return show_last(code, last_lines(world, order, before), world.secrets(), quiet=quiet)


@app.command()
def baseline(stack: inputs.Stack, *, directory: inputs.Directory = inputs.HERE) -> int:
    """Capture what STACK answers now, before any change: with it, deployments are gated as anywhere else."""
    from atlas_access.cli.output import console

    with _sandbox_errors():
        from sandbox.demo.baselines import capture_baseline
        from sandbox.world import World

        world = World.load(directory)
        found = capture_baseline(world, stack, Path())
    screen = console(secrets=world.secrets())
    screen.print(
        f"CAPTURED  {stack}: {found.contract} plans, {len(found.answers)} answers of {found.revision}",
        soft_wrap=True,
    )
    screen.print(f"Next: atlas-access sandbox deploy {stack}", soft_wrap=True)
    return DONE


@app.command()
def clock(
    *,
    advance: Annotated[str, typer.Option("--advance", help="By how much: 90s, 30m, 2h or 1d.")] = "",
    directory: inputs.Directory = inputs.HERE,
) -> int:
    """Say how far ahead this sandbox's clock is, or advance it: soaks go by it. Nowhere else is there one."""
    from atlas_access.base import ClockRefused, advance as move, advanced, seconds_of
    from atlas_access.cli.output import write

    with _sandbox_errors(), presented_as(WRONG, ClockRefused):
        from sandbox.world import World

        world = World.load(directory)
        ahead = move(world.directory, seconds_of(advance)) if advance else advanced(world.directory)
    write(f"The sandbox's clock is {ahead / 60:.0f} minutes ahead.")
    return DONE


@app.command()
def demo(
    *,
    directory: inputs.Directory = inputs.HERE,
    engine: EngineChoice = inputs.Engine.AUTO,
    kind: WorldChoice = inputs.SandboxWorld.USUAL,
    seed: Seed = 0,
) -> int:
    """Play the whole migration on this machine, both stacks, under constant load; then tear it all down."""
    from atlas_access.cli.sandbox_demo_view import stage

    with _sandbox_errors():
        from sandbox.demo import run as story
        from sandbox.deploy import Engine as Wanted
        from sandbox.world import Options

        options = Options(service=True, easy=kind is inputs.SandboxWorld.EASY, seed=seed)
        return stage(lambda audience: story.play(directory, Path(), Wanted(engine.value), audience, options))


def deployed_state(directory: Path, stack: str) -> str:
    """The state of a stack of the sandbox, as `pulumi stack export` gives it, whichever engine deployed it.

    Raises CommandFailed (exit 2) when there is none.
    """
    with _sandbox_errors():
        from sandbox.deploy import exported
        from sandbox.world import World

        state = exported(World.load(directory), stack)
    if not state:
        raise CommandFailed(
            f"stack {stack} is not deployed in this sandbox.", f"First: atlas-access sandbox deploy {stack}"
        )
    return json.dumps(state)


@contextmanager
def _sandbox_errors() -> Iterator[None]:
    """What the sandbox refuses, in one line."""
    need_checkout()
    from sandbox.refusals import REFUSALS

    with presented_as(WRONG, *REFUSALS):
        yield
