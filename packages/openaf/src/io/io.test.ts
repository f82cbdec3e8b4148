import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { expressions, run, valuesOf } from "../testing/run.js";

test("io reads and writes texts, lines, bytes, JSON and YAML", async () => {
  const folder = folderWith({ "a.json": "{ a: 1, /* b */ }", "b.yaml": "a: 1\n---\nb: 2\n", "c.txt": "one\r\ntwo\n" });
  const f = (name: string): string => `args.folder + "/${name}"`;
  const wanted = {
    [`io.readFileJSON(${f("a.json")})`]: { a: 1 },
    [`io.readFile(${f("a.json")})`]: { a: 1 },
    [`io.readFileYAML(${f("b.yaml")})`]: [{ a: 1 }, { b: 2 }],
    [`io.readFileAsArray(${f("c.txt")})`]: ["one", "two"],
    [`io.readFileString(${f("c.txt")}).length`]: 9,
    [`io.writeFileString(${f("new/d.txt")}, "é", "ISO-8859-1")`]: "undefined",
    [`io.readFileBytes(${f("new/d.txt")})`]: [233],
    [`io.readFileString(${f("new/d.txt")}, "ISO-8859-1")`]: "é",
    [`io.writeFileString(${f("new/d.txt")}, "x", undefined, true)`]: "undefined",
    [`io.fileInfo(${f("new/d.txt")}).size`]: 2,
    [`io.writeFileJSON(${f("e.json")}, { a: [1] }, "")`]: "undefined",
    [`io.writeFileYAML(${f("e.yaml")}, { a: [1] })`]: "undefined",
    [`io.writeFileBytes(${f("e.bin")}, af.fromString2Bytes("ab"))`]: "undefined",
    [`io.writeFileAsArray(${f("e.txt")}, ["a", "b"])`]: "undefined",
    [`io.readFileString(${f("none")})`]: expect.stringMatching(/^thrown ENOENT/),
    [`io.readFileString(${f("none")}, "EBCDIC")`]: expect.stringMatching(/^thrown (ENOENT|the encoding)/),
    [`io.readFileString(${f("a.zip::b")})`]: expect.stringMatching(/files within a zip file cannot be read here$/),
    [`[io.isBinaryFile(${f("c.txt")}), isBinaryArray([0, 1])]`]: [false, true],
    [`af.fromBytes2String(io.gunzip(io.gzip(af.fromString2Bytes("hello"))))`]: "hello",
  };
  expect(await expressions(wanted, { folder })).toEqual(wanted);
  const read = (name: string): string => readFileSync(join(folder, name), "utf8");
  expect([read("e.json"), read("e.yaml"), read("e.bin"), read("e.txt")]).toEqual([
    '{"a":[1]}',
    "a:\n- 1\n",
    "ab",
    "a\nb\n",
  ]);
});

describe("files and folders", () => {
  test("io.fileInfo and io.listFiles return what OpenAF returns", async () => {
    const folder = folderWith({ "d/a.txt": "abc" });
    const values = await valuesOf(
      {
        info: 'return io.fileInfo(args.folder + "/d/a.txt", true)',
        missing: 'return io.fileInfo(args.folder + "/none")',
        list: 'return io.listFiles(args.folder + "/d").files.map(f => f.filename + f.size + f.isFile)',
        none: 'return io.listFiles(args.folder + "/none")',
        names: 'return io.listFilenames(args.folder + "/d", true)',
        canonical: 'return io.getCanonicalPath(args.folder + "/d/../x/y")',
      },
      { folder },
    );
    expect(values["info"]).toMatchObject({
      isFile: true,
      isDirectory: false,
      filename: "a.txt",
      filepath: join(folder, "d/a.txt"),
      size: 3,
      permissions: expect.stringMatching(/^x?rw$/),
      posixPermissions: expect.stringMatching(/^[rwx-]{9}$/),
      lastModified: expect.any(Number),
      user: expect.any(String),
    });
    expect(values["missing"]).toMatchObject({ isFile: false, isDirectory: false, size: 0, lastModified: 0 });
    expect([values["list"], values["none"], values["names"]]).toEqual([["a.txt3true"], {}, ["a.txt"]]);
    expect(values["canonical"]).toMatch(/\/x\/y$/);
  });

  test("listFilesRecursive lists what is in all folders, and follows no link for ever", async () => {
    const folder = folderWith({ "a.txt": "", "b/c.txt": "" });
    symlinkSync(folder, join(folder, "b/loop"));
    const code =
      'return listFilesRecursive(args.folder).map(f => f.filepath.slice(args.folder.length) + " in " + f.path.slice(args.folder.length)).sort()';
    expect((await valuesOf({ code }, { folder }))["code"]).toEqual([
      "/a.txt in ",
      "/b in ",
      "/b/c.txt in /b",
      "/b/loop in /b",
    ]);
  });

  test("io makes, moves, copies and removes", async () => {
    const folder = folderWith({ "a.txt": "a" });
    const f = (name: string): string => `args.folder + "/${name}"`;
    const wanted = {
      [`[io.mkdir(${f("x/y")}), io.mkdir(${f("x/y")}), io.fileExists(${f("x/y")})]`]: [true, false, true],
      [`[io.cp(${f("a.txt")}, ${f("x/b.txt")}), io.mv(${f("a.txt")}, ${f("x/c.txt")}), io.fileExists(${f("a.txt")})]`]:
        ["undefined", true, false],
      [`[io.rename(${f("x/c.txt")}, ${f("x/d.txt")}), io.rename(${f("none")}, ${f("x")})]`]: [true, false],
      [`[io.rm(${f("x")}), io.rm(${f("x")})]`]: [true, false],
      [`io.fileExists(io.createTempFile("pre", ".suf", args.folder))`]: true,
      [`io.fileInfo(io.createTempDir("pre", args.folder)).isDirectory`]: true,
    };
    expect(await expressions(wanted, { folder })).toEqual(wanted);
    expect(existsSync(join(folder, "x"))).toBe(false);
  });
});

test("streams are read by lines, by parts and by bytes, written, and copied", async () => {
  const folder = folderWith({ "a.txt": "one\ntwo\nthree" });
  mkdirSync(join(folder, "out"));
  const values = await valuesOf(
    {
      lines: 'const l = []; ioStreamReadLines(io.readFileStream(args.folder + "/a.txt"), s => { l.push(s) }); return l',
      stopped:
        'const l = []; ioStreamReadLines(io.readFileStream(args.folder + "/a.txt"), s => { l.push(s); return true }); return l',
      parts: 'let t = ""; ioStreamRead(af.fromString2InputStream("aéb"), s => { t += s }, 2); return t',
      bytes:
        "const b = []; ioStreamReadBytes(af.fromBytes2InputStream(af.fromArray2Bytes([1, 2, 3])), s => { b.push(...s) }, 2); return b",
      written: `const s = io.writeFileStream(args.folder + "/b.txt"); ioStreamWrite(s, "Hello "); ioStreamWriteBytes(s, af.fromString2Bytes("World")); s.close();
const t = io.writeFileStream(args.folder + "/b.txt", true); t.write("!"); t.close(); return io.readFileString(args.folder + "/b.txt")`,
      zipped: `const s = io.writeFileGzipStream(args.folder + "/c.gz"); ioStreamWrite(s, "zip"); s.close();
return af.fromInputStream2String(io.readFileGzipStream(args.folder + "/c.gz"))`,
      copied:
        'const o = af.newOutputStream(); ioStreamCopy(o, io.readFileStream(args.folder + "/a.txt")); return o.toString()',
      ndjson: `io.writeLineNDJSON(args.folder + "/d.ndjson", { a: 1 }); io.writeLineNDJSON(args.folder + "/d.ndjson", { a: 2 });
const l = []; io.readLinesNDJSON(args.folder + "/d.ndjson", v => { l.push(v.a) }); return l`,
    },
    { folder },
  );
  expect(values).toEqual({
    lines: ["one", "two", "three"],
    stopped: ["one"],
    parts: "aéb",
    bytes: [1, 2, 3],
    written: "Hello World!",
    zipped: "zip",
    copied: "one\ntwo\nthree",
    ndjson: [1, 2],
  });
});

test("a field that io does not have is undefined", async () => {
  const { err, well } = await run("io.onDirEvent('.')");
  expect(well).toBe(false);
  expect(err).toContain("io.onDirEvent is not a function");
});
