"""The configuration becomes settings."""

from trailbase_server.auth.options import AuthOptions, IdentifierPolicy, compile_options
from trailbase_server.config.proto.config_pb2 import AuthConfig, UserIdentifier


def test_an_empty_message_means_the_defaults():
    assert compile_options(AuthConfig()) == AuthOptions()


def test_zero_and_negative_lives_are_kept():
    options = compile_options(
        AuthConfig(refresh_token_ttl_sec=0, anonymous_refresh_token_ttl_sec=-1)
    )
    assert (options.refresh_ttl_s, options.anonymous_refresh_ttl_s) == (0, -1)


def test_every_policy_of_the_configuration_is_known():
    for number in UserIdentifier.values():
        options = compile_options(AuthConfig(user_identifier=number))
        assert options.identifier_policy == IdentifierPolicy(number)


def test_everything_else_is_taken_over():
    options = compile_options(
        AuthConfig(
            auth_token_ttl_sec=90,
            disable_password_auth=True,
            enable_otp_signin=True,
            unconfirmed_account_ttl_sec=86_400,
            enable_anonymous_signin=True,
            password_minimal_length=10,
            password_must_contain_digits=True,
            password_must_contain_special_characters=True,
            password_must_contain_upper_and_lower_case=True,
            custom_uri_schemes=["MyApp"],
            redirect_uri_allowlist=["https://x.test/cb"],
        )
    )
    assert options.auth_ttl_s == 90
    assert options.disable_password_auth
    assert options.enable_otp
    assert options.unconfirmed_ttl_s == 86_400
    assert options.enable_anonymous
    rules = options.password_rules
    assert (rules.minimal_length, rules.digits, rules.mixed_case, rules.special) == (
        10,
        True,
        True,
        True,
    )
    assert options.redirect_schemes == {"myapp"}
    assert options.redirect_allowlist == {"https://x.test/cb"}
