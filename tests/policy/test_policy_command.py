"""`atlas-access policy` and `atlas-access explain`: formats, exit codes, places in the manifest, no secret anywhere."""

import io
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from policy_world import compliant_stack, secret, task, user, without
from test_analyze_state import SECRET, entry, exported, stored

from atlas_access.cli.main import run
from policy.catalogue import CATALOGUE
from policy.resource import SERVICE_ACCESS

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / "access.yaml"
LINES = MANIFEST.read_text(encoding="utf-8").splitlines()
CANARY = "Zu7canary9Zu7canary9Zu7canary9Zu"
ESCAPED = str.maketrans({sign: f"\\{sign}" for sign in "[]-"})
FORMATS = ["text", "json", "sarif", "junit", "md", "html"]


@pytest.fixture
def run_policy(tmp_path, capsys):
    """Runs the command on a state and returns its exit code and what it printed."""

    def judge(text, *arguments, stack="staging"):
        path = tmp_path / "state.json"
        path.write_text(text, encoding="utf-8")
        code = run(["policy", stack, "--state", str(path), "--manifest", str(MANIFEST), *arguments])
        return code, "".join(capsys.readouterr())

    return judge


CLEAN = exported(*map(stored, compliant_stack()))


def violated():
    """Our stack with a wider user, a role changed by hand, and a secret that is gone too early."""
    wrong = {
        "app_read": user(role="dbOwner"),
        "audit-write": secret("staging/mongodb/audit-write", recoveryWindowInDays=0),
    }
    return exported(*(stored(wrong.get(each.name, each)) for each in compliant_stack()))


def sarif(run_policy, text):
    return json.loads(run_policy(text, "--format", "sarif")[1])


def test_our_stack_is_clean_and_the_known_waiver_is_named(run_policy):
    code, text = run_policy(CLEAN)

    found = (code, text.startswith("CLEAN  staging bind: 28 rules hold for"), text.count("W1 (ADR 0006)"))
    assert (0, True, 1) == found


def test_a_violation_names_the_manifests_line_and_the_remedy(run_policy):
    code, text = run_policy(violated())
    line = 1 + next(number for number, line in enumerate(LINES) if "role: read@askflorence" in line)

    assert (1, True, True, True) == (
        code,
        text.startswith("VIOLATED  staging bind: "),
        f"{MANIFEST}:{line}: app_read: " in text,
        "Remedy: Use read@askflorence" in text,
    )


def test_what_could_have_been_known_and_was_not_is_unknown(run_policy):
    unknown = [each for each in compliant_stack() if each.type != SERVICE_ACCESS]

    code, text = run_policy(exported(*map(stored, unknown)))

    assert (3, True) == (code, "additive-provision not evaluated" in text and "[additive-provision]" in text)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_carries_the_violation(run_policy, form):
    code, text = run_policy(violated(), "--format", form)

    shown = text.replace("\\", "")
    assert (1, True, True) == (code, "built-in-roles-allow-list" in shown, "app_read" in shown)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("envelope", ["plain", "opened"])
def test_no_format_holds_a_secret(run_policy, form, envelope):
    opened = {
        "4dabf18193072939515e22adb298388d": SECRET["4dabf18193072939515e22adb298388d"],
        "plaintext": CANARY,
    }
    value = CANARY if envelope == "plain" else opened
    uri = f"mongodb://u:{CANARY}@127.0.0.1/askflorence"
    props = {**user(role="dbOwner").props, "password": value, "description": uri, "labels": [{"value": uri}]}

    _, text = run_policy(exported(entry(user(), inputs=props, outputs=props)), "--format", form)

    assert "canary" not in text


def test_sarif_has_the_form_that_the_standard_asks_for(run_policy):
    log = sarif(run_policy, violated())
    (only,) = log["runs"]
    driver = only["tool"]["driver"]

    rules = [rule["id"] for rule in driver["rules"]]
    assert ("2.1.0", "atlas-access policy", list(CATALOGUE)) == (log["version"], driver["name"], rules)
    for result in only["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        # SARIF 2.1.0, 3.27.10: only a failure has a level.
        assert ("level" in result) == (result["kind"] == "fail")
        assert result["locations"][0]["physicalLocation"]["region"]["startLine"] >= 1


def test_sarif_places_a_finding_at_the_manifests_line(run_policy):
    results = sarif(run_policy, violated())["runs"][0]["results"]
    where = {
        each["ruleId"]: each["locations"][0]["physicalLocation"]["region"]["startLine"] - 1
        for each in results
    }

    assert ("role: read@askflorence", 'secret: "{env}/mongodb/audit-write"') == (
        LINES[where["built-in-roles-allow-list"]].strip(),
        LINES[where["secret-recovery-window"]].strip(),
    )


def test_a_resource_that_the_manifest_does_not_declare_has_no_line_of_its_own(run_policy):
    by_hand = user("by_hand", role="dbOwner")

    code, text = run_policy(exported(stored(by_hand)))

    assert (1, False) == (code, str(MANIFEST) in text)


def test_a_findings_fingerprint_does_not_depend_on_its_line(run_policy, tmp_path):
    moved = tmp_path / "access.yaml"
    moved.write_text("\n\n" + MANIFEST.read_text(encoding="utf-8"), encoding="utf-8")

    def marks(*arguments):
        log = json.loads(run_policy(violated(), "--format", "sarif", *arguments)[1])
        return [each["partialFingerprints"] for each in log["runs"][0]["results"]]

    assert marks() == marks("--manifest", str(moved))


def test_junit_has_a_case_for_each_rule_and_counts_the_failures(run_policy):
    suite = ElementTree.fromstring(run_policy(violated(), "--format", "junit")[1].split("?>", 1)[1])[0]  # noqa: S314
    failed = [case.get("name") for case in suite if case.find("failure") is not None]

    assert (len(CATALOGUE), int(suite.get("failures"))) == (int(suite.get("tests")), len(failed))
    assert {"built-in-roles-allow-list", "secret-recovery-window"} <= set(failed)


def test_a_strange_name_breaks_neither_xml_nor_markdown(run_policy):
    strange = user("a|b<c>`\u0007", role="dbOwner")

    ElementTree.fromstring(run_policy(exported(stored(strange)), "--format", "junit")[1].split("?>", 1)[1])  # noqa: S314
    page = run_policy(exported(stored(strange)), "--format", "md")[1]
    rows = [
        line for line in page.splitlines() if line.endswith("[built-in-roles-allow-list]".translate(ESCAPED))
    ]
    assert ([True], False) == ([r"a\|b\<c\>\`\<U\+0007\>" in row for row in rows], "\u0007" in page)


def test_the_state_may_come_by_standard_input(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO(CLEAN))

    assert 0 == run(["policy", "staging", "--state", "-", "--manifest", str(MANIFEST)])
    assert "28 rules hold" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "stack", "expected"),
    [
        ("nonsense", "staging", "the state is not JSON"),
        ('{"version": 2}', "staging", "no deployment of version 3"),
        (CLEAN, "prod", "the state is of stack 'staging', not prod"),
        (CLEAN, "dev", 'stack "dev" is unknown to policy-config.json. Known: staging, prod.'),
    ],
)
def test_a_wrong_input_is_refused_with_the_remedy(run_policy, text, stack, expected):
    code, said = run_policy(text, stack=stack)

    assert (2, True, False) == (code, expected in said, "Traceback" in said)


def test_a_file_that_is_not_there_is_refused(capsys):
    assert 2 == run(["policy", "staging", "--state", "nowhere.json"])
    assert "pulumi stack export" in capsys.readouterr().err


def test_without_a_sandbox_and_a_file_the_command_says_so(tmp_path, capsys):
    assert 2 == run(["policy", "staging", "--dir", str(tmp_path)])
    assert "sandbox" in capsys.readouterr().err


def test_a_property_of_a_wrong_form_is_a_finding_not_a_traceback(run_policy):
    broken = [entry(without(user("a"), "roles"), inputs={"roles": 7}), entry(task("b"), inputs={})]

    code, text = run_policy(exported(*broken))

    assert (1, True, False) == (code, "well-formed" in text, "Traceback" in text)


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_rule_is_explained_with_both_sides_and_the_remedy(name, capsys):
    assert 0 == run(["explain", name])
    text = capsys.readouterr().out
    assert all(word in text for word in ("Why:", "Decided in:", "Refused:", "Accepted:", "Remedy:"))


@pytest.mark.parametrize(("waiver", "action"), [("W1", "REMOVE"), ("W2", "DROP_INDEX")])
def test_a_waiver_is_explained_with_who_what_decision_and_remedy(waiver, action, capsys):
    assert 0 == run(["explain", waiver, "--manifest", str(MANIFEST), "--format", "json"])
    said = json.loads(capsys.readouterr().out)
    assert ("app_write by readWrite@askflorence", "ADR 0006", True, True) == (
        said["Who"],
        said["Decided in"],
        action in said["sentence"],
        said["Remedy"].endswith(f"then remove {waiver}."),
    )


def test_an_unknown_name_is_refused_with_the_nearest_one(capsys):
    assert 2 == run(["explain", "user-capp", "--manifest", str(MANIFEST)])
    assert "Did you mean user-cap?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("not-evaluated", "ATLAS_ACCESS_POLICY_UNKNOWN=fail"),
        ("not-evaluated-stack", "ATLAS_ACCESS_POLICY_UNKNOWN=fail"),
        ("known-after-creation", "Expected by: password-strength: password; "),
        ("known-after-creation-stack", "proof-before-bind: containerDefinitions"),
    ],
)
def test_what_a_report_calls_a_value_that_no_rule_saw_is_explained(name, says, capsys):
    assert 0 == run(["explain", name])
    assert says in capsys.readouterr().out


def test_a_state_without_a_resource_was_not_judged(run_policy):
    code, text = run_policy(exported())

    assert (3, True) == (code, "the state of staging holds no resource, so that nothing was judged" in text)
