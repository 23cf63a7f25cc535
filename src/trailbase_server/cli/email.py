"""``trail email``: send one mail with the depot's mail settings and say how it went."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from trailbase_server.server.options import ServerOptions


@click.command()
@click.option("--to", envvar="TO", required=True, show_envvar=True, help="Recipient.")
@click.option("--subject", envvar="SUBJECT", required=True, show_envvar=True, help="Subject line.")
@click.option("--body", envvar="BODY", required=True, show_envvar=True, help="Text as HTML.")
@click.option("--json", "as_json", is_flag=True, help="Print how it went as a JSON object.")
@click.pass_obj
def email(options: "ServerOptions", to: str, subject: str, body: str, as_json: bool) -> None:
    """
    Send a mail at once, with the transport and the sender of the configuration.

    It does not go through the outbox: a failure is told and nothing is tried again.
    """
    import asyncio
    import os

    from trailbase_server.config.holder import ConfigHolder
    from trailbase_server.config.load import load_config
    from trailbase_server.errors import OperatorError
    from trailbase_server.mail.mailer import send_now
    from trailbase_server.mail.settings import compile_mail
    from trailbase_server.mail.transport import PROGRAM_LABEL, SendError

    loaded = load_config(options.depot, os.environ, create=False)
    ConfigHolder(loaded, os.environ).check()
    site_url = options.public_url or loaded.config.server.site_url
    settings = compile_mail(loaded.config, site_url, options.depot)
    if not settings.transport.is_outward:
        raise OperatorError(settings.transport.label)
    try:
        label = asyncio.run(send_now(settings, to, subject, body))
    except SendError as exc:
        raise OperatorError(exc.reason) from exc
    if as_json:
        import orjson

        click.echo(orjson.dumps({"to": to, "sent_using": label}).decode())
        return
    separator = " " if label == PROGRAM_LABEL else ": "
    click.echo(f"Sent email using{separator}{label}", err=True)
