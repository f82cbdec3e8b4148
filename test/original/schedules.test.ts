import { expect, it } from "vitest";
import { folderWith, start } from "../../packages/cli/src/testing/ojm.js";
import { onSqlite } from "./support.js";

/* Faults of the original in its schedules. */

it("D23: of several jobs due in the same second, each is run, and none twice for a tick", async () => {
  const names = ["A", "B", "C", "D", "E"];
  const jobs = names.map(
    (name) => `  - name: ${name}
    typeArgs: { cron: "* * * * * *" }
    from: oJobManager Job Start
    to: oJobManager Job End
    args: { name: ${name} }
    exec: print("ran ${name}")`,
  );
  const dump = `  - name: Dump
    type: shutdown
    exec: for (const { name, tick } of $ch("oJobManager-jobs").getAll()) print("record " + name + " " + tick)`;
  const folder = folderWith({ "jobs.yaml": onSqlite([...jobs, dump].join("\n"), `Init, ${names.join(", ")}, Dump`) });
  const ojm = start(folder, "run", "jobs.yaml");
  await Promise.all(names.map((name) => ojm.prints(`ran ${name}`)));
  ojm.process.kill("SIGTERM");
  const { code, out } = await ojm.ended;
  expect(code).toBe(143);
  const records = [...out.matchAll(/record (\S+) (\d+)/g)].map(([, name, tick]) => `${name} ${tick}`);
  expect(new Set(records).size).toBe(records.length);
  for (const name of names) expect(records.some((record) => record.startsWith(name))).toBe(true);
});
