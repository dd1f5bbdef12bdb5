"""Authentication and authorisation: passwords, tokens, and the decorators that guard every route."""
