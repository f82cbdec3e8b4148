// The messages of etcd's v3 API, as far as this package uses them.

/**
 * An int64 arrives as text, since JavaScript's numbers are exact only up to 2^53. But if protobuf does not
 * find the package `long`, which depends on how modules are loaded, a 0 arrives as a number. So never compare
 * it without a conversion.
 */
export type Int64 = string | number;

export interface Header {
  readonly revision: Int64;
  /** Grows with every election. */
  readonly raft_term: Int64;
}

export interface KeyValue {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly mod_revision: Int64;
  /** The id of the lease that the key is attached to; 0 for none. */
  readonly lease: Int64;
}

export interface RangeRequest {
  readonly key: Buffer;
  readonly range_end?: Buffer;
  readonly limit?: number;
  readonly sort_order?: "None" | "Ascend" | "Descend";
  readonly sort_target?: "Key";
  readonly keys_only?: boolean;
  readonly count_only?: boolean;
}

export interface RangeResponse {
  readonly header: Header;
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  /** How many keys the range has, whatever the limit. */
  readonly count: Int64;
}

export interface Compare {
  readonly key: Buffer;
  readonly target: "Mod" | "Create";
  readonly result: "Equal";
  readonly mod_revision?: string;
  readonly create_revision?: string;
}

export interface RequestOp {
  readonly request_range?: RangeRequest;
  readonly request_put?: { readonly key: Buffer; readonly value: Buffer; readonly lease?: string };
  readonly request_delete_range?: { readonly key: Buffer };
}

export interface ResponseOp {
  readonly response_range?: RangeResponse;
  readonly response_delete_range?: { readonly deleted: string };
}

export interface TxnRequest {
  readonly compare: readonly Compare[];
  readonly success: readonly RequestOp[];
  readonly failure: readonly RequestOp[];
}

export interface TxnResponse {
  readonly header: Header;
  readonly succeeded: boolean;
  readonly responses: readonly ResponseOp[];
}

export interface LeaseGrantResponse {
  readonly header: Header;
  readonly ID: Int64;
}

export interface LeaseTimeToLiveResponse {
  readonly header: Header;
  /** Whole seconds, rounded down; -1 if the lease does not exist. */
  readonly TTL: Int64;
}

export interface CreateWatch {
  readonly key: Buffer;
  readonly range_end: Buffer;
  /** "0": from the next revision on. */
  readonly start_revision: string;
  readonly fragment: boolean;
}

export interface WatchRequest {
  /** `watch_id` is a number of our own choice, which no other watch of the stream has or had. */
  readonly create_request?: CreateWatch & { readonly watch_id: string };
  readonly cancel_request?: { readonly watch_id: string };
}

export interface WatchResponse {
  readonly header: Header;
  /** -1 if the response does not concern a single watch. */
  readonly watch_id: Int64;
  readonly created: boolean;
  readonly canceled: boolean;
  readonly compact_revision: Int64;
  readonly cancel_reason: string;
  readonly events: readonly { readonly type: "Put" | "Delete"; readonly kv: KeyValue }[];
}

/** A watch stream. An `error` or an `end` is its last event. */
export interface WatchStream {
  write(request: WatchRequest): void;
  cancel(): void;
  on(event: "data", listener: (response: WatchResponse) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "end", listener: () => void): unknown;
  /** The first message of the node has arrived. */
  once(event: "metadata", listener: () => void): unknown;
}
