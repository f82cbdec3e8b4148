import { readFileSync } from "node:fs";
import type { Settings } from "../options.js";

/**
 * The credentials with the CAs of `NODE_EXTRA_CA_CERTS`, unless they name a CA of their own. Node trusts
 * those by itself. If `GRPC_DEFAULT_SSL_ROOTS_FILE_PATH` is set too, as in some company images, grpc-js
 * trusts only that file: a private CA would work for Redis, but not for etcd.
 */
export function withExtraRoots({
  hosts,
  credentials,
}: Pick<Settings, "hosts" | "credentials">): Settings["credentials"] {
  const { NODE_EXTRA_CA_CERTS: extra = "", GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: roots = "" } = process.env;
  const isSecure = hosts.some((host) => host.startsWith("https://"));
  const isNamed = (credentials?.rootCertificate ?? null) !== null;
  if (!isSecure || isNamed || extra === "" || roots === "") return credentials;
  try {
    const all = [roots, extra].map((file) => readFileSync(file, "utf8"));
    return { ...credentials, rootCertificate: Buffer.from(all.join("\n"), "utf8") };
  } catch {
    // A file cannot be read: Node has warned of NODE_EXTRA_CA_CERTS, and grpc-js rejects the other.
    return credentials;
  }
}
