import type { ClientSocket } from "./client.js";

/**
 * Sends the commands of one turn of the event loop in one write to the socket: a write costs more than a
 * command. The commands stay separate, each with its own answer. Automatic pipelining of ioredis would hold
 * them back until the previous pipeline is answered.
 */
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
      // Wait no longer: this runs after the microtasks of the turn, before any timer or other socket.
      process.nextTick(send);
    }
    return write.apply(socket, args);
  };
}
