"""The roles of staff, and which of them run the front desk."""

import enum


class Role(enum.Enum):
    """What a member of staff may do: each row of mechanics has one."""

    MECHANIC = "mechanic"
    ADVISOR = "advisor"
    ADMIN = "admin"


FRONT_DESK = frozenset({Role.ADVISOR, Role.ADMIN})
EVERYONE = frozenset(Role)
