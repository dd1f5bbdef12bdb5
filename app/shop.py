"""The application's class: Flask, with all that happens at every request in one place.

What a room does only where it is set up, such as CORS, traces or the replica, it does by Flask's hooks.
"""

from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import Any

from flask import Flask, Request, Response, request_tearing_down
from flask.typing import ResponseReturnValue
from werkzeug.routing import Map, MapAdapter, Rule
from werkzeug.sansio.utils import get_host

from app import headers, limits, watching
from app.exchange import ShopRequest, this_request
from app.openapi import parser

# Of how many hosts is remembered how they are spelled.
MOST_HOSTS = 256

_host = lru_cache(MOST_HOSTS)(get_host)


@lru_cache(MOST_HOSTS)
def _server_name(host: str) -> str:
    """The host in the spelling of redirects. Raises `BadHost` for what cannot be a name."""
    return Map().bind(host).server_name


class Adapter(MapAdapter):
    """The library's, which finds the route of a request, with a short way to those whose address has no parameters."""

    short_ways: Mapping[tuple[str, str], Rule]

    def match(self, *args: Any, **options: Any) -> Any:
        """The route, and the values of its parameters. Raises what the library raises where there is none."""
        rule = self.short_ways.get((self.default_method, self.path_info))
        return (rule, {}) if rule and not args and options == {"return_rule": True} else super().match(*args, **options)


class Shop(Flask):
    """Flask, with what happens at every request."""

    request_class = ShopRequest
    response_class = headers.ShopResponse
    session_interface = headers.NoSessions()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function: nothing here is a coroutine, and to ask that of each hook takes a tenth of a short request."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """What finds the route of a request: as the library makes it, but that a host is not checked each time anew."""
        if not isinstance(request, ShopRequest) or request.is_upgrade:  # a websocket is refused by the library
            return super().create_url_adapter(request)
        request.host = _host(request.scheme, request.headers.get("Host"), request.server)
        adapter = Adapter(
            self.url_map,
            server_name=_server_name(request.host),
            script_name=request.root_path,
            subdomain="",
            url_scheme=request.scheme,
            path_info=request.path,
            default_method=request.method,
            query_args=request.query_string.decode(errors="replace"),
        )
        adapter.short_ways = self.short_ways
        return adapter

    @cached_property
    def short_ways(self) -> Mapping[tuple[str, str], Rule]:
        """The routes whose address has no parameters, by method and address; none is added after the first request."""
        plain = [rule for rule in self.url_map.iter_rules() if not rule.arguments and not rule.redirect_to]
        return {(method, rule.rule): rule for rule in plain for method in rule.methods or ()}

    def preprocess_request(self) -> ResponseReturnValue | None:
        """What happens before the view is called, in this order; what one refuses does not come to the next."""
        asked = this_request()
        view = self.view_functions.get(asked.endpoint or "")
        watching.begin()
        headers.require_host(asked, self.config["ALLOWED_HOSTS"])
        limits.count(asked, view, self.config)
        parser.allow_files(asked, view)
        return super().preprocess_request() if self.before_request_funcs or self.url_value_preprocessors else None

    def process_response(self, response: Response) -> Response:
        """What happens once there is an answer, also to what was refused; its headers are completed as it is sent.

        Hooks are those of the application and its blueprints; `after_this_request` would do nothing.
        """
        asked = this_request()
        if not self.after_request_funcs.keys().isdisjoint((None, *asked.blueprints)):
            response = super().process_response(response)
        watching.end(self, asked, response)
        return response

    def do_teardown_request(self, exc: BaseException | None = None) -> None:
        """What happens when all is done, where there is anything to do."""
        if self.teardown_request_funcs or request_tearing_down.receivers:
            super().do_teardown_request(exc)
