import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { existsSync, readFileSync, realpathSync, renameSync, statSync, writeFileSync } from "node:fs";
import { emitWarning, whyUntrusted } from "@ojm/core/internal";
import type { Viewer } from "../types.js";
import { isViewer } from "./roles.js";

/** A user of the file. */
export interface User extends Viewer {
  readonly salt: Buffer;
  readonly hash: Buffer;
  /** The line of the file. A session is valid only as long as this line is unchanged. */
  readonly line: string;
}

/** One attempt takes about 50 ms and 16 MiB. */
const COST = { N: 16_384, r: 8, p: 1 } as const;
const HASH_BYTES = 32;

/** `NAME ROLE scrypt:SALT:HASH`. */
const LINE = /^([\w.@-]{1,100}) (\w+) scrypt:([\w-]{22}):([\w-]{43})$/;

const NAME = /^[\w.@-]{1,100}$/;

/** An unknown name takes as long as a wrong password: the time of an answer must not reveal the users. */
const UNKNOWN = { salt: randomBytes(16), hash: randomBytes(HASH_BYTES) };

/** The users of a file, which is read again after each change. */
export class Users {
  readonly #file: string;
  #version = "";
  #users: ReadonlyMap<string, User> = new Map();
  #last: Promise<unknown> = Promise.resolve();

  /** @throws TypeError if the file cannot be used */
  constructor(file: string) {
    this.#file = file;
    this.#read();
    if (this.#users.size === 0)
      throw new TypeError(`${file} has no users: add one by ojm ui --users ${file} --add-user NAME`);
  }

  /** The user with this name, as the file has it now. */
  find(name: string): User | undefined {
    try {
      this.#read();
    } catch (error) {
      // A damaged file lets no user in: the last one that was read may have a user who lost the access.
      if (this.#users.size > 0) emitWarning("OJM_UI", `no user can sign in to the UI: ${(error as Error).message}`);
      this.#users = new Map();
      this.#version = "";
    }
    return this.#users.get(name);
  }

  /** The user, if the password is right. */
  async check(name: string, password: string): Promise<User | undefined> {
    const user = this.find(name);
    const { salt, hash } = user ?? UNKNOWN;
    // One at a time: many attempts at once must not take all the memory, nor all threads.
    const made = this.#last.then(() => hashOf(password, salt));
    this.#last = made.catch(() => {});
    return timingSafeEqual(await made, hash) ? user : undefined;
  }

  #read(): void {
    const { ino, size, mtimeMs, ctimeMs } = checkedStat(this.#file);
    const version = [ino, size, mtimeMs, ctimeMs].join(" ");
    if (version === this.#version) return;
    this.#users = new Map(usersIn(this.#file).map((user) => [user.user, user]));
    this.#version = version;
  }
}

/**
 * Adds a user to the file of {@link UiServerOptions.users}, or gives the user a new password and role.
 * Creates the file if it is missing. Resolves to the new password, of 120 random bits: the file has only its
 * hash.
 *
 * @throws TypeError if the name, the role or the file cannot be used
 * @example
 * console.log(await addUiUser("ui-users", { user: "ana", role: "operate" }));
 */
export async function addUiUser(file: string, { user, role }: Viewer): Promise<string> {
  if (!NAME.test(user))
    throw new TypeError(`the name of a user has letters, digits and ._@- only, not ${JSON.stringify(user)}`);
  if (!isViewer({ user, role }))
    throw new TypeError(`the role of a user is read, operate or admin, not ${JSON.stringify(role)}`);
  const password = randomBytes(15).toString("base64url");
  const salt = randomBytes(16);
  const hash = await hashOf(password, salt);
  const line = `${user} ${role} scrypt:${salt.toString("base64url")}:${hash.toString("base64url")}`;
  if (existsSync(file)) checkedStat(file);
  const place = existsSync(file) ? realpathSync(file) : file;
  const old = existsSync(file) ? usersIn(file) : [];
  const lines = [...old.filter((one) => one.user !== user).map((one) => one.line), line];
  // Renamed into place: a server that reads meanwhile must not see half of it.
  const temporary = `${place}.${randomBytes(6).toString("hex")}`;
  writeFileSync(temporary, `${lines.join("\n")}\n`, { mode: 0o600, flag: "wx" });
  renameSync(temporary, place);
  return password;
}

function checkedStat(file: string): ReturnType<typeof statSync> & object {
  let stat: ReturnType<typeof statSync> & object;
  try {
    stat = statSync(file);
  } catch (error) {
    throw new TypeError(`the file of users ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  const why = whyUntrusted(stat);
  if (why !== undefined) throw new TypeError(`the file of users ${file} is not used: ${why}`);
  return stat;
}

function usersIn(file: string): readonly User[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .flatMap((text, i) => {
      const line = text.trim();
      if (line === "" || line.startsWith("#")) return [];
      const [, user = "", role = "", salt = "", hash = ""] = LINE.exec(line) ?? [];
      const viewer: unknown = { user, role };
      // The line itself is not shown: it may contain a password in plain text.
      if (!isViewer(viewer))
        throw new TypeError(
          `line ${i + 1} of ${file} is not a user: ojm ui --add-user writes NAME ROLE scrypt:SALT:HASH`,
        );
      return [{ ...viewer, salt: Buffer.from(salt, "base64url"), hash: Buffer.from(hash, "base64url"), line }];
    });
}

function hashOf(password: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFKC"), salt, HASH_BYTES, COST, (error, hash) =>
      error === null ? resolve(hash) : reject(error),
    );
  });
}
