"""Gate 8 with a real mongod and an emulated AWS: every effect is observed and removed, nothing else is touched."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from aws_fixture import Aws
from mongod_fixture import CANARY, LOOPBACK, Cluster, encodings
from smoke_fixture import FAST, PLACE, FakeApp, scenarios, serve

from atlas_access.clients.aws import new_session
from atlas_access.smoke.gates import GateResult, Standing
from atlas_access.smoke.http import Asker
from atlas_access.smoke.waitlist import SignUp, judge_sign_up

LOG_GROUP = "/ecs/askflorence-staging-app"


@dataclass
class Inventory:
    """The application, HubSpot and the list of sent mail in one server, with what each of them does switched on."""

    app: FakeApp
    aws: Aws
    cluster: Cluster
    effects: set[str] = field(default_factory=lambda: {"row", "mail", "contact"})
    mails: list[str] = field(default_factory=list)
    contacts: dict[str, str] = field(default_factory=dict)
    hubspot_status: int = 200
    keeps: bool = False
    error_line: str = ""
    status: int = 201

    @property
    def rows(self) -> Any:
        return self.cluster.root["askflorence"]["agent_waitlist_submissions"]

    def join(self, request: Any, body: Any) -> tuple[int, dict[str, str], bytes]:
        email = body["email"]
        if "row" in self.effects:
            self.rows.insert_one({"email": email})
        if "mail" in self.effects:
            self.mails.append(email)
        if "contact" in self.effects:
            self.contacts[str(100 + len(self.contacts))] = email
        if self.error_line:
            self.aws.log(LOG_GROUP, self.error_line)
        return self.status, {"Content-Type": "application/json"}, b'{"joined": true}'

    def sent(self, request: Any, _: Any) -> tuple[int, dict[str, str], bytes]:
        wanted = parse_qs(urlsplit(request.path).query)["to"][0]
        found = [{"id": "1"} for each in self.mails if each == wanted]
        return 200, {"Content-Type": "application/json"}, json.dumps({"messages": found}).encode()

    def contact(self, request: Any, _: Any) -> tuple[int, dict[str, str], bytes]:
        kind = {"Content-Type": "application/json"}
        if request.headers["Authorization"] != "Bearer the-token-of-hubspot" or self.hubspot_status != 200:
            return max(401, self.hubspot_status), kind, b"{}"
        key = unquote(urlsplit(request.path).path.rpartition("/")[2])
        if request.command == "DELETE":
            if not self.keeps:
                self.contacts.pop(key, None)
            return 204, kind, b""
        found = [number for number, email in self.contacts.items() if email == key]
        return (200, kind, json.dumps({"id": found[0]}).encode()) if found else (404, kind, b"{}")

    def order(self, **changes: Any) -> SignUp:
        endpoints = replace(LOOPBACK, aws=self.aws.url, contacts=f"{self.app.url}/hubspot")
        smoke = scenarios()
        waitlist = smoke.waitlist.model_copy(update={"effects_seconds": 0.4, "logs_seconds": 0.0})
        made = SignUp(
            smoke.model_copy(update={"waitlist": waitlist}),
            PLACE,
            endpoints,
            Asker(self.app.url, endpoints, FAST),
            "askflorence",
            f"{self.app.url}/mail",
        )
        return replace(made, **changes)

    def set_secret(self, name: str, value: str) -> None:
        self.aws.client("secretsmanager").put_secret_value(SecretId=f"staging/{name}", SecretString=value)


class _Anything(dict[str, Any]):
    """Handlers by path, with HubSpot's contacts at any id."""

    def get(self, key: str, default: Any = None) -> Any:
        return super().get(
            "/hubspot" if key.startswith("/hubspot/crm/v3/objects/contacts/") else key, default
        )


@pytest.fixture
def inventory(aws: Aws, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inventory]:
    aws.sign_in(monkeypatch)
    app = FakeApp(handlers=_Anything())
    made = Inventory(app, aws, cluster)
    app.handlers |= {"/api/agent-waitlist": made.join, "/mail": made.sent, "/hubspot": made.contact}
    made.set_secret("mongodb/waitlist-write", cluster.uri("app_write"))
    made.set_secret("hubspot/access-token", "the-token-of-hubspot")
    server = serve(app)
    yield made
    server.shutdown()
    server.server_close()


def message_of(result: GateResult) -> str:
    return "; ".join((result.summary, *result.details))


def test_every_effect_is_observed_and_removed(inventory: Inventory) -> None:
    before = inventory.rows.count_documents({})
    result = judge_sign_up(inventory.order())
    assert (Standing.MET, "row, mail and contact observed, then removed; no error line") == (
        result.standing,
        message_of(result),
    )
    assert (before, {}, 1) == (inventory.rows.count_documents({}), inventory.contacts, len(inventory.mails))


def test_each_sign_up_has_an_address_of_its_own_at_the_simulator_of_ses(inventory: Inventory) -> None:
    judge_sign_up(inventory.order())
    judge_sign_up(inventory.order())
    nobodys = all(
        re.fullmatch(r"success\+[0-9a-f-]+@simulator\.amazonses\.com", each) for each in inventory.mails
    )
    assert (2, True) == (len(set(inventory.mails)), nobodys)


@pytest.mark.parametrize(
    ("missing", "why"),
    [
        ("row", "no row in agent_waitlist_submissions within 0 s"),
        ("mail", "no SES mail within 0 s"),
        ("contact", "no HubSpot contact within 0 s"),
    ],
)
def test_a_missing_effect_is_named_the_others_removed(inventory: Inventory, missing: str, why: str) -> None:
    inventory.effects -= {missing}
    before = inventory.rows.count_documents({})
    result = judge_sign_up(inventory.order())
    rows = inventory.rows.count_documents({})
    found = (result.standing, message_of(result), rows, inventory.contacts)
    assert (Standing.UNMET, why, before, {}) == found


def test_a_sign_up_that_fails_half_way_is_removed_all_the_same(inventory: Inventory) -> None:
    inventory.status, inventory.effects = 500, {"row"}
    before = inventory.rows.count_documents({})
    result = judge_sign_up(inventory.order())
    found = (result.standing, message_of(result), inventory.rows.count_documents({}))
    assert (Standing.UNMET, "the sign-up failed: HTTP 500", before) == found


def test_an_error_line_of_the_service_is_shown_without_addresses(inventory: Inventory) -> None:
    inventory.error_line = "ERROR insert for someone@example.com: not authorized"
    result = judge_sign_up(inventory.order())
    assert (
        "the service logged 1 error lines meanwhile: ERROR insert for (an address): not authorized"
        == message_of(result)
    )


def test_an_error_line_from_before_does_not_count(inventory: Inventory) -> None:
    inventory.aws.log(LOG_GROUP, "INFO nothing")
    assert Standing.MET is judge_sign_up(inventory.order()).standing


def test_what_cannot_be_removed_is_reported(inventory: Inventory) -> None:
    inventory.keeps = True
    result = judge_sign_up(inventory.order())
    assert (Standing.UNMET, True) == (result.standing, "HubSpot contact is left behind" in message_of(result))


def test_without_a_valid_token_nothing_is_signed_up(inventory: Inventory) -> None:
    inventory.hubspot_status = 401
    result = judge_sign_up(inventory.order())
    assert (
        Standing.UNKNOWN,
        "nothing was signed up: HubSpot contact: asking for it was answered 401",
        [],
    ) == (result.standing, message_of(result), inventory.mails)


def test_a_credential_that_may_not_read_the_row_leaves_it_unknown(inventory: Inventory) -> None:
    inventory.set_secret("mongodb/waitlist-write", inventory.cluster.uri("app_audit_writer"))
    result = judge_sign_up(inventory.order())
    assert (Standing.UNKNOWN, True, []) == (
        result.standing,
        "the credential of MONGODB_URI_WAITLIST_WRITE could not read it (code 13 Unauthorized)"
        in message_of(result),
        inventory.mails,
    )


def test_a_secret_that_is_no_connection_string_is_not_shown(inventory: Inventory) -> None:
    inventory.set_secret("mongodb/waitlist-write", CANARY)
    result = judge_sign_up(inventory.order())
    shown = [form for form in encodings(CANARY) if form in message_of(result)]
    assert (Standing.UNKNOWN, []) == (result.standing, shown)


def test_a_service_that_is_not_there_leaves_it_unknown(inventory: Inventory) -> None:
    result = judge_sign_up(inventory.order(place=replace(PLACE, service="nothing")))
    assert "nothing was signed up: describing the service: AWS answered no such active service" == message_of(
        result
    )


def test_without_an_address_of_sent_mail_the_log_group_is_asked(inventory: Inventory) -> None:
    result = judge_sign_up(inventory.order(mail_url=""))
    assert (Standing.UNKNOWN, True) == (
        result.standing,
        "/ses/askflorence-staging/events" in message_of(result)
        and "nothing was signed up" in message_of(result),
    )


@pytest.mark.parametrize(
    ("kinds", "standing", "why"),
    [
        (["Delivery"], Standing.MET, "row, mail and contact observed, then removed; no error line"),
        (["Send", "Delivery"], Standing.MET, "row, mail and contact observed, then removed; no error line"),
        (["Send"], Standing.UNKNOWN, "SES mail: SES reports Send, but no Delivery within 0 s"),
        (
            ["DeliveryDelay"],
            Standing.UNKNOWN,
            "SES mail: SES reports DeliveryDelay, but no Delivery within 0 s",
        ),
        (["Send", "Bounce"], Standing.UNMET, "SES mail: SES reports Bounce"),
        (["Reject"], Standing.UNMET, "SES mail: SES reports Reject"),
        (["Delivery", "Complaint"], Standing.UNMET, "SES mail: SES reports Complaint"),
        ([], Standing.UNMET, "no SES mail within 0 s"),
    ],
)
def test_only_a_delivery_in_the_events_of_ses_is_green(
    inventory: Inventory, kinds: list[str], standing: Standing, why: str
) -> None:
    group, usual = "/ses/askflorence-staging/events", inventory.app.handlers["/api/agent-waitlist"]
    inventory.aws.client("logs").create_log_group(logGroupName=group)

    def joined(request: Any, body: Any) -> Any:
        for kind in kinds:
            event = {"eventType": kind, "mail": {"destination": [body["email"]]}}
            inventory.aws.log(group, json.dumps({"detail-type": f"Email {kind}", "detail": event}))
        return usual(request, body)

    inventory.app.handlers["/api/agent-waitlist"] = joined
    result = judge_sign_up(inventory.order(mail_url=""))
    assert (standing, why) == (result.standing, message_of(result))


def test_once_stopped_what_was_signed_up_is_still_removed(inventory: Inventory) -> None:
    inventory.effects -= {"mail"}
    before = inventory.rows.count_documents({})
    result = judge_sign_up(inventory.order(), stopped=lambda: True)
    rows = inventory.rows.count_documents({})
    assert (Standing.UNKNOWN, before, {}) == (result.standing, rows, inventory.contacts)


def test_a_credential_of_another_machine_is_refused(inventory: Inventory) -> None:
    inventory.set_secret(
        "mongodb/waitlist-write", f"mongodb://app:{CANARY.replace(':', '')}@db.example.com/askflorence"
    )
    result = judge_sign_up(inventory.order())
    assert (Standing.UNKNOWN, []) == (result.standing, inventory.mails)


def test_another_account_has_its_own_session(inventory: Inventory, monkeypatch: pytest.MonkeyPatch) -> None:
    found = inventory.aws.sessions["staging"]
    inventory.aws.sign_in(monkeypatch, "prod")
    own = new_session(
        aws_access_key_id=found.access_key_id,
        aws_secret_access_key=found.secret_access_key,
        aws_session_token=found.session_token,
        region_name="us-east-1",
    )
    results = [judge_sign_up(inventory.order(place=replace(PLACE, session=each))) for each in (None, own)]
    assert [Standing.UNKNOWN, Standing.MET] == [each.standing for each in results]


def test_a_sign_up_that_goes_on_after_its_deadline_is_removed_too(inventory: Inventory) -> None:
    usual = inventory.app.handlers["/api/agent-waitlist"]

    def late(request: Any, body: Any) -> Any:
        time.sleep(1.4)
        return usual(request, body)

    inventory.app.handlers["/api/agent-waitlist"] = late
    made = inventory.order()
    waitlist = made.smoke.waitlist.model_copy(update={"logs_seconds": 2.5})
    limits = FAST.model_copy(update={"request_seconds": 0.2})
    smoke = made.smoke.model_copy(update={"waitlist": waitlist})
    made = replace(made, smoke=smoke, asker=replace(made.asker, limits=limits))
    before = inventory.rows.count_documents({})
    result = judge_sign_up(made)
    rows = inventory.rows.count_documents({})
    found = (result.standing, len(inventory.mails), rows, inventory.contacts)
    assert (Standing.UNMET, 1, before, {}) == found
