"""Prompts in other systems' forms.

- `files`: a prompt as a readable file, for those who keep prompts in git.
"""

from __future__ import annotations

from pressmark.interop.files import PromptFile, read, write

__all__ = ["PromptFile", "read", "write"]
