/** The UI of ojm in a Nest application, behind its guards. */
import type { IncomingMessage, ServerResponse } from "node:http";
import {
  All,
  type CanActivate,
  Controller,
  type DynamicModule,
  Inject,
  Module,
  Req,
  Res,
  type Type,
  UseGuards,
  VERSION_NEUTRAL,
} from "@nestjs/common";
import { ApplicationConfig, HttpAdapterHost } from "@nestjs/core";
import { incomingOf, openUi, type Ui, type UiOptions, type Viewer } from "@ojm/ui";
import { Ojm } from "./ojm.js";

/** Options of {@link OjmUiModule.forRoot}. */
export interface OjmUiOptions<R> extends Omit<UiOptions, "manager" | "scheduler" | "authorize" | "basePath"> {
  /** Where the UI is, below the global prefix. Default: `ojm`. */
  readonly path?: string;
  /** Run before each request, as by `@UseGuards`. */
  readonly guards: readonly (Type<CanActivate> | CanActivate)[];
  /** The user of a request that the guards admitted, and the role; `undefined` rejects the request. */
  readonly viewer: (request: R) => Promise<Viewer | undefined> | Viewer | undefined;
  /** The modules that have what the guards inject. */
  readonly imports?: NonNullable<DynamicModule["imports"]>;
}

/** A request or response of Express, or of Fastify. */
type Handled<T> = T & { readonly raw?: T; readonly body?: unknown; hijack?(): void };

/** Serves the UI of `@ojm/ui` below a path of the application. */
@Module({})
// biome-ignore lint/complexity/noStaticOnlyClass: Nest identifies a module by its class.
export class OjmUiModule {
  /** @throws TypeError without `guards` or `viewer` */
  static forRoot<R = unknown>(options: OjmUiOptions<R>): DynamicModule {
    const { path = "ojm", guards, viewer, imports = [], ...view } = options;
    if (!(guards?.length > 0) || typeof viewer !== "function")
      throw new TypeError("OjmUiModule needs guards: [AdminGuard], and viewer(request), which returns { user, role }");
    const requests = new WeakMap<IncomingMessage, R>();

    @Controller({ path, version: VERSION_NEUTRAL })
    @UseGuards(...guards)
    class OjmUiController {
      @Inject(Ojm) readonly ojm!: Ojm;
      @Inject(ApplicationConfig) readonly config!: ApplicationConfig;
      #ui: Ui | undefined;

      constructor(@Inject(HttpAdapterHost) { httpAdapter }: HttpAdapterHost) {
        // A wildcard has a name in Express 5, of Nest 11 and later. Nest reads the path later.
        const isNamed = httpAdapter.getType() === "express" && !("lazyrouter" in httpAdapter.getInstance());
        All(["", isNamed ? "*path" : "*"])(this, "serve", { value: this.serve });
      }

      serve(@Req() request: Handled<IncomingMessage>, @Res() response: Handled<ServerResponse>): void {
        const incoming = request.raw ?? request;
        requests.set(incoming, request as R);
        // Fastify has read the body, and has it beside the request of Node.
        if (request.raw !== undefined && request.body !== undefined) Object.assign(incoming, { body: request.body });
        response.hijack?.();
        // Opened by the first request: the global prefix is known then.
        this.#ui ??= this.#open();
        this.#ui.listener(incoming, response.raw ?? response);
      }

      async onModuleDestroy(): Promise<void> {
        await this.#ui?.close();
      }

      #open(): Ui {
        const { manager, scheduler } = this.ojm;
        const prefix = this.config.getGlobalPrefix();
        const authorize: UiOptions["authorize"] = (request) => {
          const incoming = incomingOf(request);
          return incoming && viewer(requests.get(incoming) as R);
        };
        const basePath = `/${[prefix, path].flatMap((part) => part.split("/").filter(Boolean)).join("/")}`;
        return openUi({ ...view, manager, scheduler, basePath, authorize });
      }
    }
    return { module: OjmUiModule, imports, controllers: [OjmUiController] };
  }
}
