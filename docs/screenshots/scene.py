"""What the pictures show: a support desk that sorts its messages, told in the cells of one notebook."""

from __future__ import annotations

NOTEBOOK = "support.ipynb"

MADE = """
import pandas as pd
import pressmark as pm
from pressmark.providers import practice

ws = pm.Workspace("support.duckdb", author="ana")
ws.endpoint("practice", base_url=practice.base_url())
messages = pd.DataFrame(practice.example_messages())
inbox = ws.dataset("support/inbox", messages)
only = "Answer with exactly one of these and nothing else:"
categories = ", ".join(sorted(messages["category"].unique()))


def save(name, system, message, variable="text", **inputs):
    return ws.save(
        name,
        messages=[{"role": "system", "content": system}, {"role": "user", "content": "{{ " + variable + " }}"}],
        model=practice.PRACTICE_MODEL,
        params={"temperature": 0},
        inputs=inputs or None,
        message=message,
    )


first = save("support/triage", "You sort customer messages. Tell the category of the message.", "first cut")
second = save("support/triage", f"You sort customer messages. {only} {categories}.", "list the categories")
category, team = "support/triage@production", "support/route@production"
route = save("support/route", f"The team. {only} money, goods, account.", "by category", "category", category=category)
reply = save("support/reply", "Write a short reply on this subject.", "by category", "category", category=category)
alerts = save("support/alerts", f"Wake somebody up? {only} yes, no.", "by team", "team", team=team)
summary = save("support/summarise", "Summarise the message in one sentence.", "a sentence")

triage = ws.suite(
    "triage/basics",
    dataset=inbox,
    scorers=[pm.scorers.Exact("category"), pm.scorers.Length()],
    primary="category",
    slice="channel",
    prompt="support/triage",
)
brief = pm.scorers.Function("brief", lambda output, row: float(len(output.split()) <= 40), version="1")
ws.suite("reply/brief", dataset=inbox, scorers=[brief], prompt="support/reply")
run = ws.evaluate([first, second], triage, progress=False)

registry = pm.Registry()
for version, why in (
    (first, "first of its kind"),
    (route, "first of its kind"),
    (reply, "first of its kind"),
    (alerts, "first of its kind"),
    (summary, "first of its kind"),
):
    published = registry.publish(version, reason=why, workspace=ws)
    registry.move(published.name, label="production", to=published, reason=why, expected=None)
print("made")
"""

CHANGE = "ws.evaluate_change(second, registry=registry, progress=False)"
# The run on the inbox is in sight, not the later ones that the change was evaluated with.
WORKBENCH = 'bench = ws.workbench("support/triage", registry=registry)\nbench.settle()\nbench.run = run.id\nbench'
REPORT = "run.report()"
CHART = 'run.chart("slices")'
