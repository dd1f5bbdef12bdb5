"""What customers see less of than staff, they neither filter nor sort by: on every list that has two views."""

import re
from typing import Any

from app.core.lists.pages import PAGING
from tests.support import ShopTest
from tests.support.catalogue import Catalogue

# Words of names, which customers see.
WORDS = "q"


class TwoViews(ShopTest):
    """Lists without a parent that show staff one schema and customers another"""

    def setUp(self) -> None:
        super().setUp()
        self.catalogue = Catalogue(self.app)

    def lists(self) -> dict[str, tuple[dict[str, Any], set[str]]]:
        """By path: the query parameters by name, and the fields that customers see."""
        found = {}
        for operation in self.catalogue.operations:
            method, path, doc = operation
            content = doc["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
            views = content.get("items", {}).get("anyOf", [])
            policy = self.catalogue.view(operation).policy
            for_both = policy.token and policy.customers and policy.roles
            if method == "GET" and for_both and len(views) == 2 and "{" not in path:
                shown = set(self.catalogue.resolved(views[1])["properties"])
                parameters = {each["name"]: each["schema"] for each in doc["parameters"] if "name" in each}
                found[path] = parameters, shown
        return found

    def test_there_are_such_lists(self) -> None:
        self.assertGreaterEqual(self.lists().keys(), {"/inventory", "/mechanics"})

    def test_customers_filter_by_nothing_that_they_do_not_see(self) -> None:
        for path, (parameters, shown) in self.lists().items():
            for name in parameters.keys() - PAGING - shown:
                value = "true" if parameters[name]["type"] == "boolean" else "x"
                with self.subTest(path, name=name):
                    self.assertStatus(self.advisor.get(f"{path}?{name}={value}"), 200)
                    answer = self.customer.get(f"{path}?{name}={value}")
                    if name == WORDS:
                        self.assertStatus(answer, 200)
                    else:
                        self.assertProblem(answer, 403, "forbidden")

    def test_customers_sort_by_nothing_that_they_do_not_see(self) -> None:
        for path, (parameters, shown) in self.lists().items():
            for name in re.findall(r"\w+", parameters["sort"]["pattern"].partition(")")[0]):
                for sort in (name, f"-{name}"):
                    with self.subTest(path, sort=sort):
                        self.assertStatus(self.advisor.get(f"{path}?sort={sort}"), 200)
                        answer = self.customer.get(f"{path}?sort={sort}")
                        if name in shown:
                            self.assertStatus(answer, 200)
                        else:
                            self.assertProblem(answer, 403, "forbidden")
