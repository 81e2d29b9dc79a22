"""Secrets stay encrypted in the state, masked in events and errors, and secret on their way to another stack."""

import json
import stat

from engine_programs.harness import Stack

from sandbox.engine.passphrase import Passphrase
from sandbox.engine.values import Secret

CANARY = 'canary "pa55<word>&'
PROGRAM = f"""
s = Output.secret({CANARY!r})
a = toy.Thing("a", name="a", secret=s, value={{"deep": [s]}}, opts=Options(additional_secret_outputs=["serial"]))
pulumi.export("secret", a.secret if hasattr(a, "secret") else s)
pulumi.export("serial", a.serial)
"""


def test_no_secret_is_in_the_state_the_events_or_the_result(stack):
    result = stack.up(PROGRAM)
    shown = json.dumps(stack.events) + stack.state_file.read_text() + repr(result)
    assert [] == [part for part in (CANARY, "pa55", json.dumps(CANARY)[1:-1]) if part in shown]
    assert Secret(CANARY) == result.outputs["secret"]


def test_the_state_is_readable_by_its_owner_only(stack):
    stack.up("")
    assert 0o600 == stat.S_IMODE(stack.state_file.stat().st_mode)


def test_an_error_that_quotes_a_secret_is_masked(stack):
    fail = 'def fail(v):\n    raise ValueError(f"cannot use {v[1]}")\nOutput.all(a.serial, s).apply(fail)'
    result = stack.up(PROGRAM + fail)
    assert (False, True) == (CANARY in result.error, "cannot use [secret]" in result.error)


def test_a_provider_that_knows_no_secrets_gets_them_bare_and_they_come_back_secret(stack):
    stack.toy.accept_secrets = False
    stack.up(PROGRAM)
    assert CANARY == stack.toy.things["thing-1"]["secret"]
    outputs = stack.resources()["a"]["outputs"]
    assert all(
        "ciphertext" in out for out in (outputs["secret"], outputs["value"]["deep"], outputs["serial"])
    )


def test_the_ciphertext_of_an_unchanged_secret_is_kept(stack):
    stack.up(PROGRAM)
    before = stack.resources()["a"]["inputs"]["secret"]
    stack.up(PROGRAM + 'toy.Thing("b", name="b")')
    assert before == stack.resources()["a"]["inputs"]["secret"]


def test_another_passphrase_is_refused_and_the_state_left_alone(stack):
    stack.up(PROGRAM)
    before = stack.state_file.read_bytes()
    stack.options["passphrase"] = "something else"
    result = stack.up()
    kept = before == stack.state_file.read_bytes()
    assert (True, True) == ("the passphrase does not open it" in result.error, kept)


def test_a_secret_that_does_not_open_with_the_right_passphrase_is_damage(stack):
    stack.up(PROGRAM)
    other = Passphrase("another").encrypt('"x"')
    document = json.loads(stack.state_file.read_text())
    document["deployment"]["resources"][-1]["inputs"]["secret"]["ciphertext"] = other
    stack.state_file.write_text(json.dumps(document))
    assert "toy:index:Thing::a: a secret does not open); restore a copy of it" in stack.up().error


DYNAMIC = """
import dyn
p = dyn.Proof("p", Output.secret("{}"), Options(additional_secret_outputs=["verdict"]))
pulumi.export("verdict", p.verdict)
"""


def test_a_dynamic_resource_gets_secrets_bare_and_its_code_is_encrypted(stack):
    stack.config = {"demo:setting": "care"}
    result = stack.up(DYNAMIC.format("magic"))
    proof = stack.resources()["p"]
    assert "pulumi-python:dynamic/probe:PrivilegeProof" == proof["type"]
    assert Secret("proven magic") == result.outputs["verdict"]
    assert all("ciphertext" in proof["inputs"][key] for key in ("__provider", "word"))
    assert any("proving with care" in message for message in stack.messages("info"))


def test_the_preview_of_a_dynamic_resource_may_not_know_its_inputs(stack):
    result = stack.preview('import dyn\ndyn.Proof("p", toy.Thing("a", name="a").serial)')
    assert (True, {"create": 3}) == (result.ok, dict(result.changes))


def test_a_dynamic_resource_is_updated_and_then_left_alone(stack):
    stack.up(DYNAMIC.format("magic"))
    assert Secret("proven spell again") == stack.up(DYNAMIC.format("spell")).outputs["verdict"]
    assert {"same": 2} == dict(stack.up().changes)


REFERENCE = """
r = pulumi.StackReference("{}")
pulumi.export("open", r.require_output("open"))
pulumi.export("hidden", r.require_output("hidden"))
"""


def test_a_stack_reference_reads_the_other_stack_and_keeps_its_secrets(stack):
    stack.up('pulumi.export("open", 1)\npulumi.export("hidden", Output.secret("whisper"))')
    for name in ("staging", "organization/demo/staging"):
        prod = Stack(stack.folder, stack.toy, "prod")
        assert {"open": 1, "hidden": Secret("whisper")} == prod.up(REFERENCE.format(name)).outputs
        assert "whisper" not in prod.state_file.read_text()


def test_a_stack_reference_to_a_stack_that_is_not_there_says_so(stack):
    for name in ("nowhere", "demo/staging", "organization/other/staging"):
        result = Stack(stack.folder, stack.toy, "prod").up(REFERENCE.format(name))
        assert f"unknown stack {name!r}" in result.error
