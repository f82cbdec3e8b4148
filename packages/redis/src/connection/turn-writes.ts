import type { ClientSocket, RedisClient } from "./client.js";

/**
 * Lets the commands of one turn of the event loop leave in one write to the socket: a write costs more than a
 * command. The commands stay separate, each with its own answer. Automatic pipelining of ioredis would hold
 * them back until the pipeline before is answered.
 */
export function joinWritesOf(client: RedisClient): void {
  const join = (node: RedisClient): void => {
    // Each connection has a socket of its own, also after a reconnection.
    node.on("connect", () => {
      if (node.stream !== undefined) joinWrites(node.stream);
    });
  };
  join(client);
  client.on("+node", join);
}

/** Holds back what is written to a socket until the turn ends. */
export function joinWrites(socket: ClientSocket): void {
  const { write } = socket;
  let held = false;
  const send = (): void => {
    held = false;
    socket.uncork();
  };
  socket.write = (...args) => {
    if (!held) {
      held = true;
      socket.cork();
      // Not later: this runs after all microtasks of the turn, and before any timer or other socket.
      process.nextTick(send);
    }
    return write.apply(socket, args);
  };
}
