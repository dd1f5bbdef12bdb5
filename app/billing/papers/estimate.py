"""The estimate: each job with its lines, price and status; what it comes to, and what it would if all is approved."""

from datetime import datetime, timedelta

from app.billing.papers import sections, texts
from app.billing.papers.layout import Page
from app.billing.papers.letterhead import Letterhead
from app.billing.papers.sections import Content
from app.billing.papers.typography import FAINT

# Where an estimate may still be signed, and where it is over.
TO_SIGN, OVER = ("estimate", "open", "in_progress"), ("declined", "void")
NO_JOBS = "No work has been priced yet."


def write(content: Content, shop: Letterhead) -> Page:
    """Return the pages of an estimate."""
    page = Page(shop, f"Estimate {content['id']}", _facts(content, shop), content["updated_at"])
    sections.write_parties(page, "Customer", content["customer"], content["vehicle"], content)
    sections.write_complaint(page, content)
    offered = [job for job in content["jobs"] if _is_offered(job)]
    for job in offered:
        sections.write_job(page, job, sections.job_tables(page, job), _status(page, job))
        if len(offered) > 1:
            sections.write_job_total(page, job)
    if not offered:
        page.write_text(NO_JOBS, FAINT)
    _write_totals(page, content)
    declined = [
        (f"Declined: {job['name']}", shop.formats.money(job["totals"]["total"]))
        for job in content["jobs"]
        if not _is_offered(job)
    ]
    sections.write_list(page, "Declined, not included in the total", declined)
    sections.write_authorizations(page, content["authorizations"])
    if content["status"] in TO_SIGN and offered:
        total = shop.formats.money(content["totals_if_approved"]["total"])
        sections.write_end(page, f"I authorize the work above, up to {total}.", "Signature", "Date")
    else:
        sections.write_end(page, "")
    return page


def _is_offered(job: Content) -> bool:
    """Return whether the totals include the job, or would if it were approved."""
    return bool(job["counts"]) or job["status"] != "declined"


def _facts(content: Content, shop: Letterhead) -> list[str]:
    facts = [f"As of {shop.formats.date(content['updated_at'])}"]
    if content["status"] in OVER:
        facts.append(content["status"].capitalize())
    elif shop.days is not None:
        end = datetime.fromisoformat(content["updated_at"]) + timedelta(days=shop.days)
        facts.append(f"Valid until {shop.formats.date(end.isoformat())}")
    if content["po_number"]:
        facts.append(f"Purchase order {content['po_number']}")
    return facts


def _status(page: Page, job: Content) -> str:
    if job["status"] != "approved":
        return str(job["status"]).capitalize()
    return f"Approved{texts.NO_BREAK}{page.formats.date(job['approved_at'])}" if job["approved_at"] else "Approved"


def _write_totals(page: Page, content: Content) -> None:
    totals, if_approved, money = content["totals"], content["totals_if_approved"], page.formats.money
    results = [(f"Total ({page.formats.currency})", money(totals["total"]))]
    if if_approved != totals:
        results.append(("Total if all that is proposed is approved", money(if_approved["total"])))
    if content["authorized_amount"] is not None:
        results.append(("Authorized", money(content["authorized_amount"])))
    sections.write_figures(page, sections.figures(page, totals, content), results)
