import { useState } from "preact/hooks";
import { typedValue } from "../../logic/asking";
import { sentence } from "../../logic/text";
import type { Json, OverrideView } from "../../model";
import { useAct, useTrait } from "../../parts/hooks";
import { Button, Fold, Select, TextField, VersionName } from "../../parts/ui";

/** A version with another model or other parameters, to be run beside the saved ones. */
export function Overrides(props: { picked: string[]; full: boolean }) {
  const chosen = useTrait("state_evaluate");
  const catalog = useTrait("state_catalog");
  const add = useAct("add_override");
  const keep = useAct("keep_override");
  const choose = useAct("choose_versions");
  const overrides = chosen.overrides ?? {};
  const saved = props.picked.filter((version) => !(version in overrides));
  const [from, setFrom] = useState("");
  const [model, setModel] = useState("");
  const [name, setName] = useState("");
  const [value, setValue] = useState("");
  const of = saved.includes(from) ? from : (saved.at(-1) ?? "");
  const models = catalog.endpoints?.find((each) => each.name === chosen.endpoint)?.models ?? [];
  const names = Object.keys(overrides);
  const submit = async () => {
    const params: Record<string, Json> = name.trim() ? { [name.trim()]: typedValue(value) } : {};
    if (await add.run({ of, model: model.trim() || null, params })) {
      setModel("");
      setName("");
      setValue("");
    }
  };
  const nothing = !model.trim() && !name.trim();
  return (
    <Fold
      class="pm-options"
      summary={
        <span>
          Another model or parameters{names.length ? `: ${names.length} in this run` : ": none in this run"}
        </span>
      }
    >
      {names.map((version) => (
        <div class="pm-row" key={version}>
          <VersionName version={version} index={props.picked.indexOf(version)} />
          <span>{overrideWords(overrides[version] as OverrideView)}</span>
          <Button kind="quiet" busy={keep.busy} onClick={() => void keep.run({ version })}>
            Save it as a version
          </Button>
          <Button
            kind="quiet"
            onClick={() => void choose.run({ versions: props.picked.filter((each) => each !== version) })}
          >
            Leave {version} out
          </Button>
        </div>
      ))}
      <div class="pm-option-fields">
        <Select
          label="As version"
          value={of}
          options={saved.map((version) => ({ value: version, text: version }))}
          onChange={setFrom}
        />
        <TextField
          label="but with the model"
          value={model}
          placeholder="the same"
          suggestions={models}
          onInput={setModel}
        />
        <TextField
          label="and the parameter"
          value={name}
          placeholder="none"
          suggestions={["temperature", "top_p", "max_tokens", "seed", "reasoning_effort"]}
          onInput={setName}
        />
        <TextField
          label="set to"
          value={value}
          placeholder="taken away"
          onInput={setValue}
          onEnter={() => void submit()}
        />
        <span class="pm-field pm-setup-run">
          <Button
            busy={add.busy}
            disabled={props.full || nothing || !of}
            title={
              props.full
                ? "A run compares 4 versions at most"
                : nothing
                  ? "Give a model or a parameter first"
                  : undefined
            }
            onClick={() => void submit()}
          >
            Add to the run
          </Button>
        </span>
      </div>
      <p class="pm-soft">It runs beside the saved versions and is not saved, until you say so.</p>
      {[add.error, keep.error].map(
        (error) =>
          error && (
            <div class="pm-problem" role="alert" key={error.message}>
              {sentence(error.message)}
            </div>
          ),
      )}
    </Fold>
  );
}

/** "#2 with model practice-2, temperature 0.7". */
export function overrideWords(override: OverrideView): string {
  const parts = [
    override.model ? `model ${override.model}` : "",
    ...Object.entries(override.params).map(([name, value]) =>
      value === null
        ? `without ${name}`
        : `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`,
    ),
  ].filter(Boolean);
  return `${override.of} with ${parts.join(", ")}`;
}
