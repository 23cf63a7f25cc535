"""What a change of the configuration has changed."""

from trailbase_server.config.changes import list_changes
from trailbase_server.config.proto.config_pb2 import Config, PermissionFlag


def boat(**values):
    return {"name": "boat", "table_name": "boat", **values}


def test_equal_configurations_differ_in_nothing():
    config = Config(server={"application_name": "Pier"}, record_apis=[boat()])
    assert list_changes(config, config) == ({}, {})


def test_only_what_differs_is_listed_by_path():
    before = Config(server={"application_name": "Pier", "site_url": "http://a.test"})
    after = Config(server={"application_name": "Haven"}, email={"smtp_port": 25})
    assert list_changes(before, after) == (
        {"server.application_name": "Pier", "server.site_url": "http://a.test"},
        {"email.smtp_port": 25, "server.application_name": "Haven"},
    )


def test_members_of_lists_go_by_name_and_choices_by_word():
    acl = [PermissionFlag.CREATE, PermissionFlag.READ]
    before = Config(record_apis=[boat()], jobs={"system_jobs": [{"id": 3, "schedule": "@daily"}]})
    after = Config(
        record_apis=[{"name": "new", "table_name": "n"}, boat(acl_world=acl)],
        jobs={"system_jobs": [{"id": 4, "schedule": "@daily"}]},
    )
    assert list_changes(before, after) == (
        {"jobs.system_jobs[0].id": "LOG_CLEANER"},
        {
            "jobs.system_jobs[0].id": "AUTH_CLEANER",
            'record_apis["new"].name': "new",
            'record_apis["new"].table_name': "n",
            'record_apis["boat"].acl_world': ["CREATE", "READ"],
        },
    )


def test_secrets_are_never_shown_but_their_change_is():
    before = Config(
        email={"smtp_password": "old"},
        auth={"oauth_providers": {"github": {"client_id": "x", "client_secret": "same"}}},
    )
    after = Config()
    after.CopyFrom(before)
    after.email.smtp_password = "new"
    placeholder = {"email.smtp_password": "<REDACTED>"}
    assert list_changes(before, after) == (placeholder, placeholder)
    assert list_changes(before, before) == ({}, {})
