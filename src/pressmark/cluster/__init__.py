"""Evaluation beyond one machine: the workers of a Dask cluster ask and score, and the run stays where it is.

Dask is loaded when a cluster is used, and not before.
"""

from __future__ import annotations

from pressmark.cluster.spread import Spread

__all__ = ["Spread"]
