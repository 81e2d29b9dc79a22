"""The stack's settings as a frozen record, and the check of the text that holds them, all mistakes at once.

Per-environment facts are in `Pulumi.<stack>.yaml`, typed by the `config` schema of `Pulumi.yaml`. It finds these files
and reads none (`components/settings.py` does for the program, `atlas_access/cli/inputs.py` for a command).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)
from pydantic.alias_generators import to_camel

from atlas_access.base.acknowledged import OLD_NAMES, Acknowledgement, What, form_of, odd_ones
from atlas_access.base.addresses import AddressForm
from atlas_access.base.generations import Generations
from atlas_access.base.phases import VERIFIED_HOURS, Phase, RotationStep, Step, confirmation_for
from atlas_access.base.yaml_errors import ManifestError, ManifestInvalid, line_of, listed_errors, suggestion
from atlas_access.base.yaml_reader import read_yaml

PROJECT = "atlas-access"

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$")]

#: Settings that name one environment's own property: no two stacks may share a value (ADR 0001).
OWN_TO_A_STACK = ("atlasProjectId", "atlasCluster", "awsAccountId", "smokeUrl")


def stack_files(folder: Path) -> dict[str, Path]:
    """Where each stack's `Pulumi.<stack>.yaml` is in a folder, by stack, in order."""
    found = sorted(folder.glob("Pulumi.*.yaml"))
    return {path.name.removeprefix("Pulumi.").removesuffix(".yaml"): path for path in found}


class Settings(BaseModel):
    """One stack's settings; names are those of `Pulumi.yaml` in snake case, times are seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    phase: Phase = Phase.PROVISION
    atlas_project_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{24}$")]
    atlas_cluster: Name
    address_form: AddressForm = AddressForm.SRV
    aws_account_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
    aws_region: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")]
    kms_alias: Annotated[str, StringConstraints(pattern=r"^alias/[A-Za-z0-9_-]+$")]
    ecs_cluster: Name
    ecs_service: Name
    runtime_container: Name = "app"
    schema_family: Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9][A-Za-z0-9_-]{0,254})?$")] = ""
    smoke_url: Annotated[str, StringConstraints(pattern=r"^https://[^/@\s]+(/[^\s]*)?$")]
    reference_stack: Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9_./-]+)?$")] = ""
    container_image: Annotated[str, StringConstraints(pattern=r"^\S*$")] = ""
    proof_deadline_seconds: Annotated[int, Field(ge=1, le=600)] = 60
    proof_task_family: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{0,255}$")] = ""
    proof_task_subnets: tuple[Name, ...] = ()
    proof_task_security_groups: tuple[Name, ...] = ()
    allow_unproven_private_address: bool = False
    rollout_deadline_seconds: Annotated[int, Field(ge=30, le=3600)] = 900
    rollout_release: Annotated[int, Field(ge=0)] = 0
    repair: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^([^\r\n]{8,200})?$")] = ""
    terraform_directory: str = ""
    smoke_baseline: str = ""
    allow_ungated_rollout: bool = False
    soak_after: Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9_.-]+)?$")] = ""
    soak_minutes: Annotated[int, Field(ge=30)] = 30
    soak_role: Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9_+=,.@/-]{1,128})?$")] = ""
    drift_without_collections: bool = False
    github_repository: Annotated[
        str, StringConstraints(pattern=r"^([A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100})?$")
    ] = ""
    retirement: Step = Step.TOMBSTONE
    retire_confirmation: str = ""
    tombstone_hours: Annotated[int, Field(ge=VERIFIED_HOURS, le=720)] = VERIFIED_HOURS
    observer_role: Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9_+=,.@/-]{1,128})?$")] = ""
    unprotect: bool = False
    removing: tuple[
        Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_/+=.@-]{0,511}$")], ...
    ] = ()
    take_over: bool = False
    generations: Mapping[Name, Annotated[int, Field(ge=1, le=9999)]] = {}
    rotating: Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9][A-Za-z0-9_-]{0,254})?$")] = ""
    rotation_step: RotationStep = RotationStep.MOVE
    passwords: Mapping[Name, Annotated[int, Field(ge=1, le=9999)]] = {}
    take_over_names: tuple[Name, ...] = ()
    acknowledgements: Annotated[tuple[Acknowledgement, ...], Field(alias="acknowledged")] = ()
    placeholders: tuple[str, ...] = ()

    def acknowledged(self, what: What) -> Acknowledgement | None:
        """What a person has stated about it; None where nobody has."""
        return next((each for each in self.acknowledgements if each.what is what), None)

    def acknowledged_at(self, what: What) -> datetime | None:
        """When a person has stated it; None where nobody has."""
        found = self.acknowledged(what)
        return None if found is None else found.at

    @property
    def users(self) -> Generations:
        """Which generation of each database user is wanted, and which one leaves."""
        return Generations(self.generations, self.rotating, self.rotation_step)

    @property
    def accepted_audit_uuid(self) -> str:
        """The UUID of an audit log that was made anew by decision; "" for none."""
        found = self.acknowledged(What.AUDIT_LOG_REMADE)
        return "" if found is None else found.value

    @property
    def looks_as(self) -> str:
        """The role to look into other environments' accounts as: the one named for it, else that of the soak."""
        return self.observer_role or self.soak_role

    @property
    def goes_after(self) -> str:
        """The stack that must be bound and have soaked first: the one named, else the one whose data is read."""
        return self.soak_after or self.reference_stack.rpartition("/")[2]

    def with_address_form(self, form: str | None) -> Settings:
        """The same settings with another address form, if one is given: the sandbox has no DNS, so it has no SRV."""
        return self.model_copy(update={"address_form": AddressForm(form)}) if form else self

    def to_json(self) -> str:
        """The record as text; `from_json` reads it. It holds no secret."""
        return self.model_dump_json(by_alias=True)

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """Read what `to_json` wrote. Raises `ValueError` for anything else."""
        return cls.model_validate_json(text)


class SettingsInvalid(ValueError):
    """The settings are wrong; `errors` holds every mistake, in the order of the file."""

    def __init__(self, source: str, errors: tuple[ManifestError, ...]) -> None:
        self.errors = errors
        super().__init__(listed_errors(source, errors))


def check_settings(
    stack: str,
    files: Mapping[str, str],
    *,
    sandbox: bool,
    overrides: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> Settings:
    """Turn a stack's file into settings, or say everything that is wrong with it.

    `files` maps each stack's name to the text of its `Pulumi.<stack>.yaml`, this stack's among them; the others are
    read only to refuse a value that belongs to another environment. `overrides` are values set beside the file
    (`pulumi config set` on another backend, `--config`), by their bare names. Outside a sandbox, whose clock can be
    advanced, an acknowledgement of the future is refused; `now` is this machine's time by default.

    Raises:
        SettingsInvalid: with every error at once.
    """
    if stack not in files:
        source, known = f"Pulumi.{stack}.yaml", ", ".join(sorted(files)) or "none"
        missing = ManifestError(source, 1, "", "the file is missing", f"Stacks with settings: {known}.")
        raise SettingsInvalid(source, (missing,))
    file = _File.read(stack, files[stack])
    file.values.update({name: _beside(name, value) for name, value in (overrides or {}).items()})
    settings, errors = _validated(file)
    errors += [*_unknown(file), *_foreign(file, stack, files)]
    errors += (
        []
        if settings is None
        else _not_here(file, stack, settings, None if sandbox else now or datetime.now(UTC))
    )
    if not sandbox:
        errors += _unset(file, settings)
    if settings is None or errors:
        ordered = sorted(set(errors), key=lambda e: (e.line, e.where, e.problem))
        raise SettingsInvalid(file.source, tuple(ordered))
    return settings


@dataclass(frozen=True)
class _File:
    """A stack's file: its `atlas-access:` values by bare name, and the line each stands on."""

    source: str
    values: dict[str, Any]
    lines: Mapping[str, int]

    @classmethod
    def read(cls, stack: str, text: str) -> _File:
        source = f"Pulumi.{stack}.yaml"
        try:
            document = read_yaml(text, source)
        except ManifestInvalid as refused:
            raise SettingsInvalid(source, refused.errors) from None
        if document.errors:
            raise SettingsInvalid(source, document.errors)
        config = document.data.get("config") if isinstance(document.data, dict) else None
        if not isinstance(config, dict):
            missing = ManifestError(source, 1, "config", "is missing", "Put the settings under config:.")
            raise SettingsInvalid(source, (missing,))
        lines = {
            ".".join(map(str, path[1:])).removeprefix(f"{PROJECT}:"): line
            for path, line in document.lines.items()
            if path[:1] == ("config",)
        }
        return cls(source, {key.removeprefix(f"{PROJECT}:"): value for key, value in config.items()}, lines)

    def fault(self, path: Sequence[int | str], problem: str, remedy: str, line: int = 0) -> ManifestError:
        where = ".".join(map(str, path))
        named = where if ":" in where else f"{PROJECT}:{where}"
        return ManifestError(self.source, line or line_of(path, self.lines), named, problem, remedy)


def _beside(name: str, value: Any) -> Any:
    """A value as it is set beside the file: a list or mapping comes as JSON; other text is refused with the rest."""
    lists = {
        field.alias for field in Settings.model_fields.values() if isinstance(field.default, tuple | dict)
    }
    try:
        return json.loads(value) if name in lists and isinstance(value, str) else value
    except ValueError:
        return value


def _aliases() -> frozenset[str]:
    return frozenset(field.alias for field in Settings.model_fields.values() if field.alias)


def _unknown(file: _File) -> Iterator[ManifestError]:
    for key in file.values.keys() - _aliases():
        if key in OLD_NAMES:
            remedy = f"State it in the list {PROJECT}:acknowledged, as {form_of(OLD_NAMES[key])}."
            yield file.fault((key,), "is not a setting any more", remedy)
        else:
            yield file.fault((key,), "is not a setting", f"Remove it.{suggestion(key, _aliases())}")


def _validated(file: _File) -> tuple[Settings | None, list[ManifestError]]:
    known = _aliases()
    try:
        return Settings.model_validate({key: file.values[key] for key in file.values if key in known}), []
    except ValidationError as error:
        return None, [
            file.fault(
                each["loc"],
                "is missing" if each["type"] == "missing" else "is not a valid value",
                f"{each['msg']}. Pulumi.yaml says what it is.",
            )
            for each in error.errors(include_input=False, include_url=False)
            if each["type"] != "missing" or not suggestion(str(each["loc"][0]), file.values.keys() - known)
        ]


def _foreign(file: _File, stack: str, files: Mapping[str, str]) -> Iterator[ManifestError]:
    for other in sorted(set(files) - {stack}):
        theirs = _File.read(other, files[other]).values
        for key in OWN_TO_A_STACK:
            if key in file.values and file.values[key] == theirs.get(key):
                remedy = f"No stack may name another environment's property (ADR 0001). Set {stack}'s own."
                yield file.fault((key,), f"is {other}'s", remedy)


def _not_here(file: _File, stack: str, settings: Settings, now: datetime | None) -> Iterator[ManifestError]:
    """What confirms another stack, is stated twice, or lies in the future."""
    wanted = confirmation_for(stack)
    if settings.retire_confirmation not in ("", wanted):
        remedy = f'Type exactly "{wanted}", or nothing.'
        yield file.fault(("retireConfirmation",), f"does not confirm {stack}", remedy)
    for key, problem, remedy in _odd_rotation(settings):
        yield file.fault((key,), problem, remedy)
    for number, problem, remedy in odd_ones(settings.acknowledgements, now):
        yield file.fault(("acknowledged", number), problem, remedy)


def _odd_rotation(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """What cannot be a rotation: without its generation, without a service that could move, or after the retirement."""
    users = settings.users
    if not users.rotating:
        if settings.rotation_step is not RotationStep.MOVE:
            yield (
                "rotationStep",
                "has no rotating user",
                "Name it in atlas-access:rotating, or remove the step.",
            )
        return
    if not users.leaving(users.rotating):
        remedy = "Let atlas-access rotate write both."
        yield "rotating", f"is at generation 1: it has none to leave ({settings.rotation_step})", remedy
    if settings.phase is not Phase.BIND:
        remedy = (
            "Rotate in phase bind: before it no service has a credential, and a retirement is finished first. "
            "Where the rotation has ended and its old login is gone, remove rotating and rotationStep."
        )
        yield "rotating", f"is set in phase {settings.phase}", remedy


def _unset(file: _File, settings: Settings | None) -> Iterator[ManifestError]:
    """What only a sandbox may leave or set so."""
    named = file.values.get("placeholders")
    for name in named if isinstance(named, tuple) else ():
        remedy = (
            "Set your own value and take the name off atlas-access:placeholders; for the sandbox: "
            'eval "$(atlas-access sandbox env STACK)".'
        )
        line = file.lines.get(str(name), file.lines.get("placeholders", 1))
        yield file.fault((str(name),), "is still a placeholder", remedy, line)
    if settings is not None and settings.allow_ungated_rollout:
        remedy = "Remove it, and capture a baseline: atlas-access baseline capture STACK."
        yield file.fault(("allowUngatedRollout",), "is for the sandbox's own tests", remedy)
