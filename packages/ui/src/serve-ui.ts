import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { hostname, networkInterfaces, userInfo } from "node:os";
import type { JsonValue } from "@ojm/core";
import type { Gate } from "./api/app.js";
import type { Handler } from "./api/read.js";
import type { SessionRequest } from "./contract/requests.js";
import type { SignIn } from "./contract/types.js";
import { check, type UiParts, uiBehind } from "./create-ui.js";
import { isSecure } from "./security/origin.js";
import { Refusal } from "./security/refusal.js";
import { isViewer } from "./security/roles.js";
import { cookieOf, LaunchTokens, RateLimit, Sessions } from "./security/sessions.js";
import { Users } from "./security/users.js";
import type { UiServer, UiServerOptions, Viewer } from "./types.js";

/** The addresses to which a browser resolves every name that ends with `.localhost`. */
const HAS_NAMES = /^(localhost|127\.0\.0\.1|::1)$/;

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/** Every address of this machine. */
const ANY = /^(0\.0\.0\.0|::)$/;

/** A shorter secret can be guessed, and would allow forged sessions. */
const LEAST_SECRET = 16;

/**
 * Serves the UI on this machine. Opening its URL starts a session: the launch token in it is valid once, for
 * a minute. The token is in the fragment, which no log and no other server ever sees. The host of the URL is
 * a name that only this server has, so that the browser does not send the cookie to another port of this
 * machine.
 *
 * With `users`, the page asks for a name and a password instead, and the server may listen on an address that
 * others reach.
 *
 * @throws TypeError if an option is wrong, or if the UI would be open to others; a system error, such as
 * `EADDRINUSE`
 * @example
 * const ui = await openUiServer({ manager });
 * console.log(ui.url);
 */
export async function openUiServer(options: UiServerOptions): Promise<UiServer> {
  check(options, "openUiServer");
  const { host = "127.0.0.1", port = 0, authorize, viewer, users, secret } = options;
  if (viewer !== undefined && !isViewer(viewer))
    throw new TypeError("viewer is { user, role }, where role is read, operate or admin");
  if (users !== undefined && (viewer !== undefined || authorize !== undefined))
    throw new TypeError(
      `users already says who the viewer is: leave out ${viewer === undefined ? "authorize" : "viewer"}`,
    );
  if (secret !== undefined && secret.length < LEAST_SECRET)
    throw new TypeError(
      `secret signs the sessions: it needs ${LEAST_SECRET} characters or more, and has ${secret.length}`,
    );
  if (!LOOPBACK.test(host) && authorize === undefined && users === undefined) {
    throw new TypeError(
      `the address ${host} is open to others: give users or authorize(request), or leave out host to serve 127.0.0.1 alone`,
    );
  }
  const login = users === undefined ? new LinkLogin(options) : new PasswordLogin(options, users);
  const gate: Gate = authorize === undefined ? login : { authorize, sessionOf: (_, { user }) => user };
  const link = authorize === undefined && login instanceof LinkLogin ? login : undefined;
  const name = link !== undefined && HAS_NAMES.test(host) ? link.hostName : undefined;
  const known = [...(name === undefined ? [] : [name]), ...(users === undefined ? [] : namesOf(host))];
  const own = { hosts: [...(options.hosts ?? []), ...known] };
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
  const base = `http://${name ?? (ANY.test(host) ? hostname() : bracketed(host))}:${login.port}/`;
  const url = (): string => (link === undefined ? base : `${base}#token=${link.tokens.create()}`);
  return {
    url: url(),
    port: login.port,
    link: url,
    close: async () => {
      await ui.close();
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

const bracketed = (address: string): string => (address.includes(":") ? `[${address}]` : address);

/** The names by which others reach an address of this machine. A name of a proxy must be in `hosts`. */
function namesOf(host: string): readonly string[] {
  if (!ANY.test(host)) return [bracketed(host)];
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  return [hostname(), ...addresses.map(({ address }) => bracketed(address))];
}

/** The sessions of a server, and the requests that start and end them. */
abstract class Login implements Gate {
  abstract readonly signIn: SignIn;
  /** A cookie belongs to a host, whatever the port: two UIs on one host would end each other's sessions. */
  port = 0;
  protected readonly sessions: Sessions;
  protected readonly limit: RateLimit = new RateLimit();
  readonly #options: UiServerOptions;

  constructor(options: UiServerOptions, viewer?: Viewer) {
    this.#options = options;
    this.sessions = new Sessions(options.secret, scopeOf(options, viewer));
  }

  /** Checks the token or the password. @throws Refusal */
  protected abstract enter(body: SessionRequest, address: string): Promise<Entered>;

  /** The session of a request, if it is valid. */
  protected abstract find(cookie: string | undefined): (Viewer & { readonly id: string }) | undefined;

  readonly authorize = (request: Request): Viewer | undefined => {
    const { user, role } = this.#find(request) ?? {};
    return user === undefined || role === undefined ? undefined : { user, role };
  };

  sessionOf(request: Request): string {
    return this.#find(request)?.id ?? "";
  }

  readonly handlers = ({ streams, me }: UiParts): Readonly<Record<string, Handler>> => ({
    login: async ({ request, body, address, place }) => {
      const { viewer, value, maxAge } = await this.enter(body as SessionRequest, address);
      return this.#answer(me(viewer), request, `${value}; Max-Age=${maxAge}; Path=${place.base}`);
    },
    logout: async ({ request, session, place }) => {
      this.sessions.end(session);
      streams.end(session);
      return this.#answer({ done: "the session is over" }, request, `; Max-Age=0; Path=${place.base}`);
    },
  });

  #answer(body: object, request: Request, cookie: string): Response {
    const secure = isSecure(request, this.#options) ? "; Secure" : "";
    const headers = { "Set-Cookie": `${this.#cookie}=${cookie}; HttpOnly; SameSite=Strict${secure}` };
    return Response.json(body, { headers });
  }

  #find(request: Request): (Viewer & { readonly id: string }) | undefined {
    return this.find(cookieOf(request, this.#cookie));
  }

  get #cookie(): string {
    return `ojm_session_${this.port}`;
  }
}

/** A viewer, with the value of a new cookie and its age in s. */
interface Entered {
  readonly viewer: Viewer;
  readonly value: string;
  readonly maxAge: number;
}

/** The launch token, and the sessions that it started. */
class LinkLogin extends Login {
  readonly signIn = "link";
  readonly tokens: LaunchTokens = new LaunchTokens();
  readonly #viewer: Viewer;

  constructor(options: UiServerOptions) {
    const { viewer = { user: userName(), role: "admin" } } = options;
    super(options, viewer);
    this.#viewer = viewer;
  }

  get hostName(): string {
    return this.sessions.hostName;
  }

  protected override async enter({ token = "" }: SessionRequest, address: string): Promise<Entered> {
    if (this.tokens.take(token)) return { viewer: this.#viewer, ...this.sessions.create() };
    // Counts only wrong tokens: programs of other users must not lock out the user with the link.
    this.limit.check(address);
    throw new Refusal("UNAUTHORIZED", "this link was used, or is older than a minute: ask for a new one");
  }

  protected override find(cookie: string | undefined): (Viewer & { readonly id: string }) | undefined {
    const session = this.sessions.find(cookie);
    return session && { ...this.#viewer, id: session.id };
  }
}

/** Users with passwords, and their sessions. */
class PasswordLogin extends Login {
  readonly signIn = "password";
  readonly #users: Users;

  constructor(options: UiServerOptions, file: string) {
    super(options);
    this.#users = new Users(file);
  }

  protected override async enter({ user = "", password = "" }: SessionRequest, address: string): Promise<Entered> {
    // Counted before the check: attempts that are sent at once must not all pass.
    this.limit.check(address);
    const viewer = await this.#users.check(user, password);
    if (viewer === undefined) throw new Refusal("UNAUTHORIZED", "the name or the password is wrong");
    this.limit.forgive(address);
    return { viewer, ...this.sessions.create(viewer.user, viewer.line) };
  }

  protected override find(cookie: string | undefined): (Viewer & { readonly id: string }) | undefined {
    const session = this.sessions.find(cookie, (user) => this.#users.find(user)?.line);
    const viewer = session && this.#users.find(session.user);
    return viewer && { user: viewer.user, role: viewer.role, id: session.id };
  }
}

/**
 * The scope of the sessions of a UI. A session of a read-only UI, or of another store, must not be valid for
 * another UI that has the same secret.
 */
function scopeOf(
  { manager, readOnly = false, showResults = false }: UiServerOptions,
  viewer: Viewer | undefined,
): JsonValue {
  const { jobs, locks } = manager.channels;
  const stores = [jobs, locks].map(({ locator, supports }) => {
    return locator === undefined ? supports.shared : [locator.type, JSON.stringify(locator.args ?? {})];
  });
  // With users, the line of the user in their file seals the session.
  const who = viewer === undefined ? ["users"] : [viewer.user, viewer.role];
  return [...who, readOnly, showResults, stores];
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container, the user may have no name.
    return `user ${process.getuid?.() ?? "unknown"}`;
  }
}
