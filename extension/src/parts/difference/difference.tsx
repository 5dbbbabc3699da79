import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { type MessageRow, messageRows } from "../../logic/aligned";
import { plural } from "../../logic/format";
import { type FieldRow, fieldRows } from "../../logic/paths";
import { sentence } from "../../logic/text";
import type { UnitBody } from "../../model";
import { VersionName } from "../ui";
import { Fields } from "./fields";
import { Collapsed, MessageDiff } from "./messages";

export type View = "split" | "unified";

/** A unit with its name, and its place among those compared: 0 is the baseline. */
export interface Compared {
  name: string;
  unit: UnitBody;
  index: number;
}

/** Two to four units, the baseline first: the sentence, then what differs; what is equal is a count that opens. */
export function Difference(props: { sides: Compared[]; view: View; children?: ComponentChildren }) {
  const { sides, view } = props;
  const [first, second, third, fourth] = sides.map((side) => side.unit);
  const found = useMemo(() => {
    const candidates = [second, third, fourth].filter((unit) => unit !== undefined);
    if (!first) return { messages: [], fields: [] };
    return { messages: messageRows(first, candidates), fields: fieldRows(first, candidates) };
  }, [first, second, third, fourth]);
  const changed = found.messages.filter((row) => !row.same);
  const equal = found.messages.filter((row) => row.same);
  const differing = found.fields.filter((row) => row.states.includes("differs"));
  const agreeing = found.fields.filter((row) => !row.states.includes("differs"));
  const what = sides.every((side) => side.unit.kind === "text") ? "text" : "message";
  return (
    <>
      <div class="pm-head pm-difference-head">
        <div class="pm-grow" aria-live="polite">
          {sides.slice(1).map((side, at) => (
            <p key={side.name} class="pm-sentence">
              {sentence(told(sides[0]?.name ?? "", side.name, at, found.messages, found.fields, what))}
            </p>
          ))}
        </div>
        {props.children}
      </div>
      <div class={`pm-columns pm-view-${view}`} style={{ "--pm-columns": sides.length }}>
        {view === "split" && sides.length > 2 && (
          <div class="pm-columns-head" aria-hidden="true">
            {sides.map((side) => (
              <div key={side.name} class="pm-column">
                <VersionName version={side.name} index={side.index} />
                {side.index === 0 && <span class="pm-soft"> baseline</span>}
              </div>
            ))}
          </div>
        )}
        {changed.map((row, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: messages of a fixed difference have nothing but their order
          <MessageDiff key={at} row={row} sides={sides} view={view} />
        ))}
        {equal.length > 0 && (
          <Collapsed text={`${plural(equal.length, what)} equal`}>
            {equal.map((row) => (
              <MessageDiff key={row.title} row={row} sides={sides} view={view} />
            ))}
          </Collapsed>
        )}
      </div>
      {differing.length > 0 && <Fields rows={differing} sides={sides} view={view} />}
      {agreeing.length > 0 && (
        <Collapsed text={`${plural(agreeing.length, "setting")} equal`}>
          <Fields rows={agreeing} sides={sides} view="split" />
        </Collapsed>
      )}
    </>
  );
}

function told(
  baseline: string,
  name: string,
  column: number,
  messages: MessageRow[],
  fields: FieldRow[],
  what: string,
): string {
  const mine = messages.filter((row) => row.baseline || row.cells[column]);
  const moved = mine.filter((row) => row.cells[column]?.moved && row.cells[column]?.same).length;
  const changed = mine.filter((row) => !row.cells[column]?.same).length;
  const settings = fields.filter((row) => row.states[column] === "differs").length;
  const parts = [
    changed ? plural(changed, what) : "",
    settings ? plural(settings, "setting") : "",
    moved ? `the place of ${plural(moved, what)}` : "",
  ].filter(Boolean);
  if (!parts.length) return `${name} equals ${baseline} in everything that decides behaviour.`;
  const list = parts.length > 1 ? `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}` : parts[0];
  return `${name} differs from ${baseline} in ${list}.`;
}
