"""Which rows of a dataset a version was tuned on, from what the workspace knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pressmark.evals.tuning import Tuned, tuned

if TYPE_CHECKING:
    from pressmark import workspace as files
    from pressmark.evals import Dataset
    from pressmark.evals.chain import Chain


def tuned_on(store: files.Store, chains: Mapping[str, Chain], dataset: Dataset) -> dict[str, Tuned]:
    """Return the rows that each version, or what feeds it, was tuned on.

    Args:
        store: The workspace's file.
        chains: By what the versions are called.
        dataset: What they are judged on.
    """
    train = store.train_parts()
    return {
        name: tuned([member.version.unit for member in chain.members], dataset, train) for name, chain in chains.items()
    }


def tuning_warnings(store: files.Store, chains: Mapping[str, Chain], dataset: Dataset) -> tuple[str, ...]:
    """Return sentences on each version that is judged on rows it was tuned on; the arguments are `tuned_on`'s."""
    found = tuned_on(store, chains, dataset)
    return tuple(dict.fromkeys(said for name, rows in found.items() for said in rows.sentences(name, dataset)))
