import type { VNode } from "preact";
import { place, setQuery } from "../../app/router.js";
import type { State } from "../../format/states.js";
import { Icon } from "../icon.js";
import { toned } from "../state.js";

interface StatesFilterProps {
  /** The part of the query that has the chosen states, with commas between. */
  readonly param: string;
  readonly states: readonly (readonly [value: string, state: State])[];
}

/** Buttons that narrow a list to several states at once. */
export const StatesFilter = ({ param, states }: StatesFilterProps): VNode => {
  const on = place.value.query.get(param)?.split(",") ?? [];
  return (
    <>
      {states.map(([value, { icon, tone, word }]) => {
        const pressed = on.includes(value);
        const next = pressed ? on.filter((one) => one !== value) : [...on, value];
        return (
          <button
            key={value}
            type="button"
            class="button"
            aria-pressed={pressed}
            onClick={() => setQuery({ [param]: next.join(",") })}
          >
            <span {...toned(tone)}>
              <Icon name={icon} />
            </span>
            {word}
          </button>
        );
      })}
    </>
  );
};
