"""Chains: a version with everything upstream of it, fixed by a lock.

A digest fixes one prompt. What a prompt that takes another one's output will say depends on that other one as well, so
a chain has a digest of its own: over the version's and those of the chains that feed it. Two chains with the same
digest give the same answers, and what was evaluated for one holds for the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pressmark.errors import GraphCycleError
from pressmark.prompts import FrozenDict, parse_input, sha256_digest
from pressmark.prompts.canonical import canonical_bytes
from pressmark.rendering import PromptVersion

Find = Callable[[str, str], PromptVersion]


@dataclass(frozen=True, slots=True)
class Chain:
    """A version and what feeds it.

    Attributes:
        version: The prompt version.
        upstream: For each variable that is another prompt's output, the chain that gives it.
        digest: The version's own where nothing feeds it; else one over it and the digests of the chains upstream.
    """

    version: PromptVersion
    upstream: Mapping[str, Chain]
    digest: str

    @classmethod
    def of(cls, version: PromptVersion, upstream: Mapping[str, Chain] | None = None) -> Chain:
        """Make the chain of a version and what feeds it."""
        feeds = dict(upstream or {})
        if not feeds:
            return cls(version, FrozenDict(), version.digest)
        content = {"unit": version.digest, "upstream": {name: chain.digest for name, chain in feeds.items()}}
        return cls(version, feeds, sha256_digest(canonical_bytes(content)))

    @property
    def members(self) -> tuple[Chain, ...]:
        """Every chain in it, each once, in the order in which they must run; itself last."""
        found: dict[str, Chain] = {}

        def visit(chain: Chain) -> None:
            # The foot of a diamond is reached on many ways; looking at it once keeps this quick.
            if chain.digest not in found:
                for feed in chain.upstream.values():
                    visit(feed)
                found[chain.digest] = chain

        visit(self)
        return tuple(found.values())

    @property
    def lock(self) -> dict[str, str]:
        """What every reference in it resolved to: digest of the version by `prompt@label`."""
        return {
            member.version.unit.inputs[variable]: feed.version.digest
            for member in self.members
            for variable, feed in member.upstream.items()
        }


def resolve(version: PromptVersion, find: Find, replaced: Mapping[str, PromptVersion] | None = None) -> Chain:
    """Fix a version's chain by what its references resolve to.

    Args:
        version: The last prompt of the chain.
        find: Returns the version that a prompt's label points to.
        replaced: Versions to take instead, by `prompt@label`: the change that is tried.

    Raises:
        GraphCycleError: The references lead back to where they came from; the message names the circle.
        NotFoundError: From `find`.
    """
    known: dict[str, Chain] = {}

    def follow(current: PromptVersion, path: tuple[str, ...]) -> Chain:
        feeds = {}
        for variable, reference in sorted(current.unit.inputs.items()):
            if reference in path:
                circle = (*path[path.index(reference) :], reference)
                raise GraphCycleError(
                    f"prompts feed each other in a circle: {' → '.join(circle)}: drop one of these inputs", cycle=circle
                )
            if reference not in known:
                name, label = parse_input(reference)
                target = (replaced or {}).get(reference) or find(name, label)
                known[reference] = follow(target, (*path, reference))
            feeds[variable] = known[reference]
        return Chain.of(current, feeds)

    return follow(version, ())
