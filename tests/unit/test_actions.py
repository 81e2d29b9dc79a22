"""The 80 Atlas actions, their names in MongoDB, and what they permit."""

import pytest

from atlas_access.privileges.actions import (
    ATLAS_ACTIONS,
    WITHOUT_COUNTERPART,
    ActionScope,
    UnknownAction,
    atlas_name,
    display_name,
    mongo_actions,
    permits,
    version_numbers,
)


def test_there_are_eighty_actions_of_which_nineteen_are_not_mongodbs():
    assert (80, 19) == (len(ATLAS_ACTIONS), len(WITHOUT_COUNTERPART))


@pytest.mark.parametrize("name", sorted(WITHOUT_COUNTERPART))
def test_an_action_without_a_counterpart_says_why(name):
    assert () == mongo_actions(name)
    assert "a database cluster does not know it" in WITHOUT_COUNTERPART[name]
    assert ActionScope.ELSEWHERE is ATLAS_ACTIONS[name].scope


@pytest.mark.parametrize(
    ("atlas", "mongo"),
    [
        ("FIND", "find"),
        ("KILL_OP", "killop"),
        ("IN_PROG", "inprog"),
        ("RENAME_COLLECTION_SAME_DB", "renameCollectionSameDB"),
        ("SET_USER_WRITE_BLOCK", "setUserWriteBlockMode"),
        ("BYPASS_USER_WRITE_BLOCK", "bypassWriteBlockingMode"),
        ("USE_UUID", "useUUID"),
        ("CREATE_SEARCH_INDEX", "createSearchIndexes"),
    ],
)
def test_a_name_goes_both_ways(atlas, mongo):
    assert ((mongo,), atlas) == (mongo_actions(atlas), atlas_name(mongo))


def test_an_action_that_the_server_is_too_old_for_has_no_name_there():
    assert ((), ("analyze",)) == (mongo_actions("ANALYZE", "6.0.5"), mongo_actions("ANALYZE", "7.0"))


def test_no_two_actions_share_a_name_in_mongodb():
    names = [name for action in ATLAS_ACTIONS.values() for name in action.mongo]
    assert len(names) == len(set(names))


def test_an_unknown_action_is_named():
    with pytest.raises(UnknownAction, match=r"^FINDS is no Atlas action"):
        mongo_actions("FINDS")


@pytest.mark.parametrize(
    ("mongo", "expected"),
    [
        ("remove", "erase documents"),
        ("grantRole", "grant any role, also to itself"),
        ("somethingNew", "do what the server calls somethingNew"),
    ],
)
def test_what_an_action_permits_is_said_in_words(mongo, expected):
    assert expected == permits(mongo)


def test_an_action_is_shown_by_the_name_that_the_manifest_uses():
    assert ("DROP_INDEX", "planCacheRead") == (display_name("dropIndex"), display_name("planCacheRead"))


@pytest.mark.parametrize("version", ["", "six", "6.", "6..0", "1.2.3.4.5", "٦.0"])
def test_what_is_no_server_version_is_refused(version):
    with pytest.raises(ValueError, match="not a MongoDB server version"):
        version_numbers(version)
