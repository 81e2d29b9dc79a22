"""What the smoke gates ask and expect: the frozen record of `smoke.yaml`.

Fixtures, requests, the browser's journey, the sign-up and the limits, as configuration; and the digest of what is
asked, by which a baseline is tied to it. It knows no address and no secret.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from atlas_access.manifest import CollectionName, VariableName, Version, form, wrong

PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")

Name = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ,.%()_+-]{0,79}$"),
    form("not a name", "Use letters, digits, blanks and , . % ( ) _ + -."),
]
Text = Annotated[str, Field(min_length=1, max_length=300)]
Route = Annotated[
    str,
    Field(pattern=r"^/[A-Za-z0-9/_.-]{0,200}$"),
    form("not a path of the application", "Write it as /api/plans, without the host."),
]
ContactPath = Annotated[
    str,
    Field(pattern=r"^/[A-Za-z0-9/_.{}-]{0,200}(\?[A-Za-z0-9_.{}=&-]{1,100})?$"),
    form("not a path of the contacts", "Write it as /contacts/{email}?idProperty=email, without the host."),
]
Zip = Annotated[
    str, Field(pattern=r"^[0-9]{5}$"), form("not a ZIP code", 'Write five digits in quotes: "84094".')
]
State = Annotated[str, Field(pattern=r"^[A-Z]{2}$"), form("not a state", "Write two capitals, such as UT.")]
LogGroup = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9_/.#{}-]{1,512}$"),
    form("not a log group's name", "Use CloudWatch's name, such as /ecs/shop-{env}."),
]
AlarmName = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9_/.:#{} ()+-]{1,255}$"),
    form("not an alarm's name", "Use CloudWatch's name, such as shop-{env}-5xx."),
]
_RESERVED = re.compile(r"@(.+\.)?(example(\.(com|net|org))?|test|invalid|localhost)$")
"""Domains that take no mail (RFC 2606): each message to one bounces, which counts against the sender."""
SIMULATOR = "success+{tag}@simulator.amazonses.com"
"""SES's mailbox simulator: it accepts a message as a mail provider would, and reports its delivery."""
_OWN_MAILBOX = (
    "Write an address of the team's own with a tag, such as \"smoke+{tag}@your.domain\", or leave it out: then SES's "
    "mailbox simulator takes the mail."
)


def _takes_mail(mailbox: str) -> str:
    if _RESERVED.search(mailbox):
        raise wrong("a domain that takes no mail, so each sign-up would bounce", _OWN_MAILBOX)
    return mailbox


Mailbox = Annotated[
    str,
    Field(pattern=r"^[a-z0-9+._-]*\{tag\}[a-z0-9+._-]*@([a-z0-9-]+\.)+[a-z0-9-]+$"),
    form("not a mailbox with a tag", _OWN_MAILBOX),
    AfterValidator(_takes_mail),
]
"""A sign-up's address is unique by its tag, and nobody's but the team's."""

Seconds = Annotated[float, Field(gt=0, le=600)]


class Part(BaseModel):
    """A part of the file; unknown keys are errors and nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Person(Part):
    """A member of a household."""

    age: Annotated[int, Field(ge=0, le=120)]


class Scenario(Part):
    """One household's question to the calculator; `income` is a year's, in dollars."""

    name: Name
    zip: Zip
    state: State
    income: Annotated[int, Field(ge=0, le=10_000_000)]
    people: Annotated[tuple[Person, ...], Field(min_length=1, max_length=12)]

    def values(self) -> dict[str, Any]:
        """What this scenario puts into a request's placeholders."""
        people = [person.model_dump() for person in self.people]
        ages = [person.age for person in self.people]
        return {
            "zip": self.zip,
            "state": self.state,
            "income": self.income,
            "people": people,
            "ages": ages,
        } | {f"age_{number}": age for number, age in enumerate(ages, start=1)}


class SingleCheck(Part):
    """One drug on one plan whose tier only the reference data can give."""

    rxcui: Annotated[str, Field(pattern=r"^[0-9]{1,8}$")]
    plan: Annotated[str, Field(pattern=r"^[0-9A-Z]{14}$")]
    year: Annotated[int, Field(ge=2020, le=2100)]
    coverage: Text
    drug_tier: Text


class Request(Part):
    """Where a gate asks and what it sends; a body's text such as "{zip}" is replaced by the value, type included."""

    path: Route
    body: Annotated[dict[str, Any], Field(min_length=1)]

    def filled(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The body with its placeholders replaced. Raises KeyError for one without a value."""
        filled: dict[str, Any] = fill(self.body, values)
        return filled


class Requests(Part):
    """The requests of the gates 1 to 5, 7 and 8."""

    eligibility: Request
    plans: Request
    providers: Request
    drugs: Request
    single_drug: Request
    waitlist: Request

    def each(self) -> Iterator[tuple[str, Request]]:
        """Every request with its key."""
        for name in type(self).model_fields:
            yield name, getattr(self, name)


_STEP = "Write one of open, click, fill with with, or see."


class Step(Part):
    """One step of the browser's journey: open a page, click, fill a field with a value, or see something.

    Selectors are Playwright's. `see` needs a visible element; with `text`, one that holds it; with `count`, that many.
    """

    open: Route | None = None
    click: Text | None = None
    fill: Text | None = None
    value: Text | None = Field(default=None, alias="with")
    see: Text | None = None
    text: Text | None = None
    count: int | Text | None = None

    @model_validator(mode="after")
    def _one_action(self) -> Step:
        actions = [self.open, self.click, self.fill, self.see]
        if sum(each is not None for each in actions) != 1:
            raise wrong("a step does one thing: open, click, fill or see", _STEP)
        if (self.value is None) != (self.fill is None):
            raise wrong("fill and with belong together", _STEP)
        if (self.text is not None or self.count is not None) and self.see is None:
            raise wrong("text and count belong to see", _STEP)
        return self

    def filled(self, values: Mapping[str, Any]) -> Step:
        """The step with its placeholders replaced, as texts. Raises KeyError for one without a value."""
        raw = {name: fill(value, values) for name, value in self if value is not None}
        return self.model_copy(
            update={name: value if name == "count" else str(value) for name, value in raw.items()}
        )

    def __str__(self) -> str:
        verb = next((each for each in ("open", "click", "fill", "see") if getattr(self, each)), "open")
        return f"{verb} {getattr(self, verb)}"


class Row(Part):
    """A collection in which a sign-up leaves a row, and the variables whose credential can read and remove it.

    The first variable that the running revision binds is used. `expected` is false where a row may be absent: it is
    removed all the same.
    """

    collection: CollectionName
    field: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.]{0,60}$")] = "email"
    variables: Annotated[tuple[VariableName, ...], Field(min_length=1)]
    expected: bool = True


class Contact(Part):
    """A contact that a sign-up leaves in another service, behind a bearer token that the running revision is given.

    `find` answers an object with the member `id`, or 404; `remove` is sent as DELETE.
    """

    name: Name
    variable: VariableName
    url: Annotated[str, Field(pattern=r"^https://[^/@\s?#]+(/[^\s?#]*)?$")]
    find: ContactPath
    remove: ContactPath
    id: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,60}$")] = "id"

    @model_validator(mode="after")
    def _by_address(self) -> Contact:
        if placeholders(self.find) != {"email"} or placeholders(self.remove) != {"id"}:
            raise wrong("find holds {email} and remove {id}, and no other placeholder", "Write both so.")
        return self


class Waitlist(Part):
    """The sign-up of gate 8 and where its effects are looked for.

    `mailbox` is an address of the team's own; without one, SES's simulator is used. `mail_log_group` is where SES
    publishes its events Send, Delivery, Bounce and Reject (by EventBridge or a Lambda function), `log_group` the
    service's own; empty means the one of the running revision. `{env}` stands for the stack. Without `contact` a
    sign-up leaves none.
    """

    mailbox: Mailbox = SIMULATOR
    rows: Annotated[tuple[Row, ...], Field(min_length=1)]
    contact: Contact | None = None
    mail_log_group: LogGroup
    log_group: LogGroup | Literal[""] = ""
    error_words: Annotated[tuple[Text, ...], Field(min_length=1, max_length=20)]
    effects_seconds: Seconds = 30.0
    logs_seconds: Annotated[float, Field(ge=0, le=60)] = 5.0


class Limits(Part):
    """Bounds, in seconds and bytes: of one request with its retries, of one gate, of the journey, of an answer."""

    request_seconds: Seconds = 15.0
    retry_seconds: Annotated[float, Field(ge=0, le=60)] = 5.0
    revision_seconds: Annotated[float, Field(ge=0, le=600)] = 60.0
    gate_seconds: Seconds = 90.0
    browser_seconds: Seconds = 90.0
    answer_bytes: Annotated[int, Field(ge=1024, le=8_000_000)] = 2_000_000
    at_once: Annotated[int, Field(ge=1, le=32)] = 6
    rounds: Annotated[int, Field(ge=2, le=10)] = 2


class Smoke(Part):
    """The whole of `smoke.yaml`. `plans` is the number of plans that gate 2 expects.

    `alarms` are CloudWatch alarms of the stack's account and region that a rollout and the soak watch; `{env}` stands
    for the stack.
    """

    version: Version
    plans: Annotated[int, Field(ge=1, le=1000)]
    year: Annotated[int, Field(ge=2020, le=2100)]
    household: Scenario
    provider: Name
    drugs: tuple[Name, Name]
    check: SingleCheck
    calculator: Annotated[tuple[Scenario, ...], Field(min_length=12, max_length=100)]
    ignore: tuple[Name, ...] = ()
    requests: Requests
    journey: Annotated[tuple[Step, ...], Field(min_length=1, max_length=100)]
    waitlist: Waitlist
    alarms: Annotated[tuple[AlarmName, ...], Field(max_length=50)] = ()
    limits: Limits = Limits()

    @property
    def digest(self) -> str:
        """SHA-256 of everything that decides the answers; limits, alarms and the sign-up may change."""
        asked = self.model_dump(
            mode="json", by_alias=True, exclude={"waitlist", "alarms", "limits", "journey", "plans"}
        )
        asked["requests"].pop("waitlist")
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()

    def with_prompt_logs(self) -> Smoke:
        """The same, not waiting for late log lines: the sandbox's log is written while a task runs."""
        return self.model_copy(update={"waitlist": self.waitlist.model_copy(update={"logs_seconds": 0.0})})

    def values(self, scenario: Scenario | None = None) -> dict[str, Any]:
        """What the fixtures put into placeholders, of the household or of another scenario."""
        return {
            "year": self.year,
            "provider": self.provider,
            "drug_1": self.drugs[0],
            "drug_2": self.drugs[1],
            "rxcui": self.check.rxcui,
            "plan": self.check.plan,
            "check_year": self.check.year,
            **(scenario or self.household).values(),
        }


#: Placeholders that a running gate gives beside the fixtures.
RUN_TIME = frozenset({"plan_ids", "plans", "drug", "email", "tag"})


def fill(part: Any, values: Mapping[str, Any]) -> Any:
    """Replace placeholders in a part of the file.

    A text that is one placeholder becomes the value itself; one within a text becomes its text. Tuples become lists.
    """
    if isinstance(part, str):
        whole = PLACEHOLDER.fullmatch(part)
        if whole is not None:
            return values[whole[1]]
        return PLACEHOLDER.sub(lambda found: str(values[found[1]]), part)
    if isinstance(part, Mapping):
        return {key: fill(value, values) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [fill(each, values) for each in part]
    return part


def placeholders(part: Any) -> frozenset[str]:
    """Every placeholder's name in a part of the file."""
    if isinstance(part, str):
        return frozenset(PLACEHOLDER.findall(part))
    if isinstance(part, Mapping):
        return frozenset[str]().union(*map(placeholders, part.values()))
    if isinstance(part, list | tuple):
        return frozenset[str]().union(*map(placeholders, part))
    return frozenset()
