// Write app/desk/static/vendor/ from the packages that package-lock.json pins; with --check, fail where it differs.
// Browsers get no import map, which the content security policy would refuse, so imports become relative.
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";

const FOLDER = new URL("../../app/desk/static/vendor/", import.meta.url);
const PACKAGES = new URL("node_modules/", import.meta.url);
const MODULES = [
  { name: "preact", source: "dist/preact.mjs", file: "preact-core.js" },
  { name: "preact", source: "hooks/dist/hooks.mjs", file: "preact-hooks.js" },
  { name: "htm", source: "dist/htm.mjs", file: "htm.js" },
];
const ENTRY = `// Written by tests/desk/vendor.mjs: Preact, its hooks, and htm bound to it, as one module.
import htm from "./htm.js";
import { h } from "./preact-core.js";

export * from "./preact-core.js";
export * from "./preact-hooks.js";
export const html = htm.bind(h);
`;
const TYPES = `import type { VNode } from "preact";

export * from "preact";
export * from "preact/hooks";
export const html: (strings: TemplateStringsArray, ...values: unknown[]) => VNode;
`;

const read = (path) => readFile(new URL(path, PACKAGES), "utf8");

async function vendored({ name, source }) {
  const { version, license } = JSON.parse(await read(`${name}/package.json`));
  const code = (await read(`${name}/${source}`))
    .replace(/^\/\/# sourceMappingURL=.*$/m, "")
    .replaceAll('from"preact"', 'from"./preact-core.js"')
    .trimEnd();
  return `// ${name} ${version}, ${license}; vendored by tests/desk/vendor.mjs, see LICENSES.txt.\n${code}\n`;
}

async function licences() {
  const names = [...new Set(MODULES.map(({ name }) => name))];
  const texts = await Promise.all(names.map(async (name) => `${name}\n\n${await read(`${name}/LICENSE`)}`));
  return texts.join(`\n${"=".repeat(80)}\n\n`);
}

async function files() {
  const modules = await Promise.all(MODULES.map(async (module) => [module.file, await vendored(module)]));
  return new Map([...modules, ["preact.js", ENTRY], ["preact.d.ts", TYPES], ["LICENSES.txt", await licences()]]);
}

async function write(wanted) {
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true });
  for (const [name, text] of wanted) await writeFile(new URL(name, FOLDER), text);
}

async function differences(wanted) {
  const found = await readdir(FOLDER);
  const extra = found.filter((name) => !wanted.has(name));
  const missing = [...wanted.keys()].filter((name) => !found.includes(name));
  const kept = found.filter((name) => wanted.has(name));
  const texts = await Promise.all(kept.map((name) => readFile(new URL(name, FOLDER), "utf8")));
  return [...extra, ...missing, ...kept.filter((name, at) => texts[at] !== wanted.get(name))];
}

const wanted = await files();
if (process.argv.includes("--check")) {
  const differing = await differences(wanted);
  if (differing.length) {
    console.error(`app/desk/static/vendor/ is not what is pinned (${differing.join(", ")}); make desk-vendor writes it`);
    process.exit(1);
  }
} else {
  await write(wanted);
}
