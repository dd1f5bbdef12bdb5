/** Hooks that screens share: data that stays fresh, keys, and forms. */

import { newKey, Problem, Unreachable } from "./api.js";
import { api, explain } from "./session.js";
import { useCallback, useEffect, useRef, useState } from "./vendor/preact.js";

const DRY_RUN_REST = 250; // milliseconds from a choice to its total: people choose for several things in a row

/**
 * Keep what a GET answers fresh: ask again every few seconds with its `ETag`, and at once when the page is shown or
 * the server can be reached again. Nothing is asked while the page is hidden.
 *
 * @param {string | null} path Nothing is asked while it is null.
 * @param {Record<string, any>} [query]
 * @param {{ seconds?: number, version?: number }} [options] Another version of what it is about is asked for at once.
 */
export function usePolled(path, query, { seconds = 10, version } = {}) {
  const [answer, setAnswer] = useState(/** @type {import("./api.js").Answer | null} */ (null));
  const [error, setError] = useState(/** @type {unknown} */ (null));
  const latest = useRef(/** @type {import("./api.js").Answer | null} */ (null));
  const asked = JSON.stringify([path, query]);

  const keep = (/** @type {import("./api.js").Answer} */ fresh) => fresh.status === 304 || setAnswer((latest.current = fresh));

  const refresh = useCallback(
    /** @param {AbortSignal} [signal] */ async (signal) => {
      if (path === null) return;
      try {
        keep(await api.get(path, query, { etag: latest.current?.etag, signal }));
        setError(null);
      } catch (failure) {
        if (!signal?.aborted && !(failure instanceof Unreachable)) setError(failure);
      }
    },
    [asked], // eslint-disable-line react-hooks/exhaustive-deps -- it stands for the path and the query
  );

  useEffect(() => {
    const stop = new AbortController();
    latest.current = null;
    const poll = () => {
      if (!document.hidden) void refresh(stop.signal);
    };
    poll();
    const timer = setInterval(poll, seconds * 1000);
    document.addEventListener("visibilitychange", poll, { signal: stop.signal });
    api.addEventListener("reachable", () => api.isReachable && poll(), { signal: stop.signal });
    return () => (clearInterval(timer), stop.abort());
  }, [refresh, seconds, version]);

  return { data: answer?.data ?? null, etag: answer?.etag ?? null, error, refresh, keep };
}

/** Everybody of the staff, also who has left. @returns {import("./types").Mechanic[]} */
export const useStaff = () => usePolled("/mechanics", { per_page: 100, sort: "name" }, { seconds: 300 }).data ?? [];

/**
 * Hear events while the component is shown.
 *
 * @param {EventTarget} target @param {string} name @param {(event: any) => void} listener
 */
export function useListener(target, name, listener) {
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => {
    const hear = (/** @type {Event} */ event) => latest.current(event);
    target.addEventListener(name, hear);
    return () => target.removeEventListener(name, hear);
  }, [target, name]);
}

/** Whether the server answers this client. @param {import("./api.js").Api} client */
export function useReachable(client) {
  const [isReachable, setReachable] = useState(client.isReachable);
  useListener(client, "reachable", () => setReachable(client.isReachable));
  return isReachable;
}

/**
 * What a change would come to, by a dry run of it. The answer to the newest question wins. Where the server does not
 * answer, it is asked again once it does.
 *
 * @param {string} path
 * @param {string | null} question The body of the POST; nothing is asked while it is null.
 * @param {number} version It is asked again with each.
 * @returns {{ data: any, error: unknown, isBusy: boolean }} While it is busy, the data is that of the question before.
 */
export function useDryRun(path, question, version) {
  const [answer, setAnswer] = useState(/** @type {{ to: string, data?: any, error?: unknown }} */ ({ to: "" }));
  const isReachable = useReachable(api);
  const name = `${version} ${question}`;
  const isAnswered = question === null || answer.to === name;
  const isKnown = isAnswered && !answer.error;
  useEffect(() => {
    if (question === null || isKnown) return undefined;
    const stop = new AbortController();
    const ask = () =>
      api.post(`${path}?dry_run=true`, JSON.parse(question), { signal: stop.signal }).then(
        ({ data }) => setAnswer({ to: name, data }),
        (error) => stop.signal.aborted || setAnswer({ to: name, error }),
      );
    const timer = setTimeout(ask, DRY_RUN_REST);
    return () => (clearTimeout(timer), stop.abort());
  }, [path, question, name, isKnown, isReachable]);
  return { data: question && answer.data, error: isAnswered && answer.error, isBusy: !isAnswered };
}

/** @typedef {[label: string, act: (event: KeyboardEvent) => void]} Binding */

/** What can be pressed now, for the help. @type {Set<{ current: Record<string, Binding> }>} */
const bound = new Set();

/** @returns {[string, string][]} Each key that can be pressed now, and what it does. */
export const boundKeys = () =>
  [...bound].flatMap(({ current }) => Object.entries(current).map(([key, [label]]) => /** @type {[string, string]} */ ([key, label])));

/**
 * Let single keys act while the component is shown, unless somebody types or a dialog is open.
 *
 * @param {Record<string, Binding>} bindings
 */
export function useKeys(bindings) {
  const current = useRef(bindings);
  current.current = bindings;
  useEffect(() => {
    bound.add(current);
    return () => void bound.delete(current);
  }, []);
  useListener(document, "keydown", (/** @type {KeyboardEvent} */ event) => {
    const binding = bindings[event.key];
    if (!binding || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const isTyping = event.target instanceof Element && event.target.matches("input, textarea, select, [contenteditable]");
    if (isTyping || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    binding[1](event);
  });
}

/** @param {any} errors Messages, or an object of them. @returns {string} */
function sentences(errors) {
  if (Array.isArray(errors)) return errors.map(sentences).join(" ");
  return errors && typeof errors === "object" ? Object.values(errors).map(sentences).join(" ") : String(errors ?? "");
}

const NO_FAILURE = { message: "", problem: /** @type {Problem | null} */ (null) };

/** Do what may fail, one at a time, and hold what went wrong. */
export function useAct() {
  const [failure, setFailure] = useState(NO_FAILURE);
  const [isBusy, setBusy] = useState(false);

  /** @param {() => unknown} send Throws `Problem` or `Unreachable`. */
  const act = async (send) => {
    if (isBusy) return;
    setBusy(true);
    setFailure(NO_FAILURE);
    try {
      await send();
    } catch (error) {
      setFailure({ message: explain(error), problem: error instanceof Problem ? error : null });
    } finally {
      setBusy(false);
    }
  };

  /** @param {string} name What is wrong with a field. */
  const errorOf = (name) => sentences(failure.problem?.errors[name]);

  return { act, ...failure, isBusy, errorOf };
}

/**
 * Hold what is typed into a form, send it, and hold what was wrong with it. What is typed stays until the form is gone.
 *
 * @template {Record<string, any>} Values
 * @param {Values} initial
 * @param {(values: Values, key: string, flags: Record<string, boolean>) => Promise<any>} send Throws `Problem` or
 *   `Unreachable`. The key is an idempotency key: where the server did not answer, it is the same while the values are.
 *   The flags are those that somebody insists on, such as `override`.
 */
export function useForm(initial, send) {
  const [values, setValues] = useState(initial);
  const unanswered = useRef({ body: "", key: "" });
  const flags = useRef(/** @type {Record<string, boolean>} */ ({}));
  const { act, ...outcome } = useAct();

  /** @param {Partial<Values>} changes */
  const set = (changes) => ((flags.current = {}), setValues((before) => ({ ...before, ...changes })));

  const sendOnce = () => {
    const body = JSON.stringify([values, flags.current]);
    const { key } = unanswered.current.body === body ? unanswered.current : { key: newKey() };
    unanswered.current = { body: "", key: "" };
    return send(values, key, flags.current).catch((error) => {
      if (error instanceof Unreachable) unanswered.current = { body, key };
      throw error;
    });
  };
  const submit = (/** @type {Event | void} */ event) => (event?.preventDefault(), act(sendOnce));
  /** Send it all the same, with this flag, until what is typed changes. @param {string} flag */
  const insist = (flag) => ((flags.current[flag] = true), submit());

  /** @param {keyof Values & string} name The properties of an input. */
  const bind = (name) => ({
    name,
    value: values[name] ?? "",
    onInput: (/** @type {Event} */ event) =>
      set(/** @type {Partial<Values>} */ ({ [name]: /** @type {HTMLInputElement} */ (event.target).value })),
  });

  return { values, set, submit, insist, bind, ...outcome };
}
