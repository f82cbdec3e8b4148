import { writeFileSync } from "node:fs";
import { $a2m, merge } from "../data/maps.js";
import { type Fields, isMap, isObject } from "../data/types.js";
import { fileInfo } from "../io/info.js";
import { BytesInput, type InputStream } from "../io/streams.js";
import { jsonParse } from "../text/texts.js";
import { isStop, thread } from "../thread.js";
import { type HttpResponse, send } from "./requests.js";

interface RestOptions {
  readonly default?: Fields;
  readonly throwExceptions?: boolean;
  readonly requestHeaders?: Readonly<Record<string, unknown>>;
  /** Put the map of the address into its query, instead of its path. */
  readonly uriQuery?: boolean;
  /** Send data as a form. */
  readonly urlEncode?: boolean;
  readonly login?: unknown;
  readonly pass?: unknown;
  readonly timeout?: number;
  readonly connectionTimeout?: number;
  readonly retry?: number;
  readonly retryWait?: number;
  readonly downloadResume?: boolean;
  readonly preAction?: (request: Fields) => unknown;
  readonly options?: { readonly timeout?: number; readonly followRedirects?: boolean };
  readonly [other: string]: unknown;
}

/** Options of OpenAF that need its own HTTP client. */
const MISSING = ["httpClient", "stopWhen"];
const RETRY_WAIT = 1_500;

/** A file that is sent as a form. */
interface Upload {
  readonly name: string;
  readonly in: string;
}

interface Call {
  readonly method: string;
  readonly url: string;
  readonly index?: unknown;
  readonly data?: unknown;
  readonly upload?: { readonly name: string; readonly path: string };
  readonly resume?: string | undefined;
}

/** Requests whose answers are JSON: `$rest({ throwExceptions: true }).get("https://example.com")`. */
export class Rest {
  readonly #options: RestOptions;

  constructor(options: RestOptions = {}) {
    const missing = MISSING.find((name) => options[name] !== undefined);
    if (missing !== undefined) throw new Error(`$rest has no option "${missing}" here`);
    this.#options = options;
  }

  readonly get = (url: string, index?: unknown): unknown => this.#json({ method: "GET", url, index });
  readonly delete = (url: string, index?: unknown): unknown => this.#json({ method: "DELETE", url, index });
  readonly post = (url: string, data?: unknown, index?: unknown): unknown =>
    this.#json({ method: "POST", url, data, index });
  readonly put = (url: string, data?: unknown, index?: unknown): unknown =>
    this.#json({ method: "PUT", url, data, index });
  readonly patch = (url: string, data?: unknown, index?: unknown): unknown =>
    this.#json({ method: "PATCH", url, data, index });

  /** The headers of an answer, as `response`. */
  readonly head = (url: string, index?: unknown): unknown =>
    this.#try({ method: "HEAD", url, index }, ({ status, headers }) => ({
      responseCode: status,
      contentType: "application/json; charset=UTF-8",
      response: headers,
    }));

  /** Writes the answer of the server to a file. */
  readonly get2File = (path: string, url: string, index?: unknown): void =>
    this.#file(path, { method: "GET", url, index });
  readonly post2File = (path: string, url: string, data?: unknown, index?: unknown): void =>
    this.#file(path, { method: "POST", url, data, index });
  readonly put2File = (path: string, url: string, data?: unknown, index?: unknown): void =>
    this.#file(path, { method: "PUT", url, data, index });
  readonly patch2File = (path: string, url: string, data?: unknown, index?: unknown): void =>
    this.#file(path, { method: "PATCH", url, data, index });

  /** The answer of the server, as a stream. */
  readonly get2Stream = (url: string, index?: unknown): InputStream =>
    new BytesInput(this.#bytes({ method: "GET", url, index }));
  readonly post2Stream = (url: string, data?: unknown, index?: unknown): InputStream =>
    new BytesInput(this.#bytes({ method: "POST", url, data, index }));

  /** Sends a file, `{ name, in: path }`, as a form. */
  readonly postUpload = (url: string, { name, in: path }: Upload, index?: unknown): unknown =>
    this.#try({ method: "POST", url, index, upload: { name, path } }, outputOf);
  readonly putUpload = (url: string, { name, in: path }: Upload, index?: unknown): unknown =>
    this.#try({ method: "PUT", url, index, upload: { name, path } }, outputOf);

  readonly query: typeof writeQuery = writeQuery;
  readonly index: typeof writeIndexes = writeIndexes;

  #json(call: Call): unknown {
    return this.#try(call, ({ body }) => jsonParse(textOf(body)));
  }

  #file(path: string, call: Call): void {
    const size = this.#options.downloadResume ? fileInfo(path).size : 0;
    const bytes = this.#bytes({ ...call, resume: size > 0 ? `bytes=${size}-` : undefined });
    writeFileSync(path, bytes, { flag: size > 0 ? "a" : "w" });
  }

  /** Bytes cannot contain an error, so it is thrown. */
  #bytes(call: Call): Uint8Array {
    return this.#attempt(call, ({ body }) => body);
  }

  #try(call: Call, read: (response: HttpResponse) => unknown): unknown {
    try {
      return this.#attempt(call, read);
    } catch (error) {
      if (this.#options.throwExceptions || isStop(error)) throw error;
      return merge({ error: errorMap(error) }, this.#options.default ?? {});
    }
  }

  #attempt<T>(call: Call, read: (response: HttpResponse) => T): T {
    const { retry = 0, retryWait = RETRY_WAIT } = this.#options;
    for (let left = retry; ; left--) {
      try {
        return read(this.#send(call));
      } catch (error) {
        if (left <= 1 || isStop(error)) throw error;
        thread.sleep(retryWait);
      }
    }
  }

  #send(call: Call): HttpResponse {
    const { uriQuery, urlEncode, requestHeaders, options = {}, timeout, connectionTimeout } = this.#options;
    const { aBaseURL, aIdxMap, aDataRowMap, reqHeaders } = this.#prepared(call, requestHeaders ?? { Accept: "*/*" });
    const tail = uriQuery ? queryOf(aIdxMap) : writeIndexes(aIdxMap as Fields | undefined);
    const { url, login } = withoutLogin(String(aBaseURL) + tail);
    const sendsData = ["POST", "PUT", "PATCH"].includes(call.method) && call.upload === undefined;
    const type = urlEncode ? "application/x-www-form-urlencoded" : "application/json";
    const headers = {
      ...(sendsData && { "Content-Type": `${type}; charset=UTF-8` }),
      ...this.#authorization(login),
      ...(call.resume !== undefined && { Range: call.resume }),
      ...(reqHeaders as object),
    };
    const response = send({
      url,
      method: call.method,
      headers: headersOf(headers),
      body: sendsData ? bodyOf(aDataRowMap, urlEncode) : undefined,
      upload: call.upload,
      timeout: timeout ?? options.timeout ?? connectionTimeout,
      followRedirects: options.followRedirects,
    });
    if (response.status >= 400) throw statusError(response, url);
    return response;
  }

  /** The request, after the function of the script has changed it. */
  #prepared({ method, url, index, data }: Call, headers: unknown): Fields {
    const names = ["aBaseURL", "aIdxMap", "aDataRowMap", "reqHeaders", "aVerb"];
    const request = $a2m(names, [url, index, data, headers, method.toLowerCase()]);
    const changed = this.#options.preAction?.({ ...request });
    return isMap(changed) ? { ...request, ...changed } : request;
  }

  #authorization(inUrl: string | undefined): Record<string, string> {
    const { login, pass } = this.#options;
    let found = inUrl;
    if (typeof login === "function")
      login({ login: (user: unknown, password: unknown) => (found = `${user}:${password}`) });
    else if (login !== undefined) found = `${String(login)}:${String(pass ?? "")}`;
    return found === undefined ? {} : { Authorization: `Basic ${Buffer.from(found).toString("base64")}` };
  }
}

/** The map of an address as its path: `{ id: 1 }` as `/id/1`. */
export function writeIndexes(map: Readonly<Fields> = {}): string {
  const part = (value: unknown): string => encodeURIComponent(isObject(value) ? JSON.stringify(value) : String(value));
  return Object.entries(map)
    .map(([key, value]) => `/${encodeURIComponent(key)}/${part(value)}`)
    .join("");
}

/** The map of a query: `{ a: 1 }` as `a=1`. */
export function writeQuery(map: Readonly<Fields> = {}): string {
  const given = Object.entries(map).filter(([, value]) => value !== undefined);
  return given.map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(String(value))}`).join("&");
}

function queryOf(map: unknown): string {
  const query = writeQuery((map ?? {}) as Fields);
  return query === "" ? "" : `?${query}`;
}

function bodyOf(data: unknown, urlEncode: boolean | undefined): string {
  if (typeof data === "string") return data;
  if (urlEncode) return writeQuery((data ?? {}) as Fields);
  return data === undefined ? "" : thread.stringify(data, undefined, "");
}

/** Later names win, regardless of case. */
function headersOf(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  const given = Object.entries(headers).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(given.map(([name, value]) => [name.toLowerCase(), String(value)]));
}

/** An address without the user and password in it, which `fetch` refuses. */
function withoutLogin(address: string): { readonly url: string; readonly login: string | undefined } {
  const url = new URL(address);
  if (url.username === "") return { url: address, login: undefined };
  const login = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.username = "";
  url.password = "";
  return { url: url.href, login };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}

function outputOf({ status, headers, body }: HttpResponse): Fields {
  return { responseCode: status, contentType: headers["content-type"] ?? "", response: textOf(body) };
}

/** The value that OpenAF throws: a text with the response in it. */
function statusError(response: HttpResponse, url: string): string {
  const isMissing = response.status === 404 || response.status === 410;
  const what = isMissing
    ? `FileNotFoundException ${url}`
    : `IOException Server returned HTTP response code: ${response.status} for URL: ${url}`;
  return `${what}; response = ${JSON.stringify(outputOf(response))}`;
}

/** The value of `error`: the response as a map, or the reason as a text. */
function errorMap(error: unknown): unknown {
  const [, response] = /; response = (\{.*\})$/s.exec(typeof error === "string" ? error : "") ?? [];
  if (response === undefined) return error instanceof Error ? error.message : String(error);
  const map = JSON.parse(response) as Fields;
  return /application\/json/i.test(String(map["contentType"])) ? { ...map, response: jsonParse(map["response"]) } : map;
}

/** Begins a request. */
export function $rest(options?: RestOptions): Rest {
  return new Rest(options);
}
