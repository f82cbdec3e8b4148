import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { type JobManagerOptions, openJobManager } from "@ojm/core";
import { temporaryFolder } from "@ojm/testing/folder";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { called } from "../packages/cli/src/testing/called.js";
import { Database } from "../packages/sqlite/src/testing/driver.js";
import { onSharedStores } from "./support/stores.js";

const FENCE = /^\d{19}$/;
const page = readFileSync(new URL("../docs/how-to/fence-your-writes.md", import.meta.url), "utf8");

/** The first block of a language on the page that has this text. */
function block(language: string, text = ""): string {
  const blocks = [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, "gm"))];
  const found = blocks.map(([, code = ""]) => code).find((code) => code.includes(text));
  if (found === undefined) throw new Error(`the page has no block of ${language} with ${text}`);
  return found;
}

/** Every path by which a fence leaves ojm shows the same text, and later fences sort after earlier ones. */
async function fencesCompareAsTexts(options: JobManagerOptions): Promise<void> {
  await using manager = await openJobManager(options);
  const fences: string[] = [];
  for (let i = 0; i < 12; i++) {
    const { record } = await manager.run("job", async (run) => {
      const [held] = await manager.heldLocks();
      expect([run.fence, held?.fence]).toEqual([expect.stringMatching(FENCE), run.fence]);
      fences.push(run.fence);
    });
    expect(record.fence).toBe(fences.at(-1));
  }
  expect(fences).toEqual(fences.toSorted());
  expect(fences.map(BigInt)).toEqual(fences.map(BigInt).toSorted((a, b) => (a < b ? -1 : 1)));
  const lock = await manager.channels.locks.set("key", { name: "key" } as never);
  expect(lock).toMatch(FENCE);
  expect((await manager.channels.locks.entry("key"))?.version).toBe(lock);
  expect(lock > (fences.at(-1) ?? "")).toBe(true);
}

onSharedStores({ first: ["sqlite, one file"] }, (create) => {
  it("fences have one width on every path, and sort as texts", async () => {
    await fencesCompareAsTexts(await create());
  });
});

it("fences have one width on every path, and sort as texts, in memory", async () => {
  await fencesCompareAsTexts({});
});

it("fences have one width on every path, and sort as texts, on level", async () => {
  const channel = { type: "level", args: { path: join(temporaryFolder(), "store") } };
  await fencesCompareAsTexts({ chJobs: channel, chLocks: channel });
});

it("the record, --json and OJM_FENCE show the same fence", async () => {
  const folder = temporaryFolder();
  const store = ["--store", "sqlite:jobs.db"];
  const { out } = await called(folder, ["exec", "job", ...store, "--", "sh", "-c", "echo fence=$OJM_FENCE"]);
  const [, fence = ""] = /^fence=(\d+)$/m.exec(out) ?? [];
  expect(fence).toMatch(FENCE);
  const shown = await called(folder, ["show", "job", ...store, "--json"]);
  expect(JSON.parse(shown.out)).toMatchObject({ fence });
});

describe("the page Fence your writes compares fences", () => {
  const [older, newer] = ["0000000000000000009", "0000000000000000010"];

  /** Two tables in memory, and the number of rows that a statement of the page changes there. */
  function database() {
    const db = new Database(":memory:");
    db.exec(`CREATE TABLE accounts (name TEXT PRIMARY KEY, balance INTEGER, fence TEXT);
      CREATE TABLE fences (job TEXT PRIMARY KEY, fence TEXT)`);
    const changes = (statement: string, values: object): number =>
      db.prepare(block("sql", statement)).run(values).changes;
    const balance = (): unknown => db.prepare("SELECT balance FROM accounts").pluck().get();
    onTestFinished(() => void db.close());
    return { db, changes, balance };
  }

  it("in SQL, where a late UPDATE changes no row", () => {
    const { db, changes, balance } = database();
    db.exec("INSERT INTO accounts VALUES ('a', 0, '')");
    const write = (balance: number, fence: string): number => changes("UPDATE accounts", { name: "a", balance, fence });
    expect([write(1, newer), write(2, older), write(3, newer)]).toEqual([1, 0, 1]);
    expect(balance()).toBe(3);
  });

  it("in SQL, where a late INSERT changes no row", () => {
    const { changes, balance } = database();
    const write = (balance: number, fence: string): number => changes("INSERT", { name: "a", balance, fence });
    expect([write(1, older), write(2, newer), write(3, older), write(4, newer)]).toEqual([1, 1, 0, 1]);
    expect(balance()).toBe(4);
  });

  it("in SQL, where a late transaction finds no row of its job", () => {
    const { changes } = database();
    const create = (): number => changes("INSERT INTO fences", { job: "balance" });
    const begin = (fence: string): number => changes("UPDATE fences", { job: "balance", fence });
    expect([create(), begin(older), begin(newer), create(), begin(older), begin(newer)]).toEqual([1, 1, 1, 0, 0, 1]);
  });

  it("on S3, where a late run writes nothing, even between the read and the write of a later one", async () => {
    const folder = temporaryFolder();
    const sdk = join(folder, "node_modules/@aws-sdk/client-s3");
    mkdirSync(sdk, { recursive: true });
    writeFileSync(join(sdk, "package.json"), '{ "type": "module", "exports": "./index.js" }');
    writeFileSync(
      join(sdk, "index.js"),
      "export const { GetObjectCommand, PutObjectCommand, S3Client } = globalThis.fakeS3;",
    );
    writeFileSync(join(folder, "s3.mjs"), block("javascript", "@aws-sdk/client-s3"));
    const s3 = new FakeS3();
    vi.stubGlobal("fakeS3", s3.sdk);
    onTestFinished(() => void vi.unstubAllGlobals());
    const { putFenced } = await import(/* @vite-ignore */ pathToFileURL(join(folder, "s3.mjs")).href);
    const write = (fence: string, balance: number): Promise<void> =>
      putFenced({ Key: "a" }, fence, () => ({ balance }));

    await write(older, 1);
    // The older run has read the object. Before it writes, the later one does, with the same balance.
    s3.beforePut = () => write(newer, 1);
    await expect(write(older, 2)).rejects.toThrow("a later run has written");
    expect(s3.object?.body).toBe(JSON.stringify({ balance: 1, fence: newer }));
    // An object that does not exist is created once: the other writer reads it.
    s3.object = undefined;
    s3.beforePut = () => write(older, 1);
    await write(newer, 2);
    expect(s3.object).toMatchObject({ body: JSON.stringify({ balance: 2, fence: newer }) });
    // Another write under way: S3 answers 409, and the run tries again.
    s3.beforePut = () => Promise.reject(answer(409));
    await write(newer, 3);
    expect(s3.object).toMatchObject({ body: JSON.stringify({ balance: 3, fence: newer }) });
    // Any other error is one of the run.
    s3.beforePut = () => Promise.reject(answer(403));
    await expect(write(newer, 4)).rejects.toThrow("403");
  });

  it.each(["sh", "bash"])("in the shell (%s), where a late command ends", async (shell) => {
    const cwd = temporaryFolder();
    const run = (fence: string): Promise<string> =>
      promisify(execFile)(shell, ["-c", block("sh", "OJM_FENCE")], {
        cwd,
        env: { ...process.env, OJM_FENCE: fence },
      }).then(
        () => "done",
        ({ stderr }: { stderr: string }) => stderr,
      );
    const late = "a later run has begun\n";
    expect([await run(older), await run(newer), await run(older), await run(newer)]).toEqual([
      "done",
      "done",
      late,
      "done",
    ]);
  });
});

/** An error of the SDK of S3. */
function answer(status: number, name = String(status)): Error {
  return Object.assign(new Error(String(status)), { name, $metadata: { httpStatusCode: status } });
}

interface S3Request {
  readonly Body?: string;
  readonly IfMatch?: string;
  readonly IfNoneMatch?: string;
}

/** One object of S3, as far as conditional writes go: its ETag depends on its content alone. */
class FakeS3 {
  object: { readonly body: string } | undefined;
  /** Called once, before the next write. */
  beforePut: (() => Promise<void>) | undefined;
  readonly sdk: object;

  constructor() {
    const read = (): object => {
      if (this.object === undefined) throw answer(404, "NoSuchKey");
      const { body } = this.object;
      return { Body: { transformToString: async () => body }, ETag: this.#etag };
    };
    const send = async ({ input, isPut }: { input: S3Request; isPut: boolean }): Promise<object> =>
      isPut ? this.#put(input) : read();
    const command = (isPut: boolean) =>
      class {
        readonly isPut: boolean = isPut;
        readonly input: S3Request;
        constructor(input: S3Request) {
          this.input = input;
        }
      };
    const S3Client = class {
      readonly send: typeof send = send;
    };
    this.sdk = { GetObjectCommand: command(false), PutObjectCommand: command(true), S3Client };
  }

  get #etag(): string | undefined {
    return this.object && `"${createHash("md5").update(this.object.body).digest("hex")}"`;
  }

  async #put({ Body = "", IfMatch, IfNoneMatch }: S3Request): Promise<object> {
    const before = this.beforePut;
    this.beforePut = undefined;
    await before?.();
    if (IfNoneMatch === "*" && this.object !== undefined) throw answer(412);
    if (IfMatch !== undefined && IfMatch !== this.#etag) throw answer(412);
    this.object = { body: Body };
    return {};
  }
}
