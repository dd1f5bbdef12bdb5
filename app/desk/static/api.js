/**
 * A client of the Mechanic Shop API for browsers, without dependencies. To use it elsewhere, copy this file.
 *
 *     const api = new Api("https://shop.example", { askToSignIn: showSignInDialog });
 *     await api.signIn("asha@shop.example", "password");
 *     const { data: ticket, etag } = await api.get("/service-tickets/12");
 *     await api.put("/service-tickets/12/edit", { key_tag: "17" }, { etag });
 *
 * The token is kept in `sessionStorage`, so that it ends with the tab; the device in `localStorage`, so that the
 * server knows this browser again. Neither is ever part of an address.
 */

const TOKEN = "mechanic-shop.token";
const DEVICE = "mechanic-shop.device";
const MAX_TRIES = 5;
const MAX_WAIT_SECONDS = 60;
/** What a proxy answers while the server behind it is replaced. */
const GATEWAY_STATUSES = [502, 504];

/**
 * @typedef {object} Answer What the server answered.
 * @property {any} data The JSON body; null for 204, and for 304, where what is known still holds.
 * @property {string | null} etag The tag to send as `If-Match` with a change.
 * @property {number} status
 * @property {Headers} headers
 */

/**
 * @typedef {object} Options
 * @property {string | null} [etag] Sent as `If-None-Match` by `get`, and as `If-Match` by a change.
 * @property {AbortSignal} [signal]
 * @property {string} [key] The idempotency key of a POST; a new one unless given.
 */

/** A problem document (RFC 9457), thrown for every answer that is not a success. */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {Record<string, any>} document The problem document, with the members of its type.
   * @param {Headers} headers
   */
  constructor(status, document, headers) {
    super(document.detail || document.title || `The server answered ${status}.`);
    this.name = "Problem";
    this.status = status;
    this.document = document;
    this.slug = String(document.type || "").split("/").pop() || "";
    /** @type {Record<string, any>} What is wrong with each field of the request. */
    this.errors = document.errors || {};
    this.retryAfter = Number(headers.get("Retry-After")) || 0;
  }
}

/** The server cannot be reached. */
export class Unreachable extends Error {
  /** @override */ name = "Unreachable";
  /** @override */ message = "The server does not answer.";
}

/** @param {number} seconds @param {AbortSignal} [signal] */
export function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });
}

/** The seconds until what failed is sent again; 0: it is not. @param {unknown} error @param {number} tries @param {boolean} isRepeatable */
function waitAfter(error, tries, isRepeatable) {
  if (error instanceof Unreachable) return isRepeatable ? 2 ** tries / 4 : 0;
  const isBusy = error instanceof Problem && [429, 503].includes(error.status) && error.retryAfter <= MAX_WAIT_SECONDS;
  return isBusy ? error.retryAfter : 0;
}

/** What cannot be read to its end was not answered. @param {Response} response @returns {Promise<Answer>} */
async function read(response) {
  const { status, headers } = response;
  const isEmpty = status === 204 || status === 304;
  const data = isEmpty ? null : await response.json().catch(() => Promise.reject(new Unreachable()));
  return { data, status, headers, etag: headers.get("ETag") };
}

/** Return a new idempotency key. Unlike `crypto.randomUUID`, this is there on plain http too, as inside a shop's network. */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {string} path @param {Record<string, any>} [query] Members without a value are left out. */
export function address(path, query = {}) {
  const parameters = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return parameters.length ? `${path}?${new URLSearchParams(parameters)}` : path;
}

export class Api extends EventTarget {
  /** @type {Promise<void> | null} The sign-in that every refused request waits for. */
  #signingIn = null;
  /** Whether the server answered last time. A `reachable` event tells that it changed. */
  isReachable = true;

  /**
   * @param {string} base The address of the API; "" for the server of this page.
   * @param {object} [options]
   * @param {() => Promise<void>} [options.askToSignIn] Shows the sign-in, and resolves once somebody has signed in.
   *   Requests that were refused with 401 wait for it and are sent again; without it the 401 is thrown.
   */
  constructor(base, { askToSignIn } = {}) {
    super();
    this.base = base;
    this.askToSignIn = askToSignIn;
  }

  get isSignedIn() {
    return sessionStorage.getItem(TOKEN) !== null;
  }

  /** @param {string} email @param {string} password @returns {Promise<void>} */
  async signIn(email, password) {
    const device = localStorage.getItem(DEVICE);
    const response = await this.#fetch("POST", "/mechanics/login", {
      headers: { "Content-Type": "application/json", ...(device && { "X-Device": device }) },
      body: JSON.stringify({ email, password }),
    });
    const { data, headers } = await read(response);
    sessionStorage.setItem(TOKEN, data.token);
    const known = headers.get("X-Device");
    if (known) localStorage.setItem(DEVICE, known);
  }

  /** End the session on the server, and forget its token even where the server cannot be reached. */
  async signOut() {
    try {
      if (this.isSignedIn) await this.#fetch("POST", "/mechanics/logout", {});
    } finally {
      sessionStorage.removeItem(TOKEN);
    }
  }

  /** @param {string} path @param {Record<string, any>} [query] @param {Options} [options] @returns {Promise<Answer>} */
  async get(path, query, { etag, signal } = {}) {
    return read(await this.#request("GET", address(path, query), { headers: etag ? { "If-None-Match": etag } : {}, signal }));
  }

  /**
   * Send a POST with an `Idempotency-Key`. It is sent again with the same key while the server cannot be reached, so
   * that what was done is not done twice.
   *
   * @param {string} path @param {any} [body] @param {Options} [options] @returns {Promise<Answer>}
   */
  post(path, body = {}, { key = newKey(), ...options } = {}) {
    return this.#change("POST", path, body, options, { "Idempotency-Key": key });
  }

  /** @param {string} path @param {any} body @param {Options} [options] @returns {Promise<Answer>} */
  put(path, body, options) {
    return this.#change("PUT", path, body, options);
  }

  /** @param {string} path @param {Options} [options] @returns {Promise<Answer>} */
  delete(path, options) {
    return this.#change("DELETE", path, undefined, options);
  }

  /** Return a document, such as a PDF, as a blob. @param {string} path @returns {Promise<Blob>} */
  async getBlob(path) {
    return (await this.#request("GET", path, {})).blob();
  }

  /** @param {string} method @param {string} path @param {any} body @param {Options} [options] @param {Record<string, string>} [headers] */
  async #change(method, path, body, { etag, signal } = {}, headers = {}) {
    const ofBody = body !== undefined && { "Content-Type": "application/json" };
    const all = { ...headers, ...ofBody, ...(etag && { "If-Match": etag }) };
    return read(await this.#request(method, path, { headers: all, body: JSON.stringify(body), signal }));
  }

  /**
   * Send a request until there is an answer to keep: after a 401 once somebody has signed in, after a 429 or 503 when
   * the server says so, and what may be sent twice again while the server cannot be reached.
   *
   * @param {string} method @param {string} path @param {RequestInit & { signal?: AbortSignal }} init
   */
  async #request(method, path, init) {
    const isRepeatable = method === "GET" || new Headers(init.headers).has("Idempotency-Key");
    for (let tries = 1; ; tries += 1) {
      const token = sessionStorage.getItem(TOKEN);
      try {
        return await this.#fetch(method, path, init);
      } catch (error) {
        if (error instanceof Problem && error.slug === "not-signed-in" && this.askToSignIn) {
          if (token === sessionStorage.getItem(TOKEN)) await this.#signInAgain(this.askToSignIn);
          continue;
        }
        const seconds = waitAfter(error, tries, isRepeatable);
        if (!seconds || tries >= MAX_TRIES) throw error;
        await pause(seconds, init.signal);
      }
    }
  }

  /** @param {() => Promise<void>} askToSignIn */
  #signInAgain(askToSignIn) {
    sessionStorage.removeItem(TOKEN);
    this.#signingIn ??= askToSignIn().finally(() => (this.#signingIn = null));
    return this.#signingIn;
  }

  /**
   * @param {string} method @param {string} path @param {RequestInit} init
   * @returns {Promise<Response>} A success or a 304. Throws `Problem` or `Unreachable`.
   */
  async #fetch(method, path, init) {
    const headers = new Headers(init.headers);
    headers.set("Accept", "application/json, application/problem+json;q=0.9, */*;q=0.1");
    const token = sessionStorage.getItem(TOKEN);
    if (token) headers.set("Authorization", `Bearer ${token}`);
    const response = await fetch(this.base + path, { cache: "no-store", ...init, method, headers }).catch((error) => {
      if (init.signal?.aborted) throw error;
      return null;
    });
    const isReachable = response !== null && !GATEWAY_STATUSES.includes(response.status);
    if (isReachable !== this.isReachable) {
      this.isReachable = isReachable;
      this.dispatchEvent(new Event("reachable"));
    }
    if (!isReachable) throw new Unreachable();
    if (response.ok || response.status === 304) return response;
    throw new Problem(response.status, await response.json().catch(() => ({})), response.headers);
  }
}
