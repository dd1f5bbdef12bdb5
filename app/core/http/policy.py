"""Policies: each view declares who may call it, and the application refuses to start without."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from flask import Flask

View = Callable[..., Any]


@dataclass(frozen=True)
class Policy:
    """What a view declares: whether it needs a token, or takes one where it is sent."""

    token: bool = True
    optional: bool = False


def declare(view: Any, policy: Policy) -> View:
    """Write on a view who may call it."""
    view.policy = policy
    return cast(View, view)


def open_to_anyone(view: View) -> View:
    """Let anyone call the view; a token is not looked at."""
    return declare(view, Policy(token=False))


def require_policies(app: Flask) -> None:
    """Raises `RuntimeError` where a view does not declare who may call it."""
    bare = sorted(name for name, view in app.view_functions.items() if not hasattr(view, "policy"))
    if bare:
        raise RuntimeError(f"These views do not declare who may call them: {', '.join(bare)}.")
