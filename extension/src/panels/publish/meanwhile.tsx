import { useEffect, useReducer, useRef } from "preact/hooks";
import type { LabelView, Told } from "../../model";
import { useHost } from "../../parts/hooks";
import { useKept } from "../../parts/typed";
import { Button, Time } from "../../parts/ui";

/** How a label stood when somebody began to write why it should move. */
interface Seen {
  label: string;
  seq: number;
  version: string | null;
}

/**
 * Whether a label moved while somebody was writing why it should: what the button would do changed under the hand, so
 * that it waits until the new state was read.
 */
export function useMeanwhile(
  held: LabelView | null,
  name: string,
  label: string,
  writing: boolean,
  own: number,
): { before: string | null; accept: () => void } | null {
  const [kept, keep] = useKept<Seen>(`label under the reason of ${name}`);
  const seen = useRef(kept);
  const [, again] = useReducer((n: number, _: null) => n + 1, 0);
  const latch = () => {
    seen.current = { label, seq: held?.seq ?? 0, version: held?.version ?? null };
  };
  // A move made here may come into sight only once the next reason is being written.
  if (seen.current === null || seen.current.label !== label || !writing || held?.seq === own) latch();
  const { seq, version } = seen.current as Seen;
  // Kept as long as the reason is: a look at another panel is no consent to what happened meanwhile.
  // biome-ignore lint/correctness/useExhaustiveDependencies: `seen` changes with these
  useEffect(() => {
    if (writing) keep(seen.current);
    else if (kept) keep(null);
  }, [writing, label, seq, version]);
  if (seq === (held?.seq ?? 0)) return null;
  return {
    before: version,
    accept: () => {
      latch();
      again(null);
    },
  };
}

/** Who moved it, when and why; what was typed stays. */
export function Meanwhile(props: {
  label: string;
  before: string | null;
  held: LabelView | null;
  /** The registry's refusal, where the move was already sent. */
  told: Told | null;
  wanted: string;
  onGoOn: () => void;
}) {
  const { label, before, held, wanted } = props;
  const host = useHost();
  const current = typeof props.told?.current === "object" ? props.told.current : null;
  // What the refusal says is newer than what was read before it, until that is read again.
  const now = current && current.seq > (held?.seq ?? 0) ? current : (held ?? current);
  return (
    <div class="pm-note pm-note-error" role="alert">
      <span class="pm-mark" aria-hidden="true">
        !
      </span>
      <div class="pm-note-text">
        {now ? (
          <>
            <div>
              <b>
                {label} was moved meanwhile{props.told ? ", so that nothing was moved now" : ""}.
              </b>{" "}
              {now.moved_by} moved it{before && before !== now.version ? ` from ${before}` : ""} to{" "}
              {now.version}, <Time at={now.moved_at} />:
            </div>
            <blockquote class="pm-quote">{now.reason || "no reason given"}</blockquote>
          </>
        ) : (
          <div>
            <b>{label} was removed meanwhile.</b>
          </div>
        )}
        <div class="pm-soft">Your reason is kept.</div>
        <div class="pm-actions pm-row">
          <Button onClick={props.onGoOn}>Go on from {now?.version ?? "nothing"}</Button>
          {now && wanted && wanted !== now.version && (
            <Button
              onClick={() => {
                void host.call("choose_pair", { baseline: now.version, version: wanted });
                void host.call("show", { panel: "compare" });
              }}
            >
              Compare {now.version} with {wanted}
            </Button>
          )}
        </div>
      </div>
    </div>
  );
}
