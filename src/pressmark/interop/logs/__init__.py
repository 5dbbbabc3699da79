"""Production logs as rows of a dataset.

- `reading`: a file's documents, line by line, with what could not be read counted.
- `otlp`: calls of models among OpenTelemetry spans.
- `langfuse`: calls of models among Langfuse's traces and observations.
- `rows`: calls as rows: the prompt's variables where they are recorded, else what the user said.
"""

from __future__ import annotations

from pressmark.interop.logs.call import LoggedCall
from pressmark.interop.logs.rows import Logs, read_logs

__all__ = ["LoggedCall", "Logs", "read_logs"]
