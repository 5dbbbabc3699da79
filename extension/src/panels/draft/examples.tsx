import { useEffect, useState } from "preact/hooks";
import { count, oneLine, plural } from "../../logic/format";
import type { Message, UnitBody } from "../../model";
import { useAct, useTrait } from "../../parts/hooks";
import { Button, ErrorNote, Loading, Select, TextField } from "../../parts/ui";
import type { Draft } from "./state";

const PAGE = 20;

/** Rows of a dataset to show the model; those that prompts are judged by cannot be chosen. */
export function Examples(props: { draft: Draft; body: UnitBody; onClose: () => void }) {
  const { draft, body } = props;
  const catalog = useTrait("state_catalog");
  const preview = useTrait("state_preview");
  const datasets = catalog.datasets ?? [];
  const [dataset, setDataset] = useState(preview.dataset ?? datasets[0]?.name ?? "");
  const [search, setSearch] = useState("");
  const [offset, setOffset] = useState(0);
  const [chosen, setChosen] = useState<number[]>([]);
  const [answer, setAnswer] = useState("");
  const page = useAct("example_rows");
  const make = useAct("examples");
  // biome-ignore lint/correctness/useExhaustiveDependencies: `page` is read anew when one of these says so
  useEffect(() => {
    if (dataset) void page.run({ dataset, search, offset, limit: PAGE });
  }, [dataset, search, offset]);
  const shown = page.value?.dataset === dataset ? page.value : null;
  const columns = datasets.find((each) => each.name === dataset)?.columns ?? [];
  const asked = new Set((body.kind === "chat" ? body.messages : []).flatMap((each) => wordsOf(each)));
  const expected =
    answer ||
    (columns.find((each) => /^(expected|answer|output|label|category)$/i.test(each)) ?? columns.at(-1) ?? "");
  const insert = async (form: "messages" | "text") => {
    const made = await make.run({ body, dataset, rows: chosen, answer: expected, form });
    if (!made) return;
    draft.put(inserted(body, made.value.messages, made.value.text));
    props.onClose();
  };
  if (!datasets.length)
    return <p class="pm-soft">There is no dataset yet: keep one with ws.dataset("support/inbox", df).</p>;
  return (
    <fieldset class="pm-card pm-examples" aria-label="Examples from a dataset">
      <div class="pm-card-head pm-row">
        <Select
          label="Dataset of the examples"
          hideLabel
          value={dataset}
          options={datasets.map((each) => ({ value: each.name, text: each.name }))}
          onChange={(name) => {
            setDataset(name);
            setOffset(0);
            setChosen([]);
            setAnswer("");
          }}
        />
        <Select
          label="Answer in"
          class="pm-inline"
          value={expected}
          options={columns.map((each) => ({ value: each, text: each }))}
          onChange={setAnswer}
        />
        <TextField
          label="Search the rows"
          hideLabel
          class="pm-grow"
          placeholder="search"
          value={search}
          onInput={(text) => {
            setSearch(text);
            setOffset(0);
          }}
        />
        <Button kind="quiet" onClick={props.onClose}>
          Close
        </Button>
      </div>
      {page.error && <ErrorNote error={page.error} />}
      {!shown && page.busy && <Loading what="rows" />}
      {shown && shown.held > 0 && (
        <p class="pm-absent pm-pad">
          ! {plural(shown.held, "row")} held out: a prompt that shows {shown.held === 1 ? "it" : "them"} could
          not be judged by {shown.held === 1 ? "it" : "them"}.
        </p>
      )}
      {shown && shown.total === 0 && <p class="pm-soft pm-pad">No row has that.</p>}
      <ul class="pm-list">
        {shown?.rows.map((each) => (
          <li key={each.row}>
            <label class="pm-example" aria-disabled={each.held}>
              <input
                type="checkbox"
                checked={chosen.includes(each.row)}
                disabled={each.held}
                onChange={(event) =>
                  setChosen(
                    event.currentTarget.checked
                      ? [...chosen, each.row]
                      : chosen.filter((row) => row !== each.row),
                  )
                }
              />
              <span class="pm-soft pm-number">{each.row}</span>
              <span class="pm-cut">
                {oneLine(
                  Object.entries(each.values)
                    .filter(([name]) => name !== expected)
                    .sort(([a], [b]) => Number(asked.has(b)) - Number(asked.has(a)))
                    .map(([, value]) => value)
                    .join(" · "),
                  160,
                )}
              </span>
              <b class="pm-cut pm-example-answer">
                {each.held ? "held out" : oneLine(each.values[expected] ?? "", 60)}
              </b>
            </label>
          </li>
        ))}
      </ul>
      {make.error && <ErrorNote error={make.error} onClose={make.clear} />}
      <div class="pm-row pm-pad">
        {shown && shown.total > PAGE && (
          <span class="pm-row pm-tight">
            <Button
              kind="quiet"
              label="Earlier rows"
              disabled={offset === 0}
              onClick={() => setOffset(offset - PAGE)}
            >
              ‹
            </Button>
            <span class="pm-soft pm-number">
              {count(offset + 1)} to {count(Math.min(offset + PAGE, shown.total))} of {count(shown.total)}
            </span>
            <Button
              kind="quiet"
              label="Later rows"
              disabled={offset + PAGE >= shown.total}
              onClick={() => setOffset(offset + PAGE)}
            >
              ›
            </Button>
          </span>
        )}
        <span class="pm-push" />
        <Button disabled={!chosen.length} busy={make.busy} onClick={() => void insert("text")}>
          {body.kind === "chat" ? "Add to the first message as text" : "Add as text"}
        </Button>
        {body.kind === "chat" && (
          <Button
            kind="primary"
            disabled={!chosen.length}
            busy={make.busy}
            onClick={() => void insert("messages")}
          >
            {chosen.length ? `Insert ${plural(2 * chosen.length, "message")}` : "Insert as messages"}
          </Button>
        )}
      </div>
    </fieldset>
  );
}

function wordsOf(message: Message): string[] {
  return typeof message.content === "string" ? (message.content.match(/\w+/g) ?? []) : [];
}

/** Messages go before the question that is asked last; a text goes to the end of the first message. */
function inserted(body: UnitBody, messages: Message[], text: string): Partial<UnitBody> {
  if (body.kind === "text") return { text: `${body.text.trimEnd()}\n\n${text}\n` };
  if (text) {
    const first = body.messages.findIndex((each) => typeof each.content === "string");
    if (first < 0) return { messages: [{ role: "system", content: text }, ...body.messages] };
    return {
      messages: body.messages.map((each, at) =>
        at === first ? { ...each, content: `${String(each.content).trimEnd()}\n\n${text}` } : each,
      ),
    };
  }
  const last = body.messages.map((each) => each.role).lastIndexOf("user");
  const at = last < 0 ? body.messages.length : last;
  return { messages: [...body.messages.slice(0, at), ...messages, ...body.messages.slice(at)] };
}
