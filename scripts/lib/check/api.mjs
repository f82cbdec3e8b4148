import { existsSync, mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { CompilerState, Extractor, ExtractorConfig } from "@microsoft/api-extractor";
import { published } from "../pack.mjs";
import { root } from "../run.mjs";

/** The types of each published package, one item for each entry, with the name of its report. */
function entryPoints() {
  return published().flatMap(({ path, manifest }) =>
    Object.entries(manifest.exports ?? {})
      // The internal entries promise nothing.
      .filter(([entry, target]) => target.types !== undefined && !entry.startsWith("./internal"))
      .map(([entry, { types }]) => {
        const name = entry === "." ? basename(path) : `${basename(path)}-${basename(entry)}`;
        return { name, path, types: join(path, types) };
      }),
  );
}

/** The folder of a package's reports: the one that api-extractor has by convention. */
const reports = (path) => join(path, "etc");

function configFor({ name, path, types }) {
  const quiet = { default: { logLevel: "none" } };
  return ExtractorConfig.prepare({
    configObject: {
      projectFolder: path,
      mainEntryPointFilePath: types,
      newlineKind: "lf",
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            module: "nodenext",
            moduleResolution: "nodenext",
            target: "es2022",
            lib: ["es2023"],
            types: ["node"],
            skipLibCheck: true,
          },
          files: [types],
        },
      },
      apiReport: {
        enabled: true,
        // The classes behind the exported types: their members are public, their constructors are not.
        includeForgottenExports: true,
        reportFileName: `${name}.api.md`,
        reportFolder: reports(path),
        reportTempFolder: join(root, "node_modules/.ojm/api"),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: { compilerMessageReporting: quiet, extractorMessageReporting: quiet, tsdocMessageReporting: quiet },
    },
    configObjectFullPath: join(path, "api-extractor.json"),
    packageJsonFullPath: join(path, "package.json"),
  });
}

/**
 * Compares the public API of each package with its report in the package's `etc`, so that no change of it
 * goes unseen. With `update`, writes the reports instead. Returns an exit code.
 */
export function checkApi({ update = false } = {}) {
  const changed = [];
  const entries = entryPoints();
  for (const { path, types } of entries) {
    if (!existsSync(types)) throw new Error(`${types} is not built`);
    mkdirSync(reports(path), { recursive: true });
  }
  // One program for all: most of it is the same for each.
  const compilerState = CompilerState.create(configFor(entries[0]), {
    additionalEntryPoints: entries.map(({ types }) => types),
  });
  for (const entry of entries) {
    const { apiReportChanged } = Extractor.invoke(configFor(entry), {
      localBuild: update,
      compilerState,
      messageCallback: (message) => {
        message.handled = true;
      },
    });
    if (apiReportChanged) changed.push(entry.name);
  }
  if (changed.length === 0) return 0;
  console.error(
    update
      ? `written: ${changed.join(", ")}`
      : `the public API changed: ${changed.join(", ")}. If that is meant: npm run api`,
  );
  return update ? 0 : 1;
}
