// Fail where the desk has grown too large: lines of our own scripts, sheets and pages, without blank lines and comments,
// which hold the types; and kilobytes of all that is served, gzipped.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const FOLDER = fileURLToPath(new URL("../../app/desk/static/", import.meta.url));
const MAX_LINES = 3000;
const MAX_KILOBYTES = 100;

const isServed = (name) => /\.(js|css|html|svg|txt)$/.test(name);
const isOurs = (name) => !name.startsWith("vendor/") && !name.endsWith(".txt");
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

const files = readdirSync(FOLDER, { recursive: true })
  .filter(isServed)
  .map((name) => ({ name, content: readFileSync(FOLDER + name) }));
const codeOf = (text) => text.replace(/\/\*.*?\*\//gs, "").split("\n").filter((line) => /^\s*(?!\/\/)\S/.test(line));
const ours = files.filter(({ name }) => isOurs(name));
const lines = sum(ours.map(({ content }) => codeOf(content.toString()).length));
const kilobytes = sum(files.map(({ content }) => gzipSync(content).length)) / 1024;
console.log(`${lines} lines of our own, ${kilobytes.toFixed(1)} KB gzipped in all`);
if (lines > MAX_LINES || kilobytes > MAX_KILOBYTES) {
  console.error(`The desk may have ${MAX_LINES} lines of our own, and ${MAX_KILOBYTES} KB in all.`);
  process.exit(1);
}
