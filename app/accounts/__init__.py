"""Who is asking, and may they: passwords, tokens, and the decorators that guard every route."""
