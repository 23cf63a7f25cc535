"""The section of the configuration."""

import pytest

from trailbase_server.auth.passkeys.options import NO_PASSKEYS, compile_passkeys
from trailbase_server.config.proto.config_pb2 import AuthConfig, PasskeyConfig


def test_passkeys_are_off_and_strict_by_default():
    assert compile_passkeys(AuthConfig().passkeys) == NO_PASSKEYS
    assert not NO_PASSKEYS.enabled
    assert NO_PASSKEYS.user_verification == "required"


@pytest.mark.parametrize("word", ["required", "preferred", "discouraged"])
def test_everything_is_taken_over(word):
    options = compile_passkeys(
        PasskeyConfig(
            enabled=True,
            rp_id="Auth.Test",
            rp_name="Us",
            user_verification=f"USER_VERIFICATION_{word.upper()}",
            origins=["https://app.auth.test"],
        )
    )
    assert options.enabled
    assert options.rp_id == "auth.test"
    assert options.rp_name == "Us"
    assert options.user_verification == word
    assert options.origins == ("https://app.auth.test",)
