import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { createGzip, gzipSync } from "node:zlib";
import { isPage } from "../api/read.js";
import { policyWithStyle } from "../security/headers.js";
import { Refusal } from "../security/refusal.js";
import { takesGzip } from "./gzip.js";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** The placeholder for the base path in index.html. */
const BASE = '<base href="/">';

interface File {
  readonly type: string;
  readonly body: Buffer;
  readonly zipped: Buffer;
  readonly tag: string;
}

/** The pages, as they were built: a few files in memory. No other file of the disk can be requested. */
export class Pages {
  readonly #folder: string;
  #files: ReadonlyMap<string, File> | undefined;

  constructor(folder: string = builtPages()) {
    this.#folder = folder;
  }

  /** The file or the page at a path. `data`: what its program needs first. The frame does not wait for it. */
  answer(request: Request, path: string, base: string, data?: Promise<object>): Response {
    this.#files ??= read(this.#folder);
    const file = this.#files.get(path.slice(1));
    if (file !== undefined && path !== "/index.html") return send(request, file, path.startsWith("/assets/"));
    if (path.startsWith("/assets/")) throw new Refusal("NOT_FOUND", "this server has no such file");
    const index = this.#files.get("index.html");
    if (index === undefined) throw new Refusal("FAULT", "the pages are not built: run npm run build");
    const html = index.body.toString("utf8");
    const page = html.replace(BASE, `<base href="${base}">`);
    const response =
      data === undefined
        ? send(request, fileOf(index.type, Buffer.from(page)), false, isPage(path) ? 200 : 404)
        : stream(request, index.type, page, data);
    const style = /<style>([\s\S]*?)<\/style>/.exec(html)?.[1];
    if (style !== undefined) response.headers.set("Content-Security-Policy", policyWithStyle(style));
    return response;
  }
}

/** Sends a page at once, except for its end: the data for its program, which starts after that. */
function stream(request: Request, type: string, page: string, data: Promise<object>): Response {
  const headers: Record<string, string> = {
    "Content-Type": type,
    "Cache-Control": "no-store",
    Vary: "Accept-Encoding",
    // nginx would buffer the frame until the page is complete.
    "X-Accel-Buffering": "no",
  };
  const zip = takesGzip(request) ? createGzip() : undefined;
  if (zip !== undefined) headers["Content-Encoding"] = "gzip";
  const body = zip ?? new PassThrough();
  const [frame = "", end = ""] = page.split(/(?=<\/body>)/);
  body.write(frame);
  // Without this, the browser gets nothing before the end.
  zip?.flush();
  void data.then((all) => body.end(`${dataBlock(all)}${end}`));
  return new Response(Readable.toWeb(body) as ReadableStream<Uint8Array>, { headers });
}

/** An HTML parser looks for the end of a script at each "<", even within a string. */
const dataBlock = (data: object): string =>
  `<script type="application/json" id="first">${JSON.stringify(data).replaceAll("<", "\\u003c")}</script>\n  `;

/** Beside the built program, or in the build folder if the sources are run. */
function builtPages(): string {
  const folders = ["./web/", "../../dist/web/"].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  return folders.find((folder) => existsSync(join(folder, "index.html"))) ?? join(folders[0] ?? "", "missing");
}

function read(folder: string): ReadonlyMap<string, File> {
  if (!existsSync(folder)) return new Map();
  const files = new Map<string, File>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const type = TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(join(folder, "/").length).replaceAll("\\", "/");
    files.set(name, fileOf(type, readFileSync(path)));
  }
  return files;
}

function fileOf(type: string, body: Buffer): File {
  const tag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 27)}"`;
  return { type, body, zipped: gzipSync(body, { level: 9 }), tag };
}

function send(request: Request, { type, body, zipped, tag }: File, isHashed: boolean, status = 200): Response {
  const headers: Record<string, string> = {
    "Content-Type": type,
    // The name of an asset contains the hash of its content.
    "Cache-Control": isHashed ? "public, max-age=31536000, immutable" : "no-cache",
    ETag: tag,
    Vary: "Accept-Encoding",
  };
  if (status === 200 && request.headers.get("If-None-Match") === tag)
    return new Response(null, { status: 304, headers });
  const zip = takesGzip(request);
  if (zip) headers["Content-Encoding"] = "gzip";
  return new Response(new Uint8Array(zip ? zipped : body), { status, headers });
}
