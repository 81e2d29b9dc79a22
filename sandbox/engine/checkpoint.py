"""The state file during a deployment: every step is on disk before the next begins.

The file is a valid state at any moment: new records first, then the old ones not yet taken over or deleted. It is
written to a temporary file, synced and renamed, mode 0600.
"""

import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from sandbox.engine.document import lines_to_json, resource_to_json, state_from_json
from sandbox.engine.errors import EngineError
from sandbox.engine.passphrase import Passphrase
from sandbox.engine.planner import without_dangling
from sandbox.engine.state import Kind, Pending, Resource, State, check_owner


def load(path: Path, passphrase: str, project: str, stack: str) -> State:
    """The stack's state in `path`, or an empty one with a new salt; raises StateRefused."""
    if not path.exists():
        return State((), (), Passphrase(passphrase))
    state = state_from_json(path.read_bytes(), passphrase, str(path))
    check_owner(state, str(path), project, stack)
    return state


class NotWritten(EngineError):
    """The state could not be put on disk."""


def write_atomically(path: Path, text: str) -> None:
    """Puts `text` into `path` atomically: a reader, and a crash, find either the old or the new file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


class Checkpoint:
    """Follows the steps of one run. Without a path (a preview) it keeps count and writes nothing."""

    def __init__(self, state: State, path: Path | None) -> None:
        self._state, self._path = state, path
        self._fresh: list[Resource] = []
        self._gone: set[int] = set()
        self._begun: dict[int, Pending] = {}
        # Creations that an earlier run never saw the end of stay on record: only a person knows what became of them.
        self._left = tuple(item for item in state.pending if item.type == "creating")
        self._texts: dict[int, tuple[Resource, str]] = {}
        self._lock = threading.RLock()
        self._body = self._render()[0] if state.resources else ""

    def resources(self) -> tuple[Resource, ...]:
        """The stack's resources, in the order of the file."""
        with self._lock:
            rest = [item for item in self._state.resources if id(item) not in self._gone]
            return (*(item for item in self._fresh if id(item) not in self._gone), *rest)

    def change(self, mutation: Callable[[], object] = lambda: None) -> None:
        """Applies `mutation` to records and makes the result durable before it returns."""
        with self._lock:
            mutation()
            body, text = self._render()
            if self._path is None or body == self._body:
                return
            try:
                write_atomically(self._path, text)
            except OSError as error:
                raise NotWritten(
                    f"{self._path} cannot be written ({error.strerror}); make room for it"
                ) from error
            self._body = body

    def give_up(self) -> None:
        """Writes nothing more: operations in progress stay pending."""
        with self._lock:
            self._path = None

    def begin(self, kind: Kind, resource: Resource) -> None:
        """Records an operation as begun; one that could not be recorded is not begun."""
        try:
            self.change(lambda: self._begun.__setitem__(id(resource), Pending(kind, resource)))
        except NotWritten:
            with self._lock:
                del self._begun[id(resource)]
            raise

    def end(self, resource: Resource, *, add: bool = False, drop: Iterable[Resource] = ()) -> None:
        """Records its end: `add` takes `resource` into the stack, `drop` lets records go."""

        def mutation() -> None:
            self._begun.pop(id(resource), None)
            self._gone.update(id(item) for item in drop)
            if add:
                self._fresh.append(resource)

        self.change(mutation)

    def same(self, old: Resource, new: Resource) -> None:
        """Takes over an unchanged resource; written with the next change, or at the end."""
        with self._lock:
            self._gone.add(id(old))
            self._fresh.append(new)

    def touched(self, resource: Resource) -> None:
        """Says that `resource` was changed in place, so that its line is rendered anew."""
        with self._lock:
            self._texts.pop(id(resource), None)

    def refreshed(self, found: dict[int, Resource | None], *, whole: bool) -> None:
        """Replace records by what was read (None: gone); a `whole` refresh also resolves pending creations."""

        def mutation() -> None:
            self._left = () if whole else self._left
            kept = (found.get(id(item), item) for item in self._state.resources)
            self._fresh = without_dangling(item for item in kept if item is not None)
            self._gone.update(id(item) for item in self._state.resources)

        self.change(mutation)

    def _line(self, resource: Resource) -> str:
        cached = self._texts.get(id(resource))
        if cached is None:
            cached = self._texts[id(resource)] = (resource, resource_to_json(resource, self._state.secrets))
        return cached[1]

    def _render(self) -> tuple[str, str]:
        lines = [self._line(item) for item in self.resources()]
        pending = [(item.type, self._line(item.resource)) for item in (*self._begun.values(), *self._left)]
        text = lines_to_json(lines, pending, self._state.secrets)
        return "\n".join(lines + [kind + line for kind, line in pending]), text
