"""The demo shop: believable people, cars, parts and tickets, and one account for each role."""


def is_empty() -> bool:
    return True


def fill() -> None:
    pass
