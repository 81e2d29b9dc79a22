"""Gate 8: one synthetic sign-up, its three effects observed, everything that it left removed again.

Nothing is signed up before all of it can be observed and removed. Its address is the team's own, or one of SES's
simulator, and it removes only what is its own.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from atlas_access.base import EndpointRefused, Endpoints
from atlas_access.clients import AwsUnavailable, Logs, shown
from atlas_access.smoke.gates import Gate, GateResult, Standing
from atlas_access.smoke.http import Asker
from atlas_access.smoke.model import Row, Smoke, Waitlist
from atlas_access.smoke.sign_up_effects import (
    ContactEffect,
    Effect,
    EffectFailed,
    EffectUnknown,
    MailAddressEffect,
    MailLogEffect,
    close_all,
    row_effect,
)
from atlas_access.smoke.task_secrets import Place, RunningTask

MAIL_VARIABLE = "ATLAS_ACCESS_MAIL_URL"
_POLL_SECONDS = 0.1
_LINES_SHOWN = 3


@dataclass(frozen=True)
class SignUp:
    """What gate 8 works with; `database` is where rows are when a connection string names none."""

    smoke: Smoke
    place: Place
    endpoints: Endpoints
    asker: Asker
    database: str
    mail_url: str = ""

    @staticmethod
    def mail_address() -> str:
        """Where sent mail is listed, by the environment; "" for the log group of smoke.yaml."""
        return os.environ.get(MAIL_VARIABLE, "").strip()


@dataclass(frozen=True)
class _Found:
    """What a sign-up showed: faults refute, doubts leave it open."""

    faults: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def judge_sign_up(order: SignUp, stopped: Callable[[], bool] = lambda: False) -> GateResult:
    """Sign up, observe, remove, and read the service's log of that time."""
    began = time.time()
    try:
        task = RunningTask.of(order.place, order.endpoints)
        effects = _effects(order, task, began)
    except (AwsUnavailable, EffectFailed, EffectUnknown, EndpointRefused) as error:
        return _result(_Found(doubts=(f"nothing was signed up: {error}",)))
    try:
        email = _email(order.smoke.waitlist)
        found, answered = _signed_up(order, effects, email, stopped)
        found = _with(found, _errors_in_log(order, task, began, stopped))
        if not answered:
            # A sign-up without an answer may have gone on after the first removal.
            found = _with(found, _removed(effects, email))
    finally:
        close_all(effects)
    return _result(found, contact=order.smoke.waitlist.contact is not None)


def _effects(order: SignUp, task: RunningTask, since: float) -> tuple[Effect, ...]:
    """Everything that a sign-up does, ready to be observed. Raises AwsUnavailable or EffectUnknown."""
    waitlist, effects = order.smoke.waitlist, list[Effect]()
    try:
        for row in waitlist.rows:
            effects.append(_row(order, task, row))
        if order.mail_url:
            effects.append(MailAddressEffect(order.mail_url, order.endpoints))
        else:
            group = waitlist.mail_log_group.replace("{env}", order.place.stack)
            effects.append(
                MailLogEffect(Logs(group, order.place.region, order.endpoints, order.place.session), since)
            )
        if waitlist.contact is not None:
            token = task.read(waitlist.contact.variable, order.endpoints)
            effects.append(ContactEffect(waitlist.contact, token, order.endpoints))
        # Asked once before anything is signed up: what cannot be observed now would not be later.
        for effect in effects:
            effect.observed(_email(waitlist))
    except BaseException:
        close_all(tuple(effects))
        raise
    return tuple(effects)


def _row(order: SignUp, task: RunningTask, row: Row) -> Effect:
    variable = task.first_bound(row.variables)
    if not variable:
        names = ", ".join(row.variables)
        raise EffectUnknown(f"{task.revision} binds none of {names}, which can read {row.collection}")
    return row_effect(
        task.read(variable, order.endpoints),
        collection=row.collection,
        field_name=row.field,
        variable=variable,
        endpoints=order.endpoints,
        database=order.database,
    )


def _signed_up(
    order: SignUp, effects: tuple[Effect, ...], email: str, stopped: Callable[[], bool]
) -> tuple[_Found, bool]:
    """Sign up, observe and remove; also whether the sign-up was answered at all."""
    smoke = order.smoke
    values = {**smoke.values(), "email": email, "tag": email.partition("@")[0]}
    found, answered = _Found(), False
    try:
        request = smoke.requests.waitlist
        reply = order.asker.ask(request.path, request.filled(values), once=True)
        answered = reply.trouble is None
        fault = reply.fault_unless(200, 201, 202)
        failed = _Found(faults=(f"the sign-up failed: {fault}",))
        found = failed if fault else _observed(order, effects, email, stopped)
    finally:
        # Whatever happened, the sign-up may have left something.
        found = _with(found, _removed(effects, email))
    return found, answered


def _observed(order: SignUp, effects: tuple[Effect, ...], email: str, stopped: Callable[[], bool]) -> _Found:
    expected = {row.collection: row.expected for row in order.smoke.waitlist.rows}
    missing = [each for each in effects if expected.get(each.name.removeprefix("row in "), True)]
    seconds = order.smoke.waitlist.effects_seconds
    deadline = time.monotonic() + seconds
    try:
        while True:
            missing = [each for each in missing if not each.observed(email)]
            if not missing or time.monotonic() >= deadline:
                break
            if stopped():
                return _Found(doubts=("stopped while its effects were looked for",))
            time.sleep(_POLL_SECONDS)
    except EffectFailed as error:
        return _Found(faults=(str(error),))
    except EffectUnknown as error:
        return _Found(doubts=(str(error),))
    return _Found(
        faults=tuple(f"no {each.name} within {seconds:.0f} s" for each in missing if not each.pending),
        doubts=tuple(
            f"{each.name}: {each.pending} within {seconds:.0f} s" for each in missing if each.pending
        ),
    )


def _removed(effects: tuple[Effect, ...], email: str) -> _Found:
    faults: list[str] = []
    for effect in effects:
        try:
            clean = effect.remove(email)
        except EffectUnknown as error:
            faults.append(f"{error}; remove what {email} left by hand")
        else:
            faults += [] if clean else [f"{effect.name} is left behind; remove that of {email} by hand"]
    return _Found(faults=tuple(faults))


def _errors_in_log(order: SignUp, task: RunningTask, since: float, stopped: Callable[[], bool]) -> _Found:
    """Error lines of the service since the sign-up began, those that arrive a little late included."""
    waitlist = order.smoke.waitlist
    group = waitlist.log_group.replace("{env}", order.place.stack) or task.log_group
    if not group:
        return _Found(doubts=(f"{task.revision} writes to no log group; name one as waitlist.log_group",))
    logs = Logs(group, order.place.region, order.endpoints, order.place.session)
    deadline = time.monotonic() + waitlist.logs_seconds
    try:
        while True:
            lines = list(logs.lines(waitlist.error_words, since))
            if lines or stopped() or time.monotonic() >= deadline:
                break
            time.sleep(min(_POLL_SECONDS * 5, max(0.0, deadline - time.monotonic())))
    except AwsUnavailable as error:
        return _Found(doubts=(f"the service's log: {error}",))
    if not lines:
        return _Found()
    some = "; ".join(shown(each) for each in lines[:_LINES_SHOWN])
    return _Found(faults=(f"the service logged {len(lines)} error lines meanwhile: {some}",))


def _email(waitlist: Waitlist) -> str:
    return waitlist.mailbox.replace("{tag}", f"{int(time.time())}-{uuid.uuid4().hex[:12]}")


def _with(one: _Found, other: _Found) -> _Found:
    return _Found(one.faults + other.faults, one.doubts + other.doubts)


def _result(found: _Found, *, contact: bool = True) -> GateResult:
    problems = (*found.faults, *found.doubts)
    if not problems:
        what = "row, mail and contact" if contact else "row and mail"
        text = f"{what} observed, then removed; no error line"
        return GateResult(Gate.WAITLIST, Standing.MET, text)
    standing = Standing.UNMET if found.faults else Standing.UNKNOWN
    return GateResult(Gate.WAITLIST, standing, problems[0], problems[1:])
