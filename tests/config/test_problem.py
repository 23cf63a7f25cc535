from trailbase_server.config.outline import Outline
from trailbase_server.config.problem import Problem, render_problems


def test_each_problem_is_a_line_with_the_place_to_mend_it():
    outline = Outline('server {\n  site_url: "x"\n}')
    error = render_problems(
        [
            Problem("server.site_url", "bad"),
            Problem("server.application_name", "missing"),
            Problem("email.smtp_port", "bad"),
            Problem("auth.auth_token_ttl_sec", "bad"),
        ],
        "config.textproto",
        outline,
        {"email.smtp_port": "TRAIL_EMAIL_SMTP_PORT"},
    )
    assert str(error).split("\n") == [
        "config.textproto:2: server.site_url: bad",
        "config.textproto:1: server.application_name: missing",
        "TRAIL_EMAIL_SMTP_PORT: email.smtp_port: bad",
        "config.textproto: auth.auth_token_ttl_sec: bad",
    ]
