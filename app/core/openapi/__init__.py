"""The OpenAPI document: routes declare what they take, answer and refuse, and the document is made of that.

The only importer of flask-smorest and its family. Its blueprint is kept (a real `flask.Blueprint` with function views);
how bodies are read, how answers are made and how refusals are documented is ours.
"""

from app.core.openapi.blueprint import Blueprint
from app.core.openapi.document import Api, create_api, document
from app.core.openapi.refusals import example_of

__all__ = ["Api", "Blueprint", "create_api", "document", "example_of"]
