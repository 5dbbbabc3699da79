// Jinja as the editor colours it: text around expressions, statements and comments. It only has to look right while one
// types; what a template means is decided in Python.
import { StreamLanguage, type StreamParser, type StringStream } from "@codemirror/language";

type Mode = "text" | "expression" | "statement" | "comment";

interface JinjaState {
  mode: Mode;
  /** Whether the next word names a filter or a test. */
  afterPipe: boolean;
  /** Whether the next word is the statement's own keyword. */
  opening: boolean;
  /** Whether the line is a heading of Markdown, and whether lines stand in a fenced block of code. */
  heading: boolean;
  fenced: boolean;
}

const KEYWORDS = new Set(
  "and as block call context do elif else endblock endcall endfilter endfor endif endmacro endraw endset endwith extends filter for from if ignore import in include is macro missing not or raw recursive scoped set with without".split(
    " ",
  ),
);
const CONSTANTS = new Set(["true", "false", "none", "True", "False", "None"]);

function inText(stream: StringStream, state: JinjaState): string | null {
  if (stream.match("{#")) {
    state.mode = "comment";
    return inComment(stream, state);
  }
  if (stream.match(/^\{\{[-+]?/)) {
    state.mode = "expression";
    state.afterPipe = false;
    return "brace";
  }
  if (stream.match(/^\{%[-+]?/)) {
    state.mode = "statement";
    state.opening = true;
    state.afterPipe = false;
    return "brace";
  }
  const marked = inMarkdown(stream, state);
  if (marked !== undefined) return marked;
  stream.next();
  while (!stream.eol() && !stream.match(/^(?:\{[{%#]|[*`[_])/, false)) stream.next();
  return state.heading ? "heading" : null;
}

/** Markdown as far as it shows in a line: headings, lists, emphasis, code and links; undefined where there is none. */
function inMarkdown(stream: StringStream, state: JinjaState): string | undefined {
  if (stream.sol()) {
    state.heading = false;
    const fence = stream.match(/^\s*```.*/, false);
    if (fence) {
      state.fenced = !state.fenced;
      stream.skipToEnd();
      return "monospace";
    }
    if (!state.fenced && stream.match(/^#{1,6}\s/)) {
      state.heading = true;
      return "heading";
    }
    if (!state.fenced && stream.match(/^\s*(?:[-*+]|\d+[.)])\s/)) return "list";
  }
  if (state.fenced) {
    stream.next();
    while (!stream.eol() && !stream.match(/^\{[{%#]/, false)) stream.next();
    return "monospace";
  }
  if (stream.match(/^`[^`\n]+`/)) return "monospace";
  if (stream.match(/^\*\*[^*{\n]+\*\*/)) return "strong";
  if (stream.match(/^(?:\*[^*\s{][^*{\n]*\*|_[^_\s{][^_{\n]*_(?!\w))/)) return "emphasis";
  if (stream.match(/^\[[^\]\n]+\]\([^)\n]+\)/)) return "link";
  return undefined;
}

function inComment(stream: StringStream, state: JinjaState): string {
  if (stream.skipTo("#}")) {
    stream.match("#}");
    state.mode = "text";
  } else {
    stream.skipToEnd();
  }
  return "comment";
}

function inCode(stream: StringStream, state: JinjaState): string | null {
  if (stream.eatSpace()) return null;
  if (stream.match(state.mode === "expression" ? /^[-+]?\}\}/ : /^[-+]?%\}/)) {
    state.mode = "text";
    return "brace";
  }
  if (stream.match(/^"(?:[^"\\]|\\.)*"?|^'(?:[^'\\]|\\.)*'?/)) return "string";
  if (stream.match(/^\d[\d_]*(?:\.\d+)?/)) return "number";
  if (stream.match("|")) {
    state.afterPipe = true;
    return "operator";
  }
  const word = stream.match(/^[A-Za-z_]\w*/) as RegExpMatchArray | null;
  if (word) {
    const name = word[0];
    const named = state.afterPipe;
    const opening = state.opening;
    state.opening = false;
    state.afterPipe = name === "is" || (name === "not" && named);
    if (KEYWORDS.has(name) && (opening || !named || name === "not")) return "keyword";
    if (CONSTANTS.has(name)) return "atom";
    if (named) return "variableName.function";
    return stream.string.charAt(stream.start - 1) === "." ? "propertyName" : "variableName";
  }
  if (stream.match(/^(?:==|!=|<=|>=|[-+*/%~<>=])/)) return "operator";
  stream.next();
  return "punctuation";
}

export const jinjaParser: StreamParser<JinjaState> = {
  name: "jinja",
  startState: () => ({ mode: "text", afterPipe: false, opening: false, heading: false, fenced: false }),
  copyState: (state) => ({ ...state }),
  token(stream, state) {
    if (state.mode === "text") return inText(stream, state);
    return state.mode === "comment" ? inComment(stream, state) : inCode(stream, state);
  },
  languageData: {
    commentTokens: { block: { open: "{#", close: "#}" } },
    closeBrackets: { brackets: ["(", "[", "{", "'", '"'] },
  },
};

export const jinja = StreamLanguage.define(jinjaParser);

/** Where in a line the cursor stands inside `{{ }}` or `{% %}`, so that names of variables can be offered. */
export function insideCode(before: string): boolean {
  const open = Math.max(before.lastIndexOf("{{"), before.lastIndexOf("{%"));
  return open > Math.max(before.lastIndexOf("}}"), before.lastIndexOf("%}"));
}
