from hypothesis import given

from tests.config.messages import messages
from trailbase_server.config.fingerprint import config_hash
from trailbase_server.config.proto.config_pb2 import Config
from trailbase_server.ids import decode_b64u


def test_it_is_eight_bytes_in_twelve_characters_and_the_same_after_a_restart():
    mark = config_hash(Config(server={"application_name": "Harbor"}))
    assert mark == "IPXmslzLq1k="
    assert len(decode_b64u(mark)) == 8


@given(messages(Config))
def test_it_does_not_depend_on_the_order_of_maps(message):
    other = Config()
    other.CopyFrom(message)
    other.auth.ClearField("oauth_providers")
    for key in reversed(list(message.auth.oauth_providers)):
        other.auth.oauth_providers[key].CopyFrom(message.auth.oauth_providers[key])
    if message.HasField("auth"):
        assert config_hash(other) == config_hash(message)


def test_secrets_and_presence_count():
    seen = {
        config_hash(Config()),
        config_hash(Config(email={})),
        config_hash(Config(email={"smtp_password": "a"})),
        config_hash(Config(email={"smtp_password": "b"})),
        config_hash(Config(email={"smtp_password": ""})),
    }
    assert len(seen) == 5
