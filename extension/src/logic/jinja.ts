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
  stream.next();
  while (!stream.eol() && !stream.match(/^\{[{%#]/, false)) stream.next();
  return null;
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
  startState: () => ({ mode: "text", afterPipe: false, opening: false }),
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
