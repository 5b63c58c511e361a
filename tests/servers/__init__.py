"""Real Elasticsearch and OpenSearch servers without Docker: fetched once, verified, started, waited for, stopped.

python -m tests.servers fetch        what needs the network, into .cache/servers
python -m tests.servers run [NAME]   start them and print where they are, until Ctrl-C

The `servers` fixtures of `tests/servers/fixtures.py` start them for a test session. What these builds lack compared
with a vendor's whole distribution is that vendor's optional modules: no painless, no ingest, no machine learning.
"""
