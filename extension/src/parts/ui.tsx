import type { ComponentChildren, JSX } from "preact";
import { useRef } from "preact/hooks";
import { ago, exact } from "../logic/format";
import { type Problem, sentence } from "../logic/text";
import type { Change, Told, Verdict } from "../model";
import { useName, useTicks } from "./hooks";

type Kind = "plain" | "primary" | "quiet";

export function Button(props: {
  children: ComponentChildren;
  onClick: () => void;
  kind?: Kind;
  busy?: boolean;
  disabled?: boolean;
  title?: string | undefined;
  label?: string;
  pressed?: boolean;
}) {
  const { kind = "plain", busy = false, disabled = false } = props;
  return (
    <button
      type="button"
      class={`pm-button pm-button-${kind}`}
      aria-disabled={disabled || busy}
      aria-busy={busy}
      aria-label={props.label}
      aria-pressed={props.pressed}
      title={props.title}
      onClick={() => {
        // Not the disabled attribute: a disabled button loses the focus and cannot say why it is off.
        if (!disabled && !busy) props.onClick();
      }}
    >
      {props.children}
    </button>
  );
}

export function Select<T extends string>(props: {
  label: string;
  value: T;
  options: readonly { value: T; text: string; disabled?: boolean }[];
  onChange: (value: T) => void;
  hideLabel?: boolean;
  disabled?: boolean;
  class?: string;
}) {
  const id = useName("select");
  return (
    <span class={`pm-field ${props.class ?? ""}`}>
      <label for={id} class={props.hideLabel ? "pm-hidden" : "pm-label"}>
        {props.label}
      </label>
      <select
        id={id}
        class="pm-input pm-select"
        value={props.value}
        disabled={props.disabled}
        onChange={(event) => props.onChange(event.currentTarget.value as T)}
      >
        {props.options.map((option) => (
          <option key={option.value} value={option.value} disabled={option.disabled}>
            {option.text}
          </option>
        ))}
      </select>
    </span>
  );
}

export function TextField(props: {
  label: string;
  value: string;
  onInput: (value: string) => void;
  onEnter?: () => void;
  onEscape?: () => void;
  placeholder?: string;
  hideLabel?: boolean;
  suggestions?: readonly string[];
  type?: string;
  class?: string;
  invalid?: boolean;
  inputRef?: (element: HTMLInputElement | null) => void;
}) {
  const id = useName("text");
  const list = props.suggestions?.length ? `${id}-list` : undefined;
  return (
    <span class={`pm-field ${props.class ?? ""}`}>
      <label for={id} class={props.hideLabel ? "pm-hidden" : "pm-label"}>
        {props.label}
      </label>
      <input
        id={id}
        class="pm-input"
        type={props.type ?? "text"}
        autocomplete="off"
        spellcheck={false}
        dir="auto"
        value={props.value}
        placeholder={props.placeholder}
        list={list}
        aria-invalid={props.invalid}
        ref={props.inputRef ?? null}
        onInput={(event) => props.onInput(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && props.onEnter) {
            event.preventDefault();
            props.onEnter();
          } else if (event.key === "Escape" && props.onEscape) {
            event.stopPropagation();
            props.onEscape();
          }
        }}
      />
      {list && (
        <datalist id={list}>
          {props.suggestions?.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
      )}
    </span>
  );
}

/** A sentence in which what stands between backticks is code. */
export function Prose(props: { text: string }) {
  const parts = props.text.split("`");
  // An odd one marks nothing.
  if (parts.length % 2 === 0) return <>{props.text}</>;
  return (
    <>
      {parts.map((part, at) =>
        // biome-ignore lint/suspicious/noArrayIndexKey: parts of a sentence have nothing but their order
        at % 2 ? <code key={at}>{part}</code> : part,
      )}
    </>
  );
}

/** An error: what happened, why, what next; what programs want to know is folded below. */
export function ErrorNote(props: { error: Told; children?: ComponentChildren; onClose?: () => void }) {
  const { error } = props;
  return (
    <div class="pm-note pm-note-error" role="alert">
      <span class="pm-mark" aria-hidden="true">
        !
      </span>
      <div class="pm-note-text">
        <div dir="auto">
          <Prose text={sentence(error.message)} />
        </div>
        {error.hint && (
          <div class="pm-soft">
            <Prose text={sentence(error.hint)} />
          </div>
        )}
        {error.details && (
          <details>
            <summary>Details</summary>
            <pre class="pm-code pm-scroll">{error.details}</pre>
          </details>
        )}
        {props.children && <div class="pm-actions">{props.children}</div>}
      </div>
      {props.onClose && (
        <Button kind="quiet" onClick={props.onClose} label="Close this message">
          Close
        </Button>
      )}
    </div>
  );
}

/** What keeps a part of the draft from being saved, beside that part. */
export function Problems(props: { of: readonly Problem[] }) {
  return (
    <>
      {props.of.map((problem) => (
        <div class="pm-problem" role="alert" key={`${problem.line}:${problem.column}:${problem.message}`}>
          <span class="pm-mark" aria-hidden="true">
            !
          </span>
          <span>
            {problem.line !== null && (
              <b class="pm-number">
                Line {problem.line}
                {problem.column !== null && `, column ${problem.column}`}:{" "}
              </b>
            )}
            {problem.message}
          </span>
        </div>
      ))}
    </>
  );
}

export function Note(props: { children: ComponentChildren; kind?: "done" | "plain" }) {
  return (
    <div class={`pm-note pm-note-${props.kind ?? "plain"}`} role="status">
      {props.kind === "done" && (
        <span class="pm-mark" aria-hidden="true">
          ✓
        </span>
      )}
      <div class="pm-note-text">{props.children}</div>
    </div>
  );
}

export function Empty(props: { title: string; children?: ComponentChildren }) {
  return (
    <div class="pm-empty">
      <div class="pm-empty-title">{props.title}</div>
      {props.children}
    </div>
  );
}

export function Loading(props: { what: string; lines?: number }) {
  return (
    <div class="pm-loading" role="status">
      <span>Loading {props.what}…</span>
      {[88, 65, 42, 81, 58, 85].slice(0, props.lines ?? 3).map((width) => (
        <span key={width} class="pm-bone" style={{ width: `${width}%` }} aria-hidden="true" />
      ))}
    </div>
  );
}

export function Time(props: { at: string }) {
  useTicks(30_000);
  return (
    <time dateTime={props.at} title={exact(props.at)}>
      {ago(props.at)}
    </time>
  );
}

const marks: Record<string, [string, string]> = {
  better: ["▲", "better"],
  worse: ["▼", "worse"],
  same: ["=", "same"],
  error: ["!", "error"],
  pending: ["…", "not answered yet"],
  "cannot tell": ["?", "cannot tell"],
};

/** ▲ ▼ = ! ?: never a colour alone. */
export function Mark(props: { of: Change | Verdict | null; spoken?: boolean }) {
  const [sign, word] = marks[props.of ?? "cannot tell"] ?? ["?", ""];
  return (
    <span class={`pm-sign pm-is-${(props.of ?? "cannot tell").replace(" ", "-")}`} title={word}>
      <span aria-hidden="true">{sign}</span>
      {props.spoken !== false && <span class="pm-hidden">{word}</span>}
    </span>
  );
}

export function Tag(props: { children: ComponentChildren; title?: string; kind?: string }) {
  return (
    <span class={`pm-tag ${props.kind ? `pm-tag-${props.kind}` : ""}`} title={props.title}>
      {props.children}
    </span>
  );
}

/** A version's name with its colour: 0 is the baseline, the candidates follow. */
export function VersionName(props: { version: string; index: number }) {
  return <b class={`pm-name pm-name-${Math.min(props.index, 3)}`}>{props.version}</b>;
}

/** Buttons of which one is pressed; arrows go from one to the next. */
export function Segments<T extends string>(props: {
  label: string;
  value: T;
  options: readonly { value: T; text: ComponentChildren; title?: string }[];
  onChange: (value: T) => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  const move = (event: JSX.TargetedKeyboardEvent<HTMLDivElement>) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = props.options.findIndex((option) => option.value === props.value);
    const next = props.options[(at + step + props.options.length) % props.options.length];
    if (!next) return;
    props.onChange(next.value);
    requestAnimationFrame(() => box.current?.querySelector<HTMLElement>('[aria-checked="true"]')?.focus());
  };
  return (
    <div class="pm-segments" role="radiogroup" aria-label={props.label} onKeyDown={move} ref={box}>
      {props.options.map((option) => (
        // biome-ignore lint/a11y/useSemanticElements: a radio input cannot hold the counts that stand in the button
        <button
          key={option.value}
          type="button"
          role="radio"
          aria-checked={option.value === props.value}
          tabIndex={option.value === props.value ? 0 : -1}
          title={option.title}
          onClick={() => props.onChange(option.value)}
        >
          {option.text}
        </button>
      ))}
    </div>
  );
}

export function Fold(props: {
  summary: ComponentChildren;
  children: ComponentChildren;
  open?: boolean;
  onToggle?: (open: boolean) => void;
  class?: string;
}) {
  return (
    <details
      class={`pm-fold ${props.class ?? ""}`}
      open={props.open}
      onToggle={(event) => props.onToggle?.(event.currentTarget.open)}
    >
      <summary>{props.summary}</summary>
      <div class="pm-fold-body">{props.children}</div>
    </details>
  );
}
