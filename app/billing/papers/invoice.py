"""The invoice: what was frozen, job by job, with payments, the authorisation on record, and what was declined."""

from app.billing.papers import sections
from app.billing.papers.layout import Page
from app.billing.papers.letterhead import Letterhead
from app.billing.papers.sections import Content


def write(content: Content, shop: Letterhead) -> Page:
    """Return the pages of an invoice."""
    ticket, jobs = content["ticket"], [_with_lines(content, job) for job in content["jobs"]]
    facts = [f"Issued {shop.formats.date(content['issued_at'])}", f"Ticket {content['ticket_id']}"]
    if content["po_number"]:
        facts.append(f"Purchase order {content['po_number']}")
    page = Page(shop, f"Invoice {content['number']}", facts, content["issued_at"])
    sections.write_parties(page, "Bill to", content["bill_to"], content["vehicle"], ticket)
    sections.write_complaint(page, ticket)
    for job in jobs:
        sections.write_job(page, job, sections.job_tables(page, job))
        if len(jobs) > 1:
            sections.write_job_total(page, job)
    _write_totals(page, content)
    sections.write_list(page, "Payments", [_payment(page, payment) for payment in content["payments"]])
    declined = [(f"Declined: {job['name']}", shop.formats.money(job["total"])) for job in content["declined"]]
    sections.write_list(page, "Not billed", declined)
    sections.write_authorizations(page, content["authorizations"])
    sections.write_end(page, "I have received the vehicle and this invoice.", "Signature", "Date")
    return page


def _with_lines(content: Content, job: Content) -> Content:
    lines = {
        kind: [line for line in content[kind] if line["job_id"] == job["id"]] for kind in ("parts", "labor", "fees")
    }
    return {**job, **lines}


def _write_totals(page: Page, content: Content) -> None:
    totals, money = content["totals"], page.formats.money
    sections.write_figures(
        page,
        sections.figures(page, totals, content["ticket"]),
        [
            (f"Total ({page.formats.currency})", money(totals["total"])),
            ("Paid", money(totals["paid"])),
            ("Balance due", money(totals["balance"])),
        ],
    )


def _payment(page: Page, payment: Content) -> tuple[str, str]:
    reference = f" ({payment['reference']})" if payment["reference"] else ""
    what = f"{page.formats.date(payment['created_at'])}: {payment['kind'].capitalize()}, {payment['method']}"
    sign = "-" if payment["kind"] == "refund" else ""
    return what + reference, page.formats.money(sign + payment["amount"])
