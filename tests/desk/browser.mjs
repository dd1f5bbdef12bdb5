// Pages of Chromium on which nothing may go wrong: no error on the console, no report of the content security policy,
// no failed request, no uncaught error, no box that text of others opened, no token where others may read it.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

import { Server } from "./server.mjs";

export const { PASSWORD } = process.env; // of all accounts of the demo shop
export const DESKTOP = { width: 1280, height: 800 };
export const TABLET = { width: 820, height: 1180 };
export const PHONE = { width: 390, height: 844 };
const TIMEOUT = 180_000; // milliseconds, for a test
const PATIENCE = 30_000; // for a step of it; the machine may be busy
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
/** The rules to which it makes a difference whether a page is light or dark. */
const OF_COLORS = ["color-contrast", "link-in-text-block"];

let browser;

/** Run tests over one server, with these settings of the application. `shop()` is the server once they run. */
export function serve(settings = {}) {
  let server;
  before(async () => {
    server = await Server.start(settings);
    browser = await chromium.launch({
      executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
      args: ["--no-sandbox"], // which it refuses to do without as root
    });
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });
  return () => server;
}

/** What happens in the browsers of a test. */
class Visit {
  faults = [];
  #allowed = [];
  #contexts = [];
  #addresses = new Set(); // of requests and pages
  #tokens = new Set(); // that requests brought

  constructor(server) {
    this.server = server;
  }

  /** Open a page in a browser of its own, for somebody who has not been there. */
  async open(path, { viewport = DESKTOP, ...options } = {}) {
    const context = await browser.newContext({ baseURL: this.server.address, viewport, reducedMotion: "reduce", ...options });
    this.#contexts.push(context);
    context.setDefaultTimeout(PATIENCE);
    await context.exposeBinding("reportViolation", (_source, text) => this.faults.push(text));
    await context.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sourceFile }) =>
        window.reportViolation(`policy: ${violatedDirective} ${blockedURI} ${sourceFile}`),
      );
    });
    context.on("page", (page) => this.#watch(page));
    const page = await context.newPage();
    if (path) await page.goto(path);
    return page;
  }

  /** Open the desk and sign in. */
  async signIn(role, path = "/desk", options = {}) {
    const page = await this.open(path, options);
    await signIn(page, role);
    return page;
  }

  /** Let what is told of a fault be as it is, such as a refusal that the test asks for. */
  allow(...patterns) {
    this.#allowed.push(...patterns);
  }

  #watch(page) {
    const note = (text) => this.faults.push(`${new URL(page.url(), "http://-").pathname}: ${text}`);
    page.on("pageerror", (error) => note(`uncaught: ${error.stack ?? error.message}`));
    page.on("console", (message) => {
      const ofAnswer = message.text().startsWith("Failed to load resource"); // told below, with its address
      if (["error", "warning"].includes(message.type()) && !ofAnswer) note(`console: ${message.text()}`);
    });
    page.on("dialog", (dialog) => (note(`dialog: ${dialog.message()}`), dialog.dismiss()));
    page.on("framenavigated", (frame) => this.#addresses.add(frame.url()));
    page.on("request", (request) => {
      this.#addresses.add(request.url());
      const [, token] = (request.headers().authorization ?? "").split(" ");
      if (token) this.#tokens.add(token);
    });
    page.on("requestfailed", (request) => {
      const { errorText } = request.failure();
      if (errorText !== "net::ERR_ABORTED") note(`${errorText} ${request.method()} ${request.url()}`); // not by the page itself
    });
    page.on("response", (response) => {
      const request = response.request();
      if (response.status() >= 400) note(`${response.status()} ${request.method()} ${response.url()}`);
    });
  }

  /** Where a token of somebody who signed in is: in an address, or in `localStorage`, which outlives the tab. */
  async #leaks() {
    const pages = this.#contexts.flatMap((context) => context.pages()).filter((page) => page.url().startsWith(this.server.address));
    const kept = await Promise.all(pages.map((page) => page.evaluate(() => JSON.stringify({ ...localStorage }))));
    const told = [...this.#addresses, ...kept];
    return told.filter((text) => [...this.#tokens].some((token) => text.includes(token))).map((text) => `token: ${text}`);
  }

  async end() {
    this.faults.push(...(await this.#leaks()));
    await Promise.all(this.#contexts.map((context) => context.close()));
    const told = this.faults.filter((fault) => !this.#allowed.some((pattern) => pattern.test(fault)));
    assert.deepEqual(told, []);
  }
}

/** A test in which nothing goes wrong that it does not allow. */
export function visit(name, shop, body, { timeout = TIMEOUT } = {}) {
  test(name, { timeout }, async () => {
    const visiting = new Visit(shop());
    try {
      await body(visiting);
    } catch (error) {
      await visiting.end().catch(({ actual }) => console.error("Told by the browser:", actual));
      throw error;
    }
    await visiting.end();
  });
}

/** Return once something holds that no page shows. */
export async function until(holds) {
  for (const since = Date.now(); !(await holds()); ) {
    assert.ok(Date.now() - since < PATIENCE, `It did not come to ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Sign in on the page, by keyboard. */
export async function signIn(page, role, password = PASSWORD) {
  await page.getByLabel("E-mail", { exact: true }).fill(`${role}@example.com`);
  await page.getByLabel("Password").fill(password);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Sign out" }).waitFor();
}

/** Whether the page is wider than its window. */
export const isWider = (page) => page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);

/** Fail at a serious or critical finding of axe on the page as it is, in light and in dark. */
export async function assertAccessible(page) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(await readFile(AXE, "utf8"));
  for (const [colorScheme, rules] of [["light", {}], ["dark", { runOnly: OF_COLORS }]]) {
    await page.emulateMedia({ colorScheme });
    const run = (options) => window.axe.run(document, { resultTypes: ["violations"], ...options });
    const { violations } = await page.evaluate(run, rules);
    const grave = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
    const told = grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`)}`);
    assert.deepEqual(told, [], `in ${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: null });
}
