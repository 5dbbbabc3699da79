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
    if not _known(model, base_url):
        return None
    tokens_in, tokens_out = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if not isinstance(tokens_in, int) or not isinstance(tokens_out, int):
        return None

    from genai_prices import Usage, calc_price

    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    told = Usage(
        input_tokens=tokens_in, output_tokens=tokens_out, cache_read_tokens=cached if isinstance(cached, int) else None
    )
    try:
        return float(calc_price(told, model, **_provider(base_url)).total_price)
    except (LookupError, ValueError):
        return None


@lru_cache(maxsize=256)
def _known(model: str, base_url: str) -> bool:
    from genai_prices import Usage, calc_price

    try:
        calc_price(Usage(input_tokens=1, output_tokens=1), model, **_provider(base_url))
    except (LookupError, ValueError):
        return False
    return True


@lru_cache(maxsize=256)
def _provider(base_url: str) -> dict[str, Any]:
    from genai_prices import data_snapshot

    try:
        data_snapshot.get_snapshot().find_provider(None, None, base_url)
    except (LookupError, ValueError):
        return {}
    return {"provider_api_url": base_url}
