import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { isPlain } from "../../logic/diff";
import { oneLine, plural } from "../../logic/format";
import type { CheckError, Json, Message, UnitBody } from "../../model";
import { CodeEditor, type Offer } from "../../parts/editor";
import { useAct, useTrait } from "../../parts/hooks";
import { JsonField } from "../../parts/jsonfield";
import { Button, Segments, Select } from "../../parts/ui";
import { Examples } from "./examples";
import { at, type Draft } from "./state";

const ROLES = ["system", "developer", "user", "assistant", "tool"] as const;

/** Messages, each with an identity of its own, so that an editor moves along with its message. */
function useKeys(
  draft: Draft,
  size: number,
): { keys: number[]; swap(a: number, b: number): void; drop(a: number): void } {
  const kept = useRef({ revision: -1, keys: [] as number[], next: 1 });
  const mine = kept.current;
  if (mine.revision !== draft.revision) {
    mine.revision = draft.revision;
    // Positions keep their editors when another hand changed the text.
    mine.keys = Array.from({ length: size }, (_, index) => mine.keys[index] ?? mine.next++);
  }
  while (mine.keys.length < size) mine.keys.push(mine.next++);
  mine.keys.length = size;
  return {
    keys: mine.keys,
    swap(a, b) {
      [mine.keys[a], mine.keys[b]] = [mine.keys[b] as number, mine.keys[a] as number];
    },
    drop(a) {
      mine.keys.splice(a, 1);
    },
  };
}

/** The first words of a message, for a card that is folded. */
function summaryOf(message: Message): string {
  const text = isPlain(message) ? (message.content as string) : JSON.stringify(withoutRole(message));
  return oneLine(text, 120) || "empty";
}

export function Templates(props: { draft: Draft; body: UnitBody }) {
  const { draft, body } = props;
  const check = useTrait("state_check");
  const preview = useTrait("state_preview");
  const catalog = useTrait("state_catalog");
  const columns = catalog.datasets?.find((each) => each.name === preview.dataset)?.columns ?? [];
  const offers: Offer[] = [
    ...(check.variables ?? []).map((each) => ({ name: each.name, detail: each.type })),
    ...columns
      .filter((column) => !check.variables?.some((each) => each.name === column))
      .map((column) => ({ name: column, detail: "column" })),
  ];
  const identity = useKeys(draft, body.messages.length);
  const [folded, setFolded] = useState<ReadonlySet<number>>(new Set());
  const [picking, setPicking] = useState(false);
  const walk = useAct("undo");
  const onWalk = (by: number) => {
    if (!draft.waiting) void walk.run({ by });
  };
  const fold = (key: number, shut: boolean) => {
    const next = new Set(folded);
    if (shut) next.add(key);
    else next.delete(key);
    setFolded(next);
  };
  const allFolded = identity.keys.every((key) => folded.has(key));
  const set = (messages: Message[]) => draft.edit({ messages });
  const change = (index: number, message: Message) =>
    set(body.messages.map((each, position) => (position === index ? message : each)));
  const move = (index: number, step: number) => {
    const messages = [...body.messages];
    const [one, other] = [messages[index], messages[index + step]];
    if (!one || !other) return;
    [messages[index], messages[index + step]] = [other, one];
    identity.swap(index, index + step);
    set(messages);
  };
  const add = () => {
    const last = body.messages.at(-1)?.role;
    set([...body.messages, { role: last === "user" ? "assistant" : "user", content: "" }]);
  };
  return (
    <section aria-label="Messages">
      <div class="pm-head">
        <h3>{body.kind === "chat" ? "Messages" : "Text"}</h3>
        <span class="pm-push" />
        {body.kind === "chat" && body.messages.length > 1 && (
          <Button kind="quiet" onClick={() => setFolded(new Set(allFolded ? [] : identity.keys))}>
            {allFolded ? "Unfold all" : "Fold all"}
          </Button>
        )}
        <Segments
          label="Kind of prompt"
          value={body.kind}
          options={[
            { value: "chat", text: "Chat" },
            { value: "text", text: "Text" },
          ]}
          onChange={(kind) => draft.edit({ kind })}
        />
      </div>
      {body.kind === "text" ? (
        <div class="pm-card">
          <CodeEditor
            value={body.text}
            revision={draft.revision}
            language="jinja"
            label="Text of the prompt"
            hint="Write the prompt. {{ name }} becomes a variable."
            problems={at(check.errors, "text")}
            offers={offers}
            onWalk={onWalk}
            onInput={(text) => draft.edit({ text })}
          />
        </div>
      ) : (
        body.messages.map((message, index) => (
          <MessageCard
            key={identity.keys[index]}
            index={index}
            size={body.messages.length}
            message={message}
            revision={draft.revision}
            offers={offers}
            problems={at(check.errors, `messages.${index}`)}
            folded={folded.has(identity.keys[index] as number)}
            onFold={(shut) => fold(identity.keys[index] as number, shut)}
            onWalk={onWalk}
            onChange={(changed) => change(index, changed)}
            onMove={(step) => move(index, step)}
            onRemove={() => {
              identity.drop(index);
              set(body.messages.filter((_, position) => position !== index));
            }}
          />
        ))
      )}
      <div class="pm-row">
        {body.kind === "chat" && <Button onClick={add}>Add a message</Button>}
        {!picking && <Button onClick={() => setPicking(true)}>Examples from a dataset…</Button>}
      </div>
      {picking && <Examples draft={draft} body={body} onClose={() => setPicking(false)} />}
    </section>
  );
}

function MessageCard(props: {
  index: number;
  size: number;
  message: Message;
  revision: number;
  offers: Offer[];
  problems: CheckError[];
  folded: boolean;
  onFold: (shut: boolean) => void;
  onWalk: (by: number) => void;
  onChange: (message: Message) => void;
  onMove: (step: number) => void;
  onRemove: () => void;
}) {
  const { index, size, message } = props;
  const roles = ROLES.includes(message.role as (typeof ROLES)[number]) ? ROLES : [...ROLES, message.role];
  const name = `message ${index + 1}`;
  const keys = (event: JSX.TargetedKeyboardEvent<HTMLFieldSetElement>) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step || !event.altKey || !event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    if (index + step < 0 || index + step >= size) return;
    const held = document.activeElement as HTMLElement | null;
    props.onMove(step);
    // The card moves with what is focused in it.
    requestAnimationFrame(() => held?.focus());
  };
  return (
    <fieldset
      class="pm-card"
      aria-label={`${name}, ${message.role}`}
      aria-keyshortcuts="Alt+Shift+ArrowUp Alt+Shift+ArrowDown"
      onKeyDownCapture={keys}
    >
      <div class="pm-card-head">
        <Button
          kind="quiet"
          onClick={() => props.onFold(!props.folded)}
          label={`${props.folded ? "Unfold" : "Fold"} ${name}`}
        >
          {props.folded ? "▸" : "▾"}
        </Button>
        <span class="pm-soft pm-number">{index + 1}</span>
        <Select
          label={`Role of ${name}`}
          hideLabel
          value={message.role}
          options={roles.map((role) => ({ value: role, text: role }))}
          onChange={(role) => props.onChange({ ...message, role })}
        />
        {props.folded ? (
          <span class="pm-soft pm-cut pm-card-summary">{summaryOf(message)}</span>
        ) : (
          <span class="pm-push" />
        )}
        {props.folded && props.problems.length > 0 && (
          <span class="pm-problem-count">! {plural(props.problems.length, "problem")}</span>
        )}
        <Button
          kind="quiet"
          disabled={index === 0}
          onClick={() => props.onMove(-1)}
          label={`Move ${name} up`}
        >
          Up
        </Button>
        <Button
          kind="quiet"
          disabled={index === size - 1}
          onClick={() => props.onMove(1)}
          label={`Move ${name} down`}
        >
          Down
        </Button>
        <Button kind="quiet" disabled={size === 1} onClick={props.onRemove} label={`Remove ${name}`}>
          Remove
        </Button>
      </div>
      {props.folded ? null : isPlain(message) ? (
        <CodeEditor
          value={message.content as string}
          revision={props.revision}
          language="jinja"
          label={`Text of ${name}`}
          hint={
            message.role === "system"
              ? "What the model is and how it answers."
              : "What is sent. {{ name }} becomes a variable."
          }
          problems={props.problems}
          offers={props.offers}
          onWalk={props.onWalk}
          onInput={(content) => props.onChange({ ...message, content })}
        />
      ) : (
        <JsonField
          value={withoutRole(message)}
          revision={props.revision}
          label={`JSON of ${name}`}
          hint='{"content": []}'
          problems={props.problems}
          onChange={(rest) => {
            if (rest && typeof rest === "object" && !Array.isArray(rest))
              props.onChange({ ...rest, role: message.role });
          }}
        />
      )}
    </fieldset>
  );
}

function withoutRole(message: Message): Json {
  const { role: _, ...rest } = message;
  return rest as Json;
}
