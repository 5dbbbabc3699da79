"""One module a change; a released one never changes."""
