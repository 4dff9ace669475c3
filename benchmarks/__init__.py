"""Benchmarks, and what they need: run by hand and in CI, never shipped."""
