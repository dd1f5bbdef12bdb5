"""The application's class: Flask, with requests and answers of our own, and without sessions."""

from flask import Flask
from flask.sessions import SessionInterface

from app.core.http.request import ApiRequest
from app.core.http.responses import ApiResponse


class NoSessions(SessionInterface):
    """No cookie is read or set: callers identify themselves by a token."""

    def open_session(self, app: Flask, request: object) -> None:
        """Nothing, so that Flask lets nobody write into a session."""


class Application(Flask):
    """Flask, with these classes; what happens at every request is registered by `create_app`."""

    request_class = ApiRequest
    response_class = ApiResponse
    session_interface = NoSessions()
