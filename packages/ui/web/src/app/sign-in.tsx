import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useRef } from "preact/hooks";
import { drop, post } from "../api/call.js";
import { Icon } from "../parts/icon.js";
import { Modal } from "../parts/modal.js";
import { Full } from "../parts/pictures.js";
import { signInBy } from "./me.js";
import { enter } from "./session.js";

/** The page of a user who has no session. The address stays: after the sign-in, its page is there. */
export function SignedOut(): VNode {
  if (signInBy.value === "password") {
    return (
      <div class="sign-in">
        <SignInForm title={<h1>Sign in to ojm</h1>} />
      </div>
    );
  }
  return (
    <Full icon="locks" title="You are signed out" alone>
      <p>
        This page needs a fresh address: run <code>ojm ui</code> and open the one that it prints. An address is of use
        once, within a minute. If the pages are part of another program, sign in there.
      </p>
    </Full>
  );
}

/** The session ended while the page was open. The data that was read before is still useful. */
export function Expired(): VNode {
  const open = useSignal(false);
  const byPassword = signInBy.value === "password";
  return (
    <div class="banner row" role="status">
      <Icon name="locks" />
      <b>You are signed out.</b>
      {byPassword ? (
        <>
          <span>The data is old.</span>
          <button type="button" class="button" onClick={() => (open.value = true)}>
            Sign in
          </button>
        </>
      ) : (
        <span>
          The data is old. Open the address that <code>ojm ui</code> prints, or sign in to the program that has these
          pages: this one then updates too.
        </span>
      )}
      {open.value && (
        <Modal label="Sign in" onClose={() => (open.value = false)}>
          <SignInForm title={<h2>Sign in to ojm</h2>} />
        </Modal>
      )}
    </div>
  );
}

function SignInForm({ title }: { readonly title: VNode }): VNode {
  const error = useSignal("");
  const busy = useSignal(false);
  const password = useRef<HTMLInputElement>(null);
  const send = async (form: HTMLFormElement): Promise<void> => {
    if (busy.value) return;
    busy.value = true;
    error.value = "";
    try {
      const fields = new FormData(form);
      await post("session", { user: String(fields.get("user")).trim(), password: String(fields.get("password")) });
      await enter();
    } catch (thrown) {
      const text = thrown instanceof Error ? thrown.message : String(thrown);
      error.value = `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
      password.current?.select();
    } finally {
      busy.value = false;
    }
  };
  return (
    <form
      class="dialog"
      onSubmit={(event) => {
        event.preventDefault();
        void send(event.currentTarget);
      }}
    >
      {title}
      <label class="field">
        <span>Name</span>
        <input
          class="input"
          name="user"
          autocomplete="username"
          required
          maxLength={100}
          autofocus
          spellcheck={false}
        />
      </label>
      <label class="field">
        <span>Password</span>
        <input
          ref={password}
          class="input"
          name="password"
          type="password"
          autocomplete="current-password"
          required
          maxLength={200}
        />
      </label>
      {error.value !== "" && (
        <div class="note" data-tone="failed" role="alert">
          <Icon name="warn" />
          <div>{error.value}</div>
        </div>
      )}
      <div class="buttons">
        <button type="submit" class="button solid" aria-disabled={busy.value}>
          Sign in
        </button>
      </div>
    </form>
  );
}

/** Ends the session, and shows the sign-in in place of the page. */
export async function signOut(): Promise<void> {
  await drop("session").catch(() => {});
  // Nothing that this user has read stays in the tab.
  location.reload();
}
