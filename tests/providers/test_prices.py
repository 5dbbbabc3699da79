"""What an answer costs is what the price list says, however it is worked out."""

from __future__ import annotations

import pytest
from genai_prices import Usage, calc_price
from hypothesis import given
from hypothesis import strategies as st

from pressmark.providers.prices import cost

MODELS = ("gpt-3.5-turbo-1106", "gpt-4o", "gpt-5-mini", "gemini-2.5-pro", "claude-sonnet-4-5")


@given(st.sampled_from(MODELS), st.integers(0, 10**6), st.integers(0, 10**5), st.none() | st.integers(0, 10**4))
def test_a_cost_is_the_lists(model: str, tokens_in: int, tokens_out: int, reused: int | None) -> None:
    """Flat prices, prices with tiers and reused tokens all come out as the list has them."""
    reused = None if reused is None else min(reused, tokens_in)
    listed = calc_price(
        Usage(input_tokens=tokens_in, output_tokens=tokens_out, cache_read_tokens=reused), model
    ).total_price
    usage = {
        "prompt_tokens": tokens_in,
        "completion_tokens": tokens_out,
        "prompt_tokens_details": {"cached_tokens": reused},
    }
    told = cost(model, "http://127.0.0.1:1/v1", usage)
    assert told == pytest.approx(float(listed), rel=1e-9, abs=1e-15)


def test_a_model_without_a_price_costs_nobody_knows_what() -> None:
    """None, not zero."""
    assert cost("pressmark-practice-1", "http://127.0.0.1:1/v1", {"prompt_tokens": 1, "completion_tokens": 1}) is None
