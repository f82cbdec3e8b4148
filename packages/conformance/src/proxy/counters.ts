/** Counts the requests in what the client of one connection sends. */
export interface RequestCounter {
  /** Call it with what the client sent. Returns the number of requests that begin in it. */
  sent(chunk: Buffer): number;
  /** Call it when the server sent something. */
  answered(): void;
}

/**
 * Counts one request each time the client sends after the server sent: this is how often the client waited,
 * whatever the protocol. Correct for protocols that answer in turn, such as those of Redis and PostgreSQL.
 */
export function bursts(): RequestCounter {
  let waiting = false;
  return {
    sent() {
      const first = !waiting;
      waiting = true;
      return first ? 1 : 0;
    },
    answered() {
      waiting = false;
    },
  };
}

const PREFACE = 24;
const FRAME_HEADER = 9;
const HEADERS = 1;

/**
 * Counts the requests of HTTP/2 without TLS, and so of gRPC. There, both sides also send frames that need no
 * answer, so {@link bursts} would count wrongly.
 */
export function http2Requests(): RequestCounter {
  // The client begins with a fixed preface, which is not a frame.
  let skip = PREFACE;
  let rest: Buffer = Buffer.alloc(0);
  return {
    sent(chunk) {
      let requests = 0;
      rest = Buffer.concat([rest, chunk]);
      for (;;) {
        const skipped = Math.min(skip, rest.length);
        skip -= skipped;
        rest = rest.subarray(skipped);
        if (skip > 0 || rest.length < FRAME_HEADER) return requests;
        if (rest[3] === HEADERS) requests++;
        skip = FRAME_HEADER + rest.readUIntBE(0, 3);
      }
    },
    answered() {},
  };
}
