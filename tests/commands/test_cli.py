"""The commands: ``flask create-admin`` and ``flask demo``."""

from decimal import Decimal

from click.testing import Result
from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from app import create_app
from app.commands import demo
from app.core.database.types import now
from app.extensions import db
from app.models import (
    ApprovalLink,
    Authorization,
    CannedJob,
    Customer,
    FeeKind,
    FeeLine,
    Invoice,
    LaborLine,
    Mechanic,
    Part,
    PartLine,
    Payment,
    ServiceTicket,
    StockMovement,
    TicketEvent,
    Vehicle,
)
from app.rules.job_life import JobStatus
from app.rules.roles import Role
from app.rules.ticket_life import TicketStatus
from app.rules.totals import JobTotals
from tests import support
from tests.support import Caller, Commands, empty_database, settings
from tests.support.live import free_port

PASSWORD = "a long enough password"


class CommandTest(Commands):
    """An empty shop, without even an admin."""

    def setUp(self) -> None:
        self.app = support.shared_app()
        context = self.app.app_context()
        context.push()
        self.addCleanup(context.pop)
        self.addCleanup(db.session.remove)
        empty_database()

    def count(self, model: type) -> int:
        db.session.rollback()
        return db.session.scalar(select(func.count()).select_from(model)) or 0


class CreateAdmin(CommandTest):
    """The first admin comes from the command line."""

    def create(self, email: str = "ada@example.com", *, name: str = "Ada", password: str = PASSWORD) -> Result:
        return self.run_command("create-admin", email, "--name", name, "--password-stdin", typed=f"{password}\n")

    def sign_in(self, email: str, password: str) -> int:
        return Caller(self.app).post("/mechanics/login", {"email": email, "password": password}).status_code

    def test_the_password_is_read_from_standard_input(self) -> None:
        self.assertDone(self.create("Ada@Example.com"))
        admin = db.session.scalars(select(Mechanic)).one()
        self.assertEqual((admin.name, admin.email, admin.role), ("Ada", "ada@example.com", Role.ADMIN))
        self.assertTrue(admin.active)
        self.assertEqual(self.sign_in("ada@example.com", PASSWORD), 200)

    def test_of_standard_input_one_line_counts_and_its_spaces_too(self) -> None:
        self.assertDone(self.create(password=f" {PASSWORD} \nmore"))
        self.assertEqual(self.sign_in("ada@example.com", f" {PASSWORD} "), 200)
        self.assertEqual(self.sign_in("ada@example.com", PASSWORD), 401)

    def test_the_password_is_prompted_for_and_not_shown(self) -> None:
        typed = f"{PASSWORD}\n{PASSWORD}\n"
        result = self.run_command("create-admin", "ada@example.com", "--name", "Ada", typed=typed)
        self.assertDone(result)
        self.assertNotIn(PASSWORD, result.output)
        self.assertEqual(self.sign_in("ada@example.com", PASSWORD), 200)

    def test_the_password_is_typed_twice(self) -> None:
        result = self.run_command(
            "create-admin", "ada@example.com", "--name", "Ada", typed=f"{PASSWORD}\nanother one\n"
        )
        self.assertNotEqual(result.exit_code, 0)
        self.assertEqual(self.count(Mechanic), 0)

    def test_a_second_admin_is_refused(self) -> None:
        self.assertDone(self.create())
        self.assertRefused(self.create("bob@example.com"), "admin")
        self.assertEqual(self.count(Mechanic), 1)

    def test_where_the_only_admin_is_deactivated_there_is_none(self) -> None:
        self.assertDone(self.create())
        db.session.scalars(select(Mechanic)).one().active = False
        db.session.commit()
        self.assertDone(self.create("bob@example.com"))
        self.assertEqual(self.sign_in("bob@example.com", PASSWORD), 200)

    def test_the_email_of_another_member_of_staff_is_refused(self) -> None:
        db.session.add(Mechanic(name="Mel", email="mel@example.com", role=Role.MECHANIC, password_hash="-"))
        db.session.commit()
        self.assertRefused(self.create("mel@example.com"), "e-mail")
        self.assertEqual(self.count(Mechanic), 1)

    def test_bad_input_is_refused_in_words(self) -> None:
        for words, given in (
            ("12", {"password": "short"}),
            ("128", {"password": "x" * 129}),
            ("password", {"password": ""}),
            ("e-mail", {"email": "ada"}),
            ("name", {"name": "   "}),
            ("name", {"name": "x" * 121}),
        ):
            with self.subTest(**given):
                self.assertRefused(self.create(**given), f"(?i){words}")
                self.assertEqual(self.count(Mechanic), 0)

    def test_a_name_is_needed(self) -> None:
        self.assertRefused(self.run_command("create-admin", "ada@example.com", "--password-stdin"), "--name")


class Demo(CommandTest):
    """A shop to look at."""

    def test_it_fills_an_empty_shop(self) -> None:
        self.assertDone(self.run_command("demo"))
        for model in (Customer, Mechanic, Part, PartLine, ServiceTicket):
            self.assertGreater(self.count(model), 2, model)
        self.assertEqual(set(db.session.scalars(select(Mechanic.role))), set(Role))
        self.assertEqual(set(TicketStatus) - set(db.session.scalars(select(ServiceTicket.status))), {TicketStatus.VOID})

    def test_it_shows_the_whole_trade(self) -> None:
        self.assertDone(self.run_command("demo"))
        trade = (
            Vehicle,
            LaborLine,
            StockMovement,
            Authorization,
            ApprovalLink,
            CannedJob,
            Invoice,
            Payment,
            TicketEvent,
        )
        for model in trade:
            self.assertGreater(self.count(model), 0, model)
        self.assertGreater(self.count(ServiceTicket), len(db.session.scalars(select(Vehicle.id)).all()))
        held = select(func.count()).where(ServiceTicket.hold.is_not(None))
        low = select(func.count()).where(Part.runs_low)
        discounted = select(func.count()).where(ServiceTicket.discount_percent.is_not(None))
        overdue = select(func.count()).where(ServiceTicket.promised_at < now())
        for question in (held, low, discounted, overdue):
            self.assertGreater(db.session.scalar(question) or 0, 0, question)

    def test_it_shows_jobs_of_every_kind(self) -> None:
        self.assertDone(self.run_command("demo"))
        statuses: dict[TicketStatus, list[set[JobStatus]]] = {}
        for ticket in db.session.scalars(select(ServiceTicket).options(selectinload(ServiceTicket.jobs))):
            statuses.setdefault(ticket.status, []).append({job.status for job in ticket.jobs})
        self.assertIn({JobStatus.PROPOSED}, statuses[TicketStatus.ESTIMATE])
        self.assertIn({JobStatus.APPROVED, JobStatus.PROPOSED}, statuses[TicketStatus.OPEN])
        self.assertIn({JobStatus.APPROVED, JobStatus.DECLINED}, statuses[TicketStatus.IN_PROGRESS])
        self.assertEqual(set(db.session.scalars(select(FeeLine.kind))), set(FeeKind))

    def test_what_is_on_hand_and_reserved_adds_up(self) -> None:
        self.assertDone(self.run_command("demo"))
        moved = select(func.coalesce(func.sum(StockMovement.quantity), 0)).where(StockMovement.part_id == Part.id)
        held = select(func.coalesce(func.sum(PartLine.quantity_reserved), 0)).where(PartLine.part_id == Part.id)
        rows = select(Part.quantity_on_hand, moved.scalar_subquery(), Part.quantity_reserved, held.scalar_subquery())
        for on_hand, total, reserved, on_lines in db.session.execute(rows.where(Part.quantity_on_hand.is_not(None))):
            self.assertEqual((on_hand, reserved), (total, on_lines))
        self.assertGreater(db.session.scalar(select(func.sum(Part.quantity_reserved))) or 0, 0)

    def test_every_account_signs_in(self) -> None:
        self.assertDone(self.run_command("demo"))
        for path, emails in (
            ("/mechanics/login", select(Mechanic.email)),
            ("/customers/login", select(Customer.email).where(Customer.password_hash.is_not(None))),
        ):
            for email in db.session.scalars(emails).all():
                with self.subTest(email):
                    answer = Caller(self.app).post(path, {"email": email, "password": demo.PASSWORD})
                    self.assertEqual(answer.status_code, 200, answer.text)

    def test_what_it_fills_in_can_be_shown_and_changed(self) -> None:
        self.assertDone(self.run_command("demo"))
        admin = db.session.scalar(select(Mechanic.email).where(Mechanic.role == Role.ADMIN))
        login = Caller(self.app).post("/mechanics/login", {"email": admin, "password": demo.PASSWORD})
        caller = Caller(self.app, (login.json or {})["token"])
        for path in ("/customers", "/mechanics", "/inventory", "/service-tickets"):
            shown = caller.get(path)
            self.assertEqual(shown.status_code, 200)
            self.assertTrue(shown.json)
        part = {"name": "Belt", "price": "9.90", "quantity_on_hand": 1}
        self.assertEqual(caller.post("/inventory", part).status_code, 201)

    def test_it_refuses_where_there_is_data(self) -> None:
        db.session.add(Customer(name="Cus", email="cus@example.com"))
        db.session.commit()
        self.assertRefused(self.run_command("demo"), "data")
        self.assertEqual((self.count(Customer), self.count(Mechanic)), (1, 0))

    def test_it_fills_a_shop_that_was_emptied(self) -> None:
        rows = [
            Customer(name="Cus", email="cus@example.com"),
            Mechanic(name="Ada", email="ada@example.com", role=Role.ADMIN, password_hash="-"),
            Part(name="Belt", price=Decimal(1)),
        ]
        db.session.add_all(rows)
        db.session.commit()
        for row in rows:
            db.session.delete(row)
        db.session.commit()
        self.assertDone(self.run_command("demo"))

    def test_an_admin_alone_is_data(self) -> None:
        db.session.add(Mechanic(name="Ada", email="ada@example.com", role=Role.ADMIN, password_hash="-"))
        db.session.commit()
        self.assertRefused(self.run_command("demo"), "data")

    def test_if_empty_fills_once_and_then_does_nothing(self) -> None:
        self.assertDone(self.run_command("demo", "--if-empty"))
        before = self.count(Customer), self.count(ServiceTicket)
        self.assertGreater(before[0], 0)
        self.assertDone(self.run_command("demo", "--if-empty"))
        self.assertEqual((self.count(Customer), self.count(ServiceTicket)), before)

    def test_it_refuses_in_production(self) -> None:
        app = create_app(support.settings(APP_ENV="production", SMTP_URL=""))
        for options in ((), ("--if-empty",)):
            self.assertRefused(self.run_command("demo", *options, app=app), "production")
        self.assertEqual(self.count(Mechanic), 0)

    def test_a_large_shop_has_so_many_customers(self) -> None:
        self.assertDone(self.run_command("demo", "--customers", "250"))
        self.assertGreaterEqual(self.count(Customer), 250)
        self.assertLess(self.count(Customer), 300)
        self.assertGreater(self.count(ServiceTicket), 250)

    def test_each_ticket_of_a_large_shop_has_a_job_with_its_totals(self) -> None:
        self.assertDone(self.run_command("demo", "--customers", "20"))
        small = select(func.min(ServiceTicket.id)).where(ServiceTicket.customer_id > len(demo.CUSTOMERS))
        tickets = select(ServiceTicket).where(ServiceTicket.id >= small.scalar_subquery())
        loaded = tickets.options(selectinload(ServiceTicket.jobs), selectinload(ServiceTicket.labor))
        seen = db.session.scalars(loaded).all()
        self.assertEqual(len(seen), 40)
        for ticket in seen:
            [job], [line] = ticket.jobs, ticket.labor
            self.assertGreater(line.line_total, 0)
            self.assertEqual(ticket.total_labor, line.line_total)
            before = ticket.totals
            self.assertEqual(job.totals, JobTotals(*list(vars(before).values())[:7]))
            ticket.compute_totals([job])
            self.assertEqual((ticket.totals, job.counts), (before, True))

    def test_a_number_of_customers_is_positive(self) -> None:
        for number in ("0", "-1", "many"):
            self.assertRefused(self.run_command("demo", "--customers", number), "--customers")
        self.assertEqual(self.count(Mechanic), 0)


class Prepare(CommandTest):
    """What ``make run`` does before it serves."""

    def test_it_migrates_fills_an_empty_shop_once_and_tells_who_can_sign_in(self) -> None:
        app = create_app(settings(DATABASE_URL=support.new_database(), PORT=str(free_port())))
        for time in ("first", "second"):
            with self.subTest(time):
                result = self.run_command("prepare", app=app)
                self.assertDone(result)
                self.assertIn("/docs", result.output)
                for person in ("admin", "advisor", "mechanic", "customer"):
                    self.assertIn(f"{person}@example.com", result.output)
        with app.app_context():
            self.assertEqual(db.session.scalar(select(func.count()).select_from(Mechanic)), 5)
            db.session.remove()
            db.engine.dispose()
