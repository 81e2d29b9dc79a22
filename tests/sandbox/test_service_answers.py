"""What the running service answers in both environments and both builds, on the legacy bindings and on the four."""

import re
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from pymongo import MongoClient
from service_fixture import COUPLE, SINGLE_CHECK, Running, image, until

LOCAL_READER = "staging/mongodb/app-read"


@pytest.fixture(params=["staging", "prod"])
def site(request: pytest.FixtureRequest, running: Running) -> Running:
    return Running(running.world, request.param)


@pytest.fixture
def legacy(running: Running) -> Iterator[Running]:
    """Staging, put back to what it ran before the test."""
    before = running.service()["taskDefinition"]
    yield running
    running.deploy(before)
    running.settled()


def secret(running: Running, name: str) -> str:
    return running.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]


def test_the_provider_and_both_drugs_are_covered_on_every_plan(site: Running) -> None:
    asked: dict[str, Any] = {"plan_ids": site.plan_ids(), "year": 2026}
    provider = site.ask("/api/providers/covered", {**asked, "query": "Tyler Wood"})
    assert [True] * 14 == [plan["covered"] for plan in provider["plans"]]
    for drug in ("Synthroid", "lipitor"):
        plans = site.ask("/api/drugs/covered", {**asked, "query": drug})["plans"]
        assert {(True, "Generic"), (True, "PreferredBrand")} == {
            (p["covered"], p["drug_tier"]) for p in plans
        }


def test_every_page_is_there_and_names_the_task_that_served_it(site: Running) -> None:
    for path in ("/", "/calculator", "/plans?zip=84094", "/coverage-check", "/agent-onboarding", "/healthz"):
        answer = requests.get(site.url + path, timeout=10)
        assert 200 == answer.status_code
        assert re.fullmatch(rf"askflorence-{site.name}-app:\d+", answer.headers["X-Task-Revision"])


def test_a_sign_up_leaves_a_row_a_mail_and_a_contact(site: Running) -> None:
    address = f"sign-up-{secrets.token_hex(6)}@example.com"
    answer = site.ask("/api/agent-waitlist", {"email": address}, status=201)
    mongod = site.world.of(site.name).mongod
    with MongoClient[dict[str, Any]](mongod.root_uri, directConnection=True) as client:
        assert 1 == client.askflorence.agent_waitlist_submissions.count_documents({"email": address})
    overlay = site.world.environment(site.name)
    mails = requests.get(overlay["ATLAS_ACCESS_MAIL_URL"], params={"to": address}, timeout=10).json()[
        "messages"
    ]
    assert [answer["mail_message_id"]] == [mail["id"] for mail in mails]
    key = {"Authorization": f"Bearer {secret(site, f'{site.name}/hubspot/access-token')}"}
    contacts = f"{overlay['ATLAS_ACCESS_CONTACTS_URL']}/crm/v3/objects/contacts"
    found = requests.get(
        f"{contacts}/{address}", params={"idProperty": "email"}, headers=key, timeout=10
    ).json()
    assert (answer["hubspot_contact_id"], address) == (found["id"], found["properties"]["email"])
    assert 204 == requests.delete(f"{contacts}/{found['id']}", headers=key, timeout=10).status_code
    again = requests.post(f"{site.url}/api/agent-waitlist", json={"email": address}, timeout=10)
    assert 409 == again.status_code
    assert not [line for line in site.log_lines() if address in line]


def four(running: Running) -> Any:
    """A change that binds the four variables by the root credential, and drops the deprecated ones."""
    store, name = running.client("secretsmanager"), f"four-{secrets.token_hex(3)}"
    mongod = running.world.of(running.name).mongod
    uri = f"{mongod.root_uri.partition('/?')[0]}/askflorence?authSource=admin&directConnection=true"
    arn = store.create_secret(Name=f"{running.name}/{name}", SecretString=uri)["ARN"]
    policy = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"secretsmanager:GetSecretValue",'
        f'"Resource":"{arn}"}}]}}'
    )
    running.client("iam").put_role_policy(
        RoleName=f"askflorence-{running.name}-app-execution", PolicyName=name, PolicyDocument=policy
    )
    four = ("MONGODB_URI", "MONGODB_REFERENCE_URI", "MONGODB_WRITE_URI", "MONGODB_AUDIT_WRITE_URI")

    def change(container: dict[str, Any]) -> None:
        kept = [entry for entry in container["secrets"] if not entry["name"].startswith("MONGODB_")]
        container["secrets"] = [*kept, *({"name": each, "valueFrom": arn} for each in four)]

    return change


@pytest.mark.parametrize("build", ["legacy", "current"])
def test_both_builds_work_on_the_four_variables(legacy: Running, build: str) -> None:
    bind = four(legacy)

    def change(container: dict[str, Any]) -> None:
        bind(container)
        image(build)(container)

    legacy.deploy(legacy.register(change))
    legacy.settled()
    test_the_provider_and_both_drugs_are_covered_on_every_plan(legacy)
    test_a_sign_up_leaves_a_row_a_mail_and_a_contact(legacy)


def without_reference(container: dict[str, Any]) -> None:
    container["secrets"] = [s for s in container["secrets"] if s["name"] != "MONGODB_REFERENCE_URI"]


def test_todays_code_falls_back_from_the_reference_without_a_word_until_asked(legacy: Running) -> None:
    legacy.deploy(legacy.register(without_reference))
    legacy.settled()
    assert 14 == legacy.ask("/api/plans", COUPLE)["count"]
    answer = legacy.ask("/api/providers/covered", {"query": "Tyler Wood", "plan_ids": ["x"]}, status=500)
    assert {"error": "database error"} == answer
    line = "ERROR POST /api/providers/covered 500: not authorized (find providers_staging, code 13)"
    until(lambda: line in legacy.log_lines())
    assert secret(legacy, LOCAL_READER) not in "\n".join(legacy.log_lines())


def test_the_build_to_come_names_the_variable_that_it_misses(legacy: Running) -> None:
    def change(container: dict[str, Any]) -> None:
        without_reference(container)
        image("current")(container)

    legacy.deploy(legacy.register(change))
    legacy.settled()
    legacy.ask("/api/drugs/covered", SINGLE_CHECK, status=500)
    line = "ERROR POST /api/drugs/covered 500: MONGODB_REFERENCE_URI is not set"
    until(lambda: line in legacy.log_lines())


def test_the_broken_build_is_healthy_and_answers_wrong(legacy: Running) -> None:
    bind = four(legacy)

    def change(container: dict[str, Any]) -> None:
        bind(container)
        image("broken")(container)

    legacy.deploy(legacy.register(change))
    legacy.settled()
    asked = {"query": "Tyler Wood", "plan_ids": legacy.plan_ids()}
    assert {False} == {plan["covered"] for plan in legacy.ask("/api/providers/covered", asked)["plans"]}


def test_prods_reference_data_comes_by_the_private_endpoint(running: Running) -> None:
    prod = Running(running.world, "prod")
    running.world.private_endpoint(open_=False)
    try:
        prod.ask("/api/drugs/covered", SINGLE_CHECK, status=500)
        assert 14 == prod.ask("/api/plans", COUPLE)["count"]
        assert "Covered" == running.ask("/api/drugs/covered", SINGLE_CHECK)["coverage"]
    finally:
        running.world.private_endpoint(open_=True)
    until(lambda: requests.post(prod.url + "/api/drugs/covered", json=SINGLE_CHECK, timeout=30).ok)
    assert any("the database cannot be reached" in line for line in prod.log_lines())
