import type { registerFunction } from "@jmespath-community/jmespath";

// @ojm/openaf has the same for its $path: the packages share no code.

/** JMESPath orders numbers only. OpenAF orders as JavaScript does: texts, and with them dates, too. */
const ORDERS: Readonly<Record<string, (a: never, b: never) => boolean>> = {
  GT: (a, b) => a > b,
  GTE: (a, b) => a >= b,
  LT: (a, b) => a < b,
  LTE: (a, b) => a <= b,
};

function nameOf(order: string): string {
  return `ojm_${order.toLowerCase()}`;
}

/** Makes known to the library the functions that {@link withOrder} calls. `any` is its type of any value. */
export function registerOrders(register: typeof registerFunction, any: number): void {
  const signature = [{ types: [any] }, { types: [any] }];
  for (const [order, holds] of Object.entries(ORDERS)) {
    register(nameOf(order), ([a, b]) => holds(a as never, b as never), signature, { override: true });
  }
}

/** The expression with a call of a function for each `<`, `<=`, `>` and `>=`. */
export function withOrder<Node>(node: Node): Node {
  if (Array.isArray(node)) return node.map((one) => withOrder<unknown>(one)) as Node;
  if (typeof node !== "object" || node === null) return node;
  const { type, name, left, right } = node as Readonly<Record<string, unknown>>;
  if (type === "Literal") return node;
  if (type === "Comparator" && Object.hasOwn(ORDERS, String(name))) {
    return { type: "Function", name: nameOf(String(name)), children: [withOrder(left), withOrder(right)] } as Node;
  }
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, withOrder<unknown>(value)])) as Node;
}
