"""The nouns of Pressmark, frozen and immutable to the bottom.

`canonical`, `schemas` and `changelog` need more than the standard library, so they are not loaded from here: the
production client shares this package.
"""

from __future__ import annotations

from pressmark.prompts.digest import sha256_digest
from pressmark.prompts.entry import GENESIS, Entry
from pressmark.prompts.frozen import FrozenDict, FrozenList, freeze, thaw
from pressmark.prompts.labels import LabelPointer, Position
from pressmark.prompts.names import LATEST, check_label, check_name, matches
from pressmark.prompts.unit import ChatTemplate, TextTemplate, Unit, parse_input
from pressmark.prompts.variable import MISSING, Variable
from pressmark.prompts.version import Version, is_digest, parse_number

__all__ = [
    "GENESIS",
    "LATEST",
    "MISSING",
    "ChatTemplate",
    "Entry",
    "FrozenDict",
    "FrozenList",
    "LabelPointer",
    "Position",
    "TextTemplate",
    "Unit",
    "Variable",
    "Version",
    "check_label",
    "check_name",
    "freeze",
    "is_digest",
    "matches",
    "parse_input",
    "parse_number",
    "sha256_digest",
    "thaw",
]
