"""Whatever fails, the run ends with its name in one line, and with a state that the next run continues."""

import json

import pytest


def test_a_failed_step_keeps_finished_steps_and_the_next_run_continues(stack):
    program = 'a = toy.Thing("a", name="a")\ntoy.Thing("b", name=a.serial, value="{}")'
    result = stack.up(program.format("fail"))
    assert "b: create failed: toy: the create was refused" == result.error
    assert (["a"], None) == (list(stack.resources()), stack.state().get("pending_operations"))
    assert {"same": 2, "create": 1} == dict(stack.up(program.format("fine")).changes)


def test_after_a_failure_nothing_is_deleted_and_old_outputs_stay(stack):
    stack.up('toy.Thing("a", name="a")\npulumi.export("x", 1)')
    stack.up('toy.Thing("b", name="b", value="fail")\npulumi.export("y", 2)')
    assert ["create b"] == stack.toy.calls
    assert ["a"] == list(stack.resources())
    assert 1 == stack.state()["resources"][0]["outputs"]["x"]


def test_steps_in_flight_finish_when_another_fails(stack):
    stack.up(
        'toy.Thing("slow", name="slow", value="slow")\nquick = toy.Thing("quick", name="quick")\n'
        'toy.Thing("bad", name=quick.serial, value="fail")'
    )
    assert {"slow", "quick"} == set(stack.resources())


def test_a_resource_that_is_not_ready_is_kept_and_tried_again(stack):
    result = stack.up('toy.Thing("a", name="a", value="half")')
    assert "a: create failed: exists but is not ready: toy: not ready yet" == result.error
    half = stack.resources()["a"]
    assert (["toy: not ready yet"], "thing-1") == (half["initErrors"], half["id"])
    stack.up()
    assert (["update a"], None) == (stack.toy.calls, stack.resources()["a"].get("initErrors"))


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ('toy.Thing("a", name="a", value="invalid")', "toy:index:Thing a is not accepted: value is invalid"),
        (
            'raise pulumi.RunError("phase must be one of provision, bind, retire")',
            "the program failed: phase must be one of provision, bind, retire",
        ),
        ('import dyn\ndyn.Proof("p", "raise")', "p: create failed: ValueError: the proof could not be made"),
    ],
    ids=["refused inputs", "a refusal", "a dynamic resource"],
)
def test_the_error_of_a_run_is_one_line_that_names_what_failed(stack, program, error):
    assert error == stack.up(program).error


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ('a = toy.Thing("a", name="a")\na.serial.apply(lambda s: 1 / 0)', "ZeroDivisionError"),
        ('toy.shout("fail")', "toy:index:shout: text is refused"),
        ('toy.Thing("a", name="a", value="die")', "the toy provider went away"),
    ],
    ids=["an apply", "a function", "a provider"],
)
def test_what_fails_beside_a_resource_is_named(stack, program, error):
    assert error in stack.up(program).error
    assert None is stack.state().get("pending_operations")


def test_a_program_that_raises_says_what_and_where_once(stack):
    result = stack.up('toy.Thing("a", name="a")\nraise ValueError("no such luck")')
    assert "the program failed: ValueError: no such luck (__main__.py:4)" == result.error
    assert not any("Traceback" in message for message in stack.messages("error"))


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import sys; sys.exit(3)", "it called exit(3) before it was done"),
        ("import os; os._exit(0)", "ended the run: it exited with code 0"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "ended the run: it was ended by SIGKILL"),
    ],
)
def test_a_program_that_ends_early_fails_the_run_and_deletes_nothing(stack, program, said):
    stack.up('toy.Thing("a", name="a")')
    result = stack.up(program)
    assert (True, []) == (said in result.error, stack.toy.calls)


def test_a_dynamic_provider_that_ends_the_process_leaves_its_step_pending(stack):
    result = stack.up('import dyn\ndyn.Proof("p", "die")')
    assert (True, [("creating", "p")]) == ("it exited with code 9" in result.error, stack.pending())


def test_a_provider_that_does_not_answer_is_named(stack):
    stack.options["call_seconds"] = 0.5
    result = stack.up('toy.Thing("a", name="a", value="wait")')
    assert "did not answer" in result.error


def test_a_package_without_a_provider_is_named(stack):
    stack.options["provider_ports"] = {}
    result = stack.up('toy.Thing("a", name="a")')
    assert "no provider for package toy runs in the sandbox (running: none)" == result.error


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ('toy.Thing("a", opts=Options(deleted_with=toy.Thing("b")))', "deleted_with"),
        ('toy.Thing("a", opts=Options(transforms=[lambda a: None]))', "transforms"),
        ('toy.Thing("a", opts=Options(replace_on_changes=["value"]))', "replace_on_changes"),
        (
            'toy.Thing("a", opts=Options(custom_timeouts=pulumi.CustomTimeouts(create="5m")))',
            "custom_timeouts",
        ),
        ('toy.Thing("a", opts=Options(aliases=["urn:pulumi:staging::demo::toy:index:Thing::b"]))', "aliases"),
        ('toy.Thing("a", opts=Options(aliases=[pulumi.Alias(name="b")]))', "aliases"),
        ('toy.Thing("a", opts=Options(ignore_changes=["value.x[0]"]))', "takes whole properties"),
        ('toy.Thing("a", opts=Options(plugin_download_url="https://example.com"))', "plugin_download_url"),
        ('toy.Thing("a", file=pulumi.StringAsset("x"))', "assets"),
        ('toy.Thing("a", opts=Options(id="there"))', "cannot be read by the sandbox engine"),
        ('toy.Thing("a")\ntoy.Thing("a")', "two resources have the URN"),
    ],
)
def test_what_is_not_supported_is_an_error_and_never_ignored(stack, program, said):
    result = stack.up(program)
    assert (False, True) == (result.ok, said in result.error)


def test_a_program_may_catch_what_a_function_refuses_and_go_on(stack):
    catching = (
        'try:\n    toy.shout("fail")\nexcept Exception as error:\n    print(error)\ntoy.Thing("a", name="a")'
    )
    result = stack.up(catching)
    assert (True, ["create a"]) == (result.ok, stack.toy.calls)
    assert any("text is refused" in message for message in stack.messages("info"))


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "MONGODB_ATLAS_BASE_URL", "AWS_ENDPOINT_URL_ECS"])
def test_an_endpoint_off_this_machine_is_refused_before_anything_is_started(stack, name):
    stack.options["environment"] = {name: "https://example.com/"}
    result = stack.up('open("started", "w")')
    said = "is not on this machine; the sandbox engine talks to loopback addresses only"
    assert f"{name} {said}" == result.error
    assert not (stack.program_dir / "started").exists()


def test_a_state_that_cannot_be_written_stops_the_step_before_it_changes_anything(stack):
    stack.up("")
    stack.state_file.with_name(".staging.json.new").mkdir()
    result = stack.up('toy.Thing("a", name="a")')
    assert "cannot be written (Is a directory)" in result.error
    assert ([], []) == (stack.toy.calls, stack.pending())


def test_an_interrupted_replacement_is_finished_by_the_next_run(stack):
    stack.up('a = toy.Thing("a", name="a")\ntoy.Thing("b", name=a.serial)')
    stack.up('a = toy.Thing("a", name="z")\ntoy.Thing("b", name=a.serial, value="fail")')
    left = [item["id"] for item in stack.state()["resources"] if item.get("delete")]
    stack.up('a = toy.Thing("a", name="z")\ntoy.Thing("b", name=a.serial)')
    assert (["thing-1"], ["create b", "delete b", "delete a"]) == (left, stack.toy.calls)


def test_what_was_deleted_for_a_replacement_that_failed_is_created_and_not_deleted_again(stack):
    stack.up('toy.Thing("a", name="a", exclusive=True)')
    stack.up('toy.Thing("a", name="z", exclusive=True, value="fail")')
    assert ["delete a", "create a"] == stack.toy.calls
    stack.up('toy.Thing("a", name="a")')
    assert (["create a"], 1) == (stack.toy.calls, len(stack.toy.things))


def test_a_refresh_that_fails_keeps_what_an_earlier_run_did_not_see_the_end_of(stack):
    stack.up('toy.Thing("a", name="a", value="hidden")')
    document = json.loads(stack.state_file.read_text())
    begun = {**document["deployment"]["resources"][-1], "urn": "urn:pulumi:staging::demo::toy:index:Thing::b"}
    document["deployment"]["pending_operations"] = [{"type": "creating", "resource": begun}]
    stack.state_file.write_text(json.dumps(document))
    assert "a: refresh failed: toy: the read was refused" == stack.run("refresh").error
    assert [("creating", "b")] == stack.pending()


def test_a_failed_delete_keeps_the_resource_and_what_it_needs(stack):
    stack.up('a = toy.Thing("a", name="a")\ntoy.Thing("b", name=a.serial, value="sticky")')
    result = stack.run("destroy")
    assert "b: delete failed: toy: the delete was refused" == result.error
    assert {"a", "b"} == set(stack.resources())
