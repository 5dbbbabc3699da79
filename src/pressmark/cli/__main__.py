"""`python -m pressmark.cli`, for where the `pressmark` script is not on the path."""

from __future__ import annotations

from pressmark.cli import main

main(prog_name="pressmark")
