/** The sign-in: the first screen, and a dialog over the page when a token has expired. */

import { useForm } from "./hooks.js";
import { api } from "./session.js";
import { Dialog, Form, Text } from "./ui.js";
import { html } from "./vendor/preact.js";

/** @param {{ onDone: () => unknown }} props */
function SignInForm({ onDone }) {
  const form = useForm({ email: "", password: "" }, async ({ email, password }) => {
    await api.signIn(email, password);
    await onDone();
  });
  return html`<${Form} form=${form} submit="Sign in">
    <${Text} form=${form} name="email" label="E-mail" type="email" autocomplete="username" required autofocus />
    <${Text} form=${form} name="password" label="Password" type="password" autocomplete="current-password" required />
  <//>`;
}

/** @param {{ onDone: () => unknown }} props */
export function SignInScreen({ onDone }) {
  return html`<main class="sign-in">
    <h1>Desk</h1>
    <${SignInForm} onDone=${onDone} />
  </main>`;
}

/** @param {{ onDone: () => unknown }} props */
export function SignInDialog({ onDone }) {
  return html`<${Dialog} title="Sign in again">
    <p>You have been signed out. What you typed is kept.</p>
    <${SignInForm} onDone=${onDone} />
  <//>`;
}
