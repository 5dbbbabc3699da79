"""Where the side panel finds its registry: the environment, or Jupyter's own configuration."""

from __future__ import annotations

import os
from typing import Final

from traitlets import Unicode, default
from traitlets.config import Configurable

TOKEN_ENV: Final = "PRESSMARK_TOKEN"  # noqa: S105 - the name of a variable


class PressmarkPanel(Configurable):
    """What `c.PressmarkPanel` in a Jupyter configuration file says.

    Attributes:
        url: Address of the registry.
        token_env: The environment variable that holds its token. The name, never the token: Jupyter writes what its
            configuration files say into its log.
    """

    url = Unicode(help="Address of the registry. Else PRESSMARK_URL.").tag(config=True)
    token_env = Unicode("PRESSMARK_TOKEN", help="Environment variable that holds the registry's token.").tag(
        config=True
    )

    @property
    def in_environment(self) -> bool:
        """Whether kernels find the same registry by themselves, since they inherit the environment."""
        return self.token_env == TOKEN_ENV and self.url == os.environ.get("PRESSMARK_URL", "")

    @property
    def token(self) -> str:
        """The registry's token; the page never learns it."""
        return os.environ.get(self.token_env, "")

    @default("url")
    def _url_of_environment(self) -> str:
        return os.environ.get("PRESSMARK_URL", "")
