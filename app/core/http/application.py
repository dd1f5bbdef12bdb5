"""The Flask class of the application: its own request and response classes, and no cookie sessions."""

from flask import Flask
from flask.sessions import SessionInterface

from app.core.http.request import ApiRequest
from app.core.http.responses import ApiResponse


class NoSessions(SessionInterface):
    """No cookie is read or set: clients authenticate with a token."""

    def open_session(self, app: Flask, request: object) -> None:
        """Return None: Flask then refuses writes to `session`."""


class Application(Flask):
    """Flask with these classes; `create_app` registers the hooks of each request."""

    request_class = ApiRequest
    response_class = ApiResponse
    session_interface = NoSessions()
