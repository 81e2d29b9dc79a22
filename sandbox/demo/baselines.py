"""Captures the smoke baseline of a stack's running service, which gates every later rollout. Only green gates count."""

from pathlib import Path

from atlas_access.base import Endpoints, check_settings
from atlas_access.manifest import load_manifest
from atlas_access.smoke import (
    MAIL_VARIABLE,
    Baseline,
    BaselineNotGreen,
    Place,
    SmokeInvalid,
    SmokeOrder,
    capture,
    letting_go,
    load_smoke,
)
from components.settings import read_files
from sandbox.aws.clients import session_of
from sandbox.world import SandboxError, World


def baseline_file(world: World, stack: str) -> Path:
    """Where the program reads a stack's baseline in this sandbox."""
    world.of(stack)
    return world.directory / "baselines" / f"{stack}.json"


@letting_go
def capture_baseline(world: World, stack: str, program_dir: Path) -> Baseline:
    """Ask the running service of a stack every gate, twice, and write its answers down.

    Raises `SandboxError` when a gate is not green, `ManifestInvalid` and
    `SettingsInvalid` for wrong inputs; nothing is written then.
    """
    if not world.of(stack).service_url:
        raise SandboxError(
            "this sandbox runs no service whose answers could be captured: `atlas-access sandbox reset`"
        )
    try:
        found = capture(_order(world, stack, program_dir))
    except BaselineNotGreen as error:
        raise SandboxError(str(error)) from None
    path = baseline_file(world, stack)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(found.to_json(), encoding="utf-8")
    return found


def _order(world: World, stack: str, program_dir: Path) -> SmokeOrder:
    here = world.environment(stack)
    endpoints = Endpoints.from_environment(here)
    settings = check_settings(stack, read_files(program_dir), sandbox=True)
    try:
        smoke = load_smoke((program_dir / "smoke.yaml").read_bytes(), "smoke.yaml").with_prompt_logs()
        manifest = load_manifest((program_dir / "access.yaml").read_text(encoding="utf-8"))
    except (OSError, SmokeInvalid) as error:
        raise SandboxError(str(error)) from None
    session = session_of(world, stack)
    place = Place(
        stack,
        settings.ecs_cluster,
        settings.ecs_service,
        settings.runtime_container,
        settings.aws_region,
        session,
    )
    url = world.of(stack).service_url
    return SmokeOrder(
        stack,
        url,
        smoke,
        place,
        endpoints,
        manifest.database,
        mail_url=here.get(MAIL_VARIABLE, ""),
        keep_browser=True,
    )
