import { ConfigurableModuleBuilder, type ConfigurableModuleCls, Inject, Module } from "@nestjs/common";
import { DiscoveryModule, DiscoveryService, ModulesContainer } from "@nestjs/core";
import { OjmHealthIndicator } from "./health.js";
import { Ojm, type OjmOptions } from "./ojm.js";
import { SchedulerRegistry } from "./registry.js";

const built = new ConfigurableModuleBuilder<OjmOptions>({ moduleName: "Ojm" })
  .setClassMethodName("forRoot")
  .setFactoryMethodName("createOjmOptions")
  .setExtras({}, (definition) => ({ ...definition, global: true }))
  .build();
const Configurable: ConfigurableModuleCls<OjmOptions, "forRoot", "createOjmOptions"> = built.ConfigurableModuleClass;

/**
 * Ends the runs before any module closes what they use. Since Nest 11, modules end in the opposite order of
 * their start: the one with the smallest distance first, and a global module such as {@link OjmModule} last.
 */
@Module({})
class EndOfRuns {
  readonly #ojm: Ojm;

  constructor(ojm: Ojm, modules: ModulesContainer) {
    this.#ojm = ojm;
    for (const module of modules.values()) if (module.metatype === EndOfRuns) module.distance = -1;
  }

  async onModuleDestroy(): Promise<void> {
    await this.#ojm.onModuleDestroy();
  }
}
// Called as functions: decorators of parameters need an option of the compiler.
for (const [i, token] of [Ojm, ModulesContainer].entries()) Inject(token)(EndOfRuns, undefined, i);

/**
 * Runs the methods with `@Cron`, `@Interval` and `@Timeout` of the whole application. `forRootAsync` takes
 * `useFactory`, `useClass` or `useExisting`.
 *
 * Opening the module connects to the store: without it, the application does not start.
 *
 * @throws TypeError, ScheduleError or ChannelError at the start, for a wrong option or a store that is away
 */
@Module({
  imports: [DiscoveryModule, EndOfRuns],
  providers: [
    { provide: Ojm, useFactory: Ojm.open, inject: [built.MODULE_OPTIONS_TOKEN, DiscoveryService] },
    { provide: SchedulerRegistry, useFactory: (ojm: Ojm) => new SchedulerRegistry(ojm), inject: [Ojm] },
    { provide: OjmHealthIndicator, useFactory: (ojm: Ojm) => new OjmHealthIndicator(ojm), inject: [Ojm] },
  ],
  exports: [Ojm, SchedulerRegistry, OjmHealthIndicator],
})
export class OjmModule extends Configurable {}
