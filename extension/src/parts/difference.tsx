import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";
import {
  type Block,
  type Field,
  fields,
  fold,
  type Line,
  lines,
  messageText,
  pairMessages,
  type Side,
} from "../logic/diff";
import { plural } from "../logic/format";
import type { UnitBody } from "../model";
import { VersionName } from "./ui";

/** Two units laid side by side: a sentence, then what differs; what is equal is folded. */
export function Difference(props: { left: UnitBody; right: UnitBody; names: [string, string] }) {
  const { left, right, names } = props;
  const compared = useMemo(() => {
    const parts =
      left.kind === "text" && right.kind === "text"
        ? [{ title: "Text", left: left.text, right: right.text, same: left.text === right.text }]
        : pairMessages(asMessages(left), asMessages(right)).map((pair) => ({
            title: `Message ${(pair.rightAt ?? pair.leftAt ?? 0) + 1}, ${pair.right?.role ?? pair.left?.role ?? ""}`,
            left: pair.left ? messageText(pair.left) : null,
            right: pair.right ? messageText(pair.right) : null,
            same: pair.same,
          }));
    return { parts, fields: fields(left, right) };
  }, [left, right]);
  const changed = compared.parts.filter((part) => !part.same);
  const same = compared.parts.filter((part) => part.same);
  const differing = compared.fields.filter((field) => !field.same);
  const long = differing.filter((field) => isLong(field.left) || isLong(field.right));
  const short = differing.filter((field) => !long.includes(field));
  const equal = compared.fields.filter((field) => field.same);
  const what = left.kind === "text" && right.kind === "text" ? "text" : "message";
  const told =
    changed.length + differing.length === 0
      ? names[0] === names[1]
        ? `Both sides are ${names[0]}: choose another version to see a difference.`
        : `${names[1]} equals ${names[0]} in everything that decides behaviour.`
      : `${names[1]} differs from ${names[0]} in ${[
          changed.length ? plural(changed.length, what) : "",
          differing.length ? plural(differing.length, "setting") : "",
        ]
          .filter(Boolean)
          .join(" and ")}.`;
  return (
    <>
      <p class="pm-sentence" aria-live="polite">
        {told}
      </p>
      {changed.map((part) => (
        <TextDiff key={part.title} {...part} names={names} />
      ))}
      {same.length > 0 && (
        <Collapsed text={`${plural(same.length, what)} equal`}>
          {same.map((part) => (
            <TextDiff key={part.title} {...part} names={names} />
          ))}
        </Collapsed>
      )}
      {short.length > 0 && <Fields fields={short} names={names} />}
      {long.map((field) => (
        <TextDiff
          key={field.name}
          title={field.name}
          left={field.left}
          right={field.right}
          same={false}
          names={names}
        />
      ))}
      {equal.length > 0 && (
        <Collapsed text={`${plural(equal.length, "setting")} equal`}>
          <Fields fields={equal} names={names} />
        </Collapsed>
      )}
    </>
  );
}

function isLong(text: string | null): boolean {
  return text?.includes("\n") ?? false;
}

function asMessages(unit: UnitBody) {
  return unit.kind === "chat" ? unit.messages : [{ role: "text", content: unit.text }];
}

function Collapsed(props: { text: string; children: ComponentChildren }) {
  const [open, setOpen] = useState(false);
  return (
    <div class="pm-collapsed">
      <button type="button" class="pm-fold-line" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span aria-hidden="true">{open ? "▾" : "▸"}</span> {props.text}
      </button>
      {open && props.children}
    </div>
  );
}

function TextDiff(props: {
  title: string;
  left: string | null;
  right: string | null;
  same: boolean;
  names: [string, string];
}) {
  const { left, right, same } = props;
  const blocks = useMemo((): Block[] => {
    const all = linesOf(left, right);
    return same ? [{ folded: false, lines: all }] : fold(all);
  }, [left, right, same]);
  return (
    <section
      class={`pm-diff ${left === null || right === null ? "pm-diff-single" : ""}`}
      aria-label={props.title}
    >
      <div class="pm-diff-head">
        <h3>{props.title}</h3>
        <span class="pm-push" />
        {props.left === null && <span class="pm-soft">added in {props.names[1]}</span>}
        {props.right === null && <span class="pm-soft">removed in {props.names[1]}</span>}
      </div>
      <div class="pm-diff-body">
        {blocks.map((block) => (
          <DiffBlock key={`${block.lines[0]?.left?.number}-${block.lines[0]?.right?.number}`} block={block} />
        ))}
      </div>
    </section>
  );
}

function linesOf(left: string | null, right: string | null): Line[] {
  if (left !== null && right !== null) return lines(left, right);
  const kind = left === null ? "added" : "removed";
  return (left ?? right ?? "").split("\n").map((content, index) => {
    const side: Side = { number: index + 1, parts: [{ text: content, marked: true }] };
    return { kind, left: kind === "removed" ? side : null, right: kind === "added" ? side : null };
  });
}

function DiffBlock(props: { block: Block }) {
  const [open, setOpen] = useState(!props.block.folded);
  if (!open)
    return (
      <button type="button" class="pm-fold-line" aria-expanded={false} onClick={() => setOpen(true)}>
        <span aria-hidden="true">▸</span> {plural(props.block.lines.length, "equal line")}
      </button>
    );
  return (
    <>
      {props.block.lines.map((line) => (
        <div key={`${line.left?.number}-${line.right?.number}`} class={`pm-diff-line pm-line-${line.kind}`}>
          <Half side={line.left} sort="removed" changed={line.kind !== "same"} />
          <Half side={line.right} sort="added" changed={line.kind !== "same"} />
        </div>
      ))}
    </>
  );
}

function Half(props: { side: Side | null; sort: "removed" | "added"; changed: boolean }) {
  const { side, sort, changed } = props;
  const tint = side ? (changed ? `pm-half-${sort}` : "") : "pm-half-none";
  const Word = sort === "removed" ? "del" : "ins";
  return (
    <div class={`pm-half ${tint} pm-half-of-${sort}`}>
      <span class="pm-line-number">{side?.number ?? ""}</span>
      <span class="pm-line-sign" aria-hidden="true">
        {side && changed ? (sort === "removed" ? "−" : "+") : ""}
      </span>
      <span class="pm-line-text">
        {side?.parts.map((part, index) => {
          // Indentation is not what one reads for: only the words carry the mark.
          const lead = part.marked ? (/^\s*/.exec(part.text)?.[0] ?? "") : part.text;
          const text = part.text.slice(lead.length);
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: parts of a line have nothing of their own but their place
            <span key={index}>
              {lead}
              {text && <Word>{text}</Word>}
            </span>
          );
        })}
      </span>
    </div>
  );
}

function Fields(props: { fields: Field[]; names: [string, string] }) {
  return (
    <section class="pm-diff" aria-label="Settings">
      <div class="pm-diff-head">
        <h3>Settings</h3>
      </div>
      <div class="pm-table-box">
        <table class="pm-table pm-fields">
          <thead>
            <tr>
              <th>Setting</th>
              <th>
                <VersionName version={props.names[0]} index={0} />
              </th>
              <th>
                <VersionName version={props.names[1]} index={1} />
              </th>
            </tr>
          </thead>
          <tbody>
            {props.fields.map((field) => (
              <tr key={field.name}>
                <th scope="row">{field.name}</th>
                <td>
                  <FieldValue text={field.left} sort="removed" changed={!field.same} />
                </td>
                <td>
                  <FieldValue text={field.right} sort="added" changed={!field.same} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function FieldValue(props: { text: string | null; sort: "removed" | "added"; changed: boolean }) {
  if (props.text === null) return <span class="pm-soft">not set</span>;
  const Word = props.changed ? (props.sort === "removed" ? "del" : "ins") : "span";
  return (
    <pre class="pm-code">
      <Word>{props.text}</Word>
    </pre>
  );
}
