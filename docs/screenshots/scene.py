"""What the pictures show: a support desk that sorts its messages, told in the cells of one notebook."""

from __future__ import annotations

NOTEBOOK = "support.ipynb"

MADE = '''
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
third = save(
    "support/triage",
    f"""You sort customer messages. {only} {categories}.

delivery: the parcel has not arrived, or is late or lost
damaged_item: it arrived broken or incomplete
refund: the customer asks for money back
billing: a charge or an invoice is wrong
account_access: signing in or the password
technical_issue: the app or the website fails""",
    "say what each category means",
)
category = "support/triage@production"
route = save("support/route", f"The team. {only} money, goods, account.", "by category", "category", category=category)
reply = save("support/reply", "Write a short, friendly reply. Its subject:", "by category", "category", category=category)
alerts = save("support/alerts", f"Wake somebody up? {only} yes, no.", "by team", "team", team="support/route@production")
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
ws.evaluate([first, second], triage, progress=False)
run = ws.evaluate([second, third], triage, progress=False)

registry = pm.Registry()
for version, why in (
    (second, "lists the categories"),
    (route, "first of its kind"),
    (reply, "first of its kind"),
    (alerts, "first of its kind"),
    (summary, "first of its kind"),
):
    published = registry.publish(version, reason=why, workspace=ws)
    registry.move(published.name, label="production", to=published, reason=why, expected=None)
print("made")
'''

WORKBENCH = 'ws.workbench("support/triage", registry=registry)'
REPORT = "run.report()"
CHART = 'run.chart("slices")'
CHANGE = "ws.evaluate_change(third, registry=registry, progress=False)"
