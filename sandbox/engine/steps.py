"""Creates, updates, keeps, imports, reads or deletes one resource; the checkpoint records each change beforehand."""

from collections.abc import Callable

from sandbox.engine import events
from sandbox.engine.provider import Made, Provider, ProviderFailed
from sandbox.engine.registry import TYPE_PREFIX
from sandbox.engine.session import Session
from sandbox.engine.state import Kind, Resource, now
from sandbox.engine.values import Secret


def mark_secrets(session: Session, resource: Resource) -> None:
    """An output is secret if the program says so, or if the input of its name is."""
    hidden = set(resource.additional_secret_outputs) - {"id"}
    hidden |= {key for key, value in resource.inputs.items() if isinstance(value, Secret)}
    for key in hidden & resource.outputs.keys():
        if not isinstance(resource.outputs[key], Secret):
            resource.outputs = {**resource.outputs, key: Secret(resource.outputs[key])}
    session.mask.learn(resource.outputs)


def _take(session: Session, resource: Resource, made: Made) -> None:
    resource.id, resource.outputs, resource.init_errors = made.id, made.outputs, made.init_errors
    mark_secrets(session, resource)
    session.checkpoint.touched(resource)


def _make(
    session: Session,
    op: str,
    kind: Kind,
    new: Resource,
    old: Resource | None,
    call: Callable[[], Made],
    *,
    stamps: tuple[str, ...] = (),
    keep_old: bool = False,
) -> Resource:
    """One create or update; what exists although it is not ready (InitFailed) is recorded before the failure."""
    with session.step(op, new, old, kind=kind):
        failed: ProviderFailed | None = None
        try:
            made = call()
        except ProviderFailed as failure:
            if failure.created is None:
                raise
            made, failed = failure.created, failure
        for stamp in stamps:
            setattr(new, stamp, now())
        _take(session, new, made)
        if keep_old and old is not None:
            old.delete = True
            session.checkpoint.touched(old)
        session.checkpoint.end(new, add=True, drop=[old] if old is not None and not keep_old else [])
        if failed is not None:
            raise ProviderFailed(
                f"exists but is not ready: {'; '.join(made.init_errors) or failed}"
            ) from failed
    session.count(op, new)
    return new


def create(
    session: Session,
    new: Resource,
    provider: Provider | None,
    old: Resource | None = None,
    *,
    keep_old: bool = False,
) -> Resource:
    """Creates `new`. For a replacement `old` is kept, to be deleted at the end (`keep_old`), or dropped."""

    def call() -> Made:
        return provider.create(new, dry_run=session.request.dry_run) if provider else Made("", {})

    op, stamps = "create" if old is None else "replace", ("created", "modified")
    return _make(session, op, "creating", new, old, call, stamps=stamps, keep_old=keep_old)


def update(session: Session, old: Resource, new: Resource, provider: Provider | None) -> Resource:
    """Changes `old` into `new` in place."""
    new.id = old.id

    def call() -> Made:
        dry_run = session.request.dry_run
        return provider.update(old, new, dry_run=dry_run) if provider else Made("", old.outputs)

    return _make(session, "update", "updating", new, old, call, stamps=("modified",) if provider else ())


def same(session: Session, old: Resource, new: Resource, provider: Provider | None) -> Resource:
    """Keeps what is there; a provider is readied with the settings that were in force."""
    new.id, new.outputs = old.id, old.outputs
    if new.type.startswith(TYPE_PREFIX) and provider is not None:
        settings = new.copy(inputs=old.inputs)
        with session.step("same", new):
            provider.update(settings, settings, dry_run=False)
    else:
        session.report(events.planned("same", new.type, new.urn))
        session.report(events.done("same", new.type, new.urn, ok=True))
    mark_secrets(session, new)
    session.checkpoint.same(old, new)
    session.count("same", new)
    return new


def adopt(session: Session, found: Resource, provider: Provider) -> None:
    """Imports what exists under the id that the program gives; `found` becomes what the provider read."""
    with session.step("import", found, kind="importing"):
        made = provider.read(found, importing=True)
        if made is None or made.inputs is None:
            raise ProviderFailed(f"resource '{found.import_id}' does not exist")
        found.inputs = made.inputs
        found.created = found.modified = now()
        _take(session, found, made)
        session.checkpoint.end(found, add=True)
    session.count("import", found)


def read(session: Session, new: Resource, old: Resource | None, provider: Provider) -> None:
    """Reads what the stack does not own; `new` becomes what the provider read."""
    with session.step("read", new, old, kind="reading"):
        made = provider.read(new)
        if made is None:
            raise ProviderFailed(f"resource '{new.id}' does not exist")
        _take(session, new, made)
        if old is not None and (old.inputs, old.outputs) != (new.inputs, new.outputs):
            new.modified = now()
            session.checkpoint.touched(new)
        session.checkpoint.end(new, add=True, drop=[old] if old else [])
    session.count("read", new)


def delete(session: Session, item: Resource, *, replaced: bool = False, pending: bool = False) -> None:
    """Deletes one record and its resource; `pending` keeps it as one whose replacement is yet to be created."""
    with session.step("delete-replaced" if replaced else "delete", item, item, kind="deleting"):
        owned = item.custom and not item.external and not item.retain_on_delete
        if owned and not session.request.dry_run and not item.type.startswith(TYPE_PREFIX):
            session.registry.get(item.provider).delete(item)
        if pending:
            item.pending_replacement = True
            session.checkpoint.touched(item)
        session.checkpoint.end(item, drop=[] if pending else [item])
    if not replaced:
        session.count("delete", item)
