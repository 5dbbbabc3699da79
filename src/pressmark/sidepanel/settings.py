"""Where the side panel finds its registry: the environment, or Jupyter's own configuration."""

from __future__ import annotations

import os

from traitlets import Unicode, default
from traitlets.config import Configurable


class PressmarkPanel(Configurable):
    """What `c.PressmarkPanel` in a Jupyter configuration file says.

    Attributes:
        url: Address of the registry.
        token: Its token; the page never learns it.
    """

    url = Unicode(help="Address of the registry. Else PRESSMARK_URL.").tag(config=True)
    token = Unicode(help="Token for the registry. Else PRESSMARK_TOKEN.").tag(config=True)

    @property
    def in_environment(self) -> bool:
        """Whether kernels find the same registry by themselves, since they inherit the environment."""
        return bool(self.url) and self.url == os.environ.get("PRESSMARK_URL", "")

    @default("url")
    def _url_of_environment(self) -> str:
        return os.environ.get("PRESSMARK_URL", "")

    @default("token")
    def _token_of_environment(self) -> str:
        return os.environ.get("PRESSMARK_TOKEN", "")
