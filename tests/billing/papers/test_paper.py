"""What is rendered is kept, under a name that changes with whatever changes it."""

import json
import unittest
from unittest.mock import patch

from app.billing.papers import paper
from app.billing.papers.paper import ESTIMATE, INVOICE, WORK_ORDER, Paper
from tests.support.instruments import RedisTest
from tests.support.papers import SHOP, invoice, job, picture, ticket
from tests.support.repair_orders import RepairOrderTest

RENDER = "app.billing.papers.paper.render"


class Tags(unittest.TestCase):
    """`Paper.tag`"""

    def test_whatever_is_printed_changes_it(self) -> None:
        content = json.dumps(ticket(job()))
        papers = [Paper(kind, content, SHOP) for kind in (ESTIMATE, WORK_ORDER)]
        papers.append(Paper(ESTIMATE, json.dumps(ticket(job(name="Brakes"))), SHOP))
        for name, value in {
            "name": "Another",
            "address": "2 Main Street",
            "phone": None,
            "logo": picture(),
            "terms": "Storage costs.",
            "days": 30,
            "formats": SHOP.formats._replace(region="GB"),
        }.items():
            papers.append(Paper(ESTIMATE, content, SHOP._replace(**{name: value})))
        self.assertEqual(len({each.tag() for each in papers}), len(papers))
        self.assertEqual(papers[0].tag(), Paper(ESTIMATE, content, SHOP).tag())

    def test_a_paper_is_rendered_once(self) -> None:
        content = json.dumps(invoice(number=8))
        first = Paper(INVOICE, content, SHOP).pdf()
        with patch(RENDER, side_effect=AssertionError("rendered")):
            self.assertEqual(Paper(INVOICE, content, SHOP).pdf(), first)

    def test_what_fails_is_not_kept(self) -> None:
        told = Paper(INVOICE, json.dumps(invoice(number=9)), SHOP)
        with patch(RENDER, side_effect=MemoryError), self.assertRaises(MemoryError):
            told.pdf()
        self.assertTrue(told.pdf().startswith(b"%PDF"))


class Shared(RedisTest, RepairOrderTest):
    """With Redis the workers share what each has rendered"""

    def test_another_worker_renders_nothing_anew_and_goes_on_without_redis(self) -> None:
        path = f"/service-tickets/{self.new_invoiced()}/invoice.pdf"
        first = self.customer.get(path)
        paper._kept.clear()  # as it is in another worker
        with patch(RENDER, side_effect=AssertionError("rendered")):
            again = self.customer.get(path)
        self.assertEqual((again.status_code, again.data), (200, first.data))
        self.redis.end()
        paper._kept.clear()
        self.assertEqual(self.customer.get(path).data, first.data)
