from trailbase_server.config.check import check_config
from trailbase_server.config.defaults import default_config
from trailbase_server.config.textproto import render_text


def test_a_new_depot_is_configured_as_upstream_does():
    assert render_text(default_config()) == (
        "# Auto-generated config.Config textproto\n"
        "email {}\n"
        "server {\n"
        '  application_name: "TrailBase"\n'
        "  logs_retention_sec: 604800\n"
        "}\n"
        "auth {\n"
        "  auth_token_ttl_sec: 3600\n"
        "  refresh_token_ttl_sec: 2592000\n"
        "}\n"
        "jobs {}"
    )


def test_it_is_sound():
    assert check_config(default_config()) == []
