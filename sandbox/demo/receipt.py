"""A migration's receipt: state before and after, proofs, deployments, gates and load."""

from collections.abc import Iterable
from dataclasses import dataclass

from atlas_access.review import AcceptedFinding, Deployment, Operation
from sandbox.load.report import LoadReport


@dataclass(frozen=True, order=True)
class DatabaseUser:
    """A database user of one environment's cluster, and what its role is called."""

    cluster: str
    name: str
    role: str


@dataclass(frozen=True)
class UserLine:
    """One user before and after: `role_before` or `role_after` is None where there was no such user."""

    name: str
    role_before: str | None
    role_after: str | None

    @property
    def fate(self) -> str:
        """`new`, `retired`, `kept`, or what its role became."""
        if self.role_before is None:
            return "new"
        if self.role_after is None:
            return "retired"
        return "kept" if self.role_before == self.role_after else f"now {self.role_after}"


@dataclass(frozen=True)
class GateRun:
    """Smoke gates of one stack: the revision that answered, the number of green rounds, and a one-line summary."""

    stack: str
    moment: str
    revision: str
    rounds: int
    green: bool
    summary: str


@dataclass(frozen=True)
class Release:
    """A deployment by the application's own pipeline; `place` is how many of our deployments came before it."""

    stack: str
    what: str
    before: str
    after: str
    seconds: float
    place: int = 0

    def __str__(self) -> str:
        return f"{self.before} → :{self.after.rpartition(':')[2]}"


@dataclass(frozen=True)
class Chapter:
    """One part of the story and how long it took."""

    title: str
    seconds: float


@dataclass(frozen=True)
class Receipt:
    """A migration's facts. `failure` is why it ended early, or ""; `made_at` is ISO 8601 in UTC."""

    made_at: str
    sandbox: str
    before: tuple[DatabaseUser, ...]
    after: tuple[DatabaseUser, ...]
    deployments: tuple[Deployment, ...]
    releases: tuple[Release, ...]
    gates: tuple[GateRun, ...]
    load: LoadReport | None
    accepted: tuple[AcceptedFinding, ...]
    chapters: tuple[Chapter, ...]
    notes: tuple[str, ...] = ()
    failure: str = ""

    @property
    def done(self) -> bool:
        """Whether the story came to its end with every request served well, and nothing left unsaid."""
        return not self.failure and self.load is not None and self.load.clean

    @property
    def headline(self) -> str:
        """The answer in one line."""
        users = f"{len(self.before)} database users before, {len(self.after)} after"
        if self.failure:
            return f"STOPPED  {users}: {self.failure}"
        if self.load is None:
            return f"UNKNOWN  {users}; no load was put on the services"
        served = f"{self.load.asked:,} requests, {self.load.failed} failed, {self.load.wrong} wrong"
        ungated = "" if all(each.green for each in self.gates) else "; smoke gates NOT RUN"
        return f"{'DONE' if self.load.clean else 'NOT CLEAN'}  {users}; {served}{ungated}"

    @property
    def clusters(self) -> tuple[str, ...]:
        """The clusters, in the order of the users before."""
        return tuple(dict.fromkeys(each.cluster for each in (*self.before, *self.after)))

    def users(self, cluster: str) -> tuple[UserLine, ...]:
        """Every user that a cluster had or has: first those that stay or are new, then those that are gone."""
        before = {each.name: each.role for each in self.before if each.cluster == cluster}
        after = {each.name: each.role for each in self.after if each.cluster == cluster}
        names = [*sorted(after), *sorted(set(before) - set(after))]
        return tuple(UserLine(name, before.get(name), after.get(name)) for name in names)

    def count(self, cluster: str) -> str:
        """`10 → 4`: how many users a cluster had and has."""
        before, after = (
            sum(each.cluster == cluster for each in users) for users in (self.before, self.after)
        )
        return f"{before} → {after}"

    @property
    def changes(self) -> tuple[Deployment, ...]:
        """The deployments that changed something, previews aside."""
        return tuple(each for each in self.deployments if each.operation is not Operation.PREVIEW)

    @property
    def doings(self) -> tuple[Deployment | Release, ...]:
        """What was changed, by us and by the application's pipeline, in the order of its end."""
        found: list[Deployment | Release] = []
        for place in range(len(self.deployments) + 1):
            found += [each for each in self.releases if each.place == place]
            found += [each for each in self.deployments[place : place + 1] if each in self.changes]
        return tuple(found)

    @property
    def seconds(self) -> float:
        """How long all of it took."""
        return sum(each.seconds for each in self.chapters)


def reported_rounds(lines: Iterable[str]) -> tuple[tuple[str, int, bool, str], ...]:
    """What a rollout said of its gates, by revision: (revision, green rounds, all green, the last summary).

    A rollout says `gates on app:8: green` after each round, and `gates NOT RUN: …` where there are none.
    """
    found: dict[str, tuple[int, bool, str]] = {}
    for line in lines:
        if line.startswith("gates NOT RUN"):
            found.setdefault("", (0, False, line))
        elif line.startswith("gates on "):
            revision, _, said = line.removeprefix("gates on ").partition(": ")
            green = said.split("; ")[0] == "green"
            rounds, good, _ = found.get(revision, (0, True, ""))
            found[revision] = (rounds + green, good and green, said)
    return tuple((revision, *facts) for revision, facts in found.items())
