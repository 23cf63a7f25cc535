"""
``trail completion SHELL``: what a shell runs to complete commands, options and values.

The shell asks ``trail`` itself, through a variable of the environment; so the completion always
knows what the installed version knows.
"""

import click

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_TRAIL_COMPLETE"  # the one that click looks at


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """
    Print the completion for a shell.

    \b
    bash: eval "$(trail completion bash)" in ~/.bashrc
    zsh:  eval "$(trail completion zsh)" in ~/.zshrc
    fish: trail completion fish > ~/.config/fish/completions/trail.fish
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:  # none of SHELLS
        raise click.UsageError(f"there is no completion for {shell}")
    click.echo(found(ctx.find_root().command, {}, "trail", VARIABLE).source())
