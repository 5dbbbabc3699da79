import { seconds } from "../../logic/format";
import { sentence } from "../../logic/text";
import type { ClientView } from "../../model";
import { useTicks, useTrait } from "../../parts/hooks";
import { Prose } from "../../parts/ui";

const WORDS: Record<string, string> = {
  starting: "is starting",
  live: "follows the registry",
  polling: "asks the registry now and then",
  stale: "does not hear the registry",
  offline: "has not heard the registry yet",
  closed: "was closed",
};

/** What a client in this notebook serves of the label: the same client that a service runs. */
export function LiveLine(props: { label: string; waitsFor: number | null }) {
  const { view } = useTrait("state_client");
  useTicks(1000);
  if (!view || view.label !== props.label) return null;
  if (view.state === "none")
    return (
      <p class="pm-soft pm-live-none">
        No client follows {view.label} here: <Prose text={sentence(view.message)} />
      </p>
    );
  const waits = props.waitsFor !== null && (view.seq ?? 0) < props.waitsFor;
  const well = view.state === "live" && !waits;
  return (
    <section class="pm-live" aria-label="A client in this notebook">
      <span class={`pm-live-dot ${well ? "pm-live-well" : ""}`} aria-hidden="true">
        {well ? "●" : "○"}
      </span>
      <div class="pm-live-text">
        <span role="status">
          <b>A client in this notebook</b>{" "}
          {waits ? (
            <>
              waits for entry {props.waitsFor}; it still serves <Served view={view} />.
            </>
          ) : (
            <>
              serves <Served view={view} />
              {view.heard && view.heard.after_ms !== null && view.heard.version === view.version
                ? `, ${seconds(view.heard.after_ms / 1000)} after the move was sent`
                : ""}
              .
            </>
          )}
        </span>
        <div class="pm-soft pm-number">
          {[
            `it ${WORDS[view.state] ?? view.state}`,
            view.seq === null ? "" : `entry ${view.seq}`,
            view.source === "none" || view.source === "live" ? "" : `from a ${view.source}`,
            confirmed(view),
            view.behind ? `${view.behind} behind` : "",
          ]
            .filter(Boolean)
            .join(" · ")}
        </div>
        {view.message && (
          <div class="pm-soft">
            <Prose text={sentence(view.message)} />
          </div>
        )}
      </div>
    </section>
  );
}

function Served(props: { view: ClientView }) {
  const { view } = props;
  return (
    <>
      <b class="pm-number">{view.version ?? "nothing"}</b> as {view.label}
    </>
  );
}

function confirmed(view: ClientView): string {
  if (!view.confirmed_at) return "never confirmed";
  const age = Math.max(0, (Date.now() - Date.parse(view.confirmed_at)) / 1000);
  return age < 1.5 ? "confirmed just now" : `confirmed ${seconds(Math.floor(age))} ago`;
}
