"""The work order: what is to be done, for the bay. It has no prices, and marks what is not approved."""

from fpdf.enums import Align

from app.billing.papers import sections, texts
from app.billing.papers.layout import Column, Page
from app.billing.papers.letterhead import Letterhead
from app.billing.papers.sections import Content, Table
from app.billing.papers.typography import FAINT

PARTS = (
    Column("Part", 0.5),
    Column("Shelf", 0.18),
    Column("Qty", 0.16, Align.R),
    Column("Short", 0.16, Align.R),
)
LABOR = (Column("Labor", 0.5), Column("Technician", 0.34), Column("Hours", 0.16, Align.R))
SUBLETS = (Column("Sent out", 1),)
NOT_APPROVED = "NOT APPROVED: DO NOT WORK ON"
# What a ticket on hold waits for.
WAITS = {"parts": "parts", "customer": "the customer", "other": "something else"}
NO_JOBS = "Nothing has been written down yet."


def write(content: Content, shop: Letterhead) -> Page:
    """Return the pages of a work order."""
    page = Page(shop, f"Work order {content['id']}", _facts(content, shop), content["updated_at"])
    sections.write_parties(page, "Customer", content["customer"], content["vehicle"], content)
    sections.write_titled(page, "What the customer says", content["description"])
    sections.write_titled(page, "Notes for the shop", content["notes"])
    # What is approved comes first.
    jobs = sorted((job for job in content["jobs"] if job["status"] != "declined"), key=lambda job: job["status"])
    for job in jobs:
        is_approved = job["status"] == "approved"
        sections.write_job(page, job, _tables(job), "" if is_approved else NOT_APPROVED, is_warning=not is_approved)
    if not jobs:
        page.write_text(NO_JOBS, FAINT)
    sections.write_end(page, "", "Technician", "Checked by", "Date", terms=False)
    return page


def _facts(content: Content, shop: Letterhead) -> list[str]:
    promised, hold = content["promised_at"], content["hold"]
    facts = [f"Opened {shop.formats.date(content['created_at'])}"]
    facts += [f"Promised {shop.formats.time(promised)}"] if promised else []
    facts += [f"Key tag {content['key_tag']}"] if content["key_tag"] else []
    facts += [f"Purchase order {content['po_number']}"] if content["po_number"] else []
    status = content["status"].replace("_", " ")
    return [*facts, f"Status: {status}, waits for {WAITS[hold]}" if hold else f"Status: {status}"]


def _tables(job: Content) -> list[Table]:
    parts = [
        (texts.part_name(line), line["location"] or "", texts.quantity(line), _short(line)) for line in job["parts"]
    ]
    labor = [
        (line["description"], line["mechanic"]["name"] if line["mechanic"] else "", line["hours"])
        for line in job["labor"]
    ]
    sublets = [(line["description"],) for line in job["fees"] if line["kind"] == "sublet"]
    tables: list[Table] = [(PARTS, parts), (LABOR, labor), (SUBLETS, sublets)]
    return [table for table in tables if table[1]]


def _short(line: Content) -> str:
    return texts.quantity(line, "quantity_short") if line["quantity_short"] else ""
