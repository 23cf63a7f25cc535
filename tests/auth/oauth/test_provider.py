"""What a service is, as data."""

from trailbase_server.auth.oauth.provider import Application
from trailbase_server.auth.oauth.providers import PROVIDERS


def test_an_application_is_called_like_its_service():
    application = Application(PROVIDERS[2], "us", "shell")
    assert (application.name, application.display_name) == ("discord", "Discord")


def test_the_secret_is_not_shown():
    assert "shell" not in repr(Application(PROVIDERS[2], "us", "shell"))
