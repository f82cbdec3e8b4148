import manifest from "../../package.json" with { type: "json" };

/** The versions of ojm and of Node in this process. */
export const VERSIONS: { readonly ojm: string; readonly node: string } = {
  ojm: manifest.version,
  node: process.versions.node,
};
