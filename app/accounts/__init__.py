"""Accounts of staff and customers: signing in, who may do what, limits, invites, the audit log.

- `access`: the decorators that say who may call a view; `tokens`, `session_cache`, `idle`: whether a token is good.
- `operations`, `passwords`, `devices`, `guesses`: signing in; known devices and the throttling of wrong passwords.
- `me_*`: whose token it is.
- `limits`: rate limits by client. They count with `app/core/http/rate_limits.py`, as `guesses` does.
- `invites_*`: how people choose a password; `audit_*` and `auditing`: who did what.
- `idempotency`: what idempotency keys need to know of a shop.
"""
