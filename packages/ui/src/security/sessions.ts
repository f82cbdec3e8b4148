import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { JsonValue } from "@ojm/core";

/** How long a session is good, in ms: a working day. */
const LIFE = 12 * 3_600_000;

/**
 * Sessions in signed cookies: `ID.END.SIGNATURE`. The server keeps only those that were ended early, so
 * sessions outlive a server whose next one has the same secret.
 */
export class Sessions {
  readonly #secret: Buffer;
  readonly #now: () => number;
  readonly #ended: Map<string, number> = new Map();

  /** `scope`: what a session is good for. With the same secret, one of another scope is not good. */
  constructor(secret: string | undefined, scope: JsonValue, now: () => number = Date.now) {
    this.#secret = createHmac("sha256", secret ?? randomBytes(32))
      .update(JSON.stringify(scope))
      .digest();
    this.#now = now;
  }

  /**
   * A name of this machine that nobody can guess. A cookie is of a host, whatever the port: a server on
   * another
   * port gets it only if the browser reaches that server by the same name.
   */
  get hostName(): string {
    return `ojm-${createHmac("sha256", this.#secret).update("host").digest("hex").slice(0, 32)}.localhost`;
  }

  /** A new session: its cookie's value, and for how long it is good, in s. */
  create(): { readonly value: string; readonly maxAge: number } {
    const body = `${randomBytes(16).toString("base64url")}.${this.#now() + LIFE}`;
    return { value: `${body}.${this.#sign(body)}`, maxAge: LIFE / 1_000 };
  }

  /** The id of a session that is good. */
  idOf(value: string | undefined): string | undefined {
    const [, id = "", until = "", signature = ""] = /^([\w-]{22})\.(\d{1,16})\.([\w-]{43})$/.exec(value ?? "") ?? [];
    const expected = this.#sign(`${id}.${until}`);
    if (signature.length !== expected.length) return undefined;
    if (!timingSafeEqual(Buffer.from(signature), Buffer.from(expected))) return undefined;
    return Number(until) > this.#now() && !this.#ended.has(id) ? id : undefined;
  }

  /** Ends a session before its time. */
  end(id: string): void {
    const now = this.#now();
    for (const [one, until] of this.#ended) if (until < now) this.#ended.delete(one);
    this.#ended.set(id, now + LIFE);
  }

  #sign(body: string): string {
    return createHmac("sha256", this.#secret).update(body).digest("base64url");
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
