"""Policies: each view declares who may call it; the application does not start with a view that does not."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from flask import Flask

View = Callable[..., Any]


@dataclass(frozen=True)
class Policy:
    """Whether a view requires a token, or accepts an optional one."""

    token: bool = True
    optional: bool = False


def declare(view: Any, policy: Policy) -> View:
    """Attach the policy to the view."""
    view.policy = policy
    return cast(View, view)


def open_to_anyone(view: View) -> View:
    """Decorate a view that anyone may call; it ignores tokens."""
    return declare(view, Policy(token=False))


def require_policies(app: Flask) -> None:
    """Raises `RuntimeError` where a view does not declare who may call it."""
    undeclared = sorted(name for name, view in app.view_functions.items() if not hasattr(view, "policy"))
    if undeclared:
        raise RuntimeError(f"These views do not declare who may call them: {', '.join(undeclared)}.")
