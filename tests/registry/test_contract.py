"""The contract, on the embedded store (SQLite and PostgreSQL) and over HTTP."""

from __future__ import annotations

from .contract import RegistryContract
from .evidence_contract import EvidenceContract


class TestRegistry(RegistryContract):
    """The fixture `registry` brings every implementation."""


class TestEvidence(EvidenceContract):
    """The same for evidence, policies and suites."""
