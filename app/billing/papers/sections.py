"""The sections that the shop's papers have in common, from the content in the shapes of the API."""

from collections.abc import Sequence
from typing import Any

from fpdf.enums import Align

from app.billing.papers import texts
from app.billing.papers.layout import CELL, Column, Page
from app.billing.papers.typography import BOLD, FAINT, HEADING, NOTE, PLAIN, WARNING, Font

Content = dict[str, Any]
Table = tuple[Sequence[Column], Sequence[Sequence[str]]]

_MONEY = (Column("Price", 0.15, Align.R), Column("Amount", 0.17, Align.R))
PARTS = (Column("Part", 0.52), Column("Qty", 0.16, Align.R), *_MONEY)
LABOR = (Column("Labor", 0.52), Column("Hours", 0.16, Align.R), Column("Rate", 0.15, Align.R), _MONEY[1])
FEES = (Column("Fees", 0.83), _MONEY[1])
FIGURES = ("parts", "labor", "fees", "discount", "supplies", "tax")
# How a customer said it, in a sentence.
SAID = {"in_person": "in person", "phone": "by phone", "text": "by text", "email": "by e-mail", "link": "by link"}
# A job that is no higher than this, in millimetres, is kept on one page. Of a higher one the name, so many lines of the
# notes and the first row are.
MAX_WHOLE = 75
NOTES_WITH_NAME = 3
JOB_TOTAL = 7
# The height of lines to sign on, and how many lines of the terms stay with them.
SIGNATURES, LAST_TERMS = 15, 6


def write_parties(page: Page, who: str, customer: Content, vehicle: Content | None, ticket: Content) -> None:
    """Write the customer, the vehicle and who of the shop works on it, side by side."""
    contact = [customer[name] for name in ("name", "address")]
    contact += [customer["phone"] and page.formats.phone(customer["phone"]), customer["email"]]
    page.write_columns(
        [
            (who, "\n".join(filter(None, contact))),
            ("Vehicle", "\n".join(filter(None, _vehicle(vehicle, ticket)))),
            ("At the shop", "\n".join(filter(None, _shop(ticket)))),
        ]
    )


def _vehicle(vehicle: Content | None, ticket: Content) -> list[str]:
    odometer = texts.reading(ticket["odometer"])
    of_ticket = odometer and f"Odometer {odometer}"
    if vehicle is None:
        return [of_ticket]
    plate, vin = texts.plate(vehicle), vehicle["vin"]
    return [texts.car(vehicle), plate and f"Plate {plate}", vin and f"VIN {vin}", of_ticket]


def _shop(ticket: Content) -> list[str]:
    advisor, mechanics = ticket["advisor"], ticket["mechanics"]
    names = texts.people(mechanics)
    return [
        advisor and f"Advisor: {advisor['name']}",
        names and f"Technician{'s' if len(mechanics) > 1 else ''}: {names}",
    ]


def write_complaint(page: Page, ticket: Content) -> None:
    """Write what the customer told the shop."""
    write_titled(page, "What you told us", ticket["description"])


def write_titled(page: Page, title: str, text: str | None) -> None:
    """Write a text below a small title; nothing where there is no text."""
    if text:
        page.require(NOTE.line + 2 * PLAIN.line + 1)
        page.write_text(title.upper(), NOTE)
        page.set_y(page.get_y() + 1)
        page.write_text(text)
        page.space(3)


def job_tables(page: Page, job: Content) -> list[Table]:
    """Return the tables of a job's lines with their prices, those that have any."""
    money = page.formats.money
    parts = [
        (texts.part_name(line), texts.quantity(line), money(line["unit_price"]), money(line["line_total"]))
        for line in job["parts"]
    ]
    labor = [
        (line["description"], line["hours"], money(line["rate"]), money(line["line_total"])) for line in job["labor"]
    ]
    fees = [(line["description"], money(line["amount"])) for line in job["fees"]]
    tables: list[Table] = [(PARTS, parts), (LABOR, labor), (FEES, fees)]
    return [table for table in tables if table[1]]


def write_job(page: Page, job: Content, tables: Sequence[Table], status: str = "", *, is_warning: bool = False) -> None:
    """Write a job: its name with a status to the right, notes, tables.

    The name stands on one page with the first of what follows it.
    """
    width = page.epw * (0.62 if status else 1)
    name = page.wrap(job["name"], width, HEADING)
    notes = page.wrap(job["notes"], page.epw, PLAIN) if job["notes"] else []
    page.space(3)
    page.require(_kept_together(page, len(name) * HEADING.line + 2, len(notes) * PLAIN.line, tables))
    top = page.get_y()
    page.draw(name, page.l_margin, width, HEADING)
    bottom = page.get_y()
    if status:
        page.set_y(top)
        page.draw([status], page.l_margin, page.epw, WARNING if is_warning else BOLD, Align.R)
    page.set_y(bottom + 0.5)
    page.write_text(job["notes"])
    for number, (columns, rows) in enumerate(tables):
        page.space(1.5)
        page.write_table(columns, rows, tail=JOB_TOTAL if number == len(tables) - 1 else 0)


def _kept_together(page: Page, name: float, notes: float, tables: Sequence[Table]) -> float:
    """Return how much of a job is kept on one page: all, or its beginning."""
    few = tables if sum(len(rows) for _, rows in tables) < MAX_WHOLE / PLAIN.line else ()
    whole = name + notes + sum(page.measure(*table) + 2 for table in few) + JOB_TOTAL
    if len(few) == len(tables) and whole <= MAX_WHOLE:
        return whole
    first = page.measure(tables[0][0], tables[0][1][:1]) if tables else 0
    return name + min(notes, NOTES_WITH_NAME * PLAIN.line) + first


def write_job_total(page: Page, job: Content) -> None:
    """Write a job's total, and which shares of the ticket's figures it includes."""
    totals = job["totals"]
    shares = [name for name in ("discount", "supplies", "tax") if totals[name] != "0.00"]
    included = f" with {', '.join(shares)}" if shares else ""
    page.space(1)
    page.write_pair(
        f"{job['name']}: total{included}",
        page.formats.money(totals["total"]),
        BOLD,
        align=Align.R,
    )


def figures(page: Page, totals: Content, ticket: Content) -> list[tuple[str, str]]:
    """Return the names and amounts that the total is made of; what is zero is left out, but for parts and labor."""
    money = page.formats.money
    shown = []
    for name in FIGURES:
        if totals[name] != "0.00" or name in ("parts", "labor"):
            amount = f"-{totals[name]}" if name == "discount" else totals[name]
            shown.append((_tax(ticket) if name == "tax" else name.capitalize(), money(amount)))
    return shown


def _tax(ticket: Content) -> str:
    """Return `Tax` with its rates, those that are not zero."""
    rates = [
        f"{name} {texts.percent(ticket[key])}"
        for name, key in (("parts", "parts_tax_rate"), ("labor", "labor_tax_rate"))
        if float(ticket[key])
    ]
    return f"Tax ({', '.join(rates)})" if rates else "Tax"


def write_figures(page: Page, lines: Sequence[tuple[str, str]], results: Sequence[tuple[str, str]]) -> None:
    """Write figures to the right, all on one page; the `results` are bold, below a line."""
    height = 4.9
    page.space(4)
    page.require((len(lines) + len(results)) * height + 3)
    for name, amount in lines:
        _write_figure(page, name, amount, PLAIN, height)
    page.rule(0.5)
    page.set_y(page.get_y() + 1.5)
    for name, amount in results:
        _write_figure(page, name, amount, BOLD, height)


def _write_figure(page: Page, name: str, amount: str, font: Font, height: float) -> None:
    top = page.get_y()
    page.draw([name], page.l_margin, page.epw * 0.8, font, Align.R)
    page.set_y(top)
    page.draw([amount], page.l_margin, page.epw - CELL, font, Align.R)
    page.set_y(top + height)


def write_list(page: Page, title: str, entries: Sequence[tuple[str, str]]) -> None:
    """Write texts with their amounts below a title, which stands on one page with the first."""
    if not entries:
        return
    page.space(4)
    page.require(BOLD.line + 3 * PLAIN.line)
    page.write_text(title, BOLD)
    page.space(1)
    for text, amount in entries:
        page.write_pair(text, amount)


def write_authorizations(page: Page, authorizations: Sequence[Content]) -> None:
    """Write the authorisations on record: when, up to what amount, how, by whom, and who recorded it."""
    if authorizations:
        page.space(4)
        page.require(BOLD.line + 3 * PLAIN.line)
        page.write_text("Authorization on record", BOLD)
        page.space(1)
        for each in authorizations:
            page.write_text(_authorization(page, each))


def _authorization(page: Page, said: Content) -> str:
    how = SAID.get(said["method"], said["method"].replace("_", " "))
    reached = f", {page.formats.phone(said['contact'])}" if said["contact"] else ""
    by = said["said_by"] or ("the customer" if said["recorded_by"] is None else "")
    recorded = f"; recorded by {said['recorded_by']['name']}" if said["recorded_by"] else ""
    who = f" by {by}" if by else ""
    return (
        f"{page.formats.time(said['created_at'])}: up to {page.formats.money(said['amount'])}{who}, {how}{reached}"
        f"{recorded}"
    )


def write_end(page: Page, sentence: str, *names: str, terms: bool = True) -> None:
    """Write the shop's terms, where it has any, then a sentence and lines to sign on, one for each name.

    The lines to sign on stand on one page with the sentence and the end of the terms.
    """
    written = page.wrap(page.shop.terms, page.epw, NOTE) if terms and page.shop.terms else []
    said = page.wrap(sentence, page.epw, FAINT) if sentence else []
    signed = len(said) * FAINT.line + (SIGNATURES if names else 0)
    page.space(5)
    *first, last = [written[at : at + LAST_TERMS] for at in range(0, len(written), LAST_TERMS)] or [[]]
    for lines in first:
        page.require(len(lines) * NOTE.line)
        page.draw(lines, page.l_margin, page.epw, NOTE)
    page.require(len(last) * NOTE.line + 4 + signed)
    page.draw(last, page.l_margin, page.epw, NOTE)
    page.set_y(page.get_y() + 4)
    page.draw(said, page.l_margin, page.epw, FAINT)
    if names:
        _draw_signatures(page, names)


def _draw_signatures(page: Page, names: Sequence[str]) -> None:
    top, width = page.get_y() + 9, page.epw / len(names)
    page.set_draw_color(*PLAIN.color)
    for number, name in enumerate(names):
        x = page.l_margin + number * width
        page.line(x, top, x + width - (0 if number == len(names) - 1 else 6), top)
        page.set_y(top + 1)
        page.draw([name], x, width, NOTE)
