"""Operations without the program: deletes unnamed resources, destroys or refreshes a stack, in the planner's order."""

from collections.abc import Container

from sandbox.engine import events, planner, steps
from sandbox.engine.provider import Made
from sandbox.engine.registry import TYPE_PREFIX
from sandbox.engine.session import Session, Stopped
from sandbox.engine.state import Resource, now


def delete_rest(session: Session, kept: Container[int]) -> None:
    """Deletes every old record that is not `kept` (by identity), in reverse order, and what replacements left."""
    doomed = [item for item in session.olds if item.delete or id(item) not in kept]
    spared: set[int] = set()
    for group in planner.delete_order(doomed, session.olds):
        failed = session.in_parallel(
            lambda item: _forget(session, item), [item for item in group if id(item) not in spared]
        )
        for item in failed:
            spared |= planner.needed_by(item, session.olds)
        if session.stopping.is_set():
            return


def _forget(session: Session, item: Resource) -> None:
    if item.pending_replacement and not item.delete:
        session.checkpoint.end(item, drop=[item])  # it was deleted already, and is no longer wanted
    elif item.protect and not item.delete:
        # Reported and skipped, so that one run names all of them.
        text = f"{item.name} is protected and cannot be deleted; remove `protect` from it first"
        session.report(events.planned("delete", item.type, item.urn))
        session.report(events.done("delete", item.type, item.urn, ok=False))
        session.fail(text, item.urn, stop=False)
        raise Stopped
    else:
        steps.delete(session, item, replaced=item.delete)


def refresh(session: Session) -> None:
    """Reads every resource of the stack; what is gone is dropped, what differs is taken over."""
    found: dict[int, Resource | None] = {}

    def read(item: Resource) -> None:
        if not item.custom or item.type.startswith(TYPE_PREFIX) or item.pending_replacement:
            session.count("same", item)
            return
        with session.step("refresh", item):
            made = session.registry.get(item.provider).read(item)
        result = found[id(item)] = None if made is None else _refreshed(session, item, made)
        session.count("delete" if result is None else "same" if result is item else "update", item)

    session.in_parallel(read, list(session.olds))
    session.checkpoint.refreshed(found, whole=not session.errors)


def _refreshed(session: Session, item: Resource, made: Made) -> Resource:
    inputs = item.inputs if made.inputs is None else made.inputs
    new = item.copy(id=made.id, inputs=inputs, outputs=made.outputs, init_errors=made.init_errors)
    steps.mark_secrets(session, new)
    if all(getattr(new, each) == getattr(item, each) for each in ("id", "inputs", "outputs", "init_errors")):
        return item
    if made.init_errors:
        session.log("warning", f"is not ready: {'; '.join(made.init_errors)}", item.urn)
    new.modified = now()
    session.report(events.planned("refresh", item.type, item.urn, item.outputs, new.outputs))
    return new
