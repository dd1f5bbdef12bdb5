"""/shop: what the shop is called, where it is, and for staff at which rates it works."""

from flask import Response, current_app

from app.accounts.access import Identity, identity_optional
from app.core.http.responses import send_json
from app.core.openapi import Blueprint
from app.rules.totals import Rates
from app.system.shop_schemas import SHOP, STAFF_SHOP

blueprint = Blueprint("shop", __name__, description="The shop itself.")


@blueprint.get("/shop")
@identity_optional
@blueprint.response(200, (STAFF_SHOP, SHOP), description="The shop; its rates for staff alone.")
def get_shop(actor: Identity | None) -> Response:
    """Get the shop's name, address, phone, currency and time zone; its rates are for staff.

    For anyone, so that a page to sign in can say whose it is. The rates are those of new tickets; each ticket keeps
    those it was opened with.
    """
    config = current_app.config
    shop = {
        "name": config["SHOP_NAME"],
        "address": config["SHOP_ADDRESS"] or None,
        "phone": config["SHOP_PHONE"],
        "currency": config["CURRENCY"],
        "time_zone": config["SHOP_TIMEZONE"].key,
    }
    if actor is None or not actor.is_staff:
        return send_json(SHOP.dump(shop))
    rates: Rates = config["SHOP_RATES"]
    percents = {f"{name}_rate": getattr(rates, name) for name in ("labor", "parts_tax", "labor_tax", "supplies")}
    return send_json(STAFF_SHOP.dump({**shop, **percents, "supplies_cap": rates.supplies_cap}))
