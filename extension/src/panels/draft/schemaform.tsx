import { useState } from "preact/hooks";
import { FIELD_TYPES, newFormat, newTool, type SchemaField } from "../../logic/schema";
import type { Json } from "../../model";
import { Button, Select, TextField } from "../../parts/ui";

const EMPTY: SchemaField = { name: "", type: "string", description: "", required: true };
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** A tool or an answer's schema begun from names and types; what comes of it is edited as JSON. */
export function SchemaForm(props: {
  what: "tool" | "schema";
  onMade: (value: Json) => void;
  onClose: () => void;
}) {
  const { what } = props;
  const [name, setName] = useState("");
  const [about, setAbout] = useState("");
  const [fields, setFields] = useState<SchemaField[]>([EMPTY]);
  const set = (at: number, change: Partial<SchemaField>) =>
    setFields(fields.map((each, index) => (index === at ? { ...each, ...change } : each)));
  const fits = NAME.test(name);
  const make = () => {
    if (!fits) return;
    props.onMade(what === "tool" ? newTool(name, about, fields) : newFormat(name, fields));
    props.onClose();
  };
  return (
    <fieldset class="pm-card pm-pad" aria-label={what === "tool" ? "New tool" : "New schema"}>
      <div class="pm-form pm-form-two">
        <TextField
          label={what === "tool" ? "Name of the tool" : "Name of the schema"}
          value={name}
          onInput={setName}
          placeholder={what === "tool" ? "lookup_order" : "triage"}
          invalid={name !== "" && !fits}
        />
        {what === "tool" && <TextField label="What it does" value={about} onInput={setAbout} />}
      </div>
      {name !== "" && !fits && <p class="pm-problem">! Letters, digits, _ and -, at most 64.</p>}
      {fields.map((field, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a field has nothing of its own but its place
        <div class="pm-row pm-tight pm-schema-field" key={at}>
          <TextField
            label={`Name of field ${at + 1}`}
            hideLabel
            placeholder={what === "tool" ? "parameter" : "field"}
            value={field.name}
            onInput={(text) => set(at, { name: text })}
          />
          <Select
            label={`Type of field ${at + 1}`}
            hideLabel
            value={field.type}
            options={FIELD_TYPES.map((type) => ({ value: type as string, text: type }))}
            onChange={(type) => set(at, { type })}
          />
          <TextField
            label={`Description of field ${at + 1}`}
            hideLabel
            class="pm-grow"
            placeholder="what it holds"
            value={field.description}
            onInput={(text) => set(at, { description: text })}
          />
          <label class="pm-row pm-tight">
            <input
              type="checkbox"
              checked={field.required}
              onChange={(event) => set(at, { required: event.currentTarget.checked })}
            />
            required
          </label>
          <Button
            kind="quiet"
            label={`Remove field ${at + 1}`}
            disabled={fields.length === 1}
            onClick={() => setFields(fields.filter((_, index) => index !== at))}
          >
            ×
          </Button>
        </div>
      ))}
      <div class="pm-row">
        <Button kind="quiet" onClick={() => setFields([...fields, EMPTY])}>
          Another field
        </Button>
        <span class="pm-push" />
        <Button onClick={props.onClose}>Close</Button>
        <Button kind="primary" disabled={!fits} onClick={make}>
          {what === "tool" ? "Add the tool" : "Use the schema"}
        </Button>
      </div>
    </fieldset>
  );
}
