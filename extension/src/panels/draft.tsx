import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { isPlain } from "../logic/diff";
import { count, oneLine, plural } from "../logic/format";
import type { CheckError, Json, Message, PreviewView, UnitBody, VariableBody } from "../model";
import { CodeEditor, type Offer } from "../parts/editor";
import { useAct, useHost, useTrait } from "../parts/hooks";
import { JsonField } from "../parts/jsonfield";
import {
  Button,
  Empty,
  ErrorNote,
  Fold,
  Loading,
  Note,
  Segments,
  Select,
  Tag,
  TextField,
  Time,
} from "../parts/ui";
import { type Draft, useDraft, viewId } from "./draftstate";

const ROLES = ["system", "developer", "user", "assistant", "tool"] as const;
const TYPES = ["any", "string", "number", "integer", "boolean", "list", "object", "messages"];
const NUMBERS: [string, string][] = [
  ["temperature", "0 to 2"],
  ["top_p", "0 to 1"],
  ["max_tokens", "no limit"],
  ["seed", "none"],
];

export function DraftPanel() {
  const host = useHost();
  const view = useMemo(viewId, []);
  const draft = useDraft(host, view);
  const prompt = useTrait("prompt");
  const state = useTrait("state_draft");
  const prompts = useTrait("state_prompts");

  if (!prompt && prompts.ready) return <FirstPrompt />;
  if (state.error && (!draft.body || draft.name !== prompt)) return <ErrorNote error={state.error} />;
  if (!draft.body || draft.name !== prompt) return <Loading what="the draft" lines={6} />;
  return (
    <div class="pm-draft">
      <Rail draft={draft} />
      <div class="pm-draft-main">
        {draft.failed && <ErrorNote error={draft.failed} />}
        <Templates draft={draft} body={draft.body} />
        <Variables draft={draft} body={draft.body} />
      </div>
      <div class="pm-draft-side">
        <Preview />
        <Settings draft={draft} body={draft.body} />
      </div>
      <SaveBar draft={draft} view={view} />
    </div>
  );
}

function FirstPrompt() {
  const open = useAct("open_prompt");
  const [name, setName] = useState("");
  const begin = () => name.trim() && open.run({ name: name.trim() });
  return (
    <Empty title="Begin with a prompt">
      <p>
        Give it a name, such as support/triage. It is saved as a draft while you type; a version is made when
        you say so.
      </p>
      <div class="pm-row">
        <TextField
          label="Name"
          hideLabel
          value={name}
          onInput={setName}
          onEnter={begin}
          placeholder="support/triage"
        />
        <Button kind="primary" onClick={begin} busy={open.busy} disabled={!name.trim()}>
          Begin the draft
        </Button>
      </div>
      {open.error && <ErrorNote error={open.error} />}
    </Empty>
  );
}

function Rail(props: { draft: Draft }) {
  const { draft } = props;
  const host = useHost();
  const prompts = useTrait("state_prompts");
  const versions = useTrait("state_versions");
  const open = useAct("open_prompt");
  const from = useAct("start_from");
  const [asked, setAsked] = useState<string | null>(null);
  const items = versions.items ?? [];
  const start = (version: string) => {
    if (draft.unsaved && asked !== version) return setAsked(version);
    setAsked(null);
    void from.run({ version });
  };
  const compare = (version: string, parent: string | null) => {
    void host.call("choose_pair", { baseline: parent ?? version, version });
    void host.call("show", { panel: "compare" });
  };
  return (
    <nav class="pm-rail" aria-label="Prompts and versions">
      <Fold summary={`Prompts, ${count(prompts.items?.length ?? 0)}`} class="pm-rail-prompts" open>
        {prompts.error && <ErrorNote error={prompts.error} />}
        <ul class="pm-list">
          {prompts.items?.map((each) => (
            <li key={each.name}>
              <button
                type="button"
                class="pm-item"
                aria-current={each.name === draft.name}
                title={each.name}
                onClick={() => {
                  draft.flush();
                  void open.run({ name: each.name });
                }}
              >
                <span class="pm-cut">{each.name}</span>
                {each.draft && (
                  <span class="pm-dot" title="has a draft that is not saved as a version">
                    ●<span class="pm-hidden">unsaved draft</span>
                  </span>
                )}
                <span class="pm-soft pm-number">{each.latest ?? "draft"}</span>
              </button>
            </li>
          ))}
        </ul>
      </Fold>
      <Fold summary={`Versions, ${count(items.length)}`} class="pm-rail-versions" open>
        {items.length === 0 && <p class="pm-soft">None yet: write the messages, then save the first.</p>}
        <ol class="pm-list">
          {items.map((each) => (
            <li key={each.version} class="pm-version">
              <div class="pm-row pm-tight">
                <button
                  type="button"
                  class="pm-link pm-number"
                  title={`Compare ${each.version} with ${each.parent ?? "itself"}`}
                  onClick={() => compare(each.version, each.parent)}
                >
                  {each.version}
                </button>
                {each.labels?.map((label) => (
                  <Tag key={label} title={`${label} holds this version`}>
                    {label}
                  </Tag>
                ))}
                {each.version === draft.base && <span class="pm-soft">in the editor</span>}
                <span class="pm-push" />
                {each.version !== draft.base || draft.unsaved ? (
                  <Button
                    kind="quiet"
                    busy={from.busy}
                    onClick={() => start(each.version)}
                    title={`Put ${each.version} into the editor`}
                  >
                    {asked === each.version ? "Replace the unsaved draft" : "Edit"}
                  </Button>
                ) : null}
              </div>
              <div class="pm-version-message" title={each.message}>
                {each.message || "no change message"}
                {each.restores && <span class="pm-soft"> (restores {each.restores})</span>}
              </div>
              <div class="pm-soft pm-cut">
                {each.author}, <Time at={each.created_at} />
              </div>
            </li>
          ))}
        </ol>
        {from.error && <ErrorNote error={from.error} onClose={from.clear} />}
      </Fold>
    </nav>
  );
}

function at(errors: readonly CheckError[] | undefined, where: string): CheckError[] {
  return (errors ?? []).filter((error) => error.where === where);
}

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

function Templates(props: { draft: Draft; body: UnitBody }) {
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
            onInput={(text) => draft.edit({ text })}
          />
        </div>
      ) : (
        <>
          {body.messages.map((message, index) => (
            <MessageCard
              key={identity.keys[index]}
              index={index}
              size={body.messages.length}
              message={message}
              revision={draft.revision}
              offers={offers}
              problems={at(check.errors, `messages.${index}`)}
              onChange={(changed) => change(index, changed)}
              onMove={(step) => move(index, step)}
              onRemove={() => {
                identity.drop(index);
                set(body.messages.filter((_, position) => position !== index));
              }}
            />
          ))}
          {at(check.errors, "").map((error) => (
            <ErrorNote key={error.message} error={{ message: error.message, kind: "" }} />
          ))}
          <Button onClick={add}>Add a message</Button>
        </>
      )}
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
  onChange: (message: Message) => void;
  onMove: (step: number) => void;
  onRemove: () => void;
}) {
  const { index, size, message } = props;
  const roles = ROLES.includes(message.role as (typeof ROLES)[number]) ? ROLES : [...ROLES, message.role];
  const name = `message ${index + 1}`;
  return (
    <fieldset class="pm-card" aria-label={`${name}, ${message.role}`}>
      <div class="pm-card-head">
        <span class="pm-soft pm-number">{index + 1}</span>
        <Select
          label={`Role of ${name}`}
          hideLabel
          value={message.role}
          options={roles.map((role) => ({ value: role, text: role }))}
          onChange={(role) => props.onChange({ ...message, role })}
        />
        <span class="pm-push" />
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
      {isPlain(message) ? (
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

function Variables(props: { draft: Draft; body: UnitBody }) {
  const { draft, body } = props;
  const check = useTrait("state_check");
  const preview = useTrait("state_preview");
  const variables = check.variables ?? [];
  const values = preview.view?.values ?? {};
  const declare = (name: string, change: Partial<VariableBody> | null, type: string) => {
    const next = { ...body.variables };
    if (change === null) delete next[name];
    else next[name] = clean({ type, ...next[name], ...change });
    draft.edit({ variables: next });
  };
  return (
    <section aria-label="Variables">
      <div class="pm-head">
        <h3>Variables</h3>
        <span class="pm-soft">{variables.length ? plural(variables.length, "variable") : ""}</span>
      </div>
      {variables.length === 0 ? (
        <p class="pm-soft">
          None yet. Write <code class="pm-code">{"{{ text }}"}</code> in a message, and text is listed here.
        </p>
      ) : (
        <div class="pm-table-box">
          <table class="pm-table">
            <thead>
              <tr>
                <th>Name</th>
                <th>Type</th>
                <th title="Used where the caller gives no value; makes the variable optional">Default</th>
                <th title="For the preview, where no dataset row gives a value">Example</th>
                <th>Sample of this row</th>
              </tr>
            </thead>
            <tbody>
              {variables.map((each) => {
                const declared = body.variables[each.name];
                return (
                  <tr key={each.name}>
                    <td>
                      <code class="pm-code">{each.name}</code>
                      {!each.used && (
                        <div class="pm-row pm-tight">
                          <span class="pm-soft">not used</span>
                          <Button kind="quiet" onClick={() => declare(each.name, null, each.type)}>
                            Remove
                          </Button>
                        </div>
                      )}
                      {at(check.errors, `variables.${each.name}`).map((error) => (
                        <div class="pm-problem" role="alert" key={error.message}>
                          <span class="pm-mark" aria-hidden="true">
                            !
                          </span>
                          {error.message}
                        </div>
                      ))}
                    </td>
                    <td>
                      <Select
                        label={`Type of ${each.name}`}
                        hideLabel
                        value={each.type}
                        options={TYPES.map((type) => ({ value: type, text: type }))}
                        onChange={(type) => declare(each.name, { type }, type)}
                      />
                    </td>
                    <td>
                      <Value
                        label={`Default of ${each.name}`}
                        placeholder="required"
                        type={each.type}
                        value={declared?.default}
                        onChange={(value) =>
                          declare(each.name, { default: value } as Partial<VariableBody>, each.type)
                        }
                      />
                    </td>
                    <td>
                      <Value
                        label={`Example of ${each.name}`}
                        placeholder="none"
                        type={each.type}
                        value={declared?.example}
                        onChange={(value) =>
                          declare(each.name, { example: value } as Partial<VariableBody>, each.type)
                        }
                      />
                    </td>
                    <td class="pm-sample" title={values[each.name]}>
                      {oneLine(values[each.name] ?? "", 160) || <span class="pm-soft">none</span>}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function clean(variable: VariableBody): VariableBody {
  return Object.fromEntries(
    Object.entries(variable).filter(([, value]) => value !== undefined),
  ) as unknown as VariableBody;
}

/** A default or example: text for strings, JSON for everything else; empty takes it away. */
function Value(props: {
  label: string;
  type: string;
  value: Json | undefined;
  placeholder: string;
  onChange: (value: Json | undefined) => void;
}) {
  const { value, type } = props;
  const shown = value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);
  const [typed, setTyped] = useState<string | null>(null);
  const [wrong, setWrong] = useState(false);
  const apply = (text: string) => {
    setTyped(text);
    setWrong(false);
    if (!text) return props.onChange(undefined);
    if (type === "string") return props.onChange(text);
    try {
      props.onChange(JSON.parse(text) as Json);
    } catch {
      if (type === "any") props.onChange(text);
      else setWrong(true);
    }
  };
  return (
    <span onFocusOut={() => !wrong && setTyped(null)} title={wrong ? `${type}: write it as JSON` : undefined}>
      <TextField
        label={props.label}
        hideLabel
        value={typed ?? shown}
        placeholder={props.placeholder}
        onInput={apply}
        invalid={wrong}
      />
      {wrong && <span class="pm-problem">! not a {type} in JSON</span>}
    </span>
  );
}

function Preview() {
  const preview = useTrait("state_preview");
  const catalog = useTrait("state_catalog");
  const choose = useAct("choose_preview");
  const [typed, setTyped] = useState<string | null>(null);
  const view = preview.view ?? null;
  const dataset = preview.dataset ?? null;
  const row = preview.row ?? 0;
  const rows = view?.rows ?? 0;
  const go = (next: number) => {
    const wanted = Math.min(Math.max(next, 0), Math.max(0, rows - 1));
    if (Number.isFinite(wanted)) void choose.run({ dataset, row: wanted });
  };
  return (
    <section aria-label="Preview" class="pm-preview">
      <div class="pm-head">
        <h3>Preview</h3>
        <span class="pm-push" />
        <Select
          label="Preview with"
          hideLabel
          value={dataset ?? ""}
          options={[
            { value: "", text: "defaults and examples" },
            ...(catalog.datasets ?? []).map((each) => ({ value: each.name, text: each.name })),
          ]}
          onChange={(name) => void choose.run({ dataset: name || null, row: 0 })}
        />
        {dataset && (
          <span class="pm-row pm-tight pm-nowrap">
            <Button kind="quiet" disabled={row <= 0} onClick={() => go(row - 1)} label="Previous row">
              ‹
            </Button>
            <TextField
              label="Row"
              hideLabel
              class="pm-rowbox"
              value={typed ?? String(row + 1)}
              onInput={(text) => {
                setTyped(text);
                const wanted = Number.parseInt(text, 10);
                if (wanted >= 1) go(wanted - 1);
              }}
              onEnter={() => setTyped(null)}
            />
            <span class="pm-soft pm-number">of {count(rows)}</span>
            <Button
              kind="quiet"
              disabled={row >= rows - 1}
              onClick={() => {
                setTyped(null);
                go(row + 1);
              }}
              label="Next row"
            >
              ›
            </Button>
          </span>
        )}
      </div>
      {preview.error && <ErrorNote error={preview.error} />}
      {!preview.ready && <Loading what="the preview" />}
      {view && <Rendered view={view} />}
    </section>
  );
}

function Rendered(props: { view: PreviewView }) {
  const { messages, error } = props.view;
  return (
    <div class="pm-rendered" aria-live="polite">
      {messages.map((message, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a rendered message has nothing of its own but its place
        <div key={index} class="pm-bubble">
          <div class="pm-soft">{message.role}</div>
          <pre class="pm-code">{message.content || " "}</pre>
        </div>
      ))}
      {error && (
        <div class="pm-problem">
          <span class="pm-mark" aria-hidden="true">
            !
          </span>
          <span>
            {error.line !== null && (
              <b>
                Line {error.line}
                {error.column !== null && `, column ${error.column}`}:{" "}
              </b>
            )}
            {error.message}
          </span>
        </div>
      )}
    </div>
  );
}

function Settings(props: { draft: Draft; body: UnitBody }) {
  const { draft, body } = props;
  const check = useTrait("state_check");
  const catalog = useTrait("state_catalog");
  const evaluate = useTrait("state_evaluate");
  const endpoint = useAct("choose_endpoint");
  const chosen = catalog.endpoints?.find((each) => each.name === evaluate.endpoint);
  const [wrong, setWrong] = useState<Record<string, string>>({});
  // biome-ignore lint/correctness/useExhaustiveDependencies: another draft begins without the old one's typing
  useEffect(() => setWrong({}), [draft.revision]);
  const others = Object.fromEntries(
    Object.entries(body.params).filter(([name]) => !NUMBERS.some(([known]) => known === name)),
  );
  const setNumber = (name: string, text: string) => {
    const params = { ...body.params };
    const value = Number(text);
    if (text.trim() === "") delete params[name];
    else if (Number.isNaN(value)) return setWrong({ ...wrong, [name]: text });
    else params[name] = value;
    const { [name]: _, ...rest } = wrong;
    // "0." and "1e" are on their way to a number and must stay as typed.
    setWrong(text.trim() !== "" && String(value) !== text ? { ...rest, [name]: text } : rest);
    draft.edit({ params });
  };
  const note = (where: string) =>
    at(check.errors, where).map((error) => (
      <div class="pm-problem" role="alert" key={error.message}>
        <span class="pm-mark" aria-hidden="true">
          !
        </span>
        {error.message}
      </div>
    ));
  return (
    <section aria-label="Model and parameters">
      <div class="pm-head">
        <h3>Model</h3>
        {chosen?.practice && (
          <Tag kind="practice" title="A small local model to try things with; its answers are no evidence">
            practice model
          </Tag>
        )}
      </div>
      <div class="pm-form">
        <TextField
          label="Model"
          value={body.model}
          placeholder="gpt-5-mini"
          suggestions={chosen?.models ?? []}
          onInput={(model) => draft.edit({ model })}
          invalid={at(check.errors, "model").length > 0}
        />
        <Select
          label="Endpoint"
          value={evaluate.endpoint ?? ""}
          options={(catalog.endpoints ?? []).map((each) => ({
            value: each.name,
            text: each.key_env && !each.key_present ? `${each.name} (no key)` : each.name,
          }))}
          onChange={(name) => void endpoint.run({ endpoint: name })}
        />
        {NUMBERS.map(([name, hint]) => (
          <TextField
            key={name}
            label={name}
            class="pm-number-field"
            placeholder={hint}
            value={wrong[name] ?? (body.params[name] === undefined ? "" : String(body.params[name]))}
            invalid={wrong[name] !== undefined && Number.isNaN(Number(wrong[name]))}
            onInput={(text) => setNumber(name, text)}
          />
        ))}
      </div>
      {note("model")}
      {chosen?.key_env && !chosen.key_present && (
        <p class="pm-soft">
          A run will find no key: set <code class="pm-code">{chosen.key_env}</code> and restart the kernel.
        </p>
      )}
      {note("params")}
      <More
        name="Other parameters"
        state={Object.keys(others).length ? Object.keys(others).join(", ") : "none"}
        value={Object.keys(others).length ? (others as Json) : null}
        hint='{"stop": ["\n\n"]}'
        revision={draft.revision}
        problems={[]}
        onChange={(value) => {
          if (value !== null && (typeof value !== "object" || Array.isArray(value))) return;
          const known = Object.fromEntries(
            Object.entries(body.params).filter(([name]) => NUMBERS.some(([each]) => each === name)),
          );
          draft.edit({ params: { ...known, ...((value as Record<string, Json>) ?? {}) } });
        }}
      />
      <More
        name="Tools"
        state={body.tools?.length ? plural(body.tools.length, "tool") : "none"}
        value={body.tools}
        hint='[{"type": "function", "function": {"name": "lookup", "parameters": {}}}]'
        revision={draft.revision}
        problems={at(check.errors, "tools")}
        onChange={(value) =>
          (value === null || Array.isArray(value)) && draft.edit({ tools: value as Json[] | null })
        }
      />
      {(body.tools?.length || body.tool_choice) && (
        <More
          name="Tool choice"
          state={
            typeof body.tool_choice === "string"
              ? body.tool_choice
              : body.tool_choice
                ? "one tool"
                : "model's own"
          }
          value={body.tool_choice}
          hint='"auto"'
          revision={draft.revision}
          problems={at(check.errors, "tool_choice")}
          onChange={(value) => draft.edit({ tool_choice: value })}
        />
      )}
      <More
        name="Response format"
        state={formatName(body.response_format)}
        value={body.response_format}
        hint='{"type": "json_object"}'
        revision={draft.revision}
        problems={at(check.errors, "response_format")}
        onChange={(value) => draft.edit({ response_format: value })}
      />
      <More
        name="Inputs"
        state={Object.keys(body.inputs).length ? Object.keys(body.inputs).join(", ") : "none"}
        value={Object.keys(body.inputs).length ? body.inputs : null}
        hint='{"summary": "support/summary@production"}'
        revision={draft.revision}
        problems={at(check.errors, "inputs")}
        onChange={(value) => draft.edit({ inputs: (value ?? {}) as Record<string, string> })}
      />
    </section>
  );
}

function formatName(format: Json): string {
  if (!format || typeof format !== "object" || Array.isArray(format)) return "text";
  const schema = format.json_schema;
  const name = schema && typeof schema === "object" && !Array.isArray(schema) ? schema.name : undefined;
  return [format.type, name].filter((part) => typeof part === "string").join(" ") || "given";
}

function More(props: {
  name: string;
  state: string;
  value: Json;
  hint: string;
  revision: number;
  problems: CheckError[];
  onChange: (value: Json) => void;
}) {
  return (
    <Fold
      open={props.problems.length > 0}
      summary={
        <>
          {props.name}
          <span class="pm-soft pm-fold-state">{props.state}</span>
        </>
      }
    >
      <JsonField
        value={props.value}
        revision={props.revision}
        label={`${props.name} as JSON`}
        hint={props.hint}
        problems={props.problems}
        onChange={props.onChange}
      />
    </Fold>
  );
}

function SaveBar(props: { draft: Draft; view: string }) {
  const { draft, view } = props;
  const check = useTrait("state_check");
  const [message, setMessage] = useState("");
  const save = useAct("save");
  const discard = useAct("discard_draft");
  const [sure, setSure] = useState(false);
  const problems = check.errors?.length ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was told is about the draft as it was then
  useEffect(() => {
    save.clear();
    setSure(false);
  }, [draft.name, draft.revision]);
  const commit = async () => {
    if (!draft.body || save.busy) return;
    draft.flush();
    const saved = await save.run({
      view,
      name: draft.name,
      body: draft.body,
      message: message.trim(),
      base: draft.base,
    });
    if (saved) setMessage("");
  };
  const state = draft.waiting
    ? "Keeping the draft…"
    : draft.unsaved
      ? `Unsaved changes${draft.base ? ` since ${draft.base}` : ""}`
      : draft.base
        ? `Equal to ${draft.base}`
        : "Nothing written yet";
  return (
    <footer class="pm-savebar" aria-label="Save">
      {save.error && <ErrorNote error={save.error} onClose={save.clear} />}
      {discard.error && <ErrorNote error={discard.error} onClose={discard.clear} />}
      {save.value && !draft.unsaved && (
        <Note kind="done">
          {save.value.created
            ? `Saved as ${save.value.version}`
            : `Nothing new: this is ${save.value.version} already`}
          {save.value.created && save.value.restores ? `; it restores ${save.value.restores}` : ""}.
        </Note>
      )}
      <div class="pm-row">
        <span class="pm-save-state" role="status">
          {draft.unsaved && (
            <span class="pm-dot" aria-hidden="true">
              ●{" "}
            </span>
          )}
          {state}
          {draft.unsaved && !draft.waiting && draft.savedAt && (
            <span class="pm-soft">
              , kept as a draft <Time at={draft.savedAt} />
            </span>
          )}
        </span>
        {problems > 0 && <span class="pm-problem-count">! {plural(problems, "problem")} above</span>}
        <span class="pm-push" />
        {draft.unsaved && draft.base && (
          <Button
            kind="quiet"
            busy={discard.busy}
            onClick={() => {
              if (!sure) return setSure(true);
              setSure(false);
              void discard.run({});
            }}
          >
            {sure ? `Discard the draft and return to ${draft.base}` : "Discard draft"}
          </Button>
        )}
        <TextField
          label="Change message"
          hideLabel
          class="pm-grow"
          value={message}
          onInput={setMessage}
          onEnter={() => void commit()}
          placeholder="What changed, and why"
        />
        <Button
          kind="primary"
          busy={save.busy}
          disabled={problems > 0 || !draft.unsaved}
          title={
            problems > 0
              ? "Mend the problems above first"
              : draft.unsaved
                ? undefined
                : "There is nothing new to save"
          }
          onClick={() => void commit()}
        >
          {save.busy ? "Saving…" : "Save version"}
        </Button>
      </div>
    </footer>
  );
}
