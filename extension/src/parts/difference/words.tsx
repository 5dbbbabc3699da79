import type { Part, Word } from "../../logic/diff";
import { Plain } from "../plain";

/** A line of one side; its marked parts went or came. */
export function Marked(props: { parts: Part[]; sort: "removed" | "added" }) {
  return (
    <Words
      of={props.parts.map((part) => ({
        text: part.text,
        sort: part.marked ? props.sort : ("same" as const),
      }))}
    />
  );
}

/** Words with what went struck through and what came underlined. */
export function Words(props: { of: readonly Word[] }) {
  return (
    <>
      {props.of.map((word, index) => {
        const Mark = word.sort === "removed" ? "del" : "ins";
        // Indentation is not what one reads for: only the words carry the mark.
        const pieces = word.sort === "same" ? [word.text] : word.text.split(/(^\s+|\n\s*)/);
        return (
          // biome-ignore-start lint/suspicious/noArrayIndexKey: parts of a line have nothing of their own but their place
          <span key={index}>
            {pieces.map((piece, at) =>
              word.sort === "same" || !piece.trim() ? (
                <Plain key={at} text={piece} />
              ) : (
                <Mark key={at}>
                  <Plain text={piece} />
                </Mark>
              ),
            )}
          </span>
          // biome-ignore-end lint/suspicious/noArrayIndexKey: as above
        );
      })}
    </>
  );
}
