import type { Schema } from "./requests.js";
import type { Answers, Role } from "./types.js";

/** A kind of parameter in a query, and its description. */
export interface Parameter {
  readonly type: "text" | "time" | "count" | "statuses" | "texts" | "counts";
  readonly text: string;
}

/** An endpoint of the API: the source of the server, the OpenAPI document and the security tests. */
export interface Endpoint {
  readonly id: string;
  readonly method: "GET" | "POST" | "DELETE";
  /** Relative to the base path. `:name` and `:id` are percent-encoded. */
  readonly path: string;
  readonly summary: string;
  /** The role that it needs; `none`: not even a session. */
  readonly role: Role | "none";
  readonly query?: Readonly<Record<string, Parameter>>;
  readonly body?: Schema<unknown>;
  /** The type of the JSON answer, or the media type of another answer. */
  readonly answer: keyof Answers | "text/event-stream" | "text/plain";
  readonly page?: EndpointPage;
}

/** The page that shows an endpoint. */
export interface EndpointPage {
  /** Its path below the base path, with the name or the id of its subject. */
  readonly path: RegExp;
  /** The first requests of its program, in the same encoding. Their answers come with the page. */
  readonly first: (name: string, query: URLSearchParams) => readonly string[];
}
