"""Measurements. Each topic is one module, run as `python -m benchmarks.TOPIC`; results go to `benchmarks/results`."""
