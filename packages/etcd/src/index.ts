import { type Backend, type BackendContext, type BackendType, LayoutMark } from "@ojm/core/backend";
import { EtcdBackend } from "./backend.js";
import { connect, loadDriver } from "./calls/connect.js";
import { Nodes } from "./calls/nodes.js";
import { putIfAbsent } from "./calls/requests.js";
import { Codec, LAYOUT } from "./layout.js";
import { OPTIONS, readOptions } from "./options.js";

/**
 * The `etcd` type. `open` resolves once the store has answered.
 *
 * It rejects with `INVALID_CONFIG` for a wrong option or a store of a newer layout, `DENIED` for a wrong
 * user, and with `UNAVAILABLE` or `TIMEOUT` if no node answers within the deadline.
 */
export const backend: BackendType = {
  type: "etcd",
  options: OPTIONS,
  load: loadDriver,
  async open(args: Readonly<Record<string, unknown>>, { clock }: BackendContext): Promise<Backend> {
    const settings = readOptions(args);
    const connection = await connect(settings);
    const codec = new Codec(connection.keyPrefix);
    const nodes = new Nodes(connection.nodes, settings.deadline, codec.revisionKey);
    const store = `etcd at ${nodes.names} (keyPrefix ${connection.keyPrefix})`;
    const layout = new LayoutMark({ store, package: "@ojm/etcd", known: LAYOUT }, clock, async (mark) => {
      const request = putIfAbsent(codec.layoutKey, mark);
      // Like a read, it may be sent again.
      const { responses } = await nodes.call("read", (node, limits) => node.txn(request, limits));
      return responses[0]?.response_range?.kvs[0]?.value.toString("utf8");
    });
    try {
      const { kvs } = await nodes.call("read", (node, limits) => node.range({ key: codec.layoutKey }, limits));
      layout.accept(kvs[0]?.value.toString("utf8"));
    } catch (error) {
      nodes.close();
      throw error;
    }
    return new EtcdBackend(nodes, codec, layout, settings.deadline);
  },
};
