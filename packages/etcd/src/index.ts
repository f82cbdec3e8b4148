import type { Backend, BackendContext, BackendType } from "@ojm/core/backend";
import { EtcdBackend } from "./backend.js";
import { connect, loadDriver } from "./calls/connect.js";
import { Nodes } from "./calls/nodes.js";
import { Codec } from "./layout.js";
import { OPTIONS, readOptions } from "./options.js";

/**
 * The `etcd` type. `open` resolves once the store has answered.
 *
 * It rejects with `INVALID_CONFIG` for a wrong option, `DENIED` for a wrong user, and with `UNAVAILABLE` or
 * `TIMEOUT` if no node answers within the deadline.
 */
export const backend: BackendType = {
  type: "etcd",
  options: OPTIONS,
  load: loadDriver,
  async open(args: Readonly<Record<string, unknown>>, _context: BackendContext): Promise<Backend> {
    const settings = readOptions(args);
    const connection = await connect(settings);
    const codec = new Codec(connection.keyPrefix);
    const nodes = new Nodes(connection.nodes, settings.deadline, codec.revisionKey);
    try {
      await nodes.call("read", (node, limits) => node.range({ key: codec.revisionKey, count_only: true }, limits));
    } catch (error) {
      nodes.close();
      throw error;
    }
    return new EtcdBackend(nodes, codec, settings.deadline);
  },
};
