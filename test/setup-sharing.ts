import { systemClock } from "@ojm/core/backend";
import { backend } from "@ojm/simple";
import { afterAll } from "vitest";

const environment = { ...process.env };

// Files that share a process share its environment.
afterAll(() => {
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  Object.assign(process.env, environment);
});

// Channels in memory with the system clock share one memory in a process. Entries of one file were visible in
// a later one: a test failed in one of some fifty orders of the files.
afterAll(async () => {
  const memory = await backend.open({}, { clock: systemClock });
  const left = await memory.scan({ from: "", to: "\uffff", limit: 10_000, reverse: false, values: false });
  await memory.commit({ checks: [], writes: left.entries.map(({ key }) => ({ key, value: null })) });
  await memory.close();
});
