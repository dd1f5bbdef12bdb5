// A server of the application on the database of this run. It can be stopped under an open page, and started again.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PATIENCE = 60_000; // milliseconds; the machine may be busy
const SETTINGS = {
  APP_ENV: "testing",
  SECRET_KEY: "6f1e0c8b5a7d42938e4fb7c21d90a35e8b46d7f0c29a1e53", // sessions outlive a restart
  RATELIMIT_ENABLED: "false",
  REDIS_URL: "",
  LOG_LEVEL: "WARNING",
};

async function freePort() {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address();
  listener.close();
  await once(listener, "close");
  return port;
}

export class Server {
  #process = null;

  /** Settings of the application, beside or in place of those of these tests. */
  static async start(settings = {}) {
    const server = new Server();
    server.settings = { ...SETTINGS, ...settings, PORT: String(await freePort()) };
    server.address = `http://127.0.0.1:${server.settings.PORT}`;
    process.once("exit", () => server.#process?.kill("SIGKILL"));
    await server.start();
    return server;
  }

  /** Serve, at the same address as before, and return once it answers. */
  async start() {
    this.#process = spawn(process.env.PYTHON, ["-m", "gunicorn", "flask_app:app"], {
      cwd: ROOT,
      env: { ...process.env, ...this.settings },
      stdio: ["ignore", "inherit", "inherit"],
    });
    for (const since = Date.now(); Date.now() - since < PATIENCE; ) {
      if (this.#process.exitCode !== null) break;
      if (await fetch(`${this.address}/health`).then(({ ok }) => ok, () => false)) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error("The server did not start.");
  }

  /** Stop once what is in flight is answered. Then nothing listens at its address. */
  async stop() {
    const ended = once(this.#process, "exit");
    this.#process.kill("SIGTERM");
    await ended;
    this.#process = null;
  }

  /** Call the API as another client would. Returns the status and the body. */
  async call(method, path, { body, token } = {}) {
    const response = await fetch(this.address + path, {
      method,
      headers: { ...(body && { "Content-Type": "application/json" }), ...(token && { Authorization: `Bearer ${token}` }) },
      body: body && JSON.stringify(body),
    });
    return { status: response.status, body: await response.json().catch(() => null) };
  }
  /** A client of the API for somebody of the staff, which returns the body of each answer, and takes no refusal. */
  async as(role) {
    const credentials = { email: `${role}@example.com`, password: process.env.PASSWORD };
    const { token } = (await this.call("POST", "/mechanics/login", { body: credentials })).body;
    return async (method, path, body) => {
      const answer = await this.call(method, path, { body, token });
      if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer.body;
    };
  }
}
