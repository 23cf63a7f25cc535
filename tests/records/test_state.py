import pytest

from trailbase_server.errors import MethodNotAllowedError


def test_an_unknown_api_offers_no_method(site):
    with pytest.raises(MethodNotAllowedError):
        site.state.api("nothing")


def test_a_new_configuration_replaces_all_plans_at_once(site):
    before = site.state.apis
    site.load('record_apis { name: "mine" table_name: "club" acl_world: READ }')
    assert list(site.state.apis) == ["mine"]
    assert "diary" in before


def test_an_api_whose_table_has_gone_is_off(site):
    site.load('record_apis { name: "mine" table_name: "gone" acl_world: READ }')
    assert site.read("mine", 1)[0] == 405
