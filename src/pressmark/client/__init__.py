"""The production read path: a read-through cache that never blocks a request and never goes back in time.

`Client` and `Prompt` are on the path of `import pressmark; pressmark.Client`, so their modules import next to nothing;
the rest loads when a client is made:

- `cache`: the state that is served, and how an answer changes it (pure).
- `answers`: the registry's answers, checked.
- `fetcher`: HTTP; `sse`: the event stream's syntax.
- `refresher`: the thread that keeps the state fresh.
- `snapshot`: the last known good state on disk.
- `fallbacks`: prompts that the caller wrote into the code.
- `status`: what the client says about itself.
"""

from __future__ import annotations

from pressmark.client.client import Client
from pressmark.client.prompt import Prompt

__all__ = ["Client", "Prompt"]
