/** The sign-in: the first screen, and a dialog over the page when a token has expired. */

import { Problem } from "./api.js";
import { useForm } from "./hooks.js";
import { api } from "./session.js";
import { Dialog, Form, Text } from "./ui.js";
import { html } from "./vendor/preact.js";

/** @param {{ onDone: () => unknown }} props */
function SignInForm({ onDone }) {
  const form = useForm({ email: "", password: "" }, async ({ email, password }) => {
    await api.signIn(email, password).catch((error) => {
      throw error instanceof Problem && error.slug === "sign-in-failed" ? wrong(error) : error;
    });
    await onDone();
  });
  return html`<${Form} form=${form} submit="Sign in">
    <${Text} form=${form} name="email" label="E-mail" type="email" autocomplete="username" required autofocus />
    <${Text} form=${form} name="password" label="Password" type="password" autocomplete="current-password" required />
  <//>`;
}

/** @param {Problem} problem */
function wrong(problem) {
  problem.message = "The e-mail or the password is wrong.";
  return problem;
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
