/** A dialog that changes some fields of a record under `If-Match`, so that two people who change it lose nothing. */

import { Problem } from "./api.js";
import { useForm } from "./hooks.js";
import { api } from "./session.js";
import { Dialog, Field, Form } from "./ui.js";
import { html, useRef, useState } from "./vendor/preact.js";

/** @typedef {[name: string, label: string, attributes?: Record<string, any>]} Input */
/** @typedef {{ title: string, of: Input[], path: string, data: any, etag: string | null, onDone: () => void }} Props */

/** @param {Input[]} inputs @param {any} data @returns {Record<string, string>} */
const texts = (inputs, data) => Object.fromEntries(inputs.map(([name]) => [name, String(data[name] ?? "")]));

/** @param {string} text @param {any} attributes A number where it is one; what is none, the server refuses by name. */
const valueOf = (text, attributes) => (attributes?.inputmode === "numeric" && /^\d+$/.test(text) ? Number(text) : text || null);

/** @param {Props & { onClose: () => void }} props */
function Edit({ title, of, path, data, etag, onDone, onClose }) {
  const base = useRef({ texts: texts(of, data), etag });
  const override = useRef(false);
  const [theirs, setTheirs] = useState(/** @type {Record<string, string>} */ ({}));

  /** Take over what somebody else changed; where both did, theirs is told, and mine goes on top when sent again. @param {Record<string, string>} mine */
  const merge = async (mine) => {
    const fresh = await api.get(path);
    const [before, now] = [base.current.texts, texts(of, fresh.data)];
    const changed = Object.entries(now).filter(([name, text]) => text !== before[name]);
    const isMine = (/** @type {string} */ name) => mine[name] !== before[name];
    form.set(Object.fromEntries(changed.filter(([name]) => !isMine(name))));
    setTheirs(Object.fromEntries(changed.filter(([name]) => isMine(name))));
    base.current = { texts: now, etag: fresh.etag };
  };
  const form = useForm(base.current.texts, async (values) => {
    const changed = of.filter(([name]) => values[name]?.trim() !== base.current.texts[name]);
    const changes = Object.fromEntries(changed.map(([name, , attributes]) => [name, valueOf(values[name]?.trim() ?? "", attributes)]));
    try {
      await api.put(path, override.current ? { ...changes, override: true } : changes, { etag: base.current.etag });
    } catch (error) {
      if (!(error instanceof Problem) || error.slug !== "stale") throw error;
      await merge(values);
      error.message = "Somebody else changed this meanwhile; what they changed is shown. Look at it, and save again.";
      throw error;
    }
    onDone();
    onClose();
  });
  const insist = () => ((override.current = true), form.submit());
  const isBackwards = form.problem?.slug === "odometer-backwards";
  return html`<${Dialog} title=${title} onClose=${onClose}>
    <${Form} form=${form} submit="Save" extra=${isBackwards && html`<button type="button" onClick=${insist}>It is right: save it</button>`}>
      ${of.map(([name, label, attributes], index) => {
        const hint = theirs[name] === undefined ? "" : `Meanwhile: ${theirs[name] || "empty"}`;
        return html`<${Field} key=${name} label=${label} hint=${hint} error=${form.errorOf(name)}>
          <input dir="auto" autofocus=${index === 0} ...${attributes} ...${form.bind(name)} />
        <//>`;
      })}
    <//>
  <//>`;
}

/** @param {Props} props */
export function EditButton(props) {
  const [isOpen, setOpen] = useState(false);
  return html`<button type="button" onClick=${() => setOpen(true)}>Change</button>
    ${isOpen && html`<${Edit} ...${props} onClose=${() => setOpen(false)} />`}`;
}
