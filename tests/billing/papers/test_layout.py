"""What all papers have in common: scripts, page breaks, the letterhead."""

import re
import unittest
import zlib

from fpdf.fonts import TTFFont

from app.billing.papers.layout import FOOT, Page
from app.billing.papers.paper import WRITERS, render
from app.billing.papers.scripts import SUBSTITUTE
from app.billing.papers.typography import BOLD, FAMILY, PLAIN
from tests.support.papers import MOMENT, NOBODY, SHOP, invoice, job, part_line, picture, printed, ticket
from tests.support.pdf import pages

POINTS_PER_MM = 72 / 25.4
HEADINGS = {"invoice": "Part\nQty\nPrice\nAmount\n", "estimate": "Part\nQty\nPrice\nAmount\n"}
HEADINGS["work-order"] = "Part\nShelf\nQty\nShort\n"


class Scripts(unittest.TestCase):
    """Names in any script"""

    def test_names_in_scripts_of_the_fonts_are_printed_as_they_are(self) -> None:
        for name in (
            *("Zoë Łukasiewicz", "Ωμέγα Παπαδόπουλος", "Юлия Щербакова", "O'Brien (Jr.) \\ & Sons"),
            *("王小明", "李小龍 Lee", "たなか カメラ", "김철수"),
        ):
            with self.subTest(name):
                (text,) = printed("invoice", invoice(bill_to=NOBODY | {"name": name}))
                self.assertIn(f"\n{name}\n", text)

    def test_after_a_name_in_the_second_font_the_first_goes_on(self) -> None:
        named = job(1, "更换刹车片", total="359.00", parts=[part_line("刹车片")])
        (text,) = printed("estimate", ticket(named, job(2, "Wash", total="9.00")))
        self.assertIn("更换刹车片: total\n$359.00\n", text)
        self.assertIn("刹车片\n2\n$10.00\n$20.00\n", text)

    def test_arabic_and_hebrew_are_joined_and_run_from_right_to_left(self) -> None:
        (text,) = printed("invoice", invoice(bill_to=NOBODY | {"name": "محمد علي", "address": "שלום עולם"}))
        self.assertIn("\nםלוע םולש\n", text)  # as it is seen from left to right
        shaped = printed("invoice", invoice(bill_to=NOBODY | {"name": "محمد"}))[0]
        self.assertNotIn("محمد", shaped)
        self.assertIn("دمحم", "".join(shaped.split()))

    def test_lines_of_arabic_are_broken_in_the_order_in_which_they_are_read(self) -> None:
        words = [f"كلمة{number}" for number in range(60)]
        page = Page(SHOP, "Invoice 7", [], MOMENT)
        lines = page.wrap(" ".join(words), page.epw)
        self.assertGreater(len(lines), 1)
        self.assertEqual(" ".join(lines).split(), words)
        page.output()

    def test_other_scripts_stand_in_latin_letters(self) -> None:
        shown = {
            "राम": "ram",
            "ไทย": "aithy",
            "Lee 🚗": "Lee :red_car:",
            "Cafe\u0301": "Café",  # joined, as the font has it
            "Brien \u2066(Jr.)\u2069 a\U000e0001b": "Brien (Jr.) ab",  # what is not seen goes
            "Ann \ue000": f"Ann {SUBSTITUTE}",  # a private character, which has no meaning
        }
        told = invoice(
            bill_to=NOBODY | {"name": "\n".join(shown)},
            parts=[part_line(name) for name in shown],
            declined=[{"name": name, "total": "1.00"} for name in shown],
        )
        text = "".join(printed("invoice", told))
        for name, latin in shown.items():
            with self.subTest(name):
                self.assertEqual(len(re.findall(rf"^{re.escape(latin)}$", text, re.MULTILINE)), 2)
                self.assertIn(f"Declined: {latin}\n", text)

    def test_nothing_is_printed_that_the_fonts_do_not_have(self) -> None:
        page = Page(SHOP, "Invoice 7", [], MOMENT)
        characters = [chr(code) for code in range(0x20, 0x32000) if not 0xD800 <= code < 0xE000]
        for font in (PLAIN, BOLD):
            page.use(font)
            legible = page.legible("".join(characters)).replace("\n", "")
            known = {code for key in ("droid", FAMILY.lower() + font.style) for code in self.font(page, key).cmap}
            self.assertEqual({c for c in legible if ord(c) not in known}, set())
        page.output()  # which closes the fonts

    def font(self, page: Page, key: str) -> TTFFont:
        font = page.fonts[key]
        assert isinstance(font, TTFFont)
        return font

    def test_the_large_font_is_loaded_only_for_those_who_need_it(self) -> None:
        self.assertLess(len(render("invoice", invoice(), SHOP)), 60_000)
        page = Page(SHOP, "Invoice 7", [], MOMENT)
        page.legible("Zoë, Юлия, محمد, ไทย")
        self.assertNotIn("droid", page.fonts)
        page.legible("王")
        self.assertIn("droid", page.fonts)
        page.output()

    def test_lines_end_in_one_way_and_tabs_are_spaces(self) -> None:
        address = "1 Main St\nA\r\nB\rC\u2028D\u2029E\x85Suite\t5"
        in_lines = "1 Main St\nA\nB\nC\nD\nE\nSuite 5\n"
        shop = SHOP._replace(address=address)
        (text,) = printed("invoice", invoice(bill_to=NOBODY | {"address": address}), shop)
        self.assertEqual(text.count(in_lines), 2)

    def test_hostile_text_is_printed_and_breaks_nothing(self) -> None:
        for text in (
            "%PDF-1.4 endstream endobj",
            ") Tj ET Q (",
            "\\",
            "{nb}",
            "**bold** __u__ [a](b)",
            "<b>&amp;</b>",
            "x" * 2000,
        ):
            told = ticket(job(1, text[:120], text, parts=[part_line(text)]), description=text, notes=text, key_tag="1")
            for kind in ("estimate", "work-order"):
                with self.subTest(text[:30], kind=kind):
                    read = "".join(printed(kind, told)).replace("\n", "")
                    self.assertGreaterEqual(read.count(text), 3 if text != "{nb}" else 0)

    def test_an_address_of_many_lines_leaves_room_for_the_rest(self) -> None:
        (text,) = printed("estimate", ticket(job(), customer=NOBODY | {"address": "\n".join("a" * 250)}))
        self.assertIn("Total (USD)", text)


class Breaks(unittest.TestCase):
    """Where pages end, on every paper"""

    def papers(self, count: int, named: str = "Part number {:02}") -> dict[str, list[str]]:
        """The pages of each paper with so many parts."""
        parts = [part_line(named.format(number)) for number in range(count)]
        contents = {"invoice": invoice(parts=parts)}
        contents |= dict.fromkeys(("estimate", "work-order"), ticket(job(parts=parts)))
        return {kind: printed(kind, content) for kind, content in contents.items()}

    def test_60_lines_run_over_pages_with_their_headings_and_none_is_lost(self) -> None:
        for kind, text in self.papers(60).items():
            self.assertGreater(len(text), 1)
            names = [name for page in text for name in re.findall(r"Part number (\d\d)", page)]
            self.assertEqual(names, [f"{number:02}" for number in range(60)])
            for number, page in enumerate(text, 1):
                with self.subTest(kind, page=number):
                    self.assertIn(f"Page {number} of {len(text)}", page)
                    self.assertEqual(HEADINGS[kind] in page, "Part number" in page)
                    self.assertIn("Corner Garage\n", page)

    def test_no_row_is_cut(self) -> None:
        long = " ".join(
            ["Part number {:02} that is told of in many words,", *["and in many more words"] * 12, "end {:02}"]
        )
        for kind, text in self.papers(30, long.replace("{:02}", "{0:02}")).items():
            for page in text:
                with self.subTest(kind):
                    begun = re.findall(r"number (\d\d)", page)
                    self.assertEqual(re.findall(r"end\s(\d\d)", page), begun)

    def test_nothing_is_written_below_the_foot_of_a_page(self) -> None:
        for count in range(1, 60, 7):
            for kind, writer in WRITERS.items():
                parts = [part_line("Filter")] * count
                content = invoice(parts=parts) if kind == "invoice" else ticket(job(parts=parts))
                pdf = bytes(writer(content, SHOP).output())
                with self.subTest(kind, count=count):
                    low = [height for height in heights(pdf) if height < FOOT * POINTS_PER_MM]
                    self.assertEqual(len(low), len(pages(pdf)))  # the page numbers

    def test_jobs_have_their_names_with_their_lines(self) -> None:
        names = [f"Job number {count:02}" for count in range(50)]
        jobs = [
            job(count, name, "Noted.", parts=[part_line(f"Part of {count:02}")]) for count, name in enumerate(names)
        ]
        for kind in ("estimate", "work-order"):
            text = printed(kind, ticket(*jobs))
            for page in text:
                with self.subTest(kind):
                    on_page = re.findall(r"^Job number (\d\d)$", page, re.MULTILINE)
                    self.assertEqual(re.findall(r"^Part of (\d\d)$", page, re.MULTILINE), on_page)
            self.assertEqual(re.findall(r"^Job number \d\d$", "".join(text), re.MULTILINE), names)

    def test_lines_to_sign_on_are_never_alone_on_a_page(self) -> None:
        shop = SHOP._replace(terms="Thank you.")
        for count in range(18, 36):
            with self.subTest(count):
                text = printed("invoice", invoice(parts=[part_line("Filter")] * count), shop)
                self.assertIn("Thank you.\nI have received", text[-1])
                self.assertIn("Signature\n", text[-1])


def heights(pdf: bytes) -> list[float]:
    """The heights at which text begins, in points from the foot of its page."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    unpacked = [zlib.decompress(each) for each in streams if each[:1] == b"x"]
    return [
        float(height)
        for stream in unpacked
        if b" Tf ET\n" in stream
        for height in re.findall(rb"BT [\d.]+ (-?[\d.]+) Td", stream)
    ]


class Letterheads(unittest.TestCase):
    """What stands at the head of the first page"""

    def test_a_logo_of_any_kind_is_drawn(self) -> None:
        plain = render("invoice", invoice(), SHOP)
        for kind, mode in (
            *(("PNG", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
            *(("JPEG", mode) for mode in ("L", "RGB", "CMYK")),
        ):
            with self.subTest(kind, mode=mode):
                pdf = render("invoice", invoice(), SHOP._replace(logo=picture(kind, mode)))
                self.assertIn(b"/Subtype /Image", pdf)
                self.assertNotIn(b"/Subtype /Image", plain)
                self.assertIn("Corner Garage\n1 Main Street\n", pages(pdf)[0])

    def test_a_logo_keeps_to_its_box(self) -> None:
        for size in ((2000, 10), (10, 2000), (1, 1)):
            pdf = render("estimate", ticket(job()), SHOP._replace(logo=picture(size=size)))
            self.assertEqual(len(pages(pdf)), 1)

    def test_a_shop_that_says_nothing_of_itself_has_papers_too(self) -> None:
        bare = SHOP._replace(address="", phone=None)
        self.assertTrue(printed("estimate", ticket(job()), bare)[0].startswith("\nCorner Garage\nEstimate 3\n"))

    def test_a_name_that_is_long_is_wrapped(self) -> None:
        shop = SHOP._replace(name=" ".join(["Garage"] * 40))
        (text,) = printed("estimate", ticket(job()), shop)
        self.assertGreaterEqual(text.count("Garage"), 40)
