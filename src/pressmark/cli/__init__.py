"""The `pressmark` command; one module a group of commands.

Exit status: 0 done, 1 refused (with its reasons), 2 wrong use, 3 the registry or endpoint could not be reached.
"""

from __future__ import annotations

import sys

try:
    import click
except ModuleNotFoundError as error:
    raise SystemExit(
        "the pressmark command needs click, which is not installed: pip install 'pressmark[cli]'"
    ) from error

from pressmark import __version__
from pressmark.cli import lab, reading, releases, servers, tokens


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pressmark")
def main() -> None:
    """Draft, compare and release LLM prompts."""


for command in (
    lab.lab,
    servers.serve,
    servers.practice_model,
    releases.publish,
    releases.pull,
    releases.promote,
    releases.rollback,
    reading.log,
    reading.get,
    reading.diff,
    reading.verify,
    tokens.token,
):
    main.add_command(command)

if __name__ == "__main__":
    sys.exit(main())
