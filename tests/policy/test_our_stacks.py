"""The pack against what our own components declare: nothing but the known waiver's advice, in every stack and phase."""

import pytest

STACKS = [(stack, phase) for stack in ("staging", "prod") for phase in ("provision", "bind")]


def captured(stack, phase):
    """What a stack declares; only here, because the providers' packages take seconds to import."""
    from policy_our_stacks import captured

    return captured(stack, phase)


def said(packs, stack, phase):
    pack, found = packs(phase), captured(stack, phase)
    lines = [line for request in found.analyze for line in pack.analyze(request)]
    return [*lines, *pack.analyze_stack(found.stack)]


@pytest.mark.parametrize(("stack", "phase"), STACKS)
def test_our_stack_has_nothing_but_the_known_waivers_advice(packs, stack, phase):
    lines = said(packs, stack, phase)

    assert [("audit-log-append-only-advisory", False)] == [(name, stops) for name, stops, _, _ in lines]


@pytest.mark.parametrize(("stack", "phase"), STACKS)
def test_the_advice_names_the_user_and_its_waivers(packs, stack, phase):
    ((_, _, message, _),) = said(packs, stack, phase)

    assert ("DatabaseUser app_write: may", True) == (
        message.splitlines()[1][:27],
        "W1 (ADR 0006), W2 (ADR 0006)" in message,
    )


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_a_bound_stack_declares_tasks_and_a_rollout_and_provision_does_not(stack):
    def kinds(phase):
        return {each.type.rsplit(":", 1)[-1] for each in captured(stack, phase).analyze}

    assert (set(), {"TaskDefinition", "Rollout", "PriorRevision"}) == (
        kinds("provision") & {"TaskDefinition", "Rollout", "PriorRevision"},
        kinds("bind") & {"TaskDefinition", "Rollout", "PriorRevision"},
    )


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_what_bind_declares_is_refused_in_provision(packs, stack):
    pack, found = packs("provision"), captured(stack, "bind")

    lines = [line for request in found.analyze for line in pack.analyze(request)]

    assert {"additive-provision"} == {name for name, stops, _, _ in lines if stops}


def test_a_binding_whose_proof_is_left_out_is_refused(packs):
    pack, found = packs("bind"), captured("staging", "bind")
    without = [each for each in found.analyze if not each.type.endswith(":PrivilegeProof")]

    lines = [line for request in without for line in pack.analyze(request)]

    assert {"proof-before-bind"} == {name for name, stops, _, _ in lines if stops}


def test_no_message_about_our_stacks_holds_a_password(packs):
    messages = [message for stack, phase in STACKS for _, _, message, _ in said(packs, stack, phase)]

    assert not any("canary" in message or "Pw000" in message for message in messages)
