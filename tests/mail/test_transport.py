from trailbase_server.mail.transport import SendError


def test_the_reason_of_a_failure_is_not_for_users():
    error = SendError("550 secret host says no")
    assert (error.status, error.public, str(error)) == (424, "", "550 secret host says no")


def test_trying_again_may_help_unless_it_is_said_otherwise():
    assert not SendError("later").is_permanent
    assert SendError("never", is_permanent=True).is_permanent
