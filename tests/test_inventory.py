"""/inventory."""

from tests.support import ShopTest


class CreatePart(ShopTest):
    def test_an_advisor_adds_a_part(self) -> None:
        response = self.advisor.post("/inventory", {"name": "Pad", "price": "64.9"})
        part = self.assertStatus(response, 201)
        self.assertEqual(part["price"], "64.90")
        self.assertEqual(response.headers["Location"], f"/inventory/{part['id']}")
