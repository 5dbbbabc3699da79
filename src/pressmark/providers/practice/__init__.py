"""The practice model: a local OpenAI-compatible server, so that everything can be tried with no key and no network.

It is a small classifier and extractor, learned at start from support messages that ship with Pressmark; not a language
model. What it answers is computed and depends on the prompt: it knows category labels only when the prompt lists them,
answers JSON only when asked, gets better with definitions and examples, and talks too much unless told not to. Its
evidence never counts for a team's policy.

- `base_url()`: where it is, for a notebook: the lab's, else one that this process serves.
- `running()`: a server beside a test or a notebook, for the time of a `with` block.
- `serve()`: what `pressmark practice-model` runs.
- `create_app()`: the ASGI application.
- `example_messages()`: 117 messages that the model never saw, to evaluate prompts on.
- `PRACTICE_MODEL`: the model's name, as a prompt's unit and every answer give it.
"""

from __future__ import annotations

from pressmark.providers.practice.messages import example_messages
from pressmark.providers.practice.requests import PRACTICE_MODEL
from pressmark.providers.practice.server import base_url, create_app, running, serve

__all__ = ["PRACTICE_MODEL", "base_url", "create_app", "example_messages", "running", "serve"]
