/** A dialog that changes some fields of a record under `If-Match`, so that two people who change it lose nothing. */

import { Problem } from "./api.js";
import { numberOf } from "./format.js";
import { useAct, useForm } from "./hooks.js";
import { api } from "./session.js";
import { Dialog, Text } from "./ui.js";
import { html, useRef, useState } from "./vendor/preact.js";

/** @typedef {Record<string, string>} Texts By the names of the fields. */
/** @typedef {{ title: string, labels: Texts, path: string, onDone: () => void }} Props */

/** The fields that are numbers in JSON; the others are text, amounts too. */
const NUMBERS = ["year", "odometer", "reorder_point"];

/** @param {Texts} labels @param {any} record @returns {Texts} */
const textsOf = (labels, record) => Object.fromEntries(Object.keys(labels).map((name) => [name, String(record[name] ?? "")]));

/** @param {string} name @param {string} text */
const valueOf = (name, text) => (NUMBERS.includes(name) && text ? numberOf(text) : text || null);

/** @param {Texts} texts @param {Texts} before */
const changesOf = (texts, before) => Object.entries(texts).filter(([name, text]) => text.trim() !== before[name]);

/** @param {Props & { read: import("./api.js").Answer, onClose: () => void }} props */
function Edit({ title, labels, path, read, onDone, onClose }) {
  const base = useRef({ texts: textsOf(labels, read.data), etag: read.etag });
  const [theirs, setTheirs] = useState(/** @type {Texts} */ ({}));

  /** Show what somebody else changed, and take it over where it was not changed here too. @param {Texts} mine */
  const merge = async (mine) => {
    const fresh = await api.get(path);
    const [before, now] = [base.current.texts, textsOf(labels, fresh.data)];
    const changes = changesOf(now, before);
    setTheirs(Object.fromEntries(changes));
    form.set(Object.fromEntries(changes.filter(([name]) => mine[name] === before[name])));
    base.current = { texts: now, etag: fresh.etag };
  };
  const form = useForm(base.current.texts, async (values, _key, flags) => {
    const changes = changesOf(values, base.current.texts).map(([name, text]) => [name, valueOf(name, text.trim())]);
    try {
      await api.put(path, { ...Object.fromEntries(changes), ...flags }, { etag: base.current.etag });
    } catch (error) {
      if (!(error instanceof Problem) || error.slug !== "stale") throw error;
      await merge(values);
      error.message = "Somebody else changed this meanwhile; what they changed is shown. Look at it, and save again.";
      throw error;
    }
    onDone();
    onClose();
  });
  return html`<${Dialog} title=${title} onClose=${onClose} form=${form} submit="Save">
    ${Object.entries(labels).map(([name, label]) => {
      const hint = theirs[name] === undefined ? "" : `Meanwhile: ${theirs[name] || "empty"}`;
      const inputmode = NUMBERS.includes(name) ? "numeric" : undefined;
      return html`<${Text} key=${name} form=${form} ...${{ name, label, hint, inputmode }} />`;
    })}
  <//>`;
}

/** A button that reads the record as it is now, and opens it. @param {Props} props */
export function EditButton(props) {
  const [read, setRead] = useState(/** @type {import("./api.js").Answer | null} */ (null));
  const { act, message } = useAct();
  return html`<button type="button" onClick=${() => act(async () => setRead(await api.get(props.path)))}>Change</button>
    ${message && html`<small class="error" role="alert">${message}</small>`}
    ${read && html`<${Edit} ...${props} read=${read} onClose=${() => setRead(null)} />`}`;
}
