"""The page at `/`: what this is and how to connect."""

from __future__ import annotations

import html
from typing import Final

from fastapi.responses import HTMLResponse

_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Pressmark registry</title>
<style>
  :root {{ color-scheme: light dark; --page: #fff; --panel: #f5f5f5; --ink: #212121; --soft: #555; --line: #d0d0d0;
    --brand: #0b5cad; }}
  @media (prefers-color-scheme: dark) {{ :root {{ --page: #111; --panel: #1c1c1c; --ink: #e6e6e6; --soft: #b0b0b0;
    --line: #3a3a3a; --brand: #7ab7ff; }} }}
  body {{ margin: 0 auto; padding: 32px 20px; max-width: 720px; background: var(--page); color: var(--ink);
    font: 14px/1.5 system-ui, sans-serif; }}
  h1 {{ font-size: 20px; margin: 0 0 4px; }}
  h2 {{ font-size: 14px; margin: 28px 0 8px; }}
  p {{ margin: 0 0 8px; color: var(--soft); }}
  pre {{ margin: 0 0 8px; padding: 12px; overflow-x: auto; background: var(--panel); border: 1px solid var(--line);
    border-radius: 4px; font: 13px/1.5 ui-monospace, monospace; }}
  a {{ color: var(--brand); }}
  a:focus-visible {{ outline: 2px solid var(--brand); outline-offset: 2px; }}
</style>
<h1>Pressmark registry</h1>
<p>It holds published prompt versions, the labels that point to them, and the log of every change. It is running.</p>
<h2>Read a prompt in a service</h2>
<pre><code>pip install pressmark
export PRESSMARK_URL={url} PRESSMARK_TOKEN=pm_…</code></pre>
<pre><code>import pressmark
client = pressmark.Client(labels=["production"])
prompt = client.get("support/triage")</code></pre>
<h2>Publish and move labels from a notebook</h2>
<pre><code>import pressmark as pm
registry = pm.Registry("{url}", token="pm_…")
registry.publish(version, reason="what it is for")
registry.move("support/triage", label="staging", to="v1", reason="try it", expected=None)</code></pre>
<h2>Give somebody access</h2>
<p>An admin makes a token: it has a role, and may be for some labels and prompts only.</p>
<pre><code>pressmark token create ana --role editor</code></pre>
<h2>Look closer</h2>
<p><a href="/openapi.json">The interface (OpenAPI)</a> · <a href="/v1/status">Status</a></p>
</html>
"""


def landing_page(url: str) -> HTMLResponse:
    """Return the page for a registry at `url`."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    return HTMLResponse(_PAGE.format(url=html.escape(url)), headers={"content-security-policy": policy})
