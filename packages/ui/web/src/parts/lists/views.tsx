import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { base } from "../../app/base.js";
import { rememberedList } from "../../app/remembered.js";
import { PAGES, place } from "../../app/router.js";
import { copy } from "../copy.js";
import { Icon } from "../icon.js";
import { Modal } from "../modal.js";
import { toast } from "../toasts.js";

/** A list with its filters, as a user named it. */
export interface View {
  readonly name: string;
  /** The path below the base, with the query. */
  readonly path: string;
}

const isView = (item: unknown): item is View => {
  const { name, path } = (item ?? {}) as Partial<View>;
  // The path must stay below the base: what is stored could come from another program of this host.
  return typeof name === "string" && typeof path === "string" && /^[a-z]+(\?|$)/.test(path);
};

/** The views of this browser. The address of a view has all of its filters: colleagues get it as a link. */
export const views = rememberedList<View>("views", isView);

/** A button that opens the saved views. */
export function Views(): VNode {
  const open = useSignal(false);
  return (
    <>
      <button type="button" class="button" onClick={() => (open.value = true)}>
        Views
      </button>
      {open.value && <ViewsDialog onClose={() => (open.value = false)} />}
    </>
  );
}

function ViewsDialog({ onClose }: { readonly onClose: () => void }): VNode {
  const { query, parts } = place.value;
  const search = query.toString();
  const path = `${parts.join("/")}${search === "" ? "" : `?${search}`}`;
  const copyLink = async (of: string): Promise<void> => {
    const isCopied = await copy(new URL(of, base).href);
    toast({ done: isCopied ? "link copied" : "this browser does not allow copying here" });
  };
  const save = (form: HTMLFormElement): void => {
    const name = String(new FormData(form).get("name")).trim();
    if (name === "") return;
    views.value = [...views.value.filter((view) => view.name !== name), { name, path }];
    form.reset();
  };
  return (
    <Modal label="Views" onClose={onClose}>
      <div class="dialog">
        <h2>Views</h2>
        {views.value.length > 0 && (
          <ul class="views">
            {views.value.map((view) => (
              <li key={view.name} class="row">
                <a
                  class="name cut"
                  href={view.path}
                  aria-current={view.path === path ? "page" : undefined}
                  onClick={onClose}
                >
                  {view.name}
                </a>
                <span class="dim">{PAGES.find(({ part }) => part === /^[a-z]+/.exec(view.path)?.[0])?.label}</span>
                <button
                  type="button"
                  class="tool"
                  aria-label={`Copy the link of ${view.name}`}
                  onClick={() => void copyLink(view.path)}
                >
                  <Icon name="link" />
                </button>
                <button
                  type="button"
                  class="tool"
                  aria-label={`Remove ${view.name}`}
                  onClick={() => (views.value = views.value.filter((one) => one !== view))}
                >
                  <Icon name="close" />
                </button>
              </li>
            ))}
          </ul>
        )}
        <form
          class="row"
          onSubmit={(event) => {
            event.preventDefault();
            save(event.currentTarget);
          }}
        >
          <input
            class="input"
            name="name"
            aria-label="Name of the view"
            placeholder="Name for these filters"
            maxLength={60}
            required
            autofocus
            autocomplete="off"
          />
          <button type="submit" class="button solid">
            Save
          </button>
        </form>
        <p class="dim">Views are stored in this browser. To share one, send its link, which includes the filters.</p>
        <div class="buttons">
          <button type="button" class="button" onClick={() => void copyLink(path)}>
            <Icon name="link" />
            Copy link
          </button>
          <button type="button" class="button" onClick={onClose}>
            Close
          </button>
        </div>
      </div>
    </Modal>
  );
}
