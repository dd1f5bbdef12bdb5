"""The OpenAPI document, generated from what routes declare: inputs, responses and refusals.

The only importer of flask-smorest and its libraries. It uses their blueprint (a `flask.Blueprint` with function views)
and replaces how bodies are read, how responses are made and how refusals are documented.
"""

from app.core.openapi.blueprint import Blueprint
from app.core.openapi.document import Api, create_api, document
from app.core.openapi.refusals import example_of

__all__ = ["Api", "Blueprint", "create_api", "document", "example_of"]
