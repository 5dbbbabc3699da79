"""The `pressmark` command; one module a group of commands.

Exit status: 0 done, 1 refused (with its reasons), 2 wrong use, 3 the registry could not be reached or the outcome is
unknown.
"""

from __future__ import annotations

try:
    import click
except ModuleNotFoundError as error:
    raise SystemExit(
        "the pressmark command needs click, which is not installed: pip install 'pressmark[cli]'"
    ) from error

from pressmark import __version__
from pressmark.cli import evaluating, lab, policies, reading, releases, servers, tokens


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pressmark")
def main() -> None:
    """Draft, compare and release LLM prompts.

    Start with `pressmark lab`: it opens a tour in JupyterLab, with a registry and a model to practise on.

    Exit status: 0 done, 1 refused, with its reasons, 2 wrong use, 3 the registry could not be reached or the outcome
    is unknown.
    """


for command in (
    lab.lab,
    servers.serve,
    servers.practice_model,
    evaluating.evaluate,
    releases.publish,
    releases.pull,
    releases.promote,
    releases.rollback,
    reading.log,
    reading.get,
    reading.diff,
    reading.verify,
    policies.policy,
    tokens.token,
):
    main.add_command(command)
