import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { folderWith, temporaryFolder } from "@ojm/testing/folder";
import { tsArgs } from "@ojm/testing/programs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expressions, run, valuesOf } from "../testing/run.js";

let server: ChildProcess;
let url = "";
/** An address where no server listens. */
let closed = "";

beforeAll(async () => {
  const program = fileURLToPath(new URL("../testing/server.child.ts", import.meta.url));
  server = fork(program, { execArgv: tsArgs() });
  url = await new Promise((resolve) => server.once("message", (port) => resolve(`http://127.0.0.1:${String(port)}`)));
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  closed = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  await new Promise((resolve) => other.close(resolve));
});

afterAll(() => {
  server.kill();
});

test("$rest asks, sends JSON, and returns what the server answers", async () => {
  const wanted = {
    '$rest().get(args.url + "/a").url': "/a",
    '$rest().get(args.url + "/a", { id: 1, o: { b: 2 } }).url': "/a/id/1/o/%7B%22b%22%3A2%7D",
    '$rest({ uriQuery: true }).get(args.url + "/a", { q: "x y" }).url': "/a?q=x%20y",
    '$rest().get(args.url + "/a").accept': "*/*",
    '$rest().post(args.url + "/a", { b: 1 })': expect.objectContaining({
      method: "POST",
      body: '{"b":1}',
      type: "application/json; charset=UTF-8",
    }),
    '$rest().put(args.url + "/a", "text").body': "text",
    '$rest().patch(args.url + "/a", [1]).method': "PATCH",
    '$rest().delete(args.url + "/a", { id: 1 })': expect.objectContaining({
      method: "DELETE",
      url: "/a/id/1",
      body: "",
    }),
    '$rest({ urlEncode: true }).post(args.url + "/a", { b: "x y", c: 1 })': expect.objectContaining({
      body: "b=x%20y&c=1",
      type: "application/x-www-form-urlencoded; charset=UTF-8",
    }),
    '$rest({ requestHeaders: { "X-Own": 5, "content-type": "text/x" } }).post(args.url, {})': expect.objectContaining({
      own: "5",
      type: "text/x",
    }),
    '$rest({ login: "u", pass: "p" }).get(args.url).authorization': "Basic dTpw",
    '$rest().get(args.url.replace("//", "//u:p@")).authorization': "Basic dTpw",
    '$rest({ login: (h) => h.login("u", "p") }).get(args.url).authorization': "Basic dTpw",
    '$rest({ preAction: (r) => ({ aBaseURL: r.aBaseURL + "/changed" }) }).get(args.url).url': "/changed",
    '$rest().get(args.url + "/text")': "plain text",
    '$rest().get(args.url + "/moved").url': "/there",
    '$rest().head(args.url + "/a").response["x-answer"]': "yes",
    '[$rest().query({ a: 1, b: "x&y" }), $rest().index({ a: "b/c" })]': ["a=1&b=x%26y", "/a/b%2Fc"],
    'ow.obj.rest.jsonGet(args.url + "/a", { id: 1 }).url': "/a/id/1",
    'ow.obj.rest.jsonCreate(args.url + "/a", {}, { b: 1 }).body': '{"b":1}',
  };
  expect(await expressions(wanted, { url })).toEqual(wanted);
});

test("$rest returns a failure in a map, merged with the default, or throws it", async () => {
  const wanted = {
    '$rest().get(args.url + "/status/500").error.responseCode': 500,
    '$rest().get(args.url + "/status/404").error.response.url': "/status/404",
    '$rest({ default: { a: 1 } }).get(args.url + "/text/status/404")': expect.anything(),
    '$rest({ default: { a: 1 } }).get(args.url + "/status/400").a': 1,
    '$rest({ throwExceptions: true }).get(args.url + "/status/404")': expect.stringMatching(
      /^thrown FileNotFoundException http.*\/status\/404; response = \{"responseCode":404/,
    ),
    '$rest({ throwExceptions: true }).get(args.url + "/status/503")': expect.stringMatching(
      /^thrown IOException Server returned HTTP response code: 503 for URL: http/,
    ),
    "$rest().get(args.closed)": { error: expect.stringMatching(/ECONNREFUSED/) },
    '$rest({ timeout: 50 }).get(args.url + "/never")': { error: "the server did not answer in time" },
    "$rest({ retry: 2, retryWait: 1 }).get(args.closed).error": expect.stringMatching(/ECONNREFUSED/),
    '$rest().get("no url")': { error: expect.stringMatching(/Invalid URL/) },
    "$rest({ httpClient: 1 })": 'thrown $rest has no option "httpClient" here',
    '$rest().get2File(args.folder + "/x", args.url + "/status/500")': expect.stringMatching(/^thrown IOException/),
  };
  expect(await expressions(wanted, { url, closed, folder: temporaryFolder() })).toEqual(wanted);
});

test("$rest writes answers to files, resumes them, and sends files", async () => {
  const folder = folderWith({ "up.txt": "content", "part.txt": "begun" });
  const values = await valuesOf(
    {
      file: '$rest().get2File(args.folder + "/got.txt", args.url + "/text")',
      resumed: '$rest({ downloadResume: true }).get2File(args.folder + "/part.txt", args.url + "/a")',
      stream: 'return af.fromInputStream2String($rest().get2Stream(args.url + "/text"))',
      upload:
        'return jsonParse($rest().postUpload(args.url + "/a", { name: "f", in: args.folder + "/up.txt" }).response)',
    },
    { url, folder },
  );
  expect(readFileSync(join(folder, "got.txt"), "utf8")).toBe("plain text");
  expect(readFileSync(join(folder, "part.txt"), "utf8")).toMatch(/^begun\{.*"range":"bytes=5-"/);
  expect(values["stream"]).toBe("plain text");
  expect(values["upload"]).toMatchObject({
    method: "POST",
    body: expect.stringMatching(/name="f"; filename="up.txt"[\s\S]*content/),
  });
});

test("a request leaves its thread fit for the next job", async () => {
  const jobs = "  - { name: Next, exec: 'print($rest().get(args.url).method)' }";
  const { out, err } = await run('$rest().get(args.url); $job("Next", args); print("both")', { url }, jobs);
  expect([out, err.match(/Error/)]).toEqual(["GET\nboth\n", null]);
});

test("a job that is asked to stop waits for no answer", async () => {
  const jobs = `  - { name: Asks, exec: 'try { $set("asks", 1); $rest().get(args.url + "/never") } catch (e) { print("told " + e.code) }' }`;
  const code = 'oJobManagerLaunchJob("Asks", args); while (isUnDef($get("asks"))) sleep(5); exit(0)';
  const { out } = await run(code, { url }, jobs);
  expect(out).toBe("told CANCELLED\n");
});
