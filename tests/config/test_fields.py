from trailbase_server.config.fields import complete, has_valid_text, walk_slots
from trailbase_server.config.proto.config_pb2 import Config


def slots(config):
    return {slot.path: slot for slot in walk_slots(config)}


def test_names_are_paths_in_capitals():
    config = complete(Config())
    config.auth.oauth_providers["discord"].client_id = "ship"
    found = slots(config)
    assert found["server.site_url"].variable == "TRAIL_SERVER_SITE_URL"
    assert (
        found['auth.oauth_providers["discord"].client_secret'].variable
        == "TRAIL_AUTH_OAUTH_PROVIDERS_DISCORD_CLIENT_SECRET"
    )


def test_absent_messages_and_lists_of_messages_are_not_entered():
    config = complete(Config())
    config.record_apis.add(name="vessel")
    found = slots(config)
    assert not any(path.startswith(("record_apis", "server.s3_storage_config")) for path in found)
    config.server.s3_storage_config.SetInParent()
    assert "server.s3_storage_config.region" in slots(config)


def test_exactly_three_fields_are_secrets():
    config = complete(Config())
    config.server.s3_storage_config.SetInParent()
    config.auth.oauth_providers["github"].SetInParent()
    assert {slot.field.name for slot in walk_slots(config) if slot.is_secret} == {
        "smtp_password",
        "secret_access_key",
        "client_secret",
    }


def test_a_slot_sets_copies_and_clears():
    left, right = complete(Config()), complete(Config())
    left.auth.custom_uri_schemes.append("a")
    left.server.site_url = "http://x"
    mine, theirs = slots(right), slots(left)
    for path in ("auth.custom_uri_schemes", "server.site_url", "server.application_name"):
        mine[path].copy_from(theirs[path])
    assert right == left
    mine["server.site_url"].copy_from(None)
    assert not right.server.HasField("site_url")
    assert not mine["server.site_url"].has_value()
    assert mine["auth.custom_uri_schemes"].has_value()


def test_text_that_is_not_utf8_is_recognised():
    good = Config(server={"site_url": "é"}, databases=[{"name": "a"}])
    good.auth.oauth_providers["é"].scopes.append("é")
    encoded = good.SerializeToString()
    assert has_valid_text(Config.FromString(encoded))
    for at in [i for i in range(len(encoded)) if encoded[i : i + 2] == "é".encode()]:
        broken = encoded[:at] + b"\xc3\xc3" + encoded[at + 2 :]
        assert not has_valid_text(Config.FromString(broken))
