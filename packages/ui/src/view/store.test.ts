import type { JobManager } from "@ojm/core";
import { expect, test } from "vitest";
import { addressOf, storeText } from "./store.js";

const text = (type: string | undefined, args = {}): string =>
  storeText({
    channels: { jobs: { locator: type && { kind: type, args }, supports: { shared: "network" } } },
  } as never as JobManager);

test.each([
  [text("sqlite", { file: "/var/lib/ojm.db" }), "sqlite ojm.db"],
  [text("level", { path: "/var/db" }), "level db"],
  [text("redis", { url: "redis://u:secret@h:6380/2" }), "redis h:6380"],
  [text("etcd", { hosts: ["https://a:2379", "b:2379"], auth: { password: "secret" } }), "etcd a:2379, b:2379"],
  [text("etcd", { hosts: "u:secret@a:2379" }), "etcd a:2379"],
  [text("@me/mine"), "@me/mine"],
  [text(undefined), "a store of the program"],
])("the store %s is shown as %s", (told, expected) => {
  expect(told).toBe(expected);
});

test.each([
  ["mine", { file: "/var/lib/ojm.db" }, undefined],
  ["sqlite", { file: "/var/lib/ojm.db", durability: "host" }, "sqlite:/var/lib/ojm.db"],
  ["redis", { url: "redis://u:secret@h:6380/2" }, "redis://u:***@h:6380/2"],
  ["redis", { url: "redis://h:6380/2" }, "redis://h:6380/2"],
  ["etcd", { hosts: ["https://a:2379", "https://b:2379"], keyPrefix: "p" }, "etcds://a:2379,b:2379/p"],
  ["etcd", { hosts: ["a:2379"], auth: { username: "u", password: "secret" } }, "etcd://***@a:2379"],
  // Only one process can open it.
  ["level", { path: "/var/db" }, undefined],
  ["redis", { url: "redis://h", keyPrefix: "p", tls: {} }, undefined],
  ["@me/mine", {}, undefined],
])("the store %s %j has the address %s on the command line", (type, args, expected) => {
  const channel = { locator: { kind: type, args } };
  expect(addressOf({ channels: { jobs: channel, locks: channel } } as never as JobManager)).toBe(expected);
});
