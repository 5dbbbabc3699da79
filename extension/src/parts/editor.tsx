import {
  autocompletion,
  type CompletionContext,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { bracketMatching, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, setDiagnostics } from "@codemirror/lint";
import { EditorState, Prec, type Range } from "@codemirror/state";
import {
  Decoration,
  type DecorationSet,
  EditorView,
  highlightSpecialChars,
  keymap,
  lineNumbers,
  placeholder,
  ViewPlugin,
  type ViewUpdate,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "preact/hooks";
import { FILTERS, TESTS } from "../logic/filters";
import { codePoint, HIDDEN } from "../logic/hidden";
import { insideCode, jinja } from "../logic/jinja";
import type { Problem } from "../logic/text";
import { Problems } from "./ui";

export interface Offer {
  name: string;
  detail: string;
}

const colours = HighlightStyle.define([
  { tag: tags.brace, class: "pm-tok-brace" },
  { tag: tags.keyword, class: "pm-tok-keyword" },
  { tag: tags.variableName, class: "pm-tok-variable" },
  { tag: tags.propertyName, class: "pm-tok-property" },
  { tag: [tags.function(tags.variableName), tags.standard(tags.variableName)], class: "pm-tok-filter" },
  { tag: tags.string, class: "pm-tok-string" },
  { tag: [tags.number, tags.atom, tags.bool, tags.null], class: "pm-tok-number" },
  { tag: tags.comment, class: "pm-tok-comment" },
  { tag: tags.heading, class: "pm-tok-heading" },
  { tag: tags.strong, class: "pm-tok-strong" },
  { tag: tags.emphasis, class: "pm-tok-emphasis" },
  { tag: tags.monospace, class: "pm-tok-code" },
  { tag: tags.link, class: "pm-tok-link" },
  { tag: tags.list, class: "pm-tok-list" },
]);

const ownDirection = Decoration.line({ attributes: { dir: "auto" } });

/** A line of Arabic or Hebrew begins at the right, whatever the lines around it do. */
const eachLineItsOwnDirection = [
  EditorView.perLineTextDirection.of(true),
  ViewPlugin.define(
    (view) => ({
      lines: linesInSight(view),
      update(update: ViewUpdate) {
        if (update.docChanged || update.viewportChanged) this.lines = linesInSight(update.view);
      },
    }),
    { decorations: (plugin) => plugin.lines },
  ),
];

function linesInSight(view: EditorView): DecorationSet {
  const found: Range<Decoration>[] = [];
  for (const { from, to } of view.visibleRanges) {
    for (let at = from; at <= to; ) {
      const line = view.state.doc.lineAt(at);
      found.push(ownDirection.range(line.from));
      at = line.to + 1;
    }
  }
  return Decoration.set(found, true);
}

/** A CodeMirror editor. The text is its own until `revision` changes: then it takes over `value`. */
export function CodeEditor(props: {
  value: string;
  revision: string | number;
  onInput: (text: string) => void;
  language: "jinja" | "json";
  label: string;
  problems?: readonly Problem[];
  offers?: readonly Offer[];
  hint?: string;
  /** Called where the editor itself has nothing to undo, or to do again. */
  onWalk?: (by: number) => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const latest = useRef(props);
  latest.current = props;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the editor is made once; later values come by `revision`
  useEffect(() => {
    if (!box.current) return;
    const complete = (context: CompletionContext) => {
      const line = context.state.doc.lineAt(context.pos);
      if (!insideCode(line.text.slice(0, context.pos - line.from))) return null;
      const word = context.matchBefore(/\w*/);
      if (!word || (word.from === word.to && !context.explicit)) return null;
      const piped = /\|\s*\w*$/.test(line.text.slice(0, context.pos - line.from));
      const tested = /\bis\s+(?:not\s+)?\w*$/.test(line.text.slice(0, context.pos - line.from));
      const options = piped
        ? FILTERS.map((label) => ({ label, type: "function", detail: "filter" }))
        : tested
          ? TESTS.map((label) => ({ label, type: "function", detail: "test" }))
          : (latest.current.offers ?? []).map((offer) => ({ label: offer.name, detail: offer.detail }));
      return { from: word.from, options };
    };
    const walked = (by: number) => {
      latest.current.onWalk?.(by);
      return latest.current.onWalk !== undefined;
    };
    const editor = new EditorView({
      parent: box.current,
      state: EditorState.create({
        doc: props.value,
        extensions: [
          history(),
          lineNumbers(),
          // What the page shows of such characters elsewhere, the editor shows too.
          highlightSpecialChars({
            specialChars: new RegExp(HIDDEN.source, "gu"),
            render: (code) => {
              const mark = document.createElement("span");
              mark.className = "pm-unseen";
              mark.textContent = codePoint(code);
              mark.title = `hidden character ${codePoint(code)}`;
              return mark;
            },
          }),
          bracketMatching(),
          closeBrackets(),
          syntaxHighlighting(colours),
          props.language === "jinja" ? jinja : json(),
          props.language === "jinja" ? autocompletion({ override: [complete], icons: false }) : [],
          EditorView.lineWrapping,
          eachLineItsOwnDirection,
          props.hint ? placeholder(props.hint) : [],
          EditorView.contentAttributes.of({ "aria-label": props.label, spellcheck: "false" }),
          // Escape leaves the editor, so that Tab can go on from there: nobody gets stuck in a text.
          keymap.of([...closeBracketsKeymap, ...completionKeymap, ...defaultKeymap, ...historyKeymap]),
          Prec.lowest(
            keymap.of([
              { key: "Mod-z", run: () => walked(-1) },
              { key: "Mod-y", mac: "Mod-Shift-z", run: () => walked(1) },
              {
                key: "Escape",
                run: (at) => {
                  at.contentDOM.blur();
                  return true;
                },
              },
            ]),
          ),
          EditorView.updateListener.of((update) => {
            if (update.docChanged && update.transactions.some((each) => !each.isUserEvent("pressmark"))) {
              latest.current.onInput(update.state.doc.toString());
            }
          }),
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the text follows `revision`, not every keystroke
  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === props.value) return;
    editor.dispatch({
      changes: { from: 0, to: editor.state.doc.length, insert: props.value },
      userEvent: "pressmark",
    });
  }, [props.revision]);

  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const { doc } = editor.state;
    const diagnostics = (props.problems ?? []).flatMap((problem): Diagnostic[] => {
      if (problem.line === null || problem.line < 1 || problem.line > doc.lines) return [];
      const line = doc.line(problem.line);
      const from = Math.min(line.to, line.from + Math.max(0, (problem.column ?? 1) - 1));
      const rest = doc.sliceString(from, line.to);
      const to = Math.min(
        line.to,
        from + Math.max(1, /^\s*(?:"[^"]*"|[\w{}%|]*)/.exec(rest)?.[0].length ?? 1),
      );
      return [{ from, to: Math.max(from, to), severity: "error", message: problem.message }];
    });
    editor.dispatch(setDiagnostics(editor.state, diagnostics));
  }, [props.problems]);

  return (
    <div class="pm-editor">
      <div ref={box} />
      <Problems of={props.problems ?? []} />
    </div>
  );
}
