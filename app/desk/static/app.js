/** The desk: the shell round the screens. It signs in, leads to screens by the address, and tells when the server is gone. */

import { BayScreen } from "./bay.js";
import { Board } from "./board.js";
import { Car, Customer } from "./car.js";
import { Find } from "./find.js";
import { boundKeys, useForm, useKeys, useListener, useReachable } from "./hooks.js";
import { Intake } from "./intake.js";
import { PartsScreen } from "./parts.js";
import { api, explain, go, isDesk, load, SessionContext, useSession } from "./session.js";
import { TicketScreen } from "./ticket.js";
import { Dialog, Form, Links, notify, Notices, Text } from "./ui.js";
import { html, render, useEffect, useState } from "./vendor/preact.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./vendor/preact.js").FunctionComponent<any>} Screen */

/** Each screen, and the address after `#` that leads to it; what it captures are the screen's `parameters`. @type {[RegExp, Screen][]} */
const SCREENS = [
  [/^\/board$/, Board],
  [/^\/new(?:\?(.*))?$/, Intake],
  [/^\/tickets\/(\d+)$/, TicketScreen],
  [/^\/parts(?:\/(low|short))?(?:\?q=(.*))?$/, PartsScreen],
  [/^\/bay$/, BayScreen],
  [/^\/customers\/(\d+)$/, Customer],
  [/^\/customers\/(\d+)\/vehicles\/(\d+)$/, Car],
];
/** @type {[string, string][]} */
const TABS = [
  ["/board", "Board"],
  ["/bay", "My tickets"],
  ["/parts", "Parts"],
  ["/new", "New ticket"],
];

/** Where somebody begins: at the counter the board, in the bay their own tickets. @param {import("./types").Me} me */
const homeOf = (me) => (isDesk(me) ? "/board" : "/bay");

/** @type {Record<string, string>} */
const KEY_NAMES = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc" };

/** @param {{ onClose: () => void }} props */
function Help({ onClose }) {
  return html`<${Dialog} title="Keys" onClose=${onClose}>
    <dl class="keys">
      ${boundKeys().map(
        ([key, label]) => html`<div class="flow" key=${key}><dt><kbd>${KEY_NAMES[key] ?? key}</kbd></dt><dd>${label}</dd></div>`,
      )}
    </dl>
  <//>`;
}

/** @param {{ path: string, onSignOut: () => void }} props */
function Header({ path, onSignOut }) {
  const { me, shop } = useSession();
  return html`<header class="top flow">
    <strong>${shop.name}</strong>
    <${Links} label="Screens" of=${TABS} isCurrent=${(/** @type {string} */ to) => path.startsWith(to)} />
    <${Find} />
    <span class="end quiet">${me.name}</span>
    <button type="button" class="plain" onClick=${onSignOut}>Sign out</button>
  </header>`;
}

const focusContent = () => document.getElementById("content")?.focus();

/** @param {{ onSignOut: () => void }} props */
function Shell({ onSignOut }) {
  const { me } = useSession();
  const [address, setAddress] = useState(location.hash.slice(1));
  const path = address || homeOf(me);
  const [isHelpShown, showHelp] = useState(false);
  useListener(window, "hashchange", () => setAddress(location.hash.slice(1)));
  const back = isDesk(me) ? "Back to the board" : "Back to my tickets";
  useKeys({ "?": ["Show the keys", () => showHelp(true)], Escape: [back, () => go(homeOf(me))] });

  const [pattern, Current] = SCREENS.find(([each]) => each.test(path)) ?? [];
  const parameters = pattern?.exec(path)?.slice(1);
  const [screen] = path.split("?"); // another query is the same screen
  useEffect(() => {
    if (document.activeElement === document.body) focusContent(); // what led here is gone
  }, [screen]);
  return html`
    <button type="button" class="skip" onClick=${focusContent}>Skip to the content</button>
    <${Header} path=${path} onSignOut=${onSignOut} />
    <main id="content" tabindex="-1">
      ${Current ? html`<${Current} key=${screen} parameters=${parameters} />` : html`<p>There is no such page.</p>`}
    </main>
    ${isHelpShown && html`<${Help} onClose=${() => showHelp(false)} />`}
  `;
}

/** The form of the sign-in. @param {{ onDone: () => unknown }} props */
function SignIn({ onDone }) {
  const form = useForm({ email: "", password: "" }, async ({ email, password }) => {
    await api.signIn(email, password);
    await onDone();
  });
  return html`<${Form} form=${form} submit="Sign in">
    <${Text} form=${form} name="email" label="E-mail" type="email" autocomplete="username" required autofocus />
    <${Text} form=${form} name="password" label="Password" type="password" autocomplete="current-password" required />
  <//>`;
}

/** Everything: the sign-in, or the shell, with the sign-in over it when the token has expired. */
function App() {
  const [session, setSession] = useState(/** @type {Session | null} */ (null));
  const [isSignedIn, setSignedIn] = useState(api.isSignedIn);
  const [resume, setResume] = useState(/** @type {{ call: () => void } | null} */ (null));
  const isReachable = useReachable(api);

  const start = () => load().then(setSession, (error) => notify(explain(error), { isProblem: true }));
  useEffect(() => {
    api.askToSignIn = () => new Promise((call) => setResume({ call }));
    if (api.isSignedIn) void start();
  }, []);
  const enter = () => (setSignedIn(true), start());
  /** Send on what waits for the sign-in. For somebody else the page begins anew: what is typed is not theirs. */
  const goOn = async () => {
    const { me } = await load();
    if (session && me.id !== session.me.id) return location.reload();
    setResume(null);
    return resume?.call();
  };
  const signOut = async () => {
    await api.signOut().catch(() => undefined);
    sessionStorage.clear(); // eslint-disable-line no-restricted-globals -- drafts of screens go with the token
    location.reload();
  };

  return html`
    ${isSignedIn && !isReachable && html`<p class="banner" role="alert">The server does not answer. Trying again …</p>`}
    ${session && html`<${SessionContext.Provider} value=${session}><${Shell} onSignOut=${signOut} /><//>`}
    ${!isSignedIn && html`<main class="sign-in"><h1>Desk</h1><${SignIn} onDone=${enter} /></main>`}
    ${resume &&
    html`<${Dialog} title="Sign in again">
      <p>You have been signed out. What you typed is kept.</p>
      <${SignIn} onDone=${goOn} />
    <//>`}
    <${Notices} />
  `;
}

render(html`<${App} />`, document.body);
