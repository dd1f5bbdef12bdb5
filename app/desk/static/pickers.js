/** A field that finds things while one types: an ARIA combobox with a list below it. */

import { explain } from "./session.js";
import { html, useEffect, useId, useRef, useState } from "./vendor/preact.js";

/** @param {any} item */
const showTitle = ({ title, detail }) => html`<bdi>${title}</bdi> <bdi class="quiet">${detail}</bdi>`;

/** So long typing rests before the server is asked. */
const REST_MILLISECONDS = 150;
/** So much of a text is searched for. */
const MAX_LENGTH = 100;

/**
 * Items that have a `group` stand under it as a heading; those of a group follow each other.
 *
 * @template Item
 * @typedef {object} PickerProps
 * @property {string} label
 * @property {string} text What is typed. The owner keeps it, so that it can be cleared or filled in after a pick.
 * @property {(text: string) => void} onText
 * @property {(text: string, signal: AbortSignal) => Promise<Item[]>} search
 * @property {(item: Item) => import("./vendor/preact.js").ComponentChildren} [show] What an option of the list says; its
 *   `title` and `detail` unless given.
 * @property {(item: Item) => void} onPick
 * @property {boolean} [isFree] What is typed is good by itself: Enter picks only what the arrows chose, else it is the form's.
 * @property {number} [shortest] So many characters are searched for; 0 shows the list at once.
 * @property {string} [error]
 * @property {string} [hint]
 * @property {Record<string, any>} [input] More properties of the input, such as `ref` and `name`.
 */

/** @template Item @typedef {{ text: string | null, items: Item[], message: string }} Found What was found for a text. */

/** @type {Found<any>} */
const NOTHING = { text: null, items: [], message: "" };

/**
 * Ask while the list is open, once typing rests. The last answer stays until the next, which `wait` asks for at once.
 *
 * @template Item
 * @param {string | null} text Null while nothing is asked.
 * @param {PickerProps<Item>["search"]} search
 */
function useFound(text, search) {
  const [found, setFound] = useState(/** @type {Found<Item>} */ (NOTHING));
  const ask = useRef(search);
  const hurry = useRef(() => {});
  const whenFound = useRef(/** @type {((items: Item[]) => void) | null} */ (null));
  ask.current = search;
  useEffect(() => {
    if (text === null) return undefined;
    const stop = new AbortController();
    const find = async () => {
      const answer = { ...NOTHING, text };
      try {
        answer.items = await ask.current(text, stop.signal);
      } catch (error) {
        if (!stop.signal.aborted) answer.message = explain(error);
      }
      if (stop.signal.aborted) return;
      setFound(answer);
      whenFound.current?.(answer.items);
      whenFound.current = null;
    };
    const timer = setTimeout(find, REST_MILLISECONDS);
    hurry.current = () => (clearTimeout(timer), find());
    return () => (clearTimeout(timer), stop.abort());
  }, [text]);
  /** @param {typeof whenFound.current} act Null waits no longer. */
  const wait = (act) => ((whenFound.current = act), act && hurry.current());
  return { found: text === null ? NOTHING : found, wait };
}

/**
 * Arrows choose, Enter and a click pick, Esc closes the list. Enter that comes before the answer waits for it.
 *
 * @template Item
 * @param {PickerProps<Item>} props
 */
export function Picker({ label, text, onText, search, show = showTitle, onPick, error, hint, input, ...props }) {
  const { isFree = false, shortest = 1 } = props;
  const id = useId();
  const [isOpen, setOpen] = useState(false);
  const [chosen, choose] = useState(/** @type {number | null} */ (null));
  const asked = isOpen && text.trim().length >= shortest ? text.trim().slice(0, MAX_LENGTH) : null;
  const { found, wait } = useFound(asked, search);
  const { items, message } = found;
  const isFresh = found.text === asked;
  const active = chosen ?? (isFree || !items.length ? null : 0);
  useEffect(() => document.getElementById(`${id}-${active}`)?.scrollIntoView({ block: "nearest" }), [id, active]);

  const close = () => (setOpen(false), choose(null), wait(null));
  const pick = (/** @type {Item | undefined} */ item) => item !== undefined && (close(), onPick(item), true);
  /** @param {Event} event */
  const type = (event) => (close(), setOpen(true), onText(/** @type {HTMLInputElement} */ (event.target).value));
  /** @param {number} step */
  const move = (step) => {
    setOpen(true);
    if (items.length) choose(((active ?? (step > 0 ? -1 : items.length)) + step + items.length) % items.length);
    return true;
  };
  const enter = () => {
    if (isFresh || chosen !== null) return active !== null && pick(items[active]);
    if (!isFree) wait(([first]) => pick(first));
    return !isFree;
  };
  /** @type {Record<string, () => unknown>} What keys do while the list is open; what answers true is not done besides. */
  const keys = { ArrowDown: () => move(1), ArrowUp: () => move(-1) };
  if (asked !== null) Object.assign(keys, { Enter: enter, Escape: () => (close(), true) });
  const press = (/** @type {KeyboardEvent} */ event) => keys[event.key]?.() && event.preventDefault();

  const option = (/** @type {Item} */ item, /** @type {number} */ index) => {
    const [before, group] = [items[index - 1], item].map((each) => /** @type {any} */ (each)?.group);
    return html`${group && group !== before && html`<li role="presentation" class="quiet" key=${group}>${group}</li>`}
      <li role="option" id=${`${id}-${index}`} key=${index} aria-selected=${index === active} onClick=${() => pick(item)}>
        ${show(item)}
      </li>`;
  };
  /** A press on the list leaves the focus in the field. @param {Event} event */
  const stay = (event) => event.preventDefault();
  const count = items.length ? `${items.length} found` : !isFree && "Nothing found";
  const says = message || (asked !== null && isFresh && count);
  return html`<div class=${error ? "field picker invalid" : "field picker"}>
    <label for=${id}>${label}</label>
    <input
      ...${input}
      ...${{ id, role: "combobox", autocomplete: "off", spellcheck: false, value: text, dir: "auto" }}
      ...${{ "aria-autocomplete": "list", "aria-expanded": items.length > 0, "aria-controls": `${id}-list` }}
      aria-activedescendant=${active === null ? undefined : `${id}-${active}`}
      onInput=${type} onKeyDown=${press} onBlur=${close} onFocus=${() => setOpen(shortest === 0)}
    />
    <ul role="listbox" id=${`${id}-list`} aria-label=${label} hidden=${!items.length} onMouseDown=${stay}>
      ${items.map(option)}
    </ul>
    <small role="status" class=${message || !items.length ? "" : "visually-hidden"}>${says || hint}</small>
    ${error && html`<small class="error" role="alert">${error}</small>`}
  </div>`;
}
