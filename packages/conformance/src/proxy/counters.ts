/** Counts the requests of one connection in what its client sends. */
export interface RequestCounter {
  /** Called with what the client sent. Returns how many requests begin in it. */
  sent(chunk: Buffer): number;
  /** Called when the server sent something. */
  answered(): void;
}

/**
 * One for each time that the client sends after the server did: how often somebody waited, whatever the
 * protocol. Right for protocols that answer in turn, such as that of Redis or PostgreSQL.
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
 * One for each request of HTTP/2 without TLS, and so of gRPC: there, both sides also send frames that nobody
 * waits for.
 */
export function http2Requests(): RequestCounter {
  // The client begins with a fixed text.
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
