"""One practice model for all tests of this folder, and a client for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest

from pressmark.providers import practice

Ask = Callable[..., str]


@pytest.fixture(scope="session")
def base_url() -> Iterator[str]:
    """A practice model that answers without delay."""
    with practice.running() as url:
        yield url


@pytest.fixture(scope="session")
def client(base_url: str) -> Iterator[openai.OpenAI]:
    """The real openai client, without retries of its own."""
    with openai.OpenAI(base_url=base_url, api_key="unused", max_retries=0) as made:
        yield made


@pytest.fixture(scope="session")
def ask(client: openai.OpenAI) -> Ask:
    """Ask with an instruction, or without one, and get the answer's text."""

    def asked(instruction: str | None, text: str, **options: Any) -> str:
        messages: list[Any] = [{"role": "user", "content": text}]
        if instruction is not None:
            messages.insert(0, {"role": "system", "content": instruction})
        reply = client.chat.completions.create(model=practice.PRACTICE_MODEL, messages=messages, **options)
        content = reply.choices[0].message.content
        assert isinstance(content, str)
        return content

    return asked
