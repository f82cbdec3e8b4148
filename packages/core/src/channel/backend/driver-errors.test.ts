import { expect, test } from "vitest";
import { channelErrorOf } from "./driver-errors.js";

test.each([
  ["ERR_MODULE_NOT_FOUND", "Cannot find package 'ioredis' imported from /srv/app/index.js", "ioredis"],
  ["MODULE_NOT_FOUND", "Cannot find module '@scope/driver/part'", "@scope/driver"],
])("a driver that is not installed is an unknown type, with the line that installs it: %s", (code, text, name) => {
  const error = channelErrorOf(Object.assign(new Error(text), { code }), "not-applied");
  expect(error.code).toBe("UNKNOWN_TYPE");
  expect(error.message).toBe(`the package "${name}" of the backend is not installed: npm install ${name}`);
});

test("a file that a driver misses is a fault of it, and no package to install", () => {
  const cause = Object.assign(new Error("Cannot find module '/srv/x.js'"), { code: "ERR_MODULE_NOT_FOUND" });
  expect(channelErrorOf(cause, "not-applied").code).toBe("FAILED");
});
