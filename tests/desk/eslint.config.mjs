// What the types do not tell: promises that nobody waits for, hooks that miss a value, text that would become markup.
import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import hooks from "eslint-plugin-react-hooks";
import globals from "globals";
import ts from "typescript-eslint";

const STATIC = "app/desk/static";
const MARKUP = "innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|srcdoc";
const OF_THE_CLIENT = ["fetch", "localStorage", "sessionStorage", "XMLHttpRequest"];

const strict = {
  eqeqeq: "error",
  "no-eval": "error",
  "no-implied-eval": "error",
  "no-new-func": "error",
  "no-var": "error",
  "no-shadow": "error",
  "object-shorthand": "error",
  "prefer-const": "error",
};

export default defineConfig([
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: [`${STATIC}/**/*.js`],
    ignores: [`${STATIC}/vendor/**`],
    extends: [js.configs.recommended],
    plugins: { "react-hooks": hooks, "@typescript-eslint": ts.plugin },
    languageOptions: { parser: ts.parser, parserOptions: { project: "tsconfig.json", tsconfigRootDir: import.meta.dirname } },
    rules: {
      ...strict,
      "no-undef": "off", // the types tell
      "no-alert": "error",
      "no-console": "error",
      "no-restricted-globals": ["error", ...OF_THE_CLIENT.map((name) => ({ name, message: "api.js alone uses it." }))],
      "no-restricted-syntax": [
        "error",
        { selector: `Identifier[name=/^(${MARKUP})$/]`, message: "Text must not become markup." },
        { selector: `TemplateElement[value.raw=/${MARKUP}/]`, message: "Text must not become markup." },
      ],
      "react-hooks/rules-of-hooks": "error",
      "react-hooks/exhaustive-deps": "error",
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: false }], // a listener may be async
      "@typescript-eslint/switch-exhaustiveness-check": "error",
    },
  },
  { files: [`${STATIC}/api.js`], rules: { "no-restricted-globals": "off" } },
  {
    files: ["tests/desk/*.mjs"],
    extends: [js.configs.recommended],
    languageOptions: { globals: { ...globals.node, ...globals.browser } }, // parts of them run in a page
    rules: strict,
  },
]);
