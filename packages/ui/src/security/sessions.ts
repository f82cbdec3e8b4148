import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { JsonValue } from "@ojm/core";
import { Refusal } from "./refusal.js";

/** How long a session is valid, in ms: a working day. */
const SESSION_LIFE = 12 * 3_600_000;

/** The id, the end and the user of a session, and its signature. Without users, the user is empty. */
const SESSION = /^([\w-]{22})\.(\d{1,16})\.([\w-]{0,140})\.([\w-]{43})$/;

/** A session that is valid. */
export interface Session {
  readonly id: string;
  readonly user: string;
}

/**
 * Sessions in signed cookies: `ID.END.USER.SIGNATURE`. The server stores only sessions that were ended early,
 * so sessions survive a restart with the same secret.
 */
export class Sessions {
  readonly #secret: Buffer;
  readonly #now: () => number;
  readonly #ended: Map<string, number> = new Map();

  /** `scope`: what a session is valid for. One of another scope is invalid, even with the same secret. */
  constructor(secret: string | undefined, scope: JsonValue, now: () => number = Date.now) {
    this.#secret = createHmac("sha256", secret ?? randomBytes(32))
      .update(JSON.stringify(scope))
      .digest();
    this.#now = now;
  }

  /**
   * A name of this machine that cannot be guessed. A cookie belongs to a host, whatever the port: a server on
   * another port gets it only if the browser reaches that server by the same name.
   */
  get hostName(): string {
    return `ojm-${createHmac("sha256", this.#secret).update("host").digest("hex").slice(0, 32)}.localhost`;
  }

  /**
   * A new session of a user: the value of its cookie, and how long it is valid, in s. `seal`: what must stay
   * the same for it to stay valid, such as the password of the user.
   */
  create(user = "", seal = ""): { readonly value: string; readonly maxAge: number } {
    const owner = Buffer.from(user).toString("base64url");
    const body = `${randomBytes(16).toString("base64url")}.${this.#now() + SESSION_LIFE}.${owner}`;
    return { value: `${body}.${this.#sign(body, seal)}`, maxAge: SESSION_LIFE / 1_000 };
  }

  /** The session of a cookie; `undefined` if it is not valid. `sealOf`: the seal of a user now. */
  find(value: string | undefined, sealOf: (user: string) => string | undefined = () => ""): Session | undefined {
    const [, id = "", until = "", owner = "", signature = ""] = SESSION.exec(value ?? "") ?? [];
    const user = Buffer.from(owner, "base64url").toString();
    const seal = sealOf(user);
    const expected = this.#sign(`${id}.${until}.${owner}`, seal ?? "");
    if (signature.length !== expected.length) return undefined;
    if (!timingSafeEqual(Buffer.from(signature), Buffer.from(expected)) || seal === undefined) return undefined;
    return Number(until) > this.#now() && !this.#ended.has(id) ? { id, user } : undefined;
  }

  /** Ends a session before its time. */
  end(id: string): void {
    const now = this.#now();
    for (const [one, until] of this.#ended) if (until < now) this.#ended.delete(one);
    this.#ended.set(id, now + SESSION_LIFE);
  }

  #sign(body: string, seal: string): string {
    return createHmac("sha256", this.#secret)
      .update(JSON.stringify([body, seal]))
      .digest("base64url");
  }
}

/** The value of a cookie of a request. */
export function cookieOf(request: Request, name: string): string | undefined {
  for (const part of (request.headers.get("Cookie") ?? "").split(";")) {
    const at = part.indexOf("=");
    if (at > 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim();
  }
  return undefined;
}

/** How long a launch token is valid, in ms. */
const TOKEN_LIFE = 60_000;

/** How many tokens are valid at once. */
const MOST_TOKENS = 10;

/** Tokens of 256 bits that are valid once. Only their hashes are stored. */
export class LaunchTokens {
  readonly #now: () => number;
  #tokens: { readonly hash: Buffer; readonly until: number }[] = [];

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  create(): string {
    const token = randomBytes(32).toString("base64url");
    this.#tokens = [...this.#tokens, { hash: hashOf(token), until: this.#now() + TOKEN_LIFE }].slice(-MOST_TOKENS);
    return token;
  }

  /** Whether a token is valid. Afterwards it is not. */
  take(token: string): boolean {
    const hash = hashOf(token);
    const now = this.#now();
    // Compares all of them, so that the time it takes reveals nothing.
    const isGood = this.#tokens.filter((one) => timingSafeEqual(one.hash, hash) && now < one.until).length > 0;
    this.#tokens = this.#tokens.filter((one) => !timingSafeEqual(one.hash, hash) && now < one.until);
    return isGood;
  }
}

function hashOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

/** The most attempts of one address in a window, and of all; the window in ms. */
const OF_ONE = 10;
const OF_ALL = 100;
const WINDOW = 60_000;

/** Limits how many wrong tokens and passwords are answered. */
export class RateLimit {
  readonly #attempts: Map<string, number> = new Map();
  readonly #now: () => number;
  #all = 0;
  #until = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Counts an attempt. @throws Refusal `LIMIT` */
  check(address: string): void {
    const now = this.#now();
    if (now >= this.#until) {
      this.#attempts.clear();
      this.#all = 0;
      this.#until = now + WINDOW;
    }
    const attempts = (this.#attempts.get(address) ?? 0) + 1;
    this.#attempts.set(address, attempts);
    this.#all++;
    if (attempts <= OF_ONE && this.#all <= OF_ALL) return;
    const left = Math.ceil((this.#until - now) / 1_000);
    throw new Refusal("LIMIT", `too many attempts to log in: wait ${left} s`, { "Retry-After": String(left) });
  }
  /** An attempt that {@link check} counted was right. */
  forgive(address: string): void {
    const attempts = this.#attempts.get(address);
    // The window may have ended meanwhile.
    if (attempts === undefined || attempts === 0) return;
    this.#attempts.set(address, attempts - 1);
    this.#all--;
  }
}
