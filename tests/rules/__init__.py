"""The shop's rules, tested without a database."""
