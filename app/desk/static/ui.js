/** The building blocks of every screen. */

import { words } from "./format.js";
import { useListener } from "./hooks.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "./vendor/preact.js";

/** @typedef {import("./vendor/preact.js").ComponentChildren} Children */
/** @typedef {string | { id: number | string, name: string }} Choice A word of the API, or a row such as somebody of the staff. */
/** @typedef {{ id: number, text: string, isProblem: boolean }} Notice */

/**
 * @typedef {object} Sent What sends a form, such as `useForm`.
 * @property {(event: Event) => void} submit
 * @property {string} message
 * @property {boolean} isBusy
 * @property {import("./api.js").Problem | null} [problem]
 * @property {(flag: string) => unknown} [insist]
 */

const NOTICE_SECONDS = 6;
/** Where the focus goes in a dialog: to the first field, or to what it is about. */
const FIRST = ":is(input, select, textarea):not(:disabled), .primary";
const notices = new EventTarget();
let lastNotice = 0;

/**
 * Say something in the corner of the page, for people and screen readers.
 *
 * @param {string} text @param {{ isProblem?: boolean }} [options]
 */
export function notify(text, { isProblem = false } = {}) {
  notices.dispatchEvent(new CustomEvent("notice", { detail: { id: (lastNotice += 1), text, isProblem } }));
}

/** The notices of the last seconds. Problems stay until they are closed. */
export function Notices() {
  const [shown, setShown] = useState(/** @type {Notice[]} */ ([]));
  const close = (/** @type {number} */ id) => setShown((before) => before.filter((notice) => notice.id !== id));
  useListener(notices, "notice", (/** @type {CustomEvent<Notice>} */ { detail: notice }) => {
    setShown((before) => [...before.slice(-3), notice]);
    if (!notice.isProblem) setTimeout(() => close(notice.id), NOTICE_SECONDS * 1000);
  });
  return html`<div class="notices" role="status" aria-live="polite">
    ${shown.map(
      ({ id, text, isProblem }) => html`<p key=${id} class=${isProblem ? "notice problem" : "notice"}>
        <span>${text}</span>
        <button type="button" class="plain" aria-label="Close" onClick=${() => close(id)}>×</button>
      </p>`,
    )}
  </div>`;
}

/**
 * A dialog over the page. Esc and the close button call `onClose`; the focus goes to the first field, and back to
 * where it was, or to the content of the page where that is gone.
 *
 * @param {object} props
 * @param {string} props.title
 * @param {() => void} [props.onClose] Without it, it cannot be closed.
 * @param {Children} [props.children]
 * @param {boolean} [props.wide]
 * @param {Sent} [props.form] With it, the children are those of a `Form`.
 * @param {string} [props.submit]
 */
export function Dialog({ title, onClose, children, wide = false, form, ...ofForm }) {
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const before = useRef(/** @type {HTMLElement | null} */ (null));
  // Before the next key is pressed.
  useLayoutEffect(() => {
    before.current = /** @type {HTMLElement | null} */ (document.activeElement);
    element.current?.showModal();
    const first = element.current?.querySelector("[autofocus]") ?? element.current?.querySelector(FIRST);
    /** @type {HTMLElement | null | undefined} */ (first)?.focus();
  }, []);
  // Once it is gone: an open one keeps the focus to itself.
  const giveBack = () => {
    const isThere = before.current?.isConnected && before.current !== document.body;
    (isThere ? before.current : document.getElementById("content"))?.focus();
  };
  useEffect(() => giveBack, []);
  const cancel = (/** @type {Event} */ event) => (event.preventDefault(), onClose?.());
  return html`<dialog ref=${element} class=${wide ? "wide" : ""} aria-label=${title} onCancel=${cancel}>
    <header>
      <h2>${title}</h2>
      ${onClose && html`<button type="button" class="plain" aria-label="Close" onClick=${onClose}>×</button>`}
    </header>
    ${form ? html`<${Form} form=${form} ...${ofForm}>${children}<//>` : children}
  </dialog>`;
}

/**
 * A labelled field. The child is the input; what is wrong with it stands below.
 *
 * @param {{ label: string, error?: string, hint?: string, children?: Children }} props
 */
export const Field = ({ label, error, hint, children }) => html`<label class=${error ? "field invalid" : "field"}>
  <span>${label}</span>
  ${children} ${hint && html`<small>${hint}</small>`}
  ${error && html`<small class="error" role="alert">${error}</small>`}
</label>`;

/**
 * A field of a form; other properties are the input's.
 *
 * @param {{ form: any, name: string, label: string, hint?: string, error?: string, [property: string]: any }} props
 */
export const Text = ({ form, name, label, hint, error = form.errorOf(name), ...input }) =>
  html`<${Field} label=${label} hint=${hint} error=${error}>
    <input autocomplete="off" dir="auto" ...${input} ...${form.bind(name)} />
  <//>`;

/** @param {{ of: readonly Choice[], none?: string }} props `none` stands for no choice. */
export function Options({ of, none }) {
  const rows = of.map((each) => (typeof each === "string" ? { id: each, name: words(each) } : each));
  const all = none === undefined ? rows : [{ id: "", name: none }, ...rows];
  return all.map(({ id, name }) => html`<option key=${id} value=${id}>${name}</option>`);
}

/**
 * A field of a form that is chosen.
 *
 * @param {{ form: any, name: string, label: string, of: readonly Choice[], none?: string, [property: string]: any }} props
 */
export const Select = ({ form, name, label, of, none, ...select }) =>
  html`<${Field} label=${label} error=${form.errorOf(name)}>
    <select ...${form.bind(name)} ...${select}><${Options} of=${of} none=${none} /></select>
  <//>`;

/**
 * What is chosen of a few things, with what there is to say between; other properties are the inputs'. Without `choose`
 * they are what a form is sent with.
 *
 * @param {object} props
 * @param {Children} props.legend
 * @param {Children} [props.children]
 * @param {string} [props.class]
 * @param {[value: string, label: Children][]} props.of
 * @param {string | string[]} [props.chosen]
 * @param {(value: string) => void} [props.choose]
 */
export function Choices({ legend, children, class: look = "choices", of, chosen, choose, ...input }) {
  const isChosen = (/** @type {string} */ value) => (chosen === undefined ? undefined : [chosen].flat().includes(value));
  return html`<fieldset class=${look}>
    <legend>${legend}</legend>
    ${children}
    <div class="options flow">
      ${of.map(
        ([value, label]) => html`<label key=${value} class="flow">
          <input type="radio" ...${input} value=${value} checked=${isChosen(value)} onChange=${() => choose?.(value)} /> ${label}
        </label>`,
      )}
    </div>
  </fieldset>`;
}

/** @param {{ form: any, name: string, children?: Children }} props */
export function Check({ form, name, children }) {
  const set = (/** @type {Event} */ event) => form.set({ [name]: /** @type {HTMLInputElement} */ (event.target).checked });
  return html`<label class="check flow">
    <input type="checkbox" name=${name} checked=${form.values[name]} onChange=${set} /> ${children}
  </label>`;
}

/**
 * A form of fields, with what went wrong above its buttons.
 *
 * @param {{ form: Sent, submit?: string, children?: Children, extra?: Children }} props
 */
export const Form = ({ form, submit, children, extra }) => html`<form onSubmit=${form.submit} novalidate>
  ${children}
  ${form.message && html`<p class="problem" role="alert">${form.message}</p>`}
  <footer>
    ${extra}
    ${form.problem?.slug === "odometer-backwards" &&
    html`<button type="button" onClick=${() => form.insist?.("override")}>It is right: save it all the same</button>`}
    <button type="submit" class="primary" aria-disabled=${form.isBusy}>${submit}</button>
  </footer>
</form>`;

/** @typedef {[heading: string, kind: string, cell: (row: any) => Children]} TableColumn `kind` is the class of its cells. */

/**
 * A table of what has an `id`, a row each; the first column names the row.
 *
 * @param {{ columns: TableColumn[], rows: any[] | null, none?: string }} props `none` stands for no rows; null is not there yet.
 */
export function Table({ columns, rows, none }) {
  if (!rows?.length) return html`<p class="quiet">${rows ? none : "…"}</p>`;
  const cells = (/** @type {any} */ row) =>
    columns.map(([heading, kind, cell], index) => {
      const [tag, scope] = index ? ["td"] : ["th", "row"];
      return html`<${tag} key=${heading} scope=${scope} class=${kind}>${cell(row)}<//>`;
    });
  return html`<div class="scrolls">
    <table>
      <thead>
        <tr>${columns.map(([heading, kind]) => html`<th key=${heading} scope="col" class=${kind}>${heading}</th>`)}</tr>
      </thead>
      <tbody>${rows.map((row) => html`<tr key=${row.id}>${cells(row)}</tr>`)}</tbody>
    </table>
  </div>`;
}

/**
 * Links to screens, or to views of one.
 *
 * @param {{ label: string, of: [path: string, text: string][], isCurrent: (path: string) => boolean }} props
 */
export const Links = ({ label, of, isCurrent }) => html`<nav class="flow" aria-label=${label}>
  ${of.map(([to, text]) => html`<a key=${to} href=${`#${to}`} aria-current=${isCurrent(to) ? "page" : undefined}>${text}</a>`)}
</nav>`;

/** @param {{ status: string, children?: Children }} props */
export const Badge = ({ status, children }) => html`<span class=${`badge ${status}`}>${children}</span>`;
