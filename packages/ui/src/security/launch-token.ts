import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** How long a launch token is good, in ms. */
const LIFE = 60_000;

/** So many tokens are good at once. */
const MOST = 10;

/** Tokens of 256 bits that are good once. They are kept as hashes. */
export class LaunchTokens {
  readonly #now: () => number;
  #tokens: { readonly hash: Buffer; readonly until: number }[] = [];

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  create(): string {
    const token = randomBytes(32).toString("base64url");
    this.#tokens = [...this.#tokens, { hash: hashOf(token), until: this.#now() + LIFE }].slice(-MOST);
    return token;
  }

  /** Whether a token is good. It is not good any more after that. */
  take(token: string): boolean {
    const hash = hashOf(token);
    const now = this.#now();
    // Compares all of them: the time it takes tells nothing.
    const isGood = this.#tokens.filter((one) => timingSafeEqual(one.hash, hash) && now < one.until).length > 0;
    this.#tokens = this.#tokens.filter((one) => !timingSafeEqual(one.hash, hash) && now < one.until);
    return isGood;
  }
}

function hashOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
