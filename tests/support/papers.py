"""Contents of papers in the shapes of the API, and what is printed of them."""

from datetime import UTC
from io import BytesIO
from typing import Any

from PIL import Image

from app.billing.papers.letterhead import Letterhead
from app.billing.papers.paper import render
from app.billing.papers.texts import Formats
from tests.support.pdf import pages

FIGURES = ("parts", "labor", "fees", "discount", "supplies", "tax", "total")
MOMENT = "2026-01-02T10:00:00.000000Z"
SHOP = Letterhead(
    "Corner Garage", "1 Main Street\nSpringfield", "+12125550100", None, None, None, Formats("USD", UTC, "US")
)
ABROAD = SHOP._replace(formats=Formats("CHF", UTC, "CH"), phone="+41446681800")
NOBODY = {"name": "Dana Whitfield", "email": None, "phone": None, "address": None}


def picture(kind: str = "PNG", mode: str = "RGB", size: tuple[int, int] = (60, 30)) -> bytes:
    """A picture file, such as a logo."""
    file = BytesIO()
    Image.effect_noise(size, 90).convert(mode).save(file, kind)
    return file.getvalue()


def totals(**figures: str) -> dict[str, str]:
    """The totals of a ticket."""
    return dict.fromkeys((*FIGURES, "paid", "balance"), "0.00") | figures


def part_line(name: str, job_id: int = 1, **changes: Any) -> dict[str, Any]:
    """A part on a paper."""
    of_part = {"part_id": 1, "name": name, "sku": None, "unit": "each", "taxable": True, "location": None}
    line = {"quantity": 2, "quantity_short": 0, "unit_price": "10.00", "line_total": "20.00"}
    return {"job_id": job_id, **of_part, **line, **changes}


def labor_line(description: str, job_id: int = 1, mechanic: str | None = None) -> dict[str, Any]:
    """A line of labor on a paper."""
    line = {"job_id": job_id, "description": description, "hours": "1.0", "rate": "9.00", "line_total": "9.00"}
    return {**line, "mechanic": mechanic and {"id": 2, "name": mechanic}}


def fee_line(description: str, job_id: int = 1, amount: str = "3.00", kind: str = "fee") -> dict[str, Any]:
    """A fee on a paper."""
    return {"id": 1, "job_id": job_id, "kind": kind, "description": description, "amount": amount, "taxable": False}


def job(
    number: int = 1, name: str = "Work", notes: str | None = None, *, status: str = "approved", **changes: Any
) -> dict[str, Any]:
    """A job with its lines; figures go to its totals."""
    lines = {
        kind: changes.pop(kind, []) for kind in ("parts", "labor", "fees") if not isinstance(changes.get(kind), str)
    }
    told = {"id": number, "name": name, "notes": notes, "status": status, "approved_at": None}
    told["counts"] = changes.pop("counts", status != "declined")
    return {**told, "totals": dict.fromkeys(FIGURES, "0.00") | changes, **lines}


def authorization(**changes: Any) -> dict[str, Any]:
    """An authorisation on record."""
    recorded_by = {"id": 1, "name": "Ad Visor"}
    said = {"method": "phone", "amount": "1500.00", "said_by": "Dana", "contact": "+12125550142"}
    return {**said, "recorded_by": recorded_by, "created_at": "2026-01-02T19:05:00Z", **changes}


def ticket(*jobs: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What estimates and work orders are made of."""
    people = {"advisor": None, "mechanics": [], "customer_id": 1, "customer": NOBODY, "vehicle": None}
    visit = {"id": 3, "status": "open", "hold": None, "description": "Squeals", "odometer": None, "po_number": None}
    desk = {"promised_at": None, "key_tag": None, "notes": None, "created_at": MOMENT, "updated_at": MOMENT}
    rates = {"parts_tax_rate": "0.0000", "labor_tax_rate": "0.0000"}
    money = {"totals": totals(), "totals_if_approved": totals(), "authorized_amount": None, "authorizations": []}
    return {**people, **visit, **desk, **rates, **money, "jobs": list(jobs), **changes}


def invoice(**changes: Any) -> dict[str, Any]:
    """What an invoice is made of."""
    of_ticket = {name: ticket()[name] for name in ("description", "odometer", "advisor", "mechanics")}
    rates = {"parts_tax_rate": "0.0000", "labor_tax_rate": "0.0000"}
    return {
        "number": 7,
        "ticket_id": 3,
        "issued_at": MOMENT,
        "bill_to": NOBODY,
        "vehicle": None,
        "po_number": None,
        "jobs": [job()],
        "parts": [],
        "labor": [],
        "fees": [],
        "totals": totals(),
        "declined": [],
        "payments": [],
        "authorizations": [],
        "ticket": of_ticket | rates | changes.pop("of_ticket", {}),
        **changes,
    }


def printed(kind: str, content: dict[str, Any], shop: Letterhead = SHOP) -> list[str]:
    """The text of each page of a paper."""
    return pages(render(kind, content, shop))
