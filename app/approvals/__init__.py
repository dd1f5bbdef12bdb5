"""Approval links: customers decide on the jobs of a ticket by them, without signing in.

- `operations`: making, opening and answering a link.
- `shown`: what stands behind a link.
- `links`: where a link leads.
"""
