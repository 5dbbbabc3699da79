"""Where models are reached: any OpenAI-compatible endpoint, its prices, and a practice model."""

from __future__ import annotations

from pressmark.providers.completer import Completer, completer
from pressmark.providers.endpoint import Endpoint, Transport, default_endpoint

__all__ = ["Completer", "Endpoint", "Transport", "completer", "default_endpoint"]
