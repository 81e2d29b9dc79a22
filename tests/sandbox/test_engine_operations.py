"""What the engine does to resources: create, update, replace, delete, import, read, refresh, in which order."""

CHAIN = """
a = toy.Thing("a", name="{a}")
b = toy.Thing("b", name=a.serial)
c = toy.Thing("c", name="c", value=b.serial)
"""


def test_resources_are_created_in_the_order_of_their_dependencies(stack):
    stack.up(CHAIN.format(a="a"))
    assert ["create a", "create b", "create c"] == stack.toy.calls


def test_a_second_run_changes_nothing_and_leaves_the_file_as_it_is(stack):
    stack.up('toy.Thing("a", name="a", secret=Output.secret("hush-hush"))\npulumi.export("x", 1)')
    before = stack.state_file.read_bytes()
    result = stack.up()
    assert ({"same": 2}, []) == (dict(result.changes), stack.toy.calls)
    assert before == stack.state_file.read_bytes()


def test_a_changed_value_is_updated_in_place(stack):
    stack.up('toy.Thing("a", name="a", value=1)')
    result = stack.up('toy.Thing("a", name="a", value=2)')
    assert {"same": 1, "update": 1} == dict(result.changes)
    assert ["update a"] == stack.toy.calls
    assert (2, "thing-1") == (stack.resources()["a"]["outputs"]["value"], stack.resources()["a"]["id"])


def test_a_replacement_creates_first_then_updates_dependents_then_deletes_in_reverse(stack):
    stack.up(CHAIN.format(a="a"))
    result = stack.up(CHAIN.format(a="z"))
    assert ["create a", "create b", "update c", "delete b", "delete a"] == stack.toy.calls
    assert {"same": 1, "replace": 2, "update": 1} == dict(result.changes)
    assert [False] * 3 == [item.get("delete", False) for item in stack.resources().values()]


def test_delete_before_replace_of_what_others_take_outputs_from_is_refused(stack):
    program = CHAIN.replace('name="{a}"', 'name="{a}", opts=Options(delete_before_replace=True)')
    stack.up(program.format(a="a"))
    result = stack.up(program.format(a="z"))
    assert ("but b uses its outputs" in result.error, []) == (True, stack.toy.calls)


def test_a_provider_may_ask_for_delete_before_replace_and_the_program_may_refuse(stack):
    stack.up('toy.Thing("a", name="a", exclusive=True)')
    stack.up('toy.Thing("a", name="b", exclusive=True)')
    assert ["delete a", "create a"] == stack.toy.calls
    stack.up('toy.Thing("a", name="c", exclusive=True, opts=Options(delete_before_replace=False))')
    assert ["create a", "delete a"] == stack.toy.calls


def test_what_the_program_no_longer_names_is_deleted_dependents_first(stack):
    stack.up(CHAIN.format(a="a"))
    result = stack.up("")
    assert ["delete c", "delete b", "delete a"] == stack.toy.calls
    assert 4 == result.changes["delete"] + result.changes["same"]
    assert {} == stack.resources()


def test_destroy_deletes_everything_in_reverse_and_leaves_an_empty_state(stack):
    stack.up(
        'g = toy.Group("g")\na = toy.Thing("a", name="a", opts=Options(parent=g))\ntoy.Thing("b", name=a.serial)'
    )
    result = stack.run("destroy")
    assert ["delete b", "delete a"] == stack.toy.calls
    assert (True, []) == (result.ok, stack.state().get("resources", []))


def test_a_preview_changes_nothing_and_lists_what_would_change(stack):
    stack.up('toy.Thing("a", name="a", value=1, secret=Output.secret("old-secret"))')
    before = stack.state_file.read_bytes()
    stack.preview('toy.Thing("a", name="b", value=2, secret=Output.secret("new-secret"))')
    planned = next(step for step in stack.planned() if step["urn"].endswith("::a"))
    assert ("create-replacement", []) == (planned["op"], stack.toy.calls)
    assert {"name": "a", "secret": "[secret]", "value": 1} == planned["old"]["inputs"]
    assert {"name": "b", "secret": "[secret]", "value": 2} == planned["new"]["inputs"]
    assert before == stack.state_file.read_bytes()


def test_a_preview_of_nothing_yet_has_unknown_outputs_and_writes_no_file(stack):
    result = stack.preview(
        'a = toy.Thing("a", name="a")\ntoy.Thing("b", name=a.serial)\npulumi.export("s", a.serial)'
    )
    planned = next(step for step in stack.planned() if step["urn"].endswith("::b"))
    assert ("[unknown]", "UNKNOWN") == (planned["new"]["inputs"]["name"], repr(result.outputs["s"]))
    assert not stack.state_file.exists()


def test_an_ignored_property_keeps_its_old_input(stack):
    program = 'toy.Thing("a", name="a", value={0}, tag={0}, opts=Options(ignore_changes=["value"]))'
    stack.up(program.format(1))
    stack.up(program.format(2))
    assert (1, 2) == tuple(stack.resources()["a"]["inputs"][key] for key in ("value", "tag"))


def test_a_protected_resource_is_not_deleted_and_fails_the_preview(stack):
    stack.up('toy.Thing("a", name="a", opts=Options(protect=True))')
    result = stack.preview("")
    assert "a is protected and cannot be deleted; remove `protect` from it first" == result.error


def test_an_update_makes_its_creates_first_and_then_refuses_to_delete_what_is_protected(stack):
    stack.up('toy.Thing("a", name="a", opts=Options(protect=True))\ntoy.Thing("c", name="c")')
    result = stack.up('toy.Thing("b", name="b")')
    assert (False, ["create b", "delete c"]) == (result.ok, stack.toy.calls)
    assert {"a", "b"} == set(stack.resources())


def test_destroy_spares_what_a_protected_resource_needs(stack):
    stack.up(
        'a = toy.Thing("a", name="a")\ntoy.Thing("b", name=a.serial, opts=Options(protect=True))\n'
        'toy.Thing("c", name="c")'
    )
    result = stack.run("destroy")
    assert (False, ["delete c"]) == (result.ok, stack.toy.calls)
    assert {"a", "b"} == set(stack.resources())


def test_a_protected_resource_is_not_replaced(stack):
    stack.up('toy.Thing("a", name="a", opts=Options(protect=True))')
    result = stack.up('toy.Thing("a", name="b", opts=Options(protect=True))')
    assert "a is protected and cannot be replaced; remove `protect` from it first" == result.error
    assert [] == stack.toy.calls


def test_a_retained_resource_leaves_the_state_but_not_the_world(stack):
    stack.up('toy.Thing("a", name="a", opts=Options(retain_on_delete=True))')
    stack.up("")
    assert ([], {}, ["thing-1"]) == (stack.toy.calls, stack.resources(), list(stack.toy.things))


def test_an_import_adopts_what_exists_and_a_second_run_changes_nothing(stack):
    stack.toy.things["there"] = {"name": "n", "value": 7, "size": 1}
    program = 'toy.Thing("a", name="n", value=7, opts=Options(import_="there"))'
    assert {"create": 1, "import": 1} == dict(stack.up(program).changes)
    assert ("there", "there") == (stack.resources()["a"]["id"], stack.resources()["a"]["importID"])
    assert {"same": 2} == dict(stack.up().changes)


def test_an_import_whose_inputs_differ_in_what_replaces_is_refused(stack):
    stack.toy.things["there"] = {"name": "n", "value": 7, "size": 1}
    result = stack.up('toy.Thing("a", name="other", value=7, opts=Options(import_="there"))')
    assert "name" in result.error
    assert {"there": {"name": "n", "value": 7, "size": 1}} == stack.toy.things


def test_an_import_leaves_alone_what_the_program_ignores(stack):
    stack.toy.things["there"] = {"name": "n", "value": 7, "size": 1}
    stack.up('toy.Thing("a", name="x", value=7, opts=Options(import_="there", ignore_changes=["name"]))')
    assert (["read a"], "n") == (stack.toy.calls, stack.resources()["a"]["inputs"]["name"])


def test_an_import_of_what_does_not_exist_says_so(stack):
    result = stack.up('toy.Thing("a", name="n", opts=Options(import_="nowhere"))')
    assert "a: import failed: resource 'nowhere' does not exist" == result.error


def test_refresh_takes_over_what_changed_and_drops_what_is_gone(stack):
    stack.up('a = toy.Thing("a", name="a")\ntoy.Thing("b", name="b", value=a.serial)')
    stack.toy.things["thing-2"]["value"] = "by hand"
    del stack.toy.things["thing-1"]
    result = stack.run("refresh")
    assert {"same": 2, "delete": 1, "update": 1} == dict(result.changes) | {"same": 2}
    assert ["b"] == list(stack.resources())
    left = stack.resources()["b"]
    assert ("by hand", None) == (left["inputs"]["value"], left.get("dependencies"))


def test_a_refresh_of_what_did_not_change_keeps_it_all(stack):
    stack.up('a = toy.Thing("a", name="a", secret=Output.secret("hush-hush"))\npulumi.export("s", a.serial)')
    before = stack.resources()["a"]
    assert {"same": 2} == dict(stack.run("refresh").changes)
    after = stack.resources()["a"]
    assert {**before, "propertyDependencies": None} == {**after, "propertyDependencies": None}


def test_steps_run_in_parallel_but_never_more_than_asked_for(stack):
    stack.options["parallel"] = 3
    stack.up('for i in range(9):\n    toy.Thing(f"t{i}", name=f"t{i}", value="slow")')
    assert 3 == stack.toy.busiest


def test_an_explicit_provider_is_configured_and_referred_to_by_id(stack):
    stack.up('p = toy.Provider("p", region="eu")\ntoy.Thing("a", name="a", opts=Options(provider=p))')
    provider = next(item for item in stack.state()["resources"] if item["type"] == "pulumi:providers:toy")
    assert [{"region": "eu"}] == stack.toy.configured
    assert f"{provider['urn']}::{provider['id']}" == stack.resources()["a"]["provider"]


def test_a_function_is_called_with_an_explicit_provider(stack):
    result = stack.up('p = toy.Provider("p", region="eu")\npulumi.export("x", toy.shout("hey", p))')
    assert {"x": "HEY"} == result.outputs


def test_components_keep_their_outputs_and_their_children(stack):
    stack.up(
        'g = toy.Group("g")\ntoy.Thing("a", name="a", opts=Options(parent=g))\ng.register_outputs({"n": 2})'
    )
    group, child = stack.resources()["g"], stack.resources()["a"]
    assert ({"n": 2}, group["urn"]) == (group["outputs"], child["parent"])


def test_children_inherit_protect_and_providers_from_their_component(stack):
    stack.up(
        'p = toy.Provider("p", region="eu")\ng = toy.Group("g", Options(protect=True, providers=[p]))\n'
        'toy.Thing("a", name="a", opts=Options(parent=g))'
    )
    assert (True, True) == (stack.resources()["a"]["protect"], "::p::" in stack.resources()["a"]["provider"])


def test_what_the_program_prints_last_is_passed_on(stack):
    assert stack.up('print("first")\nprint("last")').ok
    assert ["first", "last"] == stack.messages("info")
