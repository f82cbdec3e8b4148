import type { Schema } from "./requests.js";
import type { Answers, Role } from "./types.js";

/** A kind of parameter in a query, and what it means. */
export interface Parameter {
  readonly type: "text" | "time" | "count" | "statuses" | "texts" | "counts";
  readonly text: string;
}

/** An endpoint of the API. Server, OpenAPI document and tests of security come from the tables of them. */
export interface Endpoint {
  readonly id: string;
  readonly method: "GET" | "POST" | "DELETE";
  /** Relative to the base path. `:name` and `:id` are percent-encoded. */
  readonly path: string;
  readonly summary: string;
  /** The role that it needs; `none`: no session either. */
  readonly role: Role | "none";
  readonly query?: Readonly<Record<string, Parameter>>;
  readonly body?: Schema<unknown>;
  /** The answer in JSON, or the media type of another one. */
  readonly answer: keyof Answers | "text/event-stream" | "text/plain";
  readonly page?: EndpointPage;
}

/** The page that shows an endpoint. */
export interface EndpointPage {
  /** Its path below the base path, with the name or the id of what it shows. */
  readonly path: RegExp;
  /** What its program asks for first, in the letters in which it asks: that comes with the page. */
  readonly first: (name: string, query: URLSearchParams) => readonly string[];
}
