"""What one attempt is: the privilege it needs, its harmless form, the lock it takes, and where it is harmless.

Records only; the rows are in `operations.txt`. No row describes a command that could change anything when the server
wrongly allows it: such an operation is decided by the server's list of privileges.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

Command = Mapping[str, object]

UNAUTHORIZED = 13


class Scope(StrEnum):
    """What an operation acts on."""

    COLLECTION = "collection"
    DATABASE = "database"
    CLUSTER = "cluster"


class Reach(StrEnum):
    """On which collections or databases an operation is tried.

    The server authorizes by action and resource, so each action is tried on every collection, in one form. Further ways
    to do the same are tried where they matter most: on the audit log and on a collection that the user may read; what
    concerns a database's users and roles on the manifest's databases and `admin`.
    """

    EVERYWHERE = "everywhere"
    FOCUS = "focus"


class Form(StrEnum):
    """How an operation is tried so that it leaves nothing behind even when it is wrongly allowed."""

    READ = "read"
    EXPLAIN = "explain queryPlanner"
    ABORTED_TRANSACTION = "aborted transaction"
    RANDOM_UUID = "random collectionUUID"
    IMPOSSIBLE_ARGUMENT = "impossible argument"
    EQUALITY = "by equality"

    @property
    def documented(self) -> bool:
        """Whether the MongoDB manual says that the form executes nothing, or nothing that stays."""
        return self in (Form.READ, Form.EXPLAIN, Form.ABORTED_TRANSACTION)


class Lock(StrEnum):
    """What an attempt waits for, and so what clients may wait for behind it."""

    NONE = "none"
    INTENT = "intent"
    EXCLUSIVE = "exclusive"


class Kind(StrEnum):
    """What kind a collection is; the rows of `operations.txt` were tried on each of these."""

    PLAIN = "plain"
    CAPPED = "capped"
    VIEW = "view"
    TIME_SERIES = "timeseries"
    CLUSTERED = "clustered"
    VALIDATED = "validated"
    UNIQUE = "unique"
    TTL = "ttl"
    TEXT = "text"
    ENCRYPTED = "encrypted"
    ABSENT = "absent"


MEASURED_MAJORS = frozenset({6})
"""Majors on which the undocumented forms were measured to change nothing; the `ci` workflow tries others."""


class On(StrEnum):
    """Which resource a needed action is on."""

    TARGET = "target"
    DATABASE = "database"
    VIA = "via"
    CLUSTER = "cluster"
    EVERY_DATABASE = "every database"


class Need(NamedTuple):
    """An action, by MongoDB's name, and the resource it must be held on."""

    action: str
    on: On = On.TARGET


class Target(NamedTuple):
    """Where an attempt is made.

    `collection` is "" for a whole database or the cluster. `via` is a collection of the same database that the
    user may read, for pipelines that need a source. `token` is a random name that exists nowhere; `uuid` is a
    random collection UUID.
    """

    database: str
    collection: str
    via: str
    token: str
    uuid: UUID

    @property
    def namespace(self) -> str:
        """The target as `database.collection`."""
        return f"{self.database}.{self.collection}"


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the catalogue.

    `source` is the section of the MongoDB manual (6.0) that names the privilege. `command` builds the document to
    send to the target's database, or to `admin` when `on_admin`; it is None when the row is decided by the server's
    list. `allowed` are the codes, besides success, that only an authorized user receives. `instead` is another set of
    privileges that suffices too. `core` rows are also tried on system collections. `for_app` says that the application
    needs it; all others are what an attacker would use. `since` is the first major that has the command. On `unsafe`
    kinds of collections the form may change something; what `makes` a collection costs the server a file where it is
    absent, which the abort takes back.
    """

    name: str
    scope: Scope
    form: Form
    needs: tuple[Need, ...]
    source: str
    command: Callable[[Target], Command] | None = None
    allowed: frozenset[int] = frozenset()
    instead: tuple[Need, ...] = ()
    reach: Reach = Reach.EVERYWHERE
    on_admin: bool = False
    core: bool = False
    for_app: bool = False
    since: int = 0
    exclusive: bool = False
    unsafe: frozenset[Kind] = frozenset()
    makes: bool = False

    @property
    def lock(self) -> Lock:
        """The strongest lock that the attempt waits for."""
        if self.exclusive:
            return Lock.EXCLUSIVE
        return Lock.NONE if self.form is Form.EQUALITY else Lock.INTENT

    @property
    def by_equality(self) -> bool:
        """Whether the operation is never attempted and the server's own list of privileges decides."""
        return self.form is Form.EQUALITY


def explained(command: Command) -> Command:
    """Wrap a command in `explain` with verbosity `queryPlanner`, which plans and never runs it."""
    return {"explain": command, "verbosity": "queryPlanner"}
