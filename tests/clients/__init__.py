"""Clients that are generated from the OpenAPI document, and drive the README's tour."""
