// The shell round the screens: signing in and out; and that what goes wrong on a page is noticed by these tests.
import assert from "node:assert/strict";

import { assertAccessible, DESKTOP, PASSWORD, PHONE, serve, signIn, TABLET, until, visit } from "./browser.mjs";

const shop = serve();

const keptIn = (page, storage) => page.evaluate((name) => JSON.stringify({ ...window[name] }), storage);

visit("the sign-in is accessible at each size", shop, async (visitor) => {
  const page = await visitor.open("/desk");
  for (const size of [DESKTOP, TABLET, PHONE]) {
    await page.setViewportSize(size);
    await page.getByLabel("E-mail").waitFor();
    await assertAccessible(page);
  }
});

visit("somebody signs in by keyboard alone, and stays so at a reload, in this tab alone", shop, async (visitor) => {
  const page = await visitor.open("/desk");
  await page.getByLabel("E-mail").waitFor();
  await page.keyboard.type("advisor@example.com");
  await page.keyboard.press("Tab");
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  const signOut = page.getByRole("button", { name: "Sign out" });
  await signOut.waitFor();
  await page.reload();
  await signOut.waitFor();
  const other = await page.context().newPage();
  await other.goto("/desk");
  await other.getByLabel("Password").waitFor();
});

visit("the token is in no address and not in localStorage", shop, async (visitor) => {
  const addresses = [];
  const page = await visitor.open();
  page.on("request", (request) => addresses.push(request.url()));
  await page.goto("/desk");
  await signIn(page, "advisor");
  const token = Object.values(JSON.parse(await keptIn(page, "sessionStorage")))[0];
  assert.ok(token.length > 40);
  assert.ok(!(await keptIn(page, "localStorage")).includes(token));
  assert.ok(!`${addresses} ${page.url()}`.includes(token));
});

visit("whoever signs out is signed out on the server too", shop, async (visitor) => {
  const page = await visitor.signIn("advisor");
  const [token] = Object.values(JSON.parse(await keptIn(page, "sessionStorage")));
  assert.equal((await shop().call("GET", "/me", { token })).status, 200);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Password").waitFor();
  assert.equal((await shop().call("GET", "/me", { token })).status, 401);
  assert.equal(await keptIn(page, "sessionStorage"), "{}");
});

visit("a wrong password is told, and what was typed stays", shop, async (visitor) => {
  visitor.allow(/401 POST .*\/mechanics\/login/);
  const page = await visitor.open("/desk");
  await page.getByLabel("E-mail").fill("advisor@example.com");
  await page.getByLabel("Password").fill("not this one");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText("wrong").waitFor();
  assert.equal(await page.getByLabel("E-mail").inputValue(), "advisor@example.com");
  await assertAccessible(page);
});

visit("what goes wrong on a page is noticed", shop, async (visitor) => {
  const page = await visitor.open("/desk");
  await page.evaluate(() => {
    new Image().src = "https://elsewhere.example/x.png";
    console.error("a word on the console");
    setTimeout(() => {
      throw new Error("an uncaught error");
    });
    return fetch("/nothing");
  });
  for (const expected of [/policy: img-src/, /a word on the console/, /an uncaught error/, /404 GET .*\/nothing/]) {
    await until(() => visitor.faults.some((fault) => expected.test(fault)));
  }
  visitor.allow(/./);
});
