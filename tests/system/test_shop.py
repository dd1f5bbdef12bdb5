"""GET /shop"""

from flask import Flask

from app import create_app
from tests.support import Caller, ShopTest, settings

PUBLIC = {
    "name": "Orchard Street Garage",
    "address": "48 Orchard Street, New York",
    "phone": "+12125550100",
    "currency": "EUR",
    "time_zone": "America/New_York",
}
RATES = {
    "labor_rate": "120.00",
    "parts_tax_rate": "8.1875",
    "labor_tax_rate": "4.0000",
    "supplies_rate": "0.0000",
    "supplies_cap": "20.00",
}


class Shop(ShopTest):
    """What the shop is called, and at which rates it works"""

    @classmethod
    def make_app(cls) -> Flask:
        names = {"SHOP_NAME": PUBLIC["name"], "SHOP_ADDRESS": PUBLIC["address"], "SHOP_PHONE": "(212) 555-0100"}
        place = {"CURRENCY": "eur", "SHOP_TIMEZONE": PUBLIC["time_zone"]}
        rates = {"LABOR_RATE": "120", "PARTS_TAX_RATE": "8.1875", "LABOR_TAX_RATE": "4", "SUPPLIES_CAP": "20"}
        return create_app(settings(**names, **place, **rates))

    def test_anyone_is_told_where_they_are(self) -> None:
        for caller in (self.anyone, self.customer):
            self.assertEqual(self.assertStatus(caller.get("/shop"), 200), PUBLIC)

    def test_staff_are_told_the_rates(self) -> None:
        for caller in (self.mechanic, self.advisor, self.admin):
            self.assertEqual(self.assertStatus(caller.get("/shop"), 200), {**PUBLIC, **RATES})

    def test_a_bad_token_is_refused(self) -> None:
        self.assertProblem(Caller(self.app, "nonsense").get("/shop"), 401, "not-signed-in")

    def test_it_has_no_parameters(self) -> None:
        self.assertInvalid(self.anyone.get("/shop?rates=true"), "rates")


class Unset(ShopTest):
    """A shop that says nothing of itself"""

    def test_what_is_not_set_is_null(self) -> None:
        shown = self.assertStatus(self.admin.get("/shop"), 200)
        self.assertEqual(shown["name"], "Mechanic Shop")
        self.assertEqual([shown[name] for name in ("address", "phone", "supplies_cap")], [None, None, None])
