import { pieces } from "../logic/hidden";

/** A text as it stands, with a mark for each character that shows nothing or turns the text around it. */
export function Plain(props: { text: string }) {
  const found = pieces(props.text);
  if (found.length === 1 && found[0]?.hidden === null) return <>{props.text}</>;
  return (
    <>
      {found.map((piece, at) =>
        piece.hidden === null ? (
          piece.text
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: a piece has nothing of its own but its place
          <span key={at} class="pm-unseen" title={`hidden character ${piece.hidden}`}>
            {piece.hidden}
          </span>
        ),
      )}
    </>
  );
}
