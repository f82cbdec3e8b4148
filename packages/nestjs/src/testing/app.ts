import { join } from "node:path";
import type { INestApplicationContext, ModuleMetadata, Type } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { temporaryFolder } from "@ojm/testing/folder";
import { onTestFinished } from "vitest";
import { OjmModule } from "../module.js";
import type { OjmOptions } from "../ojm.js";

/** A module with ojm, on a store of its own, and these providers. */
export function appModule(metadata: ModuleMetadata, options: Partial<OjmOptions> = {}): object {
  const own = OjmModule.forRoot({ store: `sqlite:${join(temporaryFolder(), "ojm.db")}`, ...options });
  return { module: class AppModule {}, ...metadata, imports: [own, ...(metadata.imports ?? [])] };
}

/** An application with these providers. It is closed when the test is over. */
export async function openApp(
  providers: Type[],
  options?: Partial<OjmOptions>,
  imports: Type[] = [],
): Promise<INestApplicationContext> {
  const module = appModule({ providers, imports }, options);
  const app = await NestFactory.createApplicationContext(module as Type, { logger: false, abortOnError: false });
  onTestFinished(() => app.close());
  return app;
}
