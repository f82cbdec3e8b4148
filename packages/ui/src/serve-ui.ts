import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { userInfo } from "node:os";
import type { JsonValue } from "@ojm/core";
import type { Gate } from "./api/app.js";
import type { Handler } from "./api/read.js";
import type { SessionRequest } from "./contract/requests.js";
import { check, type UiParts, uiBehind } from "./create-ui.js";
import { isSecure } from "./security/origin.js";
import { Refusal } from "./security/refusal.js";
import { isViewer } from "./security/roles.js";
import { cookieOf, LaunchTokens, RateLimit, Sessions } from "./security/sessions.js";
import type { UiServer, UiServerOptions, Viewer } from "./types.js";

/** The addresses to which a browser resolves every name that ends with `.localhost`. */
const HAS_NAMES = /^(localhost|127\.0\.0\.1|::1)$/;

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/** A shorter secret can be guessed, and would allow forged sessions. */
const LEAST_SECRET = 16;

/**
 * Serves the UI on this machine. Opening its URL starts a session: the launch token in it is valid once, for
 * a minute. The token is in the fragment, which no log and no other server ever sees. The host of the URL is
 * a name that only this server has, so that the browser does not send the cookie to another port of this
 * machine.
 *
 * @throws TypeError if an option is wrong, or if the UI would be open to others; a system error, such as
 * `EADDRINUSE`
 * @example
 * const ui = await openUiServer({ manager });
 * console.log(ui.url);
 */
export async function openUiServer(options: UiServerOptions): Promise<UiServer> {
  check(options, "openUiServer");
  const { host = "127.0.0.1", port = 0, authorize, viewer, secret } = options;
  if (viewer !== undefined && !isViewer(viewer))
    throw new TypeError("viewer is { user, role }, where role is read, operate or admin");
  if (secret !== undefined && secret.length < LEAST_SECRET)
    throw new TypeError(
      `secret signs the sessions: it needs ${LEAST_SECRET} characters or more, and has ${secret.length}`,
    );
  if (!LOOPBACK.test(host) && authorize === undefined) {
    throw new TypeError(
      `the address ${host} is open to others: give authorize(request), or leave out host to serve 127.0.0.1 alone`,
    );
  }
  const login = new Login(options);
  const gate: Gate = authorize === undefined ? login : { authorize, sessionOf: (_, { user }) => user };
  const isNamed = authorize === undefined && HAS_NAMES.test(host);
  const own = isNamed ? { hosts: [...(options.hosts ?? []), login.hostName] } : {};
  const ui = uiBehind(gate, { ...options, ...own }, authorize === undefined ? login.handlers : undefined);
  const server = createServer(ui.listener);
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (error) {
    await ui.close();
    throw error;
  }
  login.port = (server.address() as AddressInfo).port;
  const address = host.includes(":") ? `[${host}]` : host;
  const base = `http://${isNamed ? login.hostName : address}:${login.port}/`;
  const link = (): string => (authorize === undefined ? `${base}#token=${login.tokens.create()}` : base);
  return {
    url: link(),
    port: login.port,
    link,
    close: async () => {
      await ui.close();
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The launch token, and the sessions that it started. */
class Login implements Gate {
  readonly tokens: LaunchTokens = new LaunchTokens();
  /** A cookie belongs to a host, whatever the port: two UIs on one host would end each other's sessions. */
  port = 0;
  readonly #sessions: Sessions;
  readonly #limit: RateLimit = new RateLimit();
  readonly #viewer: Viewer;
  readonly #options: UiServerOptions;

  constructor(options: UiServerOptions) {
    this.#options = options;
    this.#viewer = options.viewer ?? { user: userName(), role: "admin" };
    this.#sessions = new Sessions(options.secret, scopeOf(options, this.#viewer));
  }

  get hostName(): string {
    return this.#sessions.hostName;
  }

  readonly authorize = (request: Request): Viewer | undefined =>
    this.#idOf(request) === undefined ? undefined : this.#viewer;

  sessionOf(request: Request): string {
    return this.#idOf(request) ?? "";
  }

  readonly handlers = ({ streams, me }: UiParts): Readonly<Record<string, Handler>> => ({
    login: async ({ request, body, address, place }) => {
      if (!this.tokens.take((body as SessionRequest).token)) {
        // Counts only wrong tokens: programs of other users must not lock out the user with the link.
        this.#limit.check(address);
        throw new Refusal("UNAUTHORIZED", "this link was used, or is older than a minute: ask for a new one");
      }
      const { value, maxAge } = this.#sessions.create();
      return this.#answer(me(this.#viewer), request, `${value}; Max-Age=${maxAge}; Path=${place.base}`);
    },
    logout: async ({ request, session, place }) => {
      this.#sessions.end(session);
      streams.end(session);
      return this.#answer({ done: "the session is over" }, request, `; Max-Age=0; Path=${place.base}`);
    },
  });

  #answer(body: object, request: Request, cookie: string): Response {
    const secure = isSecure(request, this.#options) ? "; Secure" : "";
    const headers = { "Set-Cookie": `${this.#cookie}=${cookie}; HttpOnly; SameSite=Strict${secure}` };
    return Response.json(body, { headers });
  }

  #idOf(request: Request): string | undefined {
    return this.#sessions.idOf(cookieOf(request, this.#cookie));
  }

  get #cookie(): string {
    return `ojm_session_${this.port}`;
  }
}

/**
 * The scope of the sessions of a UI. A session of a read-only UI, or of another store, must not be valid for
 * another UI that has the same secret.
 */
function scopeOf(
  { manager, readOnly = false, showResults = false }: UiServerOptions,
  { user, role }: Viewer,
): JsonValue {
  const { jobs, locks } = manager.channels;
  const stores = [jobs, locks].map(({ locator, supports }) => {
    return locator === undefined ? supports.shared : [locator.type, JSON.stringify(locator.args ?? {})];
  });
  return [user, role, readOnly, showResults, stores];
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container, the user may have no name.
    return `user ${process.getuid?.() ?? "unknown"}`;
  }
}
