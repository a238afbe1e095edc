"""``ttgateway completion``: what lets a shell complete the commands, their options and their arguments."""

import click
from click.shell_completion import get_completion_class

_VARIABLE = "_TTGATEWAY_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a script for SHELL that completes this command's words.

    For bash: ttgateway completion bash > /etc/bash_completion.d/ttgateway
    """
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101  # click knows these three
    click.echo(kind(context.find_root().command, {}, "ttgateway", _VARIABLE).source())
