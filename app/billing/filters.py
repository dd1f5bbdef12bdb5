"""Sort orders of lists of authorisations and payments."""

from app.core.lists.listing import Listing
from app.models import Authorization, Payment

AUTHORIZATIONS = Listing(Authorization, sorts={"id": Authorization.id})
PAYMENTS = Listing(Payment, sorts={"id": Payment.id})
