"""The workspace: one DuckDB file with prompts, datasets, suites, runs and their outputs.

`Store` is the door. `connection` says how processes share the file, `journal` how answers survive a kill, `migrations`
what is in it, `grid` how a run with a million outputs is looked at.
"""

from __future__ import annotations

from pressmark.workspace.catalog import SavedEndpoint
from pressmark.workspace.connection import Compacted
from pressmark.workspace.deleting import Deletion
from pressmark.workspace.drafts import Draft, Steps
from pressmark.workspace.evaluations import SavedEvaluation, SavedPart
from pressmark.workspace.grid import Cell, Order, Page, Row
from pressmark.workspace.importing import Rows, import_rows
from pressmark.workspace.journal import Drainer, Journal
from pressmark.workspace.runs import Run, Tally
from pressmark.workspace.store import Store
from pressmark.workspace.usage import Usage
from pressmark.workspace.versions import Saved

__all__ = [
    "Cell",
    "Compacted",
    "Deletion",
    "Draft",
    "Drainer",
    "Journal",
    "Order",
    "Page",
    "Row",
    "Rows",
    "Run",
    "Saved",
    "SavedEndpoint",
    "SavedEvaluation",
    "SavedPart",
    "Steps",
    "Store",
    "Tally",
    "Usage",
    "import_rows",
]
