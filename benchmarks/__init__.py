"""Benchmarks: one module a promise; each prints a table, and a JSON object as its last line."""
