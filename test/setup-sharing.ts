import { systemClock } from "@ojm/core";
import { backend } from "@ojm/simple";
import { afterAll } from "vitest";

const environment = { ...process.env };

// Files that share a process share its environment.
afterAll(() => {
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  Object.assign(process.env, environment);
});

// Channels in memory that have the clock of the system share one memory in a process. What a file left there
// was found by a later one: a test failed in one order of the files in some fifty.
afterAll(async () => {
  const memory = await backend.open({}, { clock: systemClock });
  const left = await memory.scan({ from: "", to: "\uffff", limit: 10_000, reverse: false, values: false });
  await memory.commit({ checks: [], writes: left.entries.map(({ key }) => ({ key, value: null })) });
  await memory.close();
});
