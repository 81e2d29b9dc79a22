"""The form of each single word of `access.yaml`: names, roles, secrets, actions, and the remedy for a wrong one."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from atlas_access.base import shown, suggestion
from atlas_access.manifest.shape import WILDCARD, form, listed_once, unnamed, wrong
from atlas_access.privileges import ATLAS_ACTIONS, BUILTIN_ROLES, ActionScope

LONGEST_RETENTION_DAYS = 24_855
"""A TTL index holds at most 2,147,483,647 seconds (MongoDB manual, expireAfterSeconds)."""


def _no_machine(name: str) -> str:
    if name == "local":
        raise wrong(
            '"local" is a developer\'s machine', "Remove it: local_environment names whose cluster it uses."
        )
    return name


ROLE_TEXT = r"^[A-Za-z][A-Za-z0-9_-]*(@[A-Za-z][A-Za-z0-9_-]*)?$"

Name = Annotated[
    str,
    Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,62}$"),
    form("not a name", "Use letters, digits, _ and -, starting with a letter."),
]
CollectionName = Annotated[
    str,
    Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,119}$"),
    form("not a collection's name", "Use the collection's own name; system.* cannot be granted."),
]
CollectionKey = Annotated[
    str,
    Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,119}(\{[a-z_]+\}[A-Za-z0-9_.-]{0,60})?$"),
    form(
        "not a collection's name",
        "Use the collection's own name, or a family's with one placeholder (agent_{npn}); "
        "system.* cannot be granted.",
    ),
]
FieldName = Annotated[
    str,
    Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$"),
    form("not a field's name", "Name the field that says when a row was written, such as at."),
]
EnvironmentName = Annotated[
    str,
    Field(pattern=r"^[a-z][a-z0-9-]{0,30}$"),
    form("not an environment's name", "Use lower-case letters, such as staging."),
    AfterValidator(_no_machine),
]
VariableName = Annotated[
    str,
    Field(pattern=r"^[A-Z][A-Z0-9_]{0,127}$"),
    form("not a variable's name", "Use capitals, digits and _, such as MONGODB_URI."),
]
RoleText = Annotated[
    str,
    Field(pattern=ROLE_TEXT),
    form("not a role", "Write a custom role's name, or a built-in role with its database: read@shop."),
]
SecretTemplate = Annotated[
    str,
    Field(pattern=r"^\{env\}/mongodb/[a-z0-9]+(-[a-z0-9]+)*$"),
    form(
        "outside {env}/mongodb/…",
        'Name it like "{env}/mongodb/app-read-v2": lower-case words and dashes after the prefix.',
    ),
]
SecretName = Annotated[
    str,
    Field(pattern=r"^[a-z][a-z0-9-]*/mongodb/[a-z0-9]+(-[a-z0-9]+)*$"),
    form("not a secret's name", "Name it as it is in Secrets Manager, like staging/mongodb/app-read."),
]
DecisionRecord = Annotated[
    str,
    Field(pattern=r"^ADR [0-9]{4}$"),
    form("no decision record", 'Name the record that accepts this, like "ADR 0006".'),
]
Days = Annotated[
    int,
    Field(ge=1, le=LONGEST_RETENTION_DAYS),
    form("not a number of days", f"Write a whole number from 1 to {LONGEST_RETENTION_DAYS}."),
]
Reason = Annotated[
    str,
    Field(min_length=10, max_length=400),
    form("too short or too long to be a reason", "Write one sentence that a reviewer understands."),
]
Environments = Annotated[tuple[EnvironmentName, ...], Field(min_length=1), AfterValidator(listed_once)]
UnnamedAction = Annotated[Name, AfterValidator(unnamed)]
Collections = Annotated[tuple[CollectionName, ...], AfterValidator(listed_once)]
SomeCollections = Annotated[tuple[CollectionName, ...], Field(min_length=1), AfterValidator(listed_once)]


def _one_or_more(value: object) -> object:
    return (value,) if isinstance(value, str) else value


RoleTexts = Annotated[
    tuple[RoleText, ...],
    BeforeValidator(_one_or_more),
    Field(min_length=1),
    AfterValidator(listed_once),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": ROLE_TEXT},
                {"type": "array", "items": {"type": "string", "pattern": ROLE_TEXT}, "minItems": 1},
            ]
        }
    ),
]


def known_action(name: str) -> str:
    """An action of Atlas custom roles; no wildcard."""
    if "*" in name:
        raise wrong(*WILDCARD)
    if name not in ATLAS_ACTIONS:
        remedy = (
            f"Use an action of Atlas custom roles, such as FIND.{suggestion(name.upper(), ATLAS_ACTIONS)}"
        )
        raise wrong(f"{shown(name)} is no Atlas action", remedy)
    return name


def grantable(name: str) -> str:
    """An action on collections: the only scope of an application's role (ADR 0006)."""
    action = ATLAS_ACTIONS[known_action(name)]
    if action.scope is ActionScope.ELSEWHERE:
        raise wrong(f"{name} has no effect here: {action.absent_because}", "Remove it.")
    if action.scope is not ActionScope.COLLECTION:
        remedy = "Remove it: an application's role acts on named collections only (ADR 0006)."
        raise wrong(f"{name} acts on the whole {action.scope}, not on collections", remedy)
    return name


def grantable_collection(name: str) -> str:
    """A collection that a role may name."""
    if name.startswith("system."):
        raise wrong("a system collection", "Remove it: nobody is granted system.* by name.")
    return name


def own_role(name: str) -> str:
    """The name of a custom role, which no built-in one has."""
    if name in BUILTIN_ROLES:
        raise wrong(f"{shown(name)} is a built-in role's name", "Choose another, such as role_audit_writer.")
    return name


def _own_database(name: str) -> str:
    if name in ("admin", "local", "config"):
        raise wrong("a database of the server itself", "Name a database of the application.")
    return name


def legacy_role(text: str) -> str:
    """The role of a legacy user: a built-in one with its database."""
    if text in BUILTIN_ROLES:
        raise wrong(f"the built-in role {text} needs its database", f"Write {text}@ and the database's name.")
    return text


Database = Annotated[Name, AfterValidator(_own_database)]
