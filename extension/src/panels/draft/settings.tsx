import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { plural } from "../../logic/format";
import { familyOf, formOf, range, warnings } from "../../logic/parameters";
import type { CheckError, Json, UnitBody } from "../../model";
import { useAct, useTrait } from "../../parts/hooks";
import { JsonField } from "../../parts/jsonfield";
import { Button, Fold, Problems, Select, Tag, TextField } from "../../parts/ui";
import { SchemaForm } from "./schemaform";
import { at, type Draft } from "./state";

export function Settings(props: { draft: Draft; body: UnitBody }) {
  const { draft, body } = props;
  const check = useTrait("state_check");
  const catalog = useTrait("state_catalog");
  const evaluate = useTrait("state_evaluate");
  const endpoint = useAct("choose_endpoint");
  const chosen = catalog.endpoints?.find((each) => each.name === evaluate.endpoint);
  const [wrong, setWrong] = useState<Record<string, string>>({});
  const [adding, setAdding] = useState<"tool" | "schema" | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another draft begins without the old one's typing
  useEffect(() => setWrong({}), [draft.revision]);
  const family = familyOf(body.model);
  const form = formOf(body.model, body.params);
  const others = Object.fromEntries(
    Object.entries(body.params).filter(([name]) => !form.some((each) => each.name === name)),
  );
  const warned = warnings(body.model, body.params);
  const set = (name: string, value: Json | undefined) => {
    const params = { ...body.params };
    if (value === undefined) delete params[name];
    else params[name] = value;
    draft.edit({ params });
  };
  const setNumber = (name: string, text: string) => {
    const value = Number(text);
    const { [name]: _, ...rest } = wrong;
    if (text.trim() !== "" && Number.isNaN(value)) return setWrong({ ...wrong, [name]: text });
    // "0." and "1e" are on their way to a number and must stay as typed.
    setWrong(text.trim() !== "" && String(value) !== text ? { ...rest, [name]: text } : rest);
    set(name, text.trim() === "" ? undefined : value);
  };
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
      <div class="pm-form pm-form-two">
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
      </div>
      <div class="pm-form">
        {form.map((each) =>
          each.choices ? (
            <Select
              key={each.name}
              label={each.name}
              value={typeof body.params[each.name] === "string" ? String(body.params[each.name]) : ""}
              options={[
                { value: "", text: `${each.usual} (usual)` },
                ...each.choices.map((choice) => ({ value: choice, text: choice })),
              ]}
              onChange={(choice) => set(each.name, choice || undefined)}
            />
          ) : (
            <TextField
              key={each.name}
              label={each.name}
              class="pm-number-field"
              placeholder={range(each) || each.usual}
              value={
                wrong[each.name] ??
                (body.params[each.name] === undefined ? "" : shownNumber(body.params[each.name]))
              }
              invalid={
                (wrong[each.name] !== undefined && Number.isNaN(Number(wrong[each.name]))) ||
                warned.some((told) => told.startsWith(each.name))
              }
              onInput={(text) => setNumber(each.name, text)}
            />
          ),
        )}
      </div>
      {family.name && <p class="pm-soft pm-estimate">The fields are those of {family.name}.</p>}
      {warned.map((told) => (
        <p class="pm-absent" role="status" key={told}>
          ! {told}
        </p>
      ))}
      <Problems of={at(check.errors, "model")} />
      {chosen?.key_env && !chosen.key_present && (
        <p class="pm-soft">
          A run will find no key: set <code class="pm-code">{chosen.key_env}</code> and restart the kernel.
        </p>
      )}
      <Problems of={at(check.errors, "params")} />
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
            Object.entries(body.params).filter(([name]) => form.some((each) => each.name === name)),
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
      >
        {adding === "tool" ? (
          <SchemaForm
            what="tool"
            onMade={(tool) => draft.put({ tools: [...(body.tools ?? []), tool] })}
            onClose={() => setAdding(null)}
          />
        ) : (
          <Button kind="quiet" onClick={() => setAdding("tool")}>
            New tool…
          </Button>
        )}
      </More>
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
      >
        {adding === "schema" ? (
          <SchemaForm
            what="schema"
            onMade={(format) => draft.put({ response_format: format })}
            onClose={() => setAdding(null)}
          />
        ) : (
          <Button kind="quiet" onClick={() => setAdding("schema")}>
            {body.response_format ? "Another schema in its place…" : "New schema…"}
          </Button>
        )}
      </More>
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

function shownNumber(value: Json | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value);
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
  children?: ComponentChildren;
}) {
  const [open, setOpen] = useState(props.problems.length > 0);
  useEffect(() => {
    if (props.problems.length) setOpen(true);
  }, [props.problems.length]);
  return (
    <Fold
      open={open}
      onToggle={setOpen}
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
      {props.children && <div class="pm-more-actions">{props.children}</div>}
    </Fold>
  );
}
