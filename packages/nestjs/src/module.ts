import { ConfigurableModuleBuilder, type ConfigurableModuleCls, Module } from "@nestjs/common";
import { DiscoveryModule, DiscoveryService } from "@nestjs/core";
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
 * Runs the methods with `@Cron`, `@Interval` and `@Timeout` of the whole application. `forRootAsync` takes
 * `useFactory`, `useClass` or `useExisting`.
 *
 * Opening the module connects to the store: without it, the application does not start.
 *
 * @throws TypeError, ScheduleError or ChannelError at the start, for a wrong option or a store that is away
 */
@Module({
  imports: [DiscoveryModule],
  providers: [
    { provide: Ojm, useFactory: Ojm.open, inject: [built.MODULE_OPTIONS_TOKEN, DiscoveryService] },
    { provide: SchedulerRegistry, useFactory: (ojm: Ojm) => new SchedulerRegistry(ojm), inject: [Ojm] },
    { provide: OjmHealthIndicator, useFactory: (ojm: Ojm) => new OjmHealthIndicator(ojm), inject: [Ojm] },
  ],
  exports: [Ojm, SchedulerRegistry, OjmHealthIndicator],
})
export class OjmModule extends Configurable {}
