// Take the pictures of README, in the folder `PICTURES`.
import { DESKTOP, PASSWORD, PHONE, serve, visit } from "./browser.mjs";

const shop = serve({ SHOP_NAME: "Mill Street Garage", SHOP_TIMEZONE: "America/New_York" });

// Wait until what the picture is about is there, and what else the page has asked for.
async function take(page, name, subject) {
  await subject.waitFor();
  await page.waitForLoadState("networkidle");
  await page.screenshot({ path: `${process.env.PICTURES}/${name}.png` });
}

async function ticketInWork() {
  const { body } = await shop().call("POST", "/mechanics/login", {
    body: { email: "advisor@example.com", password: PASSWORD },
  });
  const found = await shop().call("GET", "/service-tickets?status=in_progress&sort=-total", { token: body.token });
  return found.body[0].id;
}

visit("the board and a ticket", shop, async (visitor) => {
  const page = await visitor.signIn("advisor", "/desk", { viewport: DESKTOP });
  await take(page, "board", page.locator(".card").first());
  await page.goto(`/desk#/tickets/${await ticketInWork()}`);
  await page.getByRole("button", { name: "Assign" }).waitFor();
  await page.locator(".history li").first().waitFor();
  await take(page, "ticket", page.getByRole("heading", { name: "Decisions" }));
});

visit("the page behind an approval link", shop, async (visitor) => {
  const page = await visitor.open(`/approve/${process.env.LINK_TOKEN}`, { viewport: PHONE });
  await take(page, "approval", page.getByLabel("Your full name"));
});
