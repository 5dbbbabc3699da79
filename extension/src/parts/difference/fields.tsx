import { words } from "../../logic/diff";
import type { FieldRow } from "../../logic/paths";
import { VersionName } from "../ui";
import type { Compared, View } from "./difference";
import { Marked, Words } from "./words";

/** Settings by their path: a table beside the baseline, or `path: old → new`. */
export function Fields(props: { rows: FieldRow[]; sides: Compared[]; view: View }) {
  const { rows, sides, view } = props;
  return (
    <section class="pm-diff" aria-label="Settings">
      <div class="pm-diff-head">
        <h3>Settings</h3>
      </div>
      {view === "unified" ? <List rows={rows} sides={sides} /> : <Table rows={rows} sides={sides} />}
    </section>
  );
}

function Table(props: { rows: FieldRow[]; sides: Compared[] }) {
  const { rows, sides } = props;
  const alone = sides.length === 2;
  return (
    <div class="pm-table-box">
      <table class="pm-table pm-fields">
        <thead>
          <tr>
            <th>Setting</th>
            {sides.map((side) => (
              <th key={side.name}>
                <VersionName version={side.name} index={side.index} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.path}>
              <th scope="row" class="pm-path">
                <Path of={row.path} />
              </th>
              {row.values.map((value, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: one cell a version, in their order
                <td key={at}>
                  <Value row={row} at={at} text={value} alone={alone} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Value(props: { row: FieldRow; at: number; text: string | null; alone: boolean }) {
  const { row, at, text, alone } = props;
  const base = row.values[0] ?? null;
  const other = row.values[1] ?? null;
  const state = row.states[at - 1];
  const changed = row.states.some((each) => each !== "same");
  if (state === "partly") return <span class="pm-soft">differs in part, see below</span>;
  if (state === "same" && !alone && changed)
    return <span class="pm-soft">= {text === null ? "not set" : "the same"}</span>;
  if (text === null) return <span class="pm-soft">not set</span>;
  const differs = at === 0 ? alone && row.states[0] === "differs" : state === "differs";
  if (!differs) return <pre class="pm-code">{text}</pre>;
  const sort = at === 0 ? "removed" : "added";
  const against = at === 0 ? other : base;
  return (
    <pre class="pm-code">
      {prose(text) && against !== null && prose(against) ? (
        <Marked parts={at === 0 ? words(text, against).left : words(against, text).right} sort={sort} />
      ) : (
        <Words of={[{ text, sort }]} />
      )}
    </pre>
  );
}

/** Whether a text is worth a look word by word. */
function prose(text: string): boolean {
  return text.trim().split(/\s+/).length > 3;
}

function List(props: { rows: FieldRow[]; sides: Compared[] }) {
  const { rows, sides } = props;
  const [baseline, ...candidates] = sides;
  return (
    <div class="pm-field-list">
      {candidates.map((side, column) => {
        const mine = rows.filter((row) => row.states[column] === "differs");
        return (
          <div key={side.name}>
            {candidates.length > 1 && baseline && (
              <div class="pm-unified-head">
                <VersionName version={baseline.name} index={baseline.index} /> →{" "}
                <VersionName version={side.name} index={side.index} />
              </div>
            )}
            <ul>
              {mine.map((row) => (
                <li key={row.path}>
                  <span class="pm-path">
                    <Path of={row.path} />:
                  </span>{" "}
                  <Turned from={row.values[0]} to={row.values[column + 1]} />
                </li>
              ))}
            </ul>
          </div>
        );
      })}
    </div>
  );
}

function Turned(props: { from: string | null | undefined; to: string | null | undefined }) {
  const [from, to] = [props.from ?? null, props.to ?? null];
  if (from !== null && to !== null && prose(from) && prose(to))
    return (
      <code>
        <Words of={words(from, to).inline} />
      </code>
    );
  return (
    <code>
      {from === null ? (
        <span class="pm-soft">not set</span>
      ) : (
        <Words of={[{ text: from, sort: "removed" }]} />
      )}{" "}
      → {to === null ? <span class="pm-soft">not set</span> : <Words of={[{ text: to, sort: "added" }]} />}
    </code>
  );
}

/** A path that may break between its steps. */
function Path(props: { of: string }) {
  return (
    <>
      {props.of.split(/(?=[.[])/).map((part, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: steps of a path have nothing but their order
        <span key={at}>
          {at > 0 && <wbr />}
          {part}
        </span>
      ))}
    </>
  );
}
