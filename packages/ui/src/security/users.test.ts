import { chmodSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@ojm/testing/folder";
import { expect, onTestFinished, test, vi } from "vitest";
import type { Role } from "../types.js";
import { addUiUser, Users } from "./users.js";

const fresh = (): string => join(temporaryFolder(), "users");

test("a user has a random password, of which the file, written by its owner alone, has only a hash", async () => {
  const file = fresh();
  const password = await addUiUser(file, { user: "ana", role: "operate" });
  expect(Buffer.from(password, "base64url").length).toBe(15);
  expect(readFileSync(file, "utf8")).toMatch(/^ana operate scrypt:[\w-]{22}:[\w-]{43}\n$/);
  expect(readFileSync(file, "utf8")).not.toContain(password);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const users = new Users(file);
  expect(await users.check("ana", password)).toMatchObject({ user: "ana", role: "operate" });
  for (const [name, word] of [
    ["ana", `${password}x`],
    ["ana", ""],
    ["bob", password],
    ["", ""],
  ] as const)
    expect(await users.check(name, word)).toBeUndefined();
});

test("a new password and role replace the old ones, and apply without a restart, as does a removal", async () => {
  const file = fresh();
  const first = await addUiUser(file, { user: "ana", role: "read" });
  const bob = await addUiUser(file, { user: "bob", role: "admin" });
  const users = new Users(file);
  const second = await addUiUser(file, { user: "ana", role: "admin" });
  expect(await users.check("ana", first)).toBeUndefined();
  expect(await users.check("ana", second)).toMatchObject({ role: "admin" });
  expect(await users.check("bob", bob)).toMatchObject({ role: "admin" });
  writeFileSync(file, `# only bob\n\n${readFileSync(file, "utf8").replace(/^ana .*\n/m, "")}`);
  expect(users.find("ana")).toBeUndefined();
  expect(users.find("bob")).toBeDefined();
});

test("a file that is lost or damaged lets no user in, and a repaired one does", async () => {
  const file = fresh();
  await addUiUser(file, { user: "ana", role: "read" });
  const good = readFileSync(file);
  const users = new Users(file);
  const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  onTestFinished(() => void warn.mockRestore());
  rmSync(file);
  expect(users.find("ana")).toBeUndefined();
  writeFileSync(file, good);
  expect(users.find("ana")).toBeDefined();
  writeFileSync(file, `${good}ana secret\n`);
  expect(users.find("ana")).toBeUndefined();
  expect(String(warn.mock.calls)).toContain("line 2 of");
  expect(String(warn.mock.calls)).not.toContain("secret");
  writeFileSync(file, good);
  expect(users.find("ana")).toBeDefined();
});

test("a link to the file stays a link", async () => {
  const file = fresh();
  const link = `${file}-link`;
  await addUiUser(file, { user: "ana", role: "read" });
  symlinkSync(file, link);
  const password = await addUiUser(link, { user: "bob", role: "read" });
  expect(await new Users(file).check("bob", password)).toBeDefined();
});

test("what is wrong is reported, without the text of the line", async () => {
  const file = fresh();
  expect(() => new Users(file)).toThrow(/cannot be read \(ENOENT\)/);
  for (const line of [
    "ana read hunter2",
    "ana root scrypt:x:y",
    `a b read scrypt:${"A".repeat(22)}:${"A".repeat(43)}`,
  ]) {
    writeFileSync(file, `${line}\n`);
    expect(() => new Users(file)).toThrow(/^line 1 of .* is not a user/);
    expect(() => new Users(file)).not.toThrow(line);
  }
  writeFileSync(file, "# none\n");
  expect(() => new Users(file)).toThrow("has no users");
  chmodSync(file, 0o666);
  expect(() => new Users(file)).toThrow("others may write to it");
  await expect(addUiUser(file, { user: "ana", role: "read" })).rejects.toThrow("others may write to it");
  await expect(addUiUser(fresh(), { user: "ana\nbob", role: "read" })).rejects.toThrow("the name of a user");
  await expect(addUiUser(fresh(), { user: "ana", role: "root" as Role })).rejects.toThrow("the role of a user");
});
