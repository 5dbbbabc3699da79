"""What an answer costs by the list price of its model."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from genai_prices.types import PriceCalculation

_MILLION = 1_000_000


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
    rates = _rates(model, place)
    if rates is None or isinstance(reused, int):
        return _price(model, place, tokens_in, tokens_out, reused if isinstance(reused, int) else None)
    return (tokens_in * rates.tokens_in + tokens_out * rates.tokens_out) / _MILLION


class _Rates(NamedTuple):
    """US dollars for a million tokens."""

    tokens_in: float
    tokens_out: float


@lru_cache(maxsize=256)
def _rates(model: str, place: str) -> _Rates | None:
    """The rates of a model whose price does not change with the size of a request, else None.

    Working a price out by the list takes a tenth of all that a call takes, so it is done once where it can be.
    """
    from genai_prices.types import TieredPrices

    told = _listed(model, place, 1, 1, None)
    if told is None or any(isinstance(price, TieredPrices) for price in vars(told.model_price).values()):
        return None
    tokens_in, tokens_out = _price(model, place, _MILLION, 0, None), _price(model, place, 0, _MILLION, None)
    return None if tokens_in is None or tokens_out is None else _Rates(tokens_in, tokens_out)


@lru_cache(maxsize=256)
def _priced_at(model: str, base_url: str) -> str | None:
    """The address whose price list has the model, empty for the one that goes by names, or None."""
    for place in (base_url, ""):
        if _price(model, place, 1, 1, None) is not None:
            return place
    return None


def _price(model: str, place: str, tokens_in: int, tokens_out: int, reused: int | None) -> float | None:
    told = _listed(model, place, tokens_in, tokens_out, reused)
    return None if told is None else float(told.total_price)


def _listed(model: str, place: str, tokens_in: int, tokens_out: int, reused: int | None) -> PriceCalculation | None:
    from genai_prices import Usage, calc_price

    usage = Usage(input_tokens=tokens_in, output_tokens=tokens_out, cache_read_tokens=reused)
    try:
        return calc_price(usage, model, provider_api_url=place) if place else calc_price(usage, model)
    except (LookupError, ValueError):
        return None
