import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { Ojm, ojm } from "../testing/ojm.js";

const FILE = `include: oJobManager.yaml
jobs:
  - { name: Fetch, exec: print('fetch ' + args.day) }
  - name: Report
    deps: Fetch
    from: oJobManager Job Start
    args: { name: "report-{{day}}", password: hush }
    to: oJobManager Job End
    exec: print('report ' + args.day)
  - name: Nightly
    type: periodic
    typeArgs: { cron: "0 2 * * *", timeZone: Europe/Lisbon }
    exec: print('nightly')
  - { name: Follow, type: subscribe, typeArgs: { chSubscribe: c }, exec: print('follow') }
  - { name: Last, type: shutdown, exec: print('last') }
todo:
  - { name: oJobManager Init, args: { chLocks: { type: sqlite, args: { file: locks.db } } } }
  - { name: Fetch, args: { day: mon } }
  - { name: Report, args: [{ day: mon }, { day: tue }] }
  - Nightly
  - Last
`;

describe("ojm run FILE --job JOB", () => {
  test("ojm run --job runs a job with the args of the todo, after what it depends on, and nothing else", async () => {
    const { code, out } = await ojm(folderWith({ "a.yaml": FILE }), "run", "a.yaml", "--job", "Report");
    expect(code).toBe(0);
    const [first, ...reports] = out.trim().split("\n");
    expect([first, ...reports.sort()]).toEqual(["fetch mon", "report mon", "report tue"]);
  });

  test("ojm run --job opens the job manager that the todo opens", async () => {
    const folder = folderWith({ "a.yaml": FILE });
    await ojm(folder, "run", "a.yaml", "--job", "Fetch");
    expect(existsSync(join(folder, "locks.db"))).toBe(true);
  });

  test("ojm run --job runs a job on a schedule once, now, and then ends, even in a file of a daemon", async () => {
    const folder = folderWith({ "a.yaml": `ojob: { daemon: true }\n${FILE}` });
    const { code, out } = await ojm(folder, "run", "a.yaml", "--job", "Nightly", "--job", "Last");
    expect({ code, out }).toEqual({ code: 0, out: "nightly\nlast\n" });
  });

  test("ojm run --job runs a job beside the daemon of its file, which keeps its pid file and continues", async () => {
    const ojob = "ojob: { daemon: true, unique: { pidFile: a.pid, killPrevious: true } }\n";
    const yaml = `${ojob}jobs:\n  - { name: A, exec: print('a') }\n  - { name: B, exec: print('b') }\ntodo: [A]\n`;
    const folder = folderWith({ "a.yaml": yaml });
    const daemon = new Ojm(folder, ["run", "a.yaml"]);
    await daemon.prints("a\n");
    const pid = readFileSync(join(folder, "a.pid"), "utf8");
    expect(await ojm(folder, "run", "a.yaml", "--job", "B")).toMatchObject({ code: 0, out: "b\n" });
    expect(readFileSync(join(folder, "a.pid"), "utf8")).toBe(pid);
    daemon.process.kill("SIGTERM");
    expect((await daemon.ended).code).toBe(143);
  });

  test("ojm run --job runs a job of a file without a todo", async () => {
    const folder = folderWith({ "a.yaml": "jobs: [{ name: A, exec: print('a ' + args.n) }]\n" });
    expect(await ojm(folder, "run", "a.yaml", "--job", "A", "n=1")).toMatchObject({ code: 0, out: "a 1\n" });
  });

  test("ojm run --job of jobs that wait for each other is refused with the cycle", async () => {
    const yaml = "jobs:\n  - { name: A, deps: B, exec: print(1) }\n  - { name: B, deps: A, exec: print(2) }\n";
    const { code, err } = await ojm(folderWith({ "a.yaml": yaml }), "run", "a.yaml", "--job", "A");
    expect(code).toBe(2);
    expect(err).toContain('error: these jobs wait for each other in a cycle: "A" → "B" → "A".');
  });

  test("ojm run --job runs what a step of the job waits for, once, though another step is that job too", async () => {
    const jobs = [
      "{ name: A, exec: print('a') }",
      "{ name: B, deps: A, exec: print('b') }",
      "{ name: C, from: [B, A] }",
    ];
    const yaml = `jobs:\n${jobs.map((job) => `  - ${job}\n`).join("")}`;
    const { code, out } = await ojm(folderWith({ "a.yaml": yaml }), "run", "a.yaml", "--job", "C");
    expect({ code, out }).toEqual({ code: 0, out: "a\nb\na\n" });
  });

  test.each([
    ["Reprt", 'error: a.yaml has no job "Reprt". Did you mean "Report"?'],
    ["Follow", 'error: "Follow" runs for each change of a channel, not by itself: it cannot be chosen.'],
  ])("ojm run --job %s is refused, and nothing is run", async (job, message) => {
    const { code, out, err } = await ojm(folderWith({ "a.yaml": FILE }), "run", "a.yaml", "--job", job);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(message);
  });
});

describe("ojm run FILE --dry-run", () => {
  test("ojm run --dry-run shows what would run, in which order, with which args and locks, and runs nothing", async () => {
    const folder = folderWith({ "a.yaml": FILE });
    const { code, out, err } = await ojm(folder, "run", "a.yaml", "--dry-run", "token=abc");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(
      out.replace(/next at \d{4}-\d\d-\d\dT0\d:00:00\.000Z/, "next at ..."),
    ).toBe(`a.yaml would run, one after the other:
  1. oJobManager Init
     args       {"token":"***","chLocks":{"type":"sqlite","args":{"file":"locks.db"}}}
  2. Fetch
     steps      script at a.yaml:3:1
     args       {"token":"***","day":"mon"}
  3. Report
     waits for  Fetch
     steps      oJobManager Job Start, script at a.yaml:9:1, oJobManager Job End
     lock       report-mon, report-tue
     args       {"token":"***","day":"mon","name":"report-mon","password":"***"}
     args       {"token":"***","day":"tue","name":"report-tue","password":"***"}
  4. Nightly
     schedule   0 2 * * * (Europe/Lisbon), next at ...
     steps      script at a.yaml:13:1
     args       {"token":"***"}
  5. Last
     at the end once all others are done
     steps      script at a.yaml:15:1
     args       {"token":"***"}
Nothing was run.
`);
    expect(existsSync(join(folder, "locks.db"))).toBe(false);
  });

  test("ojm run --dry-run --job shows only that job and what it depends on", async () => {
    const words = ["run", "a.yaml", "--dry-run", "--job", "Report"];
    const { out } = await ojm(folderWith({ "a.yaml": FILE }), ...words);
    expect(out.match(/^ +\d+\. .*$/gm)).toEqual(["  1. oJobManager Init", "  2. Fetch", "  3. Report"]);
  });

  test("ojm run --dry-run of a file that cannot be run says why, and ends with 2", async () => {
    const folder = folderWith({ "a.yaml": "jobs: []\ntodo: [A]\n" });
    const { code, err } = await ojm(folder, "run", "a.yaml", "--dry-run");
    expect(code).toBe(2);
    expect(err).toContain('names the job "A", which does not exist');
  });
});
