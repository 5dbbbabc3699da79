import { useHost, useTrait } from "../../parts/hooks";
import { Button, Empty, ErrorNote, Loading } from "../../parts/ui";
import { Begin } from "./begin";
import { Blind } from "./blind";
import { Reveal } from "./reveal";

/** Two outputs, nobody's name, and at the end what was which. */
export function RatePanel() {
  const host = useHost();
  const state = useTrait("state_rate");
  const run = useTrait("run");
  if (!state.ready || (state.run ?? "") !== run) return <Loading what="what can be rated" />;
  if (state.error && !state.blind) return <ErrorNote error={state.error} />;
  if (!state.offer)
    return (
      <Empty title="No run to rate yet">
        <p>
          Run two versions in Evaluate: their outputs can then be rated here, side by side and without a name.
        </p>
        <Button kind="primary" onClick={() => void host.call("show", { panel: "evaluate" })}>
          Go to Evaluate
        </Button>
      </Empty>
    );
  if (state.revealed || state.blind)
    return (
      <>
        {state.error && <ErrorNote error={state.error} />}
        {state.revealed ? (
          <Reveal result={state.revealed} blind={state.blind ?? null} />
        ) : (
          state.blind && <Blind blind={state.blind} />
        )}
      </>
    );
  return <Begin key={state.offer.run} offer={state.offer} />;
}
