"""What an answer costs by the list price of its model."""

from __future__ import annotations

from functools import lru_cache
from typing import Any


def cost(model: str, base_url: str, usage: dict[str, Any]) -> float | None:
    """Return US dollars for a response's usage, or None where the model's price is not known.

    The price is that of the provider behind the address; behind an address that is no provider's (a gateway, a
    recording), the list price that goes with the model's name.

    Args:
        model: The served model.
        base_url: The endpoint's address.
        usage: The `usage` object of the response.
    """
    place = _priced_at(model, base_url)
    tokens_in, tokens_out = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if place is None or not isinstance(tokens_in, int) or not isinstance(tokens_out, int):
        return None
    details = usage.get("prompt_tokens_details")
    reused = details.get("cached_tokens") if isinstance(details, dict) else None
    return _price(model, place, tokens_in, tokens_out, reused if isinstance(reused, int) else None)


@lru_cache(maxsize=256)
def _priced_at(model: str, base_url: str) -> str | None:
    """The address whose price list has the model, empty for the one that goes by names, or None."""
    for place in (base_url, ""):
        if _price(model, place, 1, 1, None) is not None:
            return place
    return None


def _price(model: str, place: str, tokens_in: int, tokens_out: int, reused: int | None) -> float | None:
    from genai_prices import Usage, calc_price

    usage = Usage(input_tokens=tokens_in, output_tokens=tokens_out, cache_read_tokens=reused)
    try:
        told = calc_price(usage, model, provider_api_url=place) if place else calc_price(usage, model)
    except (LookupError, ValueError):
        return None
    return float(told.total_price)
