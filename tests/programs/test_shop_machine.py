"""A little of `shop_machine.py`, the same every time, and a check of its model against figures made by hand."""

import unittest

from flask import Flask

from tests.programs import shop_machine
from tests.programs.shop_machine import ShopMachine
from tests.programs.shop_model import Job, Labor, Line, Part, Ticket
from tests.programs.shop_model import Model as Shop
from tests.support import ShopTest

RUNS, STEPS = 20, 30


class Machine(ShopTest):
    """The shop does what the model foretells."""

    @classmethod
    def make_app(cls) -> Flask:
        return shop_machine.make_app()

    def test_a_shop_played_at_random(self) -> None:
        with shop_machine.counted() as answers:
            shop_machine.play(self, RUNS, STEPS)
        self.assertGreaterEqual(ShopMachine.made(), RUNS * STEPS)
        # It is no proof where nothing is done: so many kinds of requests had so many kinds of answers.
        self.assertGreaterEqual(len(answers), 25, answers)
        for what in ("PUT service-tickets/add-part", "PUT service-tickets/status", "POST service-tickets/payments"):
            self.assertGreater(answers[(what, 409)], 0, f"{what} was never refused")
        self.assertGreater(
            sum(answers[("POST approvals", status)] for status in (201, 409, 410)), 0, "no link was answered"
        )


class Model(unittest.TestCase):
    """The model computes as the contract says."""

    def test_an_example_worked_by_hand(self) -> None:
        part = Part(1, "quart", 1249, tracked=True)
        job = Job(1, "Brakes", "approved", lines=[Line(part, 300, 1249, age=1)], labor=[Labor(1, 17, 9735)])
        ticket = Ticket(1, "customer", "mechanic", "open", percent=1250, jobs=[job])
        # 3 × 12.49 = 37.47; 1.7 h × 97.35 = 165.495 → 165.50; 12.5 % of 202.97 = 25.37125 → 25.37, of which parts
        # 25.37 × 37.47 / 202.97 = 4.6835 → 4.68, and labor 20.69; 5.5 % of 165.50 = 9.1025 → 9.10;
        # 8.25 % of 37.47 − 4.68 + 9.10 = 41.89 is 3.4559 → 3.46; 4.125 % of 165.50 − 20.69 = 144.81 is 5.9734 → 5.97.
        shown = ticket.shown()["totals"]
        names = ("parts", "labor", "fees", "discount", "supplies", "tax", "total", "paid", "balance")
        figures = ("37.47", "165.50", "0.00", "25.37", "9.10", "9.43", "196.13", "0.00", "196.13")
        self.assertEqual(shown, dict(zip(names, figures, strict=True)))

    def test_units_of_lines_that_go_are_for_those_who_wait(self) -> None:
        def delete(shop: Shop, ticket: Ticket, job: Job) -> None:
            shop.delete_job("advisor", ticket, job)

        def replace(shop: Shop, ticket: Ticket, job: Job) -> None:
            shop.replace_parts("advisor", ticket, job, [], backorder=False)

        for take_off in (delete, replace):
            with self.subTest(take_off.__name__):
                shop, part = Shop(), Part(1, "each", 100, tracked=True, ledger=[("receive", 100)])
                held, short = (Line(part, 100, 100, age=age) for age in (1, 2))
                jobs = [Job(number, "Job", "approved", lines=[line]) for number, line in enumerate((held, short))]
                held.held = 100
                ticket = Ticket(1, "customer", "mechanic", "open", jobs=jobs)
                shop.tickets.append(ticket)
                take_off(shop, ticket, jobs[0])
                self.assertEqual((held.held, short.held), (0, 100))
