"""Upstreams to test against, each written from its documented contract and never from our own client."""
