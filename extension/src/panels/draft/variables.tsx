import { useState } from "preact/hooks";
import { oneLine, plural } from "../../logic/format";
import type { Json, UnitBody, VariableBody } from "../../model";
import { useTrait } from "../../parts/hooks";
import { Plain } from "../../parts/plain";
import { Button, Problems, Select, TextField } from "../../parts/ui";
import { at, type Draft, useAbsent } from "./state";

const MOST = 40;
const TYPES = ["any", "string", "number", "integer", "boolean", "list", "object", "messages"];

export function Variables(props: { draft: Draft; body: UnitBody }) {
  const { draft, body } = props;
  const check = useTrait("state_check");
  const preview = useTrait("state_preview");
  const absent = useAbsent();
  const variables = check.variables ?? [];
  const values = preview.view?.values ?? {};
  const [search, setSearch] = useState("");
  const [all, setAll] = useState(false);
  const found = variables.filter((each) => each.name.toLowerCase().includes(search.trim().toLowerCase()));
  // A row holds four fields: hundreds of them would be drawn anew with every keystroke.
  const shown = all ? found : found.slice(0, MOST);
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
        <span class="pm-push" />
        {variables.length > MOST && (
          <TextField
            label="Search the variables"
            hideLabel
            placeholder="search"
            value={search}
            onInput={setSearch}
          />
        )}
      </div>
      <Problems of={at(check.errors, "")} />
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
              {shown.map((each) => {
                const declared = body.variables[each.name];
                return (
                  <tr key={each.name}>
                    <td>
                      <code class="pm-code pm-variable">{each.name}</code>
                      {absent.includes(each.name) && (
                        <div class="pm-absent">no column in {preview.dataset}</div>
                      )}
                      {!each.used && (
                        <div class="pm-row pm-tight">
                          <span class="pm-soft">not used</span>
                          <Button kind="quiet" onClick={() => declare(each.name, null, each.type)}>
                            Remove
                          </Button>
                        </div>
                      )}
                      <Problems of={at(check.errors, `variables.${each.name}`)} />
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
                    <td class="pm-sample" dir="auto" title={values[each.name]}>
                      {values[each.name] ? (
                        <Plain text={oneLine(values[each.name] ?? "", 160)} />
                      ) : (
                        <span class="pm-soft">none</span>
                      )}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
      {found.length > shown.length && (
        <Button kind="quiet" onClick={() => setAll(true)}>
          {`Show all ${plural(found.length, "variable")}`}
        </Button>
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
