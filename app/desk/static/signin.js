/** The sign-in: the first screen, and a dialog over the page when a token has expired. */

import { Problem } from "./api.js";
import { useForm } from "./hooks.js";
import { api } from "./session.js";
import { Dialog, Field, Form } from "./ui.js";
import { html } from "./vendor/preact.js";

/** @param {{ onDone: () => void }} props */
function SignInForm({ onDone }) {
  const form = useForm({ email: "", password: "" }, async ({ email, password }) => {
    await api.signIn(email, password).catch((error) => {
      throw error instanceof Problem && error.slug === "sign-in-failed" ? wrong(error) : error;
    });
    onDone();
  });
  return html`<${Form} form=${form} submit="Sign in">
    <${Field} label="E-mail" error=${form.errorOf("email")}>
      <input type="email" autocomplete="username" autofocus required ...${form.bind("email")} />
    <//>
    <${Field} label="Password" error=${form.errorOf("password")}>
      <input type="password" autocomplete="current-password" required ...${form.bind("password")} />
    <//>
  <//>`;
}

/** @param {Problem} problem */
function wrong(problem) {
  problem.message = "The e-mail or the password is wrong.";
  return problem;
}

/** @param {{ onDone: () => void }} props */
export function SignInScreen({ onDone }) {
  return html`<main class="sign-in">
    <h1>Desk</h1>
    <${SignInForm} onDone=${onDone} />
  </main>`;
}

/** @param {{ onDone: () => void }} props */
export function SignInDialog({ onDone }) {
  return html`<${Dialog} title="Sign in again">
    <p>You have been signed out. What you typed is kept.</p>
    <${SignInForm} onDone=${onDone} />
  <//>`;
}
